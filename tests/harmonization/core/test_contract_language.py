"""What a contract can say beyond which header is which, on small files of each shape."""

from __future__ import annotations

import datetime
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from harmonization.core.binding import HeadersDoNotFit
from harmonization.core.contract import Contract, InvalidContract, parse_contract
from harmonization.core.engine import harmonize_file
from harmonization.core.report import HarmonizeReport
from tests.harmonization.core.exports import write_csv

HEAD = """\
schema_version: rmis/1
name: shapes
version: 1
title: Files of every shape
network: amazon_ads
report: shapes
coverage: {rank: 10, impressions: all}
source: {formats: [csv], timezone: America/New_York, currency: USD, grain: day}
natural_key: [period_start, campaign_id]
restatement_days: 3
fields:
  - {target: period_start, headers: [Day], required: true, date_formats: [iso]}
  - {target: campaign_id, headers: [Campaign], required: true}
"""


def contract(more: str, *, head: str = HEAD) -> Contract:
    return parse_contract(head + more)


def harmonized(
    path: Path, more: str, rows: list[list[str]], *, head: str = HEAD
) -> tuple[HarmonizeReport, pl.DataFrame]:
    """The report and the good rows of a file with the columns Day and Campaign before those of `rows`."""
    lines = [["Day", "Campaign", *rows[0]]]
    lines += [["2024-05-01", f"c{number}", *row] for number, row in enumerate(rows[1:])]
    report = harmonize_file(write_csv(path / "x.csv", lines), contract(more, head=head), out_dir=path / "out")
    return report, pl.read_parquet(path / "out" / "events.parquet")


def broken(report: HarmonizeReport) -> dict[str, list[int]]:
    return {rule.rule: [example.source_row for example in rule.examples] for rule in report.quarantine}


def test_units_of_money_counts_and_ratios(tmp_path: Path) -> None:
    more = """\
  - {target: spend, headers: [cost_micros], unit: micros}
  - {target: fees, headers: [Fee], unit: cents}
  - {target: impressions, headers: [Views], unit: thousands}
  - {target: reported_ctr, headers: [CTR], unit: percent}
attributions:
  - {id: sales, metric: sales, match: total, click_days: 7, headers: [Sales], unit: micros}
"""
    rows = [
        ["cost_micros", "Fee", "Views", "CTR", "Sales"],
        ["1500000", "250", "1.5", "2.5", "12345678901234567"],
        ["1", "$1.5", "2", "3%", "1,500,000"],
    ]
    report, events = harmonized(tmp_path, more, rows)
    assert report.rows_out == 2
    assert events["spend"].to_list() == [Decimal("1.5"), Decimal("0.000001")]
    assert events["fees"].to_list() == [Decimal("2.5"), Decimal("0.015")]
    assert events["impressions"].to_list() == [1500, 2000]
    assert events["reported_ctr"].to_list() == [0.025, 0.03]
    assert report.attributed[0].value == Decimal("12345678902.734567")


def test_the_first_cell_that_is_not_empty(tmp_path: Path) -> None:
    more = """\
  - {target: campaign_name, headers: [Long name, Name, Id], coalesce: true}
  - {target: status, headers: [State], default: on}
  - {target: clicks, headers: [Clicks], default: none}
"""
    rows = [
        ["Name", "Id", "State", "Clicks"],
        ["", "7", "", "1"],
        ["Chips", "8", "off", "2"],
        ["-", "", "", ""],
    ]
    report, events = harmonized(tmp_path, more.replace("default: on", 'default: "on"'), rows)
    assert events["campaign_name"].to_list() == ["7", "Chips"]
    assert events["status"].to_list() == ["on", "off"]
    assert broken(report) == {"readable_clicks": [4]}, "a default that is no number is told like any other cell"


