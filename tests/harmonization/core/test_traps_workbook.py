"""Traps of workbooks, one test each."""

from __future__ import annotations

import datetime
import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import xlsxwriter

from harmonization.core.engine import harmonize_file
from harmonization.core.library import shipped_contracts
from harmonization.core.source_file import FileTooLarge, UnreadableFile
from tests.harmonization.core.exports import SEARCH_TERM, search_term_row
from tests.harmonization.core.forms import HEADERS, as_zip, harmonised, search_terms

SPEND = HEADERS.index("Spend")
TERM = HEADERS.index("Customer Search Term")


def workbook(path: Path, sheets: dict[str, Callable[[Any, Any], None]]) -> bytes:
    with xlsxwriter.Workbook(path) as book:
        for name, fill in sheets.items():
            fill(book.add_worksheet(name), book)
    return path.read_bytes()


def rows(*terms: str, top: int = 0, left: int = 0) -> Callable[[Any, Any], None]:
    def fill(page: Any, _: Any) -> None:
        for line, row in enumerate([SEARCH_TERM, *(search_term_row(term) for term in terms)]):
            page.write_row(top + line, left, row)

    return fill


def test_a_formula_has_the_value_that_was_stored_with_it(tmp_path: Path) -> None:
    def fill(page: Any, book: Any) -> None:
        rows("a")(page, book)
        page.write_formula(1, SPEND, "=1+1", None, 2)

    report, _, _ = harmonised(tmp_path, "st.xlsx", workbook(tmp_path / "w.xlsx", {"Report": fill}))
    assert (report.rows_out, report.totals[0].spend) == (1, 2)


def test_a_formula_without_a_stored_value_is_no_empty_cell(tmp_path: Path) -> None:
    workbook(tmp_path / "w.xlsx", {"Report": rows("a", "b")})
    book = openpyxl.load_workbook(tmp_path / "w.xlsx")
    book["Report"].cell(2, SPEND + 1).value = "=1+1"
    book.save(tmp_path / "w.xlsx")
    report, events, quarantine = harmonised(tmp_path, "st.xlsx", (tmp_path / "w.xlsx").read_bytes())
    assert events["search_term"].to_list() == ["b"]
    assert quarantine["findings"][0][0]["value"] == "=1+1"
    assert "1 cells hold a formula without a stored result; the first is N2: =1+1." in [
        warning.detail for warning in report.warnings
    ]


@pytest.mark.parametrize(("top", "left"), [(0, 0), (3, 2)])
def test_an_error_cell_is_no_empty_cell(tmp_path: Path, top: int, left: int) -> None:
    def fill(page: Any, book: Any) -> None:
        rows("a", "b", top=top, left=left)(page, book)
        page.write_formula(top + 1, left + SPEND, "=B2/0", None, "#DIV/0!")
        page.write_formula(top + 2, left + TERM, "=C3", None, "#REF!")

    report, events, quarantine = harmonised(tmp_path, "st.xlsx", workbook(tmp_path / "w.xlsx", {"Report": fill}))
    assert quarantine["findings"][0][0] == {"rule": "readable_spend", "column": "spend", "value": "#DIV/0!"}
    assert events["search_term"].to_list() == ["#REF!"]
    assert events["source_row"].to_list() == [top + 3]
    assert any(warning.detail.startswith("2 cells hold an error; the first is") for warning in report.warnings)


def test_an_error_that_the_contract_takes_for_empty_is_empty(tmp_path: Path) -> None:
    def fill(page: Any, book: Any) -> None:
        rows("a")(page, book)
        page.write_formula(1, HEADERS.index("Cost Per Click (CPC)"), "=NA()", None, "#N/A")

    report, _, _ = harmonised(tmp_path, "st.xlsx", workbook(tmp_path / "w.xlsx", {"Report": fill}))
    assert report.rows_out == 1


def test_the_sheet_whose_headers_fit_is_taken(tmp_path: Path) -> None:
    def other(page: Any, _: Any) -> None:
        page.write_row(0, 0, ["Name", "Age"])
        page.write_row(1, 0, ["bob", 7])

    content = workbook(tmp_path / "w.xlsx", {"Notes": other, "Data": rows("a", "b")})
    for contract in (search_terms(), None):
        path = tmp_path / "st.xlsx"
        path.write_bytes(content)
        report = harmonize_file(path, contract or list(shipped_contracts().values()))
        assert (report.sheet, report.rows_out) == ("Data", 2)
        assert "Sheets that were not read: Notes." in [warning.detail for warning in report.warnings]


