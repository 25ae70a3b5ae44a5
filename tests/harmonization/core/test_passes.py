"""Batches give what the plan over the whole file gives: the same rows in the same three places, and the same report."""

from __future__ import annotations

import pickle
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benches._harmonize_export import CONTRACT, HEADERS, write_export
from harmonization.core.binding import bind
from harmonization.core.contract import Contract, parse_contract
from harmonization.core.engine import harmonize_file, harmonize_files
from harmonization.core.executor import LocalExecutor, PartitionPlan
from harmonization.core.library import find_contract
from harmonization.core.load_context import LoadContext
from harmonization.core.partition import Judged
from harmonization.core.passes import Tuning
from tests.harmonization.core.exports import SEARCH_TERM, search_term_row, write_csv

WHOLE = Tuning(whole_below=10**9)
#: Batches as small as they get, so that values, keys and repeats come from batches before.
BATCHES = Tuning(batch_rows=3, whole_below=0)
WAYS = ("events", "quarantine", "skipped")


@pytest.fixture(scope="module")
def search_term() -> Contract:
    return find_contract("amazon_sp_search_term")


@pytest.fixture(scope="module")
def bench() -> Contract:
    return parse_contract(CONTRACT)


def both(folder: Path, path: Path, contract: Contract, **context: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """The report and the rows of each way, whole and by batches."""
    found = []
    for name, tuning in (("whole", WHOLE), ("batches", BATCHES)):
        out = folder / name
        report = harmonize_file(path, contract, out_dir=out, context=LoadContext(**context), tuning=tuning)
        assert report.rows_in == report.rows_out + report.rows_quarantined + report.rows_skipped
        written = {way: pl.read_parquet(out / f"{way}.parquet").sort("source_row") for way in WAYS}
        paths = {"events_path": None, "quarantine_path": None, "skipped_path": None}
        found.append({**written, "report": replace(report, **paths)})
    return found[0], found[1]


def assert_same(whole: dict[str, Any], batches: dict[str, Any]) -> None:
    for way in WAYS:
        assert whole[way].equals(batches[way]), (way, whole[way], batches[way])
        assert whole[way].schema == batches[way].schema
    for field in fields(whole["report"]):
        said, says = getattr(whole["report"], field.name), getattr(batches["report"], field.name)
        assert said == says, (field.name, said, says)


cells = st.text(st.sampled_from('aB1,.;"\n -%$₹()'), max_size=6)
numbers = st.sampled_from(
    ["0", "1", "12", "1,204", "12.0", "-3", "$2.00", "(4.10)", "", "-", " 7 ", "1e3", "x", "99.9999999"]
)
days = st.sampled_from(
    ["Feb 1, 2020", "2020-02-01", "02/01/20", "43862", "2020-02-01 00:00:00", "soon", "", "2999-01-01"]
)
rows = st.one_of(
    st.lists(cells, max_size=len(SEARCH_TERM) + 3),
    st.builds(search_term_row, st.sampled_from("abc"), day=days, spend=numbers, impressions=numbers, sales=numbers),
    st.builds(search_term_row, st.sampled_from("ab"), currency=st.sampled_from(["USD", "GBP", "", "usd", "dollars"])),
    st.sampled_from([search_term_row("chips"), ["Total"], [""], [], ["-"] * len(SEARCH_TERM)]),
)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(rows, min_size=1, max_size=14))
def test_batches_give_what_the_whole_gives(tmp_path: Path, search_term: Contract, rows: list[list[str]]) -> None:
    path = write_csv(tmp_path / "any.csv", [SEARCH_TERM, *rows])
    assert_same(*both(tmp_path, path, search_term, account_id="a1", load_id="l1"))


hours = st.sampled_from(
    [
        "2026-03-08 01:59:59",
        "2026-03-08 02:30:00",
        "2026-11-01 01:30:00",
        "2026-07-01 00:00:00",
        "2026-07-01T00:00:00",
        "",
    ]
)
bench_rows = st.tuples(
    st.sampled_from(["2026-07-01", "2026-07-02", "01.07.2026", ""]),
    hours,
    st.sampled_from(["1", "2.0", "c", ""]),
    st.sampled_from(["Chips", "chips ", "-"]),
    st.sampled_from(["7", "8"]),
    st.sampled_from(["04012345000009", "04012345000078", "401234500007", ""]),
    st.sampled_from(["Search Top", "search  top", "Shelf", "", "N/A"]),
    st.sampled_from(["App iOS", "Fridge", ""]),
    numbers,
    numbers,
    numbers,
    numbers,
)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(bench_rows, min_size=1, max_size=20))
def test_instants_maps_and_derived_columns_too(tmp_path: Path, bench: Contract, rows: list[tuple[str, ...]]) -> None:
    path = write_csv(tmp_path / "any.csv", [HEADERS, *rows])
    assert_same(*both(tmp_path, path, bench))


