from __future__ import annotations

import polars as pl
import pytest
import xlsxwriter

from harmonization.core import sampled
from harmonization.core.library import shipped_contracts
from harmonization.core.preview import preview
from harmonization.core.reading import open_source
from tests.harmonization.conftest import walmart_csv, walmart_row

CONTRACT = shipped_contracts()["walmart_search_item"]


@pytest.fixture
def opened(monkeypatch):
    """How often the file was opened, as the length of a list."""
    found = []
    monkeypatch.setattr(sampled, "open_source", lambda *a, **b: found.append(a) or open_source(*a, **b))
    return found


class Memory(dict):
    def set(self, key, value):
        self[key] = value


@pytest.fixture
def export(tmp_path):
    path = tmp_path / "item.csv"
    path.write_bytes(walmart_csv(*(walmart_row(f"2026-11-{day:02}") for day in range(2, 22))))
    return path


def test_kept_rows_are_previewed_as_read_ones(export, opened):
    memory = Memory()
    plain = preview(export, CONTRACT, rows=10)
    for _ in range(2):
        assert preview(export, CONTRACT, rows=10, content="abc", memory=memory) == plain
    assert len(opened) == 2, "once without a memory, once with one"
    assert (plain.rows, plain.more) == (10, True)


def test_other_content_and_more_rows_are_read(export, opened):
    memory = Memory()
    for content, rows in (("abc", 10), ("abd", 10), ("abc", 15)):
        assert preview(export, CONTRACT, rows=rows, content=content, memory=memory).rows == rows
    assert len(opened) == 3


def test_sheets_are_kept_each_by_itself(tmp_path, opened):
    path = tmp_path / "item.xlsx"
    frame = pl.read_csv(walmart_csv(), infer_schema=False)
    other = frame.with_columns(adSpend=pl.lit("99.00")).rename({"campaignId": "x", "itemId": "y", "adGroupId": "z"})
    with xlsxwriter.Workbook(path) as book:
        other.write_excel(book, "Other")
        frame.write_excel(book, "Report")
    memory = Memory()
    first, again = (preview(path, CONTRACT, content="abc", memory=memory) for _ in range(2))
    assert first == again
    assert first.totals[0]["spend"] == "10.00"
    assert len(opened) == 1


def test_a_sample_that_is_too_large_is_read_anew(export, opened, monkeypatch):
    monkeypatch.setattr(sampled, "LARGEST", 10)
    memory = Memory()
    for _ in range(2):
        preview(export, CONTRACT, content="abc", memory=memory)
    assert len(opened) == 2
    assert not memory
