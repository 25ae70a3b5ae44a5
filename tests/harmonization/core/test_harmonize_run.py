"""The command's body: names and paths in, the report's documented members out."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harmonization.core.harmonize_run import as_table, run
from tenants.core.problems import Problem
from tests.harmonization.core.exports import SEARCH_TERM, search_term_row, write_csv


@pytest.fixture
def export(tmp_path: Path) -> Path:
    rows = [SEARCH_TERM, search_term_row("a", spend="$0.10"), search_term_row("b", spend="$0.20"), ["Total"]]
    return write_csv(tmp_path / "st.csv", [*rows, search_term_row("c", spend="x")])


@pytest.mark.parametrize("contract", ["auto", "amazon_sp_search_term"])
def test_members_of_the_report(export: Path, contract: str) -> None:
    report = json.loads(json.dumps(run(export, contract=contract)))
    assert (report["rows_in"], report["rows_out"], report["rows_quarantined"], report["rows_skipped"]) == (4, 2, 1, 1)
    assert report["totals"] == [{"currency": "USD", "impressions": 200, "clicks": 8, "spend": 0.3}]
    assert report["attributed"][0] == {
        "metric": "sales",
        "click_days": 7,
        "view_days": None,
        "touch": "click",
        "match": "total",
        "channel": "all",
        "ntb": "all",
        "model": "last_touch",
        "value": 20,
    }
    assert report["contract"] == "amazon_sp_search_term"
    assert report["seconds"] >= 0
    assert report["peak_rss_mb"] > 10


def test_files_are_left_where_asked(export: Path, tmp_path: Path) -> None:
    report = run(export, out_dir=tmp_path / "deep" / "out")
    assert sorted(path.name for path in (tmp_path / "deep" / "out").iterdir()) == [
        "events.parquet",
        "quarantine.parquet",
        "skipped.parquet",
    ]
    assert report["events_path"].endswith("events.parquet")


def test_the_table_says_the_same(export: Path) -> None:
    table = as_table(run(export))
    for words in ("quarantined", "readable_spend", "total_row", "sales, 7-day click, total"):
        assert words in table


def test_unknown_contract_and_file(export: Path, tmp_path: Path) -> None:
    with pytest.raises(Problem, match="no contract 'nope'"):
        run(export, contract="nope")
    with pytest.raises(Problem, match="cannot be opened"):
        run(tmp_path / "gone.csv", contract="amazon_sp_search_term")