def test_repeats_over_many_batches(tmp_path: Path, bench: Contract) -> None:
    path = tmp_path / "bad.csv"
    write_export(path, 12_000, bad=True)
    lines = path.read_text().splitlines(keepends=True)
    conflict = lines[1].rsplit(",", 1)[0] + ",1.00\n"
    path.write_text("".join([*lines, lines[1], lines[2], conflict, lines[-1]]))
    found = []
    for name, tuning in (("whole", WHOLE), ("batches", Tuning(batch_rows=1000, whole_below=0))):
        report = harmonize_file(path, bench, out_dir=tmp_path / name, tuning=tuning)
        found.append((report.rows_in, report.rows_out, report.skipped_by_reason, report.quarantine, report.totals))
        ways = [pl.read_parquet(tmp_path / name / f"{way}.parquet")["source_row"] for way in WAYS]
        assert sorted(pl.concat(ways).to_list()) == list(range(2, 12_006))
    assert found[0] == found[1]
    assert found[0][0] == 12_004
    assert found[0][2] == {"repeated_row": 6}
    assert [rule.rows for rule in found[0][3] if rule.rule == "unique"] == [1]


class Kept:
    def __init__(self) -> None:
        self.judged: list[Judged] = []

    def accept(self, judged: Judged) -> None:
        self.judged.append(judged)


class Frames:
    def __init__(self, *frames: pl.DataFrame) -> None:
        self.frames = frames

    def batches(self) -> Any:
        return iter(self.frames)


def test_a_plan_travels_as_text(tmp_path: Path, bench: Contract) -> None:
    context = LoadContext(account_id="a1")
    binding = bind(bench, HEADERS, context)
    cells = [
        "2026-07-01",
        "2026-07-01 00:00:00",
        "1",
        "Chips",
        "7",
        "04012345000009",
        "Cart",
        "App iOS",
        "9",
        "1",
        "2",
        "3",
    ]
    rows = pl.DataFrame(
        {
            **{f"raw_{at}": [cell, cell] for at, cell in enumerate(cells)},
            "source_row": [2, 3],
            "ragged": [None, "more"],
        },
        schema_overrides={"ragged": pl.String},
    )
    sent = pickle.loads(pickle.dumps(PartitionPlan(bench.text, binding.headers, context)))  # noqa: S301
    kept = Kept()
    LocalExecutor().map_partitions(sent, [Frames(rows), Frames(rows)], kept)
    assert [judged.good.tolist() for judged in kept.judged] == [[True, False]] * 2
    assert kept.judged[0].columns["spend"][0] == 2
    assert (kept.judged[0].keys[0] == kept.judged[1].keys[0]).all()


@pytest.mark.parametrize("tuning", [WHOLE, BATCHES, Tuning(plain_from=0, whole_below=0)])
def test_a_row_of_an_earlier_file_is_no_new_row(tmp_path: Path, bench: Contract, tuning: Tuning) -> None:
    def row(term: str, spend: str) -> str:
        return f"2026-07-01,2026-07-01 00:00:00,1,{term},7,04012345000009,{term},App iOS,9,1,{spend},3"

    texts = [[row("Cart", "2"), row("Browse", "2")], [row("Browse", "2"), row("Cart", "4"), row("Home Page", "2")]]
    paths = [tmp_path / "one.csv", tmp_path / "two.csv"]
    for path, lines in zip(paths, texts, strict=True):
        path.write_text("\n".join([",".join(HEADERS), *lines]))
    one, two = harmonize_files(paths, bench, out_dir=tmp_path / "out", tuning=tuning)
    assert (one.rows_out, two.rows_out) == (2, 1)
    assert two.skipped_by_reason == {"repeated_row": 1}
    assert [(rule.rule, rule.examples[0].source_row) for rule in two.quarantine] == [("unique", 3)]
    events = [pl.read_parquet(report.events_path) for report in (one, two) if report.events_path]
    assert [frame["placement_raw"].to_list() for frame in events] == [["Cart", "Browse"], ["Home Page"]]
