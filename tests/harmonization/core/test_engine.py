"""Rows in are rows out, quarantined and skipped; each with its reason; nothing visible before all is written."""

from __future__ import annotations

import datetime
import json
import struct
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest
import xxhash
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harmonization.core.contract import Contract
from harmonization.core.engine import harmonize_file
from harmonization.core.library import find_contract
from harmonization.core.load_context import LoadContext
from harmonization.core.report import exact
from tests.harmonization.core.exports import SEARCH_TERM, csv_bytes, search_term_row, write_csv


@pytest.fixture(scope="module")
def contract() -> Contract:
    return find_contract("amazon_sp_search_term")


cells = st.text(st.sampled_from('aB1,.;"\n -%$₹()'), max_size=6)
rows = st.one_of(
    st.lists(cells, max_size=len(SEARCH_TERM) + 3),
    st.builds(search_term_row, cells, spend=cells, impressions=cells),
    st.sampled_from([search_term_row("chips"), ["Total"], [""], []]),
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(rows, min_size=1, max_size=8))
def test_every_row_goes_exactly_one_way(tmp_path: Path, contract: Contract, rows: list[list[str]]) -> None:
    path = write_csv(tmp_path / "any.csv", [SEARCH_TERM, *rows])
    out = tmp_path / "out"
    report = harmonize_file(path, contract, out_dir=out)
    assert report.rows_in == report.rows_out + report.rows_quarantined + report.rows_skipped == len(rows)
    ways = [pl.read_parquet(out / f"{way}.parquet")["source_row"] for way in ("events", "quarantine", "skipped")]
    assert sorted(pl.concat(ways).to_list()) == list(range(2, len(rows) + 2))
    assert sum(report.skipped_by_reason.values()) == report.rows_skipped
    assert all(rule.rows for rule in report.quarantine)


def test_a_quarantined_row_names_its_rules_and_keeps_its_cells(tmp_path: Path, contract: Contract) -> None:
    bad = search_term_row("chips", spend="12,5", clicks="-1", day="soon")
    path = write_csv(tmp_path / "st.csv", [SEARCH_TERM, search_term_row("crisps"), bad])
    report = harmonize_file(path, contract, out_dir=tmp_path / "out")
    row = pl.read_parquet(tmp_path / "out" / "quarantine.parquet").row(0, named=True)
    assert row["source_row"] == 3
    assert row["rule_ids"] == ["readable_period_start", "readable_period_end", "readable_spend", "clicks_not_negative"]
    assert {finding["rule"]: finding["value"] for finding in row["findings"]} == {
        "readable_period_start": "soon",
        "readable_period_end": "soon",
        "readable_spend": "12,5",
        "clicks_not_negative": "-1",
    }
    assert json.loads(row["raw"])["Customer Search Term"] == "chips"
    assert [(rule.rule, rule.rows) for rule in report.quarantine if rule.rule == "readable_spend"] == [
        ("readable_spend", 1)
    ]


def test_money_at_stake_is_counted_once_a_row(tmp_path: Path, contract: Contract) -> None:
    bad = search_term_row("chips", spend="$5.25", clicks="-1", impressions="-1")
    path = write_csv(tmp_path / "st.csv", [SEARCH_TERM, search_term_row("crisps"), bad])
    report = harmonize_file(path, contract)
    assert report.spend_quarantined == {"USD": Decimal("5.25")}
    assert {rule.rule: rule.spend for rule in report.quarantine} == {
        "clicks_not_negative": {"USD": Decimal("5.25")},
        "impressions_not_negative": {"USD": Decimal("5.25")},
    }


