"""Every format and packing that is read gives the same rows, to the last digit."""

from __future__ import annotations

import datetime
import io
import json
import zipfile
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import polars as pl
import pyarrow as pa
import pytest
from pyarrow import parquet

from harmonization.core.reading import open_source
from harmonization.core.source_file import FileTooLarge, Limits, UnreadableFile
from tenants.core.problems import Problem
from tests.harmonization.core.exports import SEARCH_TERM, csv_bytes, search_term_row, write_xlsx
from tests.harmonization.core.forms import (
    as_csv,
    as_gz,
    as_json,
    as_ndjson,
    as_parquet,
    as_zip,
    as_zst,
    harmonised,
    record,
    search_terms,
)

TWO = [record("chips"), record("crisps", spend="$2.10", clicks="5")]


def workbook(tmp_path: Path) -> bytes:
    return write_xlsx(tmp_path / "w.xlsx", [SEARCH_TERM, search_term_row("chips")]).read_bytes()


def opened(tmp_path: Path, name: str, content: bytes, limits: Limits | None = None, **asked: str) -> pl.DataFrame:
    """The file's columns by name, with `source_row` and `ragged`."""
    path, scratch = tmp_path / name, tmp_path / "scratch"
    path.write_bytes(content)
    scratch.mkdir()
    with open_source(path, scratch=scratch, limits=limits or Limits(), **asked) as file:
        headers = file.head.rows[0]
        frame = file.rows(1, len(headers)).collect()
    names = [f"raw_{position}" for position in range(len(headers))]
    assert sorted(frame.columns) == sorted([*names, "source_row", "ragged"])
    return frame.select(*names, "source_row", "ragged").rename(dict(zip(names, headers, strict=True)))


def refused(tmp_path: Path, name: str, content: bytes, limits: Limits | None = None, **asked: str) -> Problem:
    with pytest.raises(Problem) as caught:
        opened(tmp_path, name, content, limits, **asked)
    problem = caught.value
    assert problem.detail
    assert name in problem.where
    assert problem.fix
    return problem


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        ("st.json", as_json(TWO), "json"),
        ("st.json", json.dumps({"meta": {"n": 2}, "data": {"rows": TWO}}).encode(), "json"),
        ("st.ndjson", as_ndjson(TWO), "ndjson"),
        ("st.jsonl", as_ndjson(TWO), "ndjson"),
        ("st.json", as_ndjson(TWO), "ndjson"),
        ("st.parquet", as_parquet(TWO, compression="snappy"), "parquet"),
        ("st.parquet", as_parquet(TWO, compression="zstd"), "parquet"),
        ("st.json.gz", as_gz(as_json(TWO)), "json"),
        ("st.ndjson.zst", as_zst(as_ndjson(TWO)), "ndjson"),
        ("st.parquet.gz", as_gz(as_parquet(TWO)), "parquet"),
        ("st.zip", as_zip({"st.ndjson": as_ndjson(TWO)}), "ndjson"),
        ("st.gz", as_gz(as_ndjson(TWO)), "ndjson"),
    ],
)
def test_each_format_reads_the_same_rows(tmp_path: Path, name: str, content: bytes, kind: str) -> None:
    report, events, _ = harmonised(tmp_path, name, content)
    assert (report.file_kind, report.header_row) == (kind, 1)
    assert not [warning for warning in report.warnings if warning.code == "file"]
    assert events["search_term"].to_list() == ["chips", "crisps"]
    assert report.totals[0].spend == Decimal("4.10")


@pytest.mark.parametrize(
    ("name", "pack"),
    [("st.csv.zst", as_zst), ("st.csv.gz", as_gz), ("st.zip", lambda content: as_zip({"a/st.csv": content}))],
)
def test_packed_csv(tmp_path: Path, name: str, pack) -> None:
    report, events, _ = harmonised(tmp_path, name, pack(as_csv("chips", "b")))
    assert (report.file_kind, events["search_term"].to_list()) == ("csv", ["chips", "b"])


def test_a_packed_workbook(tmp_path: Path) -> None:
    report, _, _ = harmonised(tmp_path, "st.zip", as_zip({"st.xlsx": workbook(tmp_path)}))
    assert (report.file_kind, report.rows_out) == ("xlsx", 1)