def test_the_sheet_that_the_contract_names_is_taken(tmp_path: Path) -> None:
    content = workbook(tmp_path / "w.xlsx", {"One": rows("a"), "Two": rows("b", "c")})
    report, _, _ = harmonised(tmp_path, "st.xlsx", content, search_terms(sheet="Two"))
    assert (report.sheet, report.rows_out) == ("Two", 2)


@pytest.mark.parametrize("epoch", [False, True])
def test_dates_of_both_epochs(tmp_path: Path, epoch: bool) -> None:
    path = tmp_path / "w.xlsx"
    with xlsxwriter.Workbook(path, {"date_1904": epoch}) as book:
        page, day = book.add_worksheet(), book.add_format({"num_format": "dd/mm/yy"})
        rows("a")(page, book)
        for column in (0, 1):
            page.write_datetime(1, column, datetime.datetime(2020, 2, 29), day)  # noqa: DTZ001  Excel knows no zones
    _, events, _ = harmonised(tmp_path, "st.xlsx", path.read_bytes())
    assert events["period_start"].to_list() == [datetime.date(2020, 2, 29)]


def test_a_date_without_a_format_is_its_serial_number(tmp_path: Path) -> None:
    def fill(page: Any, book: Any) -> None:
        rows("a")(page, book)
        page.write_number(1, 0, 43862)
        page.write_number(1, 1, 43862)

    _, events, _ = harmonised(tmp_path, "st.xlsx", workbook(tmp_path / "w.xlsx", {"Report": fill}))
    assert events["period_start"].to_list() == [datetime.date(2020, 2, 1)]


def test_amounts_are_the_cents_that_the_sheet_shows(tmp_path: Path) -> None:
    def fill(page: Any, book: Any) -> None:
        rows("a", "b")(page, book)
        page.write_number(1, SPEND, 0.1 + 0.2)
        page.write_number(2, SPEND, 1e-7)

    report, _, _ = harmonised(tmp_path, "st.xlsx", workbook(tmp_path / "w.xlsx", {"Report": fill}))
    assert str(report.totals[0].spend) == "0.300000"


def test_another_office_document_is_no_workbook(tmp_path: Path) -> None:
    path = tmp_path / "st.xlsx"
    path.write_bytes(as_zip({"[Content_Types].xml": b"<Types/>", "word/document.xml": b"<w/>"}))
    with pytest.raises(UnreadableFile, match="no Excel workbook"):
        harmonize_file(path, search_terms())


def test_entities_in_a_workbook_are_refused(tmp_path: Path) -> None:
    content = workbook(tmp_path / "w.xlsx", {"Report": rows("a")})
    members = {}
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for name in archive.namelist():
            members[name] = archive.read(name)
    bomb = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>'
    sheet = "xl/worksheets/sheet1.xml"
    cell = b'<c r="A9" t="e"><v>&b;</v></c></row></sheetData>'
    members[sheet] = members[sheet].replace(b"<worksheet", bomb + b"<worksheet", 1).replace(b"</row></sheetData>", cell)
    path = tmp_path / "st.xlsx"
    path.write_bytes(as_zip(members))
    with pytest.raises(UnreadableFile, match="entities"):
        harmonize_file(path, search_terms())


@pytest.mark.parametrize("place", ["XFD1048576", "B1048576", "C9999999999"])
def test_two_cells_far_apart_are_refused_before_the_sheet_is_held(tmp_path: Path, place: str) -> None:
    content = workbook(tmp_path / "w.xlsx", {"Report": rows("a")})
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    far = b'</row><row r="7"><c s="0" r = "%s"><v>1</v></c></row></sheetData>' % place.encode()
    sheet = "xl/worksheets/sheet1.xml"
    members[sheet] = members[sheet].replace(b"</row></sheetData>", far)
    path = tmp_path / "st.xlsx"
    path.write_bytes(as_zip(members))
    with pytest.raises(FileTooLarge, match=r"spreads|columns"):
        harmonize_file(path, search_terms())


def test_a_binary_workbook_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "st.xlsx"
    path.write_bytes(as_zip({"[Content_Types].xml": b"<Types/>", "xl/workbook.bin": b"x"}))
    with pytest.raises(UnreadableFile, match="xlsb"):
        harmonize_file(path, search_terms())
