"""`manage.py harmonize` as a shell sees it: no database, one document on one stream, an exit code."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from tests.harmonization.core.exports import SEARCH_TERM, search_term_row, write_csv
from tests.shell import manage

ROOT = Path(__file__).resolve().parents[3]


def harmonize(*arguments: str) -> subprocess.CompletedProcess[str]:
    return manage("harmonize", *arguments)


def test_json_on_standard_output(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "st.csv", [SEARCH_TERM, search_term_row("chips", spend="$0.10")])
    done = harmonize(str(path), "--contract", "auto", "--json", "--out", str(tmp_path / "out"))
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["totals"] == [{"currency": "USD", "impressions": 100, "clicks": 4, "spend": 0.1}]
    assert (tmp_path / "out" / "events.parquet").is_file()


def test_a_problem_on_standard_error_and_exit_code_two(tmp_path: Path) -> None:
    path = tmp_path / "st.xlsx"
    path.write_bytes(b"not a workbook")
    done = harmonize(str(path), "--json")
    assert (done.returncode, done.stdout) == (2, "")
    problem = json.loads(done.stderr)
    assert problem["code"] == "unreadable-file"
    assert problem["where"] == "st.xlsx"
    assert problem["fix"]


def test_parameters_are_checked(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "st.csv", [SEARCH_TERM, search_term_row("chips")])
    done = harmonize(str(path), "--parameter", "click_window")
    assert done.returncode == 2
    assert "NAME=VALUE" in done.stderr


def test_the_files_of_a_pattern_are_one_report(tmp_path: Path) -> None:
    first, second = search_term_row("chips", spend="$0.10"), search_term_row("crisps", spend="$0.20")
    write_csv(tmp_path / "st-1.csv", [SEARCH_TERM, first])
    write_csv(tmp_path / "st-2.csv", [SEARCH_TERM, first, second])
    done = harmonize(str(tmp_path / "st-*.csv"), "--json", "--out", str(tmp_path / "out"))
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert (report["rows_in"], report["rows_out"], report["rows_skipped"]) == (3, 2, 1)
    assert report["totals"] == [{"currency": "USD", "impressions": 200, "clicks": 8, "spend": 0.3}]
    assert [file["rows_out"] for file in report["files"]] == [1, 1]
    assert (tmp_path / "out" / "2" / "events.parquet").is_file()
    missing = harmonize(str(tmp_path / "gone-*.csv"))
    assert missing.returncode == 2
    assert "No file matches" in missing.stderr