def test_numbers_of_json_keep_their_text(tmp_path: Path) -> None:
    text = b'[{"a": 201.10, "b": 12345678901234567890, "c": 0.1e-2, "d": -0, "e": [1.50, null], "f": true, "g": NaN}]'
    frame = opened(tmp_path, "a.json", text)
    assert frame.row(0)[:7] == ("201.10", "12345678901234567890", "0.1e-2", "-0", "[1.50, null]", "true", "NaN")


def test_keys_that_come_late_or_stay_away(tmp_path: Path) -> None:
    many = [{"a": str(number)} for number in range(25_000)] + [{"b": "late"}]
    frame = opened(tmp_path, "a.ndjson", as_ndjson(many))
    assert frame.columns == ["a", "b", "source_row", "ragged"]
    assert frame.row(-1) == (None, "late", 25_001, None)
    assert frame["a"].drop_nulls().to_list() == [str(number) for number in range(25_000)]
    assert frame["source_row"].to_list() == list(range(1, 25_002))


def test_nested_records_are_columns_with_dots(tmp_path: Path) -> None:
    text = b'{"metrics": {"clicks": 3, "cost": {"micros": 1}}, "tags": ["a", {"b": 1.0}], "none": {}}\n'
    frame = opened(tmp_path, "a.ndjson", text)
    assert frame.to_dicts()[0] == {
        "metrics.clicks": "3",
        "metrics.cost.micros": "1",
        "tags": '["a", {"b": 1.0}]',
        "source_row": 1,
        "ragged": None,
    }


def test_actions_become_columns_and_rows_stay_rows(tmp_path: Path) -> None:
    actions = [
        {"action_type": "purchase", "value": "3", "7d_click": "2", "1d_view": "1"},
        {"action_type": "link_click", "value": 9},
    ]
    frame = opened(tmp_path, "a.json", as_json([{"spend": "1.50", "actions": actions}, {"spend": "2.00"}]))
    assert frame["spend"].to_list() == ["1.50", "2.00"]
    assert frame["actions.purchase.7d_click"].to_list() == ["2", None]
    assert frame["actions.link_click.value"].to_list() == ["9", None]


def test_the_array_with_most_records_is_read_and_the_others_are_told(tmp_path: Path) -> None:
    document = {"columns": [{"name": "a"}], "report": {"rows": TWO}}
    report, _, _ = harmonised(tmp_path, "st.json", json.dumps(document).encode())
    assert report.rows_out == 2
    assert "Read were the records at report.rows; the file also has 1 at columns." in [
        warning.detail for warning in report.warnings
    ]


def test_the_path_of_the_records_may_be_said(tmp_path: Path) -> None:
    document = json.dumps({"small": [{"a": 1}], "large": [{"b": 1}, {"b": 2}]}).encode()
    assert opened(tmp_path, "a.json", document, records="small")["a"].to_list() == ["1"]
    (tmp_path / "scratch").rename(tmp_path / "old")
    assert "'rows'" in refused(tmp_path, "a.json", document, records="rows").detail


def test_a_long_document_is_read_in_pieces(tmp_path: Path) -> None:
    rows = [{"number": number, "text": "ä" * (number % 700)} for number in range(3000)]
    text = json.dumps({"pre": list(range(5)), "rows": rows}, ensure_ascii=False, indent=1).encode()
    assert len(text) > 1024**2
    frame = opened(tmp_path, "a.json", text)
    assert frame["number"].to_list() == [str(number) for number in range(3000)]
    assert frame["text"].str.len_chars().to_list() == [number % 700 for number in range(3000)]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b'{"a": 1', "Expecting"),
        (b'{"a": 1} trailing', "something follows"),
        (b'{"a": 1, "a": 2}', "the key 'a' stands twice"),
        (b"[1, 2]", "a record is an object"),
        (b'{"a": "\xff"}', "byte 8 is no UTF-8"),
        (b'{"a": {"b": 1}, "a.b": 2}', "two keys come to the column 'a.b'"),
        (b'{"a": ' + b"[" * 5000 + b"]" * 5000 + b"}", "nested too deeply"),
        (b'{"a": "\\ud800"}', "half of one"),
        (b'{"a": "x\\u0000y"}', "NUL"),
    ],
)
def test_a_line_that_is_no_record_is_a_ragged_row(tmp_path: Path, line: bytes, reason: str) -> None:
    frame = opened(tmp_path, "a.ndjson", b'{"a": 1}\n' + line + b'\n\n{"a": 3}\n')
    assert frame["source_row"].to_list() == [1, 2, 3, 4]
    assert frame["ragged"][0] is None
    assert reason in frame["ragged"][1]
    assert frame["a"][1], "the quarantine shows what stood there"
    assert frame.row(2) == (None, 3, None)
    assert frame.row(3) == ("3", 4, None)


