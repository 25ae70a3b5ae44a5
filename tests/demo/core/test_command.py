"""The command, and the large file."""

from __future__ import annotations

import json
from decimal import Decimal
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from tests.demo.core.reading import read, total


def run(*arguments: str) -> dict[str, object]:
    out = StringIO()
    call_command("make_sample_exports", *arguments, "--json", stdout=out)
    return json.loads(out.getvalue())


def test_writes_a_set(tmp_path: Path) -> None:
    summary = run(str(tmp_path / "new" / "set"), "--profile", "birch", "--until", "2026-06-30", "--network", "criteo")
    truth = json.loads(Path(str(summary["truth"])).read_text(encoding="utf-8"))
    assert truth["last_day"] == "2026-06-30"
    assert {file["network"] for file in truth["files"]} == {"criteo"}
    assert summary["rows"] == sum(
        file["rows"]
        for file in summary["files"]
        if not file["variant"]  # type: ignore[attr-defined]
    )


def test_writes_one_large_file(tmp_path: Path) -> None:
    """More rows than the company's year has, so that the second round of campaigns begins."""
    summary = run(str(tmp_path), "--profile", "birch", "--rows", "9000")
    (file,) = summary["files"]  # type: ignore[misc]
    truth = json.loads(Path(str(summary["truth"])).read_text(encoding="utf-8"))
    header, rows = read(tmp_path / file["file"])
    assert header[0] == "date"
    assert len(rows) == truth["rows"] == 9000
    assert len({(row["date"], row["adGroupId"], row["itemId"], row["placement"]) for row in rows}) == 9000
    assert total(rows, "adSpend") == Decimal(truth["totals"][0]["spend"])
    assert total(rows, "ntbUnits14days") == Decimal(truth["attributed"][-1]["value"])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--until", "22.11.2026"), "YYYY-MM-DD"),
        (("--rows", "0"), "at least one row"),
        (("--scale", "9"), "between 0.1 and 2"),
        (("--profile", "cedar"), "invalid choice"),
    ],
)
def test_says_what_would_help(tmp_path: Path, arguments: tuple[str, ...], message: str) -> None:
    with pytest.raises(CommandError, match=message):
        call_command("make_sample_exports", str(tmp_path / "out"), *arguments)


def test_a_file_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("not a folder")
    with pytest.raises(CommandError, match="folder that can be written"):
        call_command("make_sample_exports", str(tmp_path / "taken"), "--profile", "birch")
