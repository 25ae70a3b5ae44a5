"""Reading delimited text leaves the process as it was."""

from __future__ import annotations

import csv
from pathlib import Path

from harmonization.core.delimited import _records
from harmonization.core.source_file import Limits


def test_the_longest_cell_of_other_readers_stays_theirs(tmp_path: Path) -> None:
    before = csv.field_size_limit()
    file = tmp_path / "wide.csv"
    file.write_text("a,b\n" + "x" * (before + 1) + ",2\n")
    with _records(file, "utf-8", delimiter=",", limits=Limits(line=10 * before)) as records:
        assert len(list(records)) == 2
    assert csv.field_size_limit() == before