def test_a_bad_line_is_quarantined_and_the_rest_published(tmp_path: Path) -> None:
    content = as_ndjson(TWO[:1]) + b'{"cut off\n' + as_ndjson(TWO[1:])
    report, events, quarantine = harmonised(tmp_path, "st.ndjson", content)
    assert (report.rows_in, report.rows_out, report.rows_quarantined) == (3, 2, 1)
    assert quarantine["source_row"].to_list() == [2]
    assert "ragged_row" in quarantine["rule_ids"][0]
    assert events["source_row"].to_list() == [1, 3]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b'[{"a": 1}, {"a": 2', "damaged"),
        (b'[{"a": 1}] [', "something follows the end"),
        (b'[{"a": 1} {"a": 2}]', "',' or ']' is missing"),
        (b'[{"a": 1, "a": 2}]', "the key 'a' stands twice"),
        (b'{"rows": [{"a": 1}], "rows": []}', "the key 'rows' stands twice"),
        (b'{"rows": []}', "no array of objects"),
        (b"[[1, 2], [3, 4]]", "no array of objects"),
        (b'[{"a": "\xff\xfe"}]', "not UTF-8"),
        (b'[{"a": ' + b"[" * 100_000, "nested too deeply"),
    ],
)
def test_a_document_that_is_damaged_is_refused_with_its_line(tmp_path: Path, text: bytes, words: str) -> None:
    problem = refused(tmp_path, "a.json", text)
    assert isinstance(problem, UnreadableFile)
    assert words in problem.detail


def test_a_record_over_the_limit_is_refused_before_it_is_held(tmp_path: Path) -> None:
    text = b'[{"a": 1}, {"a": "' + b"x" * 3_000_000 + b'"}]'
    assert isinstance(refused(tmp_path, "a.json", text), FileTooLarge)
    (tmp_path / "scratch").rename(tmp_path / "old")
    problem = refused(tmp_path, "a.ndjson", b'{"a": 1}\n{"a": "' + b"x" * 3_000_000)
    assert isinstance(problem, FileTooLarge)
    assert "line 2" in problem.where


def test_keys_that_are_values_are_too_many_columns(tmp_path: Path) -> None:
    rows = [{f"day {number}": 1} for number in range(30)]
    problem = refused(tmp_path, "a.json", as_json(rows), Limits(columns=20))
    assert "20" in problem.detail


