"""Traps of text files: what is wrong with the bytes and the lines, one test each."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path

import polars as pl
import pytest

from harmonization.core.engine import harmonize_file
from harmonization.core.reading import open_source
from harmonization.core.source_file import FileTooLarge, Limits, UnreadableFile
from tenants.core.problems import Problem
from tests.harmonization.core.exports import SEARCH_TERM, csv_bytes, search_term_row
from tests.harmonization.core.forms import as_csv, as_ndjson, as_parquet, harmonised, record, search_terms

HEADER = csv_bytes([SEARCH_TERM])


def line(term: str, **cells: str) -> bytes:
    return csv_bytes([search_term_row(term, **cells)])


def refused(path: Path, limits: Limits | None = None) -> Problem:
    with pytest.raises(Problem) as caught:
        harmonize_file(path, search_terms(), limits=limits or Limits())
    assert caught.value.where
    assert caught.value.fix
    return caught.value


def test_utf8_with_stray_windows_bytes_keeps_both(tmp_path: Path) -> None:
    content = HEADER + line("brûlée") + line("crème").decode().encode("cp1252") + line("plain")
    report, events, _ = harmonised(tmp_path, "st.csv", content)
    assert events["search_term"].to_list() == ["brûlée", "crème", "plain"]
    assert report.encoding == "utf-8"
    assert "Bytes that are not UTF-8 were read as Windows-1252, in line 3." in [w.detail for w in report.warnings]


def test_a_line_of_both_encodings_is_read_byte_by_byte(tmp_path: Path) -> None:
    both = line("brûlée X").replace(b"X", b"cr\xe8me")
    _, events, _ = harmonised(tmp_path, "st.csv", HEADER + both)
    assert events["search_term"].to_list() == ["brûlée crème"]


def test_bytes_that_are_no_text_quarantine_their_row_only(tmp_path: Path) -> None:
    content = HEADER + b"".join(line(str(number)) for number in range(20)) + line("caf\u00e9") + line("AB")
    content = content.replace(b"AB", b"A\x81B")
    report, events, quarantine = harmonised(tmp_path, "st.csv", content)
    assert (report.rows_out, report.rows_quarantined) == (21, 1)
    assert "café" in events["search_term"]
    assert quarantine["source_row"].to_list() == [23]
    assert quarantine["findings"][0][0]["value"] == "bytes in cell 9 that are no text"
    assert any("1 lines hold bytes that are neither" in warning.detail for warning in report.warnings)


def test_a_whole_file_in_windows_1252_is_said_to_be(tmp_path: Path) -> None:
    report, events, _ = harmonised(tmp_path, "st.csv", (HEADER + line("crème")).decode().encode("cp1252"))
    assert (report.encoding, events["search_term"].to_list()) == ("cp1252", ["crème"])


def test_a_nul_character_quarantines_its_row(tmp_path: Path) -> None:
    content = HEADER + line("a") * 200 + line("b") + line("xNULy").replace(b"NUL", b"\0")
    assert content.index(b"\0") > 4096, "else the file is taken for a binary one"
    report, _, quarantine = harmonised(tmp_path, "st.csv", content)
    assert report.rows_quarantined == 1
    assert quarantine["findings"][0][0]["value"] == "a NUL character in cell 9"
    assert "\\u0000" not in quarantine["raw"][0]


def test_a_nul_character_beyond_the_headers_is_told_without_it(tmp_path: Path) -> None:
    long = line("b").rstrip(b"\r\n") + b",xNULy\n".replace(b"NUL", b"\0")
    report, _, quarantine = harmonised(tmp_path, "st.csv", HEADER + line("a") * 200 + long)
    assert report.rows_quarantined == 1
    assert quarantine["findings"][0][0]["value"].endswith("x\ufffdy")
    assert "\0" not in str(report.as_dict())


@pytest.mark.parametrize("kind", ["ndjson", "parquet"])
def test_a_nul_character_in_a_record_quarantines_its_row(tmp_path: Path, kind: str) -> None:
    rows = [record("a"), record("x\0y")]
    content = as_ndjson(rows) if kind == "ndjson" else as_parquet(rows)
    report, _, quarantine = harmonised(tmp_path, f"st.{kind}", content)
    assert (report.rows_out, report.rows_quarantined) == (1, 1)
    assert "NUL" in quarantine["findings"][0][0]["value"]


@pytest.mark.parametrize("kind", ["ndjson", "parquet"])
def test_a_nul_character_that_breaks_another_rule_is_told_without_it(tmp_path: Path, kind: str) -> None:
    rows = [record("a"), {**record("b\0"), "Currency": "US\0"}]
    content = as_ndjson(rows) if kind == "ndjson" else as_parquet(rows)
    report, _, quarantine = harmonised(tmp_path, f"st.{kind}", content)
    assert report.rows_quarantined == 1
    assert any(finding["column"] == "currency" for finding in quarantine["findings"][0])
    assert "\0" not in str(report.as_dict()) + str(quarantine.to_dicts())


def test_a_nul_character_in_a_key_of_nested_records_is_told_without_it(tmp_path: Path) -> None:
    content = json.dumps({"a\0": {"rows": [record("a"), record("b")]}, "also": [record("c")]}).encode()
    report, _, _ = harmonised(tmp_path, "st.json", content)
    assert any("a\ufffd.rows" in warning.detail for warning in report.warnings)


@pytest.mark.parametrize("mark", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_byte_order_marks_and_wide_characters(tmp_path: Path, mark: str) -> None:
    _, events, _ = harmonised(tmp_path, "st.csv", as_csv("crème").decode().encode(mark))
    assert events["search_term"].to_list() == ["crème"]


def test_half_a_wide_character_names_its_byte(tmp_path: Path) -> None:
    path = tmp_path / "st.csv"
    path.write_bytes(as_csv("a").decode().encode("utf-16") + b"\x00\xd8\x00")
    assert "byte" in refused(path).where


@pytest.mark.parametrize("end", [b"\r\n", b"\n", b"\r"])
def test_line_ends_of_three_systems(tmp_path: Path, end: bytes) -> None:
    report, _, _ = harmonised(tmp_path, "st.csv", as_csv("a", "b").replace(b"\r\n", end))
    assert (report.rows_in, report.rows_out) == (2, 2)


def test_a_long_file_with_old_line_ends_is_no_endless_line(tmp_path: Path) -> None:
    content = (HEADER + b"".join(line(f"{number} {'x' * 300}") for number in range(4000))).replace(b"\r\n", b"\r")
    assert len(content) > Limits().line
    report, _, _ = harmonised(tmp_path, "st.csv", content)
    assert report.rows_out == 4000


def test_a_two_gigabyte_line_is_refused_before_it_is_held(tmp_path: Path) -> None:
    path = tmp_path / "st.csv"
    with path.open("wb") as file:
        file.write(as_csv("a") + line("b")[:-2] + b"x" * 5000)
        file.truncate(2 * 1024**3)
    problem = refused(path)
    assert isinstance(problem, FileTooLarge)
    assert "line 3" in problem.where


def test_a_two_gigabyte_line_in_ndjson_is_refused_before_it_is_held(tmp_path: Path) -> None:
    path = tmp_path / "st.ndjson"
    with path.open("wb") as file:
        file.write(as_ndjson([record("a")]) + b'{"x": "')
        file.truncate(2 * 1024**3)
    problem = refused(path)
    assert isinstance(problem, FileTooLarge)
    assert "line 2" in problem.where


def test_quoted_newlines_stay_in_their_cell(tmp_path: Path) -> None:
    report, events, _ = harmonised(tmp_path, "st.csv", as_csv("two\nlines", "b"))
    assert events["search_term"].to_list() == ["two\nlines", "b"]
    assert events["source_row"].to_list() == [2, 3]
    assert report.rows_in == 2


def test_an_unclosed_quote_is_told_with_the_lines_it_swallowed(tmp_path: Path) -> None:
    plain = line("c", day="2020-02-01")
    content = as_csv("a") + line("QUOTE").replace(b"QUOTE", b'"b') + plain + plain
    report, _, quarantine = harmonised(tmp_path, "st.csv", content)
    assert (report.rows_out, report.rows_quarantined) == (1, 1)
    assert quarantine["findings"][0][0]["value"] == "only 9 of 24 cells in 4 lines: is a quote unclosed?"


def test_ragged_rows_are_told_and_no_cell_moves(tmp_path: Path) -> None:
    short, long = line("a")[:-6] + b"\r\n", line("b")[:-2] + b",extra\r\n"
    report, events, quarantine = harmonised(tmp_path, "st.csv", HEADER + short + line("c") + long)
    assert events["search_term"].to_list() == ["c"]
    assert report.rows_quarantined == 2
    assert set(quarantine["rule_ids"].explode()) >= {"ragged_row"}


def test_trailing_delimiters_are_no_columns(tmp_path: Path) -> None:
    content = as_csv("a", "b").replace(b"\r\n", b",,\r\n")
    report, _, _ = harmonised(tmp_path, "st.csv", content)
    assert (report.rows_out, report.unknown_headers) == (2, ())


def test_decimal_commas_do_not_hide_the_semicolons(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("Day;Cost;Sales\n" + "2026-11-02;1.234,56;9,50\n" * 3)
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    with open_source(path, scratch=scratch, limits=Limits()) as opened:
        assert opened.head.rows[:2] == (("Day", "Cost", "Sales"), ("2026-11-02", "1.234,56", "9,50"))
    path.write_text("Day;A;B\n" + "1,2;3,4;5,6\n" * 3)
    with open_source(path, scratch=scratch, limits=Limits()) as opened:
        assert opened.head.delimiter == ";"


def test_a_column_without_a_name_is_counted_and_not_read(tmp_path: Path) -> None:
    rows = [[*SEARCH_TERM[:5], "", *SEARCH_TERM[5:]]]
    cells = search_term_row("a")
    rows.append([*cells[:5], "left over", *cells[5:]])
    report, _, _ = harmonised(tmp_path, "st.csv", csv_bytes(rows))
    assert report.rows_out == 1
    assert [match.how for match in report.headers if not match.header.strip()] == ["unnamed"]


def test_duplicate_headers_that_nobody_reads_do_no_harm(tmp_path: Path) -> None:
    rows = [[*SEARCH_TERM, "Note", "Note", "Note (column 26)"], [*search_term_row("a"), "x", "y", "z"]]
    bad = [*search_term_row("b", spend="?"), "x", "y", "z"]
    report, _, quarantine = harmonised(tmp_path, "st.csv", csv_bytes([*rows, bad]))
    assert (report.rows_out, report.rows_quarantined) == (1, 1)
    assert quarantine["raw"][0].count('"y"') == 1


def test_lines_above_the_header_and_totals_below(tmp_path: Path) -> None:
    preamble = b"Sponsored Products,Search term report\r\n\r\nDownloaded: 2 Feb 2020\r\n"
    footer = csv_bytes([["Total", *[""] * 8, "200", "8"], [], ["Report generated by Example"]])
    report, events, _ = harmonised(tmp_path, "st.csv", preamble + as_csv("a", "b") + footer)
    assert (report.header_row, report.rows_out) == (4, 2)
    assert events["source_row"].to_list() == [5, 6]
    assert report.skipped_by_reason["total_row"] == 1
    assert report.rows_quarantined == 1, "the last line is no total and no data"


def test_two_header_rows_are_joined(tmp_path: Path) -> None:
    upper = [*SEARCH_TERM[:14], "7 Day Total", *SEARCH_TERM[15:17], "7 Day Total", "", *SEARCH_TERM[19:]]
    lower = [*[""] * 14, "Sales", "", "", "Orders (#)", "Units (#)", *[""] * 5]
    names = search_terms(header_rows=2)
    report, events, _ = harmonised(
        tmp_path, "st.csv", csv_bytes([["Report"], upper, lower, search_term_row("a")]), names
    )
    assert (report.header_row, report.rows_in, report.rows_out) == (2, 1, 1)
    assert events["source_row"].to_list() == [4]
    told = [match.header for match in report.headers]
    assert told[13:15] == ["Spend", "7 Day Total Sales"]
    assert told[17:19] == ["7 Day Total Orders (#)", "7 Day Total Units (#)"]


def test_a_formula_is_text_in_a_csv_file(tmp_path: Path) -> None:
    report, events, _ = harmonised(tmp_path, "st.csv", as_csv("=1+1", "@cmd"))
    assert events["search_term"].to_list() == ["=1+1", "@cmd"]
    report, _, quarantine = harmonised(tmp_path, "st.csv", HEADER + line("a", spend="=1+1"))
    assert report.rows_quarantined == 1
    assert quarantine["findings"][0][0]["value"] == "=1+1"


@pytest.mark.parametrize("what", ["folder", "pipe", "loop", "device"])
def test_what_is_no_file_is_refused_without_waiting(tmp_path: Path, what: str) -> None:
    path = tmp_path / "st.csv"
    if what == "folder":
        path.mkdir()
    elif what == "pipe":
        os.mkfifo(path)
    elif what == "loop":
        path.symlink_to(path)
    else:
        path = Path("/dev/zero")
    found: list[Problem] = []
    asking = threading.Thread(target=lambda: found.append(refused(path)), daemon=True)
    asking.start()
    asking.join(20)
    assert isinstance(found[0], UnreadableFile)


def test_a_link_to_an_export_is_the_export(tmp_path: Path) -> None:
    (tmp_path / "real.csv").write_bytes(as_csv("a"))
    (tmp_path / "st.csv").symlink_to(tmp_path / "real.csv")
    assert harmonize_file(tmp_path / "st.csv", search_terms()).rows_out == 1


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("st.csv", b""),
        ("st.csv", b"\xef\xbb\xbf"),
        ("st.csv", b" \r\n\t\r\n"),
        ("st.csv", HEADER),
        ("st.json", b"[]"),
        ("st.ndjson", b"\n\n"),
        ("st.parquet", as_parquet([record("a")])[:0] + as_parquet([])),
    ],
)
def test_files_without_rows(tmp_path: Path, name: str, content: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    assert refused(path).detail


def test_a_parquet_file_with_columns_and_no_rows(tmp_path: Path) -> None:
    path = tmp_path / "st.parquet"
    pl.DataFrame([record("a")]).clear().write_parquet(path)
    assert "no rows" in refused(path).detail