def test_rows_that_do_not_fit_the_header_are_quarantined_with_what_is_wrong(tmp_path: Path, contract: Contract) -> None:
    long = [*search_term_row("chips"), "left over"]
    path = write_csv(tmp_path / "st.csv", [SEARCH_TERM, search_term_row("crisps"), search_term_row("a")[:20], long])
    report = harmonize_file(path, contract)
    ragged = next(rule for rule in report.quarantine if rule.rule == "ragged_row")
    assert [(example.source_row, example.value) for example in ragged.examples] == [
        (3, "only 20 of 24 cells"),
        (4, "more than 24 cells: left over"),
    ]


def test_a_row_twice_is_skipped_and_a_key_twice_is_quarantined(tmp_path: Path, contract: Contract) -> None:
    same = search_term_row("chips")
    other = search_term_row("chips", spend="$3.00")
    path = write_csv(tmp_path / "st.csv", [SEARCH_TERM, same, same, other, search_term_row("crisps")])
    report = harmonize_file(path, contract, out_dir=tmp_path / "out")
    assert (report.rows_out, report.rows_quarantined, report.rows_skipped) == (2, 1, 1)
    assert report.skipped_by_reason == {"repeated_row": 1}
    assert [(rule.rule, rule.examples[0].source_row) for rule in report.quarantine] == [("unique", 4)]
    assert report.totals[0].spend == Decimal("4.00")


def test_totals_and_blank_rows_are_skipped_but_a_campaign_named_total_is_not(
    tmp_path: Path, contract: Contract
) -> None:
    named = search_term_row("chips")
    named[4] = "Total care"
    path = write_csv(tmp_path / "st.csv", [SEARCH_TERM, named, [], ["", ""], ["Total", "", "9"], ["Grand total:"]])
    report = harmonize_file(path, contract)
    assert report.rows_out == 1
    assert report.skipped_by_reason == {"blank_row": 2, "total_row": 2}


def test_the_key_is_stable_and_of_the_account(tmp_path: Path, contract: Contract) -> None:
    def key(rows: list[list[str]], account: str) -> str:
        path = write_csv(tmp_path / "st.csv", rows)
        harmonize_file(path, contract, out_dir=tmp_path / "out", context=LoadContext(account_id=account))
        return str(pl.read_parquet(tmp_path / "out" / "events.parquet")["event_key"][-1])

    row = search_term_row("chips")
    once = key([SEARCH_TERM, row], "a1")
    restated = search_term_row("chips", spend="$9.99", day="2020-02-01")
    assert key([SEARCH_TERM, search_term_row("crisps"), restated], "a1") == once
    assert key([SEARCH_TERM, row], "a2") != once
    day = struct.pack("<q", (datetime.date(2020, 2, 1) - datetime.date(1970, 1, 1)).days)
    named = [text.encode() for text in ("Chips - Exact", "Core", "chips", "exact", "chips", "USD")]
    values = [b"amazon_ads", b"sp_search_term", b"a1", day, day, *named]
    words = [b"".join(struct.pack("<Q", xxhash.xxh64_intdigest(value, seed)) for value in values) for seed in (0, 1)]
    assert once == "".join(xxhash.xxh64_hexdigest(row, seed) for seed, row in enumerate(words))
    # Stored keys must survive upgrades of every library: this one is written down.
    assert once == "75052f0dc2b6a9a894213c994c8cb475"


def test_headers_may_stand_below_a_preamble(tmp_path: Path, contract: Contract) -> None:
    preamble = [["Report: Sponsored Products"], ["Note", "two\nlines"], []]
    path = write_csv(
        tmp_path / "st.csv", [*preamble, SEARCH_TERM, search_term_row("chips"), search_term_row("a", spend="x")]
    )
    report = harmonize_file(path, contract, out_dir=tmp_path / "out")
    assert (report.header_row, report.rows_in) == (4, 2)
    assert pl.read_parquet(tmp_path / "out" / "events.parquet")["source_row"].to_list() == [5]
    assert report.quarantine[0].examples[0].source_row == 6