def test_typed_columns_become_text_without_loss(tmp_path: Path) -> None:
    paris = ZoneInfo("Europe/Paris")
    frame = pl.DataFrame(
        {
            "int": [2**63 - 1],
            "float": [1e-7],
            "huge": [1e22],
            "whole": [5.0],
            "decimal": [Decimal("201.10")],
            "day": [datetime.date(2026, 11, 2)],
            "moment": [datetime.datetime(2026, 11, 2, 10, 0, 0, 123000)],  # noqa: DTZ001  a column without a zone
            "zoned": [datetime.datetime(2026, 7, 2, 10, tzinfo=paris)],
            "flag": [False],
            "bytes": [b"caf\xc3\xa9"],
            "struct": [{"x": 1, "y": {"z": Decimal("1.50")}}],
            "list": [[{"value": 0.1, "on": datetime.date(2026, 11, 2)}]],
            "none": [None],
        },
        schema_overrides={"zoned": pl.Datetime("us", "Europe/Paris"), "decimal": pl.Decimal(18, 6)},
    ).with_columns(utc=pl.col("zoned").dt.convert_time_zone("UTC"), word=pl.lit("chips").cast(pl.Categorical()))
    sink = io.BytesIO()
    frame.write_parquet(sink)
    assert opened(tmp_path, "a.parquet", sink.getvalue()).to_dicts() == [
        {
            "int": "9223372036854775807",
            "float": "0.0000001",
            "huge": "10000000000000000000000",
            "whole": "5",
            "decimal": "201.100000",
            "day": "2026-11-02",
            "moment": "2026-11-02T10:00:00.123",
            "zoned": "2026-07-02T10:00:00+02:00",
            "flag": "false",
            "bytes": "café",
            "struct.x": "1",
            "struct.y.z": "1.50",
            "list": '[{"value": 0.1, "on": "2026-11-02"}]',
            "none": None,
            "utc": "2026-07-02T08:00:00Z",
            "word": "chips",
            "source_row": 1,
            "ragged": None,
        }
    ]


def test_a_parquet_file_of_several_batches_keeps_its_row_numbers(tmp_path: Path) -> None:
    frame = opened(tmp_path, "a.parquet", as_parquet([{"n": number} for number in range(40_000)], row_group_size=9000))
    assert frame["source_row"].to_list() == list(range(1, 40_001))
    assert frame["n"].to_list() == [str(number) for number in range(40_000)]


def test_damaged_parquet_files(tmp_path: Path) -> None:
    whole = as_parquet(TWO, compression="snappy")
    for name, content in {
        "cut.parquet": whole[:-20],
        "page.parquet": whole[:40] + bytes(200) + whole[240:],
        "only.parquet": b"PAR1" + bytes(40) + b"PAR1",
    }.items():
        assert "damaged" in refused(tmp_path, name, content).detail
        (tmp_path / "scratch").rename(tmp_path / f"old {name}")


def test_a_parquet_file_that_says_a_billion_rows_in_a_few_bytes(tmp_path: Path) -> None:
    table = pa.table({"a": pa.DictionaryArray.from_arrays(pa.array([0] * 2_000_000, pa.int32()), ["x"])})
    sink = io.BytesIO()
    parquet.write_table(table, sink)
    assert len(sink.getvalue()) < 10_000
    assert isinstance(refused(tmp_path, "a.parquet", sink.getvalue(), Limits(file_size=1_000_000)), FileTooLarge)


def test_several_files_of_one_report_in_a_zip(tmp_path: Path) -> None:
    turned = [SEARCH_TERM[9:] + SEARCH_TERM[:9], search_term_row("turned")[9:] + search_term_row("turned")[:9]]
    content = as_zip(
        {"b.csv": as_csv("b"), "a.csv": as_csv("chips", "a"), "c.csv": csv_bytes([["Report"], [], *turned])}
    )
    report, events, _ = harmonised(tmp_path, "st.zip", content)
    assert events["search_term"].to_list() == ["chips", "a", "b", "turned"]
    assert events["source_row"].to_list() == [2, 3, 5, 9]
    assert "st.zip > a.csv, st.zip > b.csv, st.zip > c.csv" in report.warnings[0].detail


def test_members_of_json_have_the_columns_of_all(tmp_path: Path) -> None:
    content = as_zip({"a.ndjson": as_ndjson([{"x": 1}]), "b.ndjson": as_ndjson([{"y": 2, "x": 3}])})
    frame = opened(tmp_path, "a.zip", content)
    assert frame.rows() == [("1", None, 1, None), ("3", "2", 2, None)]


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ({"a.csv": as_csv("chips"), "b.csv": b"x,y\n1,2\n"}, "not those of"),
        ({"a.csv": as_csv("chips"), "b.json": as_json(TWO)}, "csv and json"),
        ({"../a.csv": as_csv("chips")}, "outside"),
        ({"/etc/a.csv": as_csv("chips")}, "outside"),
        ({"..\\a.csv": as_csv("chips")}, "outside"),
        ({"C:/a.csv": as_csv("chips")}, "outside"),
        ({"notes.docx": b"x"}, "no export"),
        ({}, "no export"),
        ({"in.zip": as_zip({"a.csv": as_csv("chips")})}, "no export"),
        ({"a.csv": as_zip({"a.csv": as_csv("chips")})}, "zip archive"),
        ({"a.csv.gz": as_gz(as_gz(as_csv("chips")))}, "archive that holds an archive"),
        ({"a.csv": b""}, "empty"),
    ],
)
def test_zips_that_are_refused_by_name(tmp_path: Path, members: dict[str, bytes], words: str) -> None:
    problem = refused(tmp_path, "st.zip", as_zip(members))
    assert words in problem.detail