def test_figures_of_long_files_count_on_their_rows_alone(tmp_path: Path) -> None:
    more = """\
attributions:
  - id: buys
    metric: orders
    match: total
    click_days: 7
    headers: [_7_d_click]
    when: {header: Action Type, values: [purchase, Omni  purchase]}
  - id: carts
    metric: add_to_cart
    match: total
    click_days: 7
    headers: [_7_d_click]
    when: {header: Action Type, values: [add_to_cart]}
  - id: seen
    metric: orders
    match: total
    click_days: null
    view_days: from_header
    headers: ["_{days}_d_view"]
    when: {header: Action Type, values: [purchase]}
  - id: absent
    metric: units
    match: total
    click_days: 7
    headers: [_7_d_click]
    when: {header: Nothing, values: [x]}
"""
    rows = [
        ["action_type", "_7_d_click", "_1_d_view"],
        ["PURCHASE", "3", "1"],
        ["add_to_cart", "5", "n.m."],
        ["omni purchase", "2", "n.m."],
        ["link_click", "x", "x"],
        ["purchase", "x", "1"],
    ]
    report, events = harmonized(tmp_path, more, rows)
    totals = {(total.attribution.metric, total.attribution.touch): total.value for total in report.attributed}
    assert totals == {("orders", "click"): 5, ("add_to_cart", "click"): 5, ("orders", "view"): 1}
    seen = "att__orders__cx__v1__view__total__all__all__last_touch"
    assert events[seen].to_list() == [Decimal(1), None, None, None]
    assert broken(report) == {"readable_buys": [6]}


def test_a_figure_cannot_come_from_two_columns(tmp_path: Path) -> None:
    more = """\
attributions:
  - {id: one, metric: sales, match: total, click_days: 7, headers: [A]}
  - {id: other, metric: sales, match: total, click_days: 7, headers: [B]}
"""
    with pytest.raises(HeadersDoNotFit, match="one and other are one and the same figure"):
        harmonized(tmp_path, more, [["A", "B"], ["1", "2"]])


def test_instants_days_and_hours_of_one_stamp(tmp_path: Path) -> None:
    head = HEAD.replace(
        "  - {target: period_start, headers: [Day], required: true, date_formats: [iso]}\n",
        """\
  - {target: period_start, headers: [At], required: true, date_formats: [epoch_ms, iso, excel]}
  - {target: event_hour, headers: [At], date_formats: [epoch_ms, iso, excel]}
  - {target: event_ts_utc, headers: [At], date_formats: [epoch_ms, iso, excel]}
  - {target: as_of_utc, headers: [As of], timezone: Asia/Tokyo, date_formats: ["%d.%m.%Y %H:%M"]}
""",
    )
    rows = [["At", "As of"], ["1714528800000", "01.05.2024 09:00"], ["2024-05-01T01:30:00+02:00", ""], ["45413.75", ""]]
    report, events = harmonized(tmp_path, "", rows, head=head)
    assert report.rows_out == 3
    assert events["event_ts_utc"].to_list() == [
        datetime.datetime(2024, 5, 1, 2, tzinfo=datetime.UTC),
        datetime.datetime(2024, 4, 30, 23, 30, tzinfo=datetime.UTC),
        datetime.datetime(2024, 5, 1, 22, tzinfo=datetime.UTC),
    ]
    assert events["period_start"].to_list() == [datetime.date(2024, 4, 30)] * 2 + [datetime.date(2024, 5, 1)]
    assert events["event_hour"].to_list() == [22, 19, 18]
    assert events["as_of_utc"].to_list()[0] == datetime.datetime(2024, 5, 1, 0, tzinfo=datetime.UTC)


def test_resolvers(tmp_path: Path) -> None:
    more = """\
  - {target: placement, headers: [Where], resolver: placement}
  - {target: currency, headers: [Money], resolver: currency}
  - {target: sku_id, headers: [Product], resolver: gtin}
"""
    rows = [
        ["Where", "Money", "Product"],
        ["product pages ON Amazon", "₹", "036000291452"],
        ["onsite_home", "US Dollar", "B07XYZ1234"],
        ["Moon", "gbp", "0306406152"],
        ["", "", ""],
        ["", "$", ""],
    ]
    report, events = harmonized(tmp_path, more, rows)
    assert events["placement"].to_list() == ["onsite_pdp", "onsite_home", "unknown", None]
    assert events["currency"].to_list() == ["INR", "USD", "GBP", "USD"]
    assert events["gtin14"].to_list() == ["00036000291452", None, "09780306406157", None]
    assert events["sku_id"].to_list()[0] == "036000291452", "what the file says stays"
    assert report.unmapped_values == {"placement": {"Moon": 1}}
    assert broken(report) == {"readable_currency": [6]}


