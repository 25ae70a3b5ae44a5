"""`manage.py harmonize` as a shell sees it: no database, one document on one stream, an exit code."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.harmonization.core.exports import SEARCH_TERM, search_term_row, write_csv

ROOT = Path(__file__).resolve().parents[3]


def harmonize(*arguments: str) -> subprocess.CompletedProcess[str]:
    nowhere = {"DATABASE_URL": "postgres://nobody@127.0.0.1:1/none", "REDIS_URL": "redis://127.0.0.1:1/0"}
    return subprocess.run(
        [sys.executable, "manage.py", "harmonize", *arguments],
        cwd=ROOT,
        env=os.environ | nowhere,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


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