def test_members_without_a_name_are_refused(tmp_path: Path) -> None:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as archive, archive.open(zipfile.ZipInfo(""), "w") as member:
        member.write(as_csv("chips"))
    assert "has no name" in refused(tmp_path, "st.zip", sink.getvalue()).detail


def test_links_and_encrypted_members_are_refused_by_name(tmp_path: Path) -> None:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as archive:
        link = zipfile.ZipInfo("a.csv")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
    assert "'a.csv' in the archive is a link" in refused(tmp_path, "st.zip", sink.getvalue()).detail
    content = bytearray(as_zip({"a.csv": as_csv("chips")}))
    central = content.index(b"PK\x01\x02")
    content[central + 8] |= 1
    content[6] |= 1
    (tmp_path / "scratch").rename(tmp_path / "old")
    assert "is encrypted" in refused(tmp_path, "st.zip", bytes(content)).detail


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv.zst", as_zst(b"," * 64 * 1024**2)),
        ("a.zip", as_zip({"a.csv": b"," * 64 * 1024**2})),
        ("a.json.gz", as_gz(b" " * 10 + b"[" + b" " * 64 * 1024**2)),
    ],
)
def test_bombs_are_refused_while_they_expand(tmp_path: Path, name: str, content: bytes) -> None:
    assert isinstance(refused(tmp_path, name, content), FileTooLarge)
    assert sum(path.stat().st_size for path in (tmp_path / "scratch").rglob("*")) < 20 * 1024**2


@pytest.mark.parametrize(("name", "pack"), [("a.csv.zst", as_zst), ("a.csv.gz", as_gz)])
def test_a_packed_file_that_is_cut_off_is_no_shorter_file(tmp_path: Path, name: str, pack) -> None:
    content = pack(as_csv(*map(str, range(500))))
    for kept in (0.2, 0.7, 0.999):
        assert "damaged" in refused(tmp_path, name, content[: int(len(content) * kept)]).detail
        (tmp_path / "scratch").rename(tmp_path / f"old {kept}")


def test_frames_one_after_the_other_are_one_file(tmp_path: Path) -> None:
    whole = as_csv("a", "b")
    frame = opened(tmp_path, "a.csv.zst", as_zst(whole[:100]) + as_zst(whole[100:]))
    assert frame.height == 2


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", as_json(TWO)),
        ("a.csv", as_parquet(TWO)),
        ("a.json", as_csv("chips")),
        ("a.parquet", as_csv("chips")),
        ("a.xlsx", as_json(TWO)),
        ("a.json", as_gz(as_json(TWO))),
        ("a.zip", as_csv("chips")),
    ],
)
def test_a_name_that_speaks_of_another_kind(tmp_path: Path, name: str, content: bytes) -> None:
    assert isinstance(refused(tmp_path, name, content), UnreadableFile)


def test_long_lines_of_json_are_lines(tmp_path: Path) -> None:
    long = {"a": "x" * 200_000}
    assert opened(tmp_path, "a.json", as_ndjson([long, long])).height == 2


def test_a_header_in_brackets_is_still_csv(tmp_path: Path) -> None:
    assert opened(tmp_path, "a.csv", b"[Day],{Spend}\n1,2\n").row(0)[:2] == ("1", "2")


def test_a_contract_reads_the_formats_it_names(tmp_path: Path) -> None:
    path = tmp_path / "st.json"
    with pytest.raises(UnreadableFile, match=r"reads csv; this is json"):
        harmonised(tmp_path, path.name, as_json(TWO), search_terms(formats=["csv"]))