def test_a_value_map_of_the_contract_wins_over_the_built_in_words(tmp_path: Path) -> None:
    more = """\
  - target: placement
    headers: [Where]
    resolver: placement
    value_map: {values: {PRODUCT PAGES: onsite_other, Moon: offsite_ctv}}
"""
    _, events = harmonized(tmp_path, more, [["Where"], ["Product pages"], ["moon"], ["Rest of search"], ["Mars"]])
    assert events["placement"].to_list() == ["onsite_other", "offsite_ctv", "onsite_search_rest", "unknown"]
    assert events["placement_raw"].to_list()[-1] == "Mars"


def test_rules_about_sets_gtins_and_small_cells(tmp_path: Path) -> None:
    more = """\
  - {target: gtin14, headers: [GTIN]}
  - {target: reach, headers: [People]}
  - {target: placement, headers: [Where]}
rules:
  - {id: gtin_right, kind: gtin_check, column: gtin14}
  - {id: place_known, kind: in_set, column: placement, vocabulary: placement}
  - {id: crowd, kind: min_cell, column: reach, min: 50}
"""
    rows = [
        ["GTIN", "People", "Where"],
        ["00036000291452", "0", "onsite_home"],
        ["00036000291453", "50", "onsite_home"],
        ["7.61E+12", "51", ""],
        ["", "49", "Moon"],
        ["96385074", "1", ""],
    ]
    report, _ = harmonized(tmp_path, more, rows)
    assert broken(report) == {"gtin_right": [3, 4], "place_known": [5]}
    assert {warning.code: (warning.rows, warning.first_row) for warning in report.warnings} == {"crowd": (1, 6)}


UNIQUE = """\
  - {target: event_id, headers: [Event]}
  - {target: request_id, headers: [Request]}
rules:
  - {id: once, kind: unique, columns: [event_id, request_id]}
"""


@pytest.mark.parametrize("severity", ["quarantine", "warn"])
def test_rows_that_repeat_an_earlier_one_in_some_columns(tmp_path: Path, severity: str) -> None:
    rows = [["Event", "Request"], ["a", "1"], ["b", "1"], ["a", "1"], ["", "1"], ["", "1"], ["a", "1"]]
    report, events = harmonized(tmp_path, UNIQUE.replace("unique,", f"unique, severity: {severity},"), rows)
    if severity == "warn":
        assert [(warning.code, warning.rows, warning.first_row) for warning in report.warnings] == [("once", 2, 4)]
        assert report.rows_out == 6
    else:
        assert broken(report) == {"once": [4, 7]}
        assert events["source_row"].to_list() == [2, 3, 5, 6]
    assert report.rules_not_applied == ()


def test_a_unique_rule_without_its_columns_is_not_applied(tmp_path: Path) -> None:
    report, _ = harmonized(tmp_path, UNIQUE, [["Event"], ["a"], ["a"]])
    assert report.rules_not_applied == ("once",)


