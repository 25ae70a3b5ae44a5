"""Plain files are cut into the same cells as the careful reader gives, and what is not plain is left to it."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benches._harmonize_export import CONTRACT, HEADERS
from harmonization.core.contract import Contract, parse_contract
from harmonization.core.delimited import open_delimited
from harmonization.core.direct import PlainAmount, PlainCount, PlainInstant
from harmonization.core.engine import harmonize_file
from harmonization.core.line_blocks import NotPlainLinesError, plain_batches
from harmonization.core.numbering import Numbering
from harmonization.core.passes import Tuning
from harmonization.core.row_batch import RowBatch
from harmonization.core.source_file import Limits
from tests.harmonization.core.test_passes import BATCHES, WAYS, WHOLE, assert_same, bench_rows

cells = st.text(st.sampled_from("aé1.- ü€"), max_size=15)
quoted = st.text(st.sampled_from('aé1", ü€'), max_size=15).map(lambda text: '"' + text.replace('"', '""') + '"')
lines = st.lists(st.lists(cells | quoted, max_size=5), min_size=1, max_size=9)


@pytest.fixture(scope="module")
def bench() -> Contract:
    return parse_contract(CONTRACT)


def blocks(path: Path, width: int, size: int = 16) -> list[pl.DataFrame]:
    return [block.frame() for block in plain_batches(path, ",", 1, width, Limits(), block=size)]


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lines, st.sampled_from(["\n", "\r\n"]), st.booleans())
def test_blocks_hold_what_the_careful_reader_reads(
    tmp_path: Path, lines: list[list[str]], end: str, closed: bool
) -> None:
    path = tmp_path / "any.csv"
    text = end.join(["a,b,c", *(",".join(line) for line in lines)]) + (end if closed else "")
    path.write_bytes(text.encode())
    opened = open_delimited(path, compressed=False, encoding="auto", delimiter=",", scratch=tmp_path, limits=Limits())
    # A line of spaces is a blank row, whether it is told short or not.
    blank = pl.all_horizontal(pl.col("^raw_.*$").str.strip_chars().fill_null("") == "")
    short = blank & pl.col("ragged").str.starts_with("only")
    expected = (
        opened.rows(1, 3)
        .collect()
        .with_columns(
            pl.col("^raw_.*$").replace("", None), pl.when(~short.fill_null(False)).then("ragged").alias("ragged")
        )
    )
    found = blocks(path, 3)
    if expected.is_empty():
        assert sum(frame.height for frame in found) == 0
        return
    told = pl.concat(found).with_columns(pl.when(~short.fill_null(False)).then("ragged").alias("ragged"))
    assert told.select(expected.columns).equals(expected)


@pytest.mark.parametrize(
    "odd", [b'a,b"c,d\n', b'a,"b"c,d\n', b'a,"b\nc",d\n', b'a,"b,d\n', b"a,b\rc,d\n", b"a,\xff,c\n"]
)
def test_what_is_not_plain_is_left_to_the_careful_reader(tmp_path: Path, bench: Contract, odd: bytes) -> None:
    path = tmp_path / "odd.csv"
    path.write_bytes(b"a,b,c\n1,2,3\n" + odd)
    with pytest.raises(NotPlainLinesError):
        blocks(path, 3)
    good = b"2026-07-01,2026-07-01 00:00:00,1,Chips,7,04012345000009,Cart,App iOS,9,1,2,3\n"
    path.write_bytes(",".join(HEADERS).encode() + b"\n" + good + odd)
    quick = harmonize_file(path, bench, tuning=Tuning(plain_from=0, whole_below=0, batch_rows=1))
    slow = harmonize_file(path, bench, tuning=WHOLE)
    assert (quick.rows_in, quick.rows_out, quick.quarantine) == (slow.rows_in, slow.rows_out, slow.quarantine)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(bench_rows, min_size=1, max_size=20))
def test_a_plain_file_gives_what_any_other_gives(tmp_path: Path, bench: Contract, rows: list[tuple[str, ...]]) -> None:
    path = tmp_path / "plain.csv"
    path.write_text("\n".join(",".join(cell.replace(",", "") for cell in row) for row in [HEADERS, *rows]))
    found = []
    for name, tuning in (("whole", WHOLE), ("frames", BATCHES), ("blocks", Tuning(plain_from=0, whole_below=0))):
        report = harmonize_file(path, bench, out_dir=tmp_path / name, tuning=tuning)
        written = {way: pl.read_parquet(tmp_path / name / f"{way}.parquet").sort("source_row") for way in WAYS}
        found.append({**written, "report": _unplaced(report)})
    assert_same(found[0], found[1])
    assert_same(found[0], found[2])


def _unplaced(report: object) -> object:
    from dataclasses import replace

    return replace(report, events_path=None, quarantine_path=None, skipped_path=None)  # type: ignore[type-var]


def test_numbers_and_instants_are_read_as_polars_reads_them(tmp_path: Path) -> None:
    amounts = ["1", "1.5", "-0.000001", "999999999999.999999", "1234567890123", "1.", ".5", "1.2345678", "", "x", "+1",
               "1e3"]  # fmt: skip
    instants = [
        *("2026-02-28 23:59:59", "2024-02-29 00:00:00", "2023-02-29 00:00:00", "2026-13-01 00:00:00"),
        *("1969-12-31 23:00:00", "2026-01-01 24:00:00", "2026-01-01 00:00", "2000-02-29 12:00:00"),
        *("1900-02-29 00:00:00", "", "x", "9999-12-31 00:00:00"),
    ]
    path = tmp_path / "cells.csv"
    path.write_text("\n".join(["a,b", *(",".join(pair) for pair in zip(amounts, instants, strict=True))]) + "\n")
    (block,) = plain_batches(path, ",", 1, 2, Limits())
    for direct, at in ((PlainAmount(), 0), (PlainCount(), 0), (PlainInstant("%Y-%m-%d %H:%M:%S", "Asia/Kolkata"), 1)):
        read, whole = direct.of_block(block, at), direct(block.column(at))
        assert read.dtype == whole.dtype
        there = read.is_not_null()
        assert there.any()
        assert read.filter(there).equals(whole.filter(there))
    assert PlainAmount().of_block(block, 0)[:4].to_list() == [
        Decimal(1), Decimal("1.5"), Decimal("-0.000001"), Decimal("999999999999.999999")
    ]  # fmt: skip


def test_values_keep_their_numbers_while_the_table_grows(tmp_path: Path) -> None:
    path = tmp_path / "many.csv"
    values = [f"value number {number % 9000} {'x' * (number % 30)}" for number in range(20_000)]
    path.write_text("a\n" + "\n".join(values))
    numbering, names, read = Numbering("raw_0"), [None], []
    for block in plain_batches(path, ",", 1, 1, Limits(), block=50_000):
        numbers, new = numbering.number(RowBatch(block))
        names += new.to_list()
        read += [names[number] for number in numbers.tolist()]
    assert read == values
    assert len(names) - 1 == len(set(values)) == numbering.values