def test_context_fills_what_the_file_leaves_out_and_never_overrides_it(tmp_path: Path, contract: Contract) -> None:
    path = write_csv(tmp_path / "st.csv", [SEARCH_TERM, search_term_row("a"), search_term_row("b", currency="")])
    context = LoadContext(load_id="l1", account_id="a1", brand_id="b1", currency="EUR")
    harmonize_file(path, contract, out_dir=tmp_path / "out", context=context)
    events = pl.read_parquet(tmp_path / "out" / "events.parquet")
    assert events["currency"].to_list() == ["USD", "EUR"]
    assert set(events["load_id"]) == {"l1"}
    assert set(events["account_id"]) == {"a1"}
    assert set(events["brand_id"]) == {"b1"}


def test_days_after_the_load_are_quarantined(tmp_path: Path, contract: Contract) -> None:
    path = write_csv(tmp_path / "st.csv", [SEARCH_TERM, search_term_row("a"), search_term_row("b", day="Feb 3, 2020")])
    report = harmonize_file(path, contract, context=LoadContext(as_of=datetime.date(2020, 2, 2)))
    assert [(rule.rule, rule.rows) for rule in report.quarantine] == [("not_in_future", 1)]


def test_unknown_columns_and_unread_ratios_are_told(tmp_path: Path, contract: Contract) -> None:
    row = search_term_row("chips")
    row[11] = "n.m."
    path = write_csv(tmp_path / "st.csv", [[*SEARCH_TERM, "Brand new metric"], [*row, "7"]])
    report = harmonize_file(path, contract)
    assert report.rows_out == 1
    assert report.unknown_headers == ("Brand new metric",)
    assert {warning.code for warning in report.warnings} == {"unknown_columns", "readable_reported_ctr"}


def test_rules_about_absent_columns_are_listed_as_not_applied(tmp_path: Path, contract: Contract) -> None:
    keep = [position for position, header in enumerate(SEARCH_TERM) if "Other SKU" not in header]
    path = write_csv(tmp_path / "st.csv", [[line[at] for at in keep] for line in (SEARCH_TERM, search_term_row("a"))])
    assert set(harmonize_file(path, contract).rules_not_applied) == {"sales_add_up", "units_add_up"}


def test_two_currencies_are_never_added(tmp_path: Path, contract: Contract) -> None:
    path = write_csv(
        tmp_path / "st.csv", [SEARCH_TERM, search_term_row("a"), search_term_row("b", currency="GBP", spend="£1.00")]
    )
    report = harmonize_file(path, contract)
    assert {total.currency: total.spend for total in report.totals} == {"GBP": Decimal(1), "USD": Decimal(2)}
    sales = [total for total in report.attributed if total.attribution.match == "halo" and total.currency]
    assert {total.currency: total.value for total in sales} == {"GBP": Decimal(3), "USD": Decimal(3)}


def test_nothing_is_left_behind_when_the_file_fails(tmp_path: Path, contract: Contract) -> None:
    path = tmp_path / "st.csv"
    path.write_bytes(csv_bytes([SEARCH_TERM]))
    with pytest.raises(Exception, match="no rows"):
        harmonize_file(path, contract, out_dir=tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


def test_progress_names_each_stage(tmp_path: Path, contract: Contract) -> None:
    stages: list[str] = []
    path = write_csv(tmp_path / "st.csv", [SEARCH_TERM, search_term_row("a")])
    harmonize_file(path, contract, progress=lambda stage, done, total: stages.append(stage))
    assert stages == ["open", "harmonise", "duplicates", "summarise", "done"]


@pytest.mark.parametrize(
    ("amount", "value"),
    [("8.37", 8.37), ("100", 100), ("1234567.890000", 1234567.89), ("12345678901234567.89", "12345678901234567.89")],
)
def test_amounts_in_json_read_back_exactly(amount: str, value: object) -> None:
    assert exact(Decimal(amount)) == value
    assert Decimal(str(exact(Decimal(amount)))) == Decimal(amount)