def test_what_other_reports_should_say_is_told(tmp_path: Path) -> None:
    more = """\
  - {target: spend, headers: [Cost]}
attributions:
  - {id: sales, metric: sales, match: total, click_days: from_header, headers: ["Sales {days}"]}
rules:
  - {id: as_campaigns, kind: reconciles_with, report: campaigns, columns: [spend, sales], tolerance: 0.005}
"""
    report, _ = harmonized(tmp_path, more, [["Cost", "Sales 7", "Sales 14"], ["1", "2", "3"]])
    (told,) = report.as_dict()["reconciles_with"]
    assert told["rule"] == "as_campaigns"
    assert told["columns"][0] == "spend"
    assert len(told["columns"]) == 3
    assert told["tolerance"] == 0.005
    assert report.rules_not_applied == ()


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("fields: [{target: spend, headers: [C], unit: percent}]", "not written in percent"),
        ("fields: [{target: clicks, headers: [C], unit: micros}]", "not written in micros"),
        ("fields: [{target: clicks, headers: [C], unit: bushels}]", "micros"),
        ("fields: [{target: spend_base, headers: [C]}]", "harmonising itself"),
        ("fields: [{target: spend, headers: [C], transforms: [gtin14]}]", "no text column"),
        ("fields: [{target: sku_id, headers: [C], transforms: [shout]}]", "shout"),
        ("fields: [{target: sku_id, headers: [C], transforms: [{zero_pad: 0}]}]", "greater than or equal to 1"),
        ("fields: [{target: sku_id, headers: [C], transforms: [{zero_pad: 3, extract: (a)}]}]", "one name"),
        ("fields: [{target: sku_id, headers: [C], transforms: [{}]}]", "one name"),
        ('fields: [{target: sku_id, headers: [C], transforms: [{split: {on: "-", take: 0}}]}]', "counted from 1"),
        ('fields: [{target: sku_id, headers: [C], transforms: [{extract: "a+"}]}]', "0 groups"),
        ('fields: [{target: sku_id, headers: [C], transforms: [{extract: "(a)(b)"}]}]', "2 groups"),
        ('fields: [{target: sku_id, headers: [C], transforms: [{extract: "(a"}]}]', "Not a regular expression"),
        ('fields: [{target: sku_id, headers: [C], transforms: [{extract: "(?=a)(b)"}]}]', "Look-around"),
        ('fields: [{target: sku_id, headers: [C], transforms: [{extract: "(a{1000}){1000}"}]}]', "Not a regular"),
        ("fields: [{target: sku_id, headers: [C], date_formats: [iso]}]", "no date"),
        ("fields: [{target: as_of_utc, headers: [C], date_formats: [soon]}]", "no date format"),
        ('fields: [{target: as_of_utc, headers: [C], date_formats: ["%Q"]}]', "no date format"),
        ('fields: [{target: as_of_utc, headers: [C], date_formats: ["%H:%M"]}]', "no date format"),
        ("fields: [{target: as_of_utc, headers: [C], date_formats: [iso], timezone: Moon/Base}]", "no IANA zone"),
        ("fields: [{target: device, headers: [C], resolver: placement}]", "is for placement"),
        ("fields: [{target: spend, headers: [C], value_map: {values: {a: b}}}]", "no text column"),
        ("rules: [{id: set, kind: in_set, column: placement}]", "either values or a vocabulary"),
        ("rules: [{id: set, kind: in_set, column: placement, vocabulary: moods}]", "no vocabulary"),
        ("rules: [{id: set, kind: in_set, column: clicks, values: [a]}]", "no text column"),
        ("rules: [{id: form, kind: regex, column: clicks, pattern: a}]", "no text column"),
        ("rules: [{id: span, kind: range, column: campaign_id, min: 1}]", "no number"),
        ("rules: [{id: check, kind: gtin_check, column: clicks}]", "no text column"),
        ("rules: [{id: cell, kind: min_cell, column: campaign_id, min: 5}]", "counts nothing"),
        ("rules: [{id: once, kind: unique, columns: [event_id]}]", "not mapped"),
        ("rules: [{id: sum, kind: reconciles_with, report: other, columns: [campaign_id]}]", "no total"),
        ("rules: [{id: sum, kind: reconciles_with, report: other, columns: [spend], tolerance: 2}]", "fraction"),
        ("rules: [{id: kind, kind: expression, expression: clicks + campaign_id > 1}]", "takes numbers"),
        ("rules: [{id: kind, kind: expression, expression: clicks + 1}]", "a condition"),
        ("derived: [{target: clicks, expression: campaign_id}]", "a number"),
        ("derived: [{target: placement, expression: campaign_id}]", "closed list"),
        ("derived: [{target: spend_base, expression: spend}]", "harmonising itself"),
    ],
)
def test_a_mistake_is_named_with_its_line(line: str, words: str) -> None:
    key, _, value = line.partition(": ")
    text = HEAD + (f"  - {value[1:-1]}\n" if key == "fields" else f"{key}:\n  - {value[1:-1]}\n")
    with pytest.raises(InvalidContract) as caught:
        parse_contract(text)
    finding = next(error for error in caught.value.errors if words in error["detail"])
    assert finding["line"] == len(text.splitlines())
    assert finding["fix"]
