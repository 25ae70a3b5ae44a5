"""Panel files: what is read, what is refused with its line, and what is treated and said."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest

from measurement.core.panel_values import MixedCurrencies, UnreadableValues
from measurement.core.reading_assignments import InvalidAssignment, read_assignment, read_pairs
from measurement.core.reading_panels import DuplicateRows, InvalidPanel, MissingRows, TooFewUnits, read_panel
from tests.measurement.core.geo_panels import as_csv, factor_panel

COLUMNS = {"date": "date", "unit": "geo", "outcome": "sales"}


def rows(*lines: str, header: str = "geo,date,sales") -> bytes:
    return "\n".join([header, *lines]).encode()


GOOD = [
    f"{geo},2026-01-0{day},{value}" for geo, value in (("york", 10), ("bath", 20), ("hull", 5)) for day in (1, 2, 3)
]
GOOD = [f"{line}{place % 3}" for place, line in enumerate(GOOD)]


def test_a_panel_is_read_as_it_stands() -> None:
    panel = read_panel(rows(*GOOD), **COLUMNS)
    assert panel.units == ("york", "bath", "hull")
    assert panel.periods == (dt.date(2026, 1, 1), dt.date(2026, 1, 2), dt.date(2026, 1, 3))
    assert panel.outcome.tolist() == [[100, 101, 102], [200, 201, 202], [50, 51, 52]]
    assert panel.notes == ()


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_the_separator_and_the_order_of_rows_do_not_matter(separator: str) -> None:
    panel = factor_panel(3, units=4, periods=9)
    head, *body = as_csv(panel, separator).decode().split("\n")
    np.random.default_rng(0).shuffle(body)
    found = read_panel("\r\n".join([head, *body]).encode("utf-8-sig"), **COLUMNS)
    assert found.periods == panel.periods
    order = [found.place[name] for name in panel.units]
    assert np.array_equal(found.outcome[order], panel.outcome)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("20260102", dt.date(2026, 1, 2)), ("2026/01/02", dt.date(2026, 1, 2)),
        ("2026-01-02T00:00:00", dt.date(2026, 1, 2)),
        ("02.01.2026", dt.date(2026, 1, 2)), ("7", 7),
    ],
)  # fmt: skip
def test_dates_in_one_form(text: str, wanted: object) -> None:
    panel = read_panel(rows(f"york,{text},1", f"bath,{text},2"), **COLUMNS)
    assert panel.periods == (wanted,)


def test_a_day_that_is_no_month_tells_the_form_and_else_none_is_guessed() -> None:
    told = read_panel(rows("york,13/01/2026,1", "bath,13/01/2026,2"), **COLUMNS)
    assert told.periods == (dt.date(2026, 1, 13),)
    with pytest.raises(UnreadableValues, match="day from month"):
        read_panel(rows("york,02/01/2026,1", "bath,02/01/2026,2"), **COLUMNS)


def test_a_late_unit_is_left_out_and_said_so() -> None:
    panel = read_panel(rows(*GOOD[:6], *GOOD[7:]), **COLUMNS)
    assert panel.units == ("york", "bath")
    assert panel.notes == ("1 unit left out for want of periods: hull appears at 2026-01-02.",)


def test_a_unit_that_lacks_a_day_is_zero_where_asked() -> None:
    panel = read_panel(rows(*GOOD[:7], GOOD[8]), **COLUMNS, missing="zero")
    assert panel.outcome[panel.place["hull"]].tolist() == [50, 0, 52]
    assert panel.notes[0] == (
        "1 value of 1 unit counted as zero, without a row or empty: hull lacks 1 of 3 periods, 2026-01-02 first."
    )


def test_only_gaps_inside_a_units_rows_are_taken_for_nothing_sold() -> None:
    panel = read_panel(rows(*GOOD[:7], GOOD[8]), **COLUMNS, missing="zero_inside", required=["hull"])
    assert panel.outcome[panel.place["hull"]].tolist() == [50, 0, 52]
    assert any("counted as zero, between rows that there are: hull lacks 1" in note for note in panel.notes)


def steady(*units: str, days: int) -> list[str]:
    return [f"{unit},{day},{day}" for unit in units for day in range(1, days + 1)]


def test_a_unit_that_sells_now_and_then_may_begin_late() -> None:
    lines = steady("york", "bath", days=10)
    often = [f"hull,{day},5" for day in (2, 4, 6, 7, 9)] + ["hull,10,6"]
    panel = read_panel(rows(*lines, *often), **COLUMNS, missing="zero_inside")
    assert panel.outcome[panel.place["hull"]].tolist() == [0, 5, 0, 5, 0, 5, 5, 0, 5, 6]
    assert "3 values of 1 unit counted as zero, between rows that there are: hull lacks 3 of 10 periods, 3 first." in (
        panel.notes
    )
    assert "1 value of 1 unit counted as zero, before the first row: hull appears at 2." in panel.notes
    # One gap is no habit: the unit may have begun late.
    once = [f"hull,{day},{day}" for day in (2, 4, 5, 6, 7, 8, 9, 10)]
    with pytest.raises(MissingRows, match="hull appears at 2"):
        read_panel(rows(*lines, *once), **COLUMNS, missing="zero_inside", required=["hull"])


def test_a_period_that_many_units_lack_at_once_was_not_delivered() -> None:
    """A hole in the delivery of some markets is no fall of their sales."""
    units = [f"m{one}" for one in range(20)]
    lines = [
        line
        for line in steady(*units, days=60)
        if not (line.split(",")[1] == "50" and int(line[1:].split(",")[0]) < 10)
    ]
    with pytest.raises(MissingRows, match="10 of 20 units have no row at 50") as caught:
        read_panel(rows(*lines), **COLUMNS, missing="zero_inside", required=["m0", "m12"])
    assert "count as zero" in caught.value.fix
    assert read_panel(rows(*lines), **COLUMNS, missing="zero").outcome[0, 49] == 0.0
    # The treated ones alone are few among all, but all of them.
    treated = [line for line in steady(*units, days=60) if line not in ("m3,50,50", "m4,50,50")]
    with pytest.raises(MissingRows, match="2 of 20 units have no row at 50"):
        read_panel(rows(*treated), **COLUMNS, missing="zero_inside", required=["m3", "m4"])
    assert len(read_panel(rows(*treated), **COLUMNS, missing="zero_inside", required=["m3", "m12"]).units) == 20


@pytest.mark.parametrize("seed", range(5))
def test_units_that_sell_seldom_lack_periods_by_chance(seed: int) -> None:
    rng = np.random.default_rng(seed)
    held = rng.random((40, 90)) >= rng.choice([0.0, 0.05, 0.3], 40)[:, None]
    held[:, [0, -1]] = True
    lines = [f"m{unit},{day + 1},{day + unit}" for unit, day in np.argwhere(held)]
    panel = read_panel(rows(*lines), **COLUMNS, missing="zero_inside")
    assert panel.outcome.shape == (40, 90)


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (GOOD[:8], "hull ends at 2026-01-02, 1 period before the last, 2026-01-03"),
        ([*GOOD[:6], *GOOD[7:]], "hull appears at 2026-01-02"),
        ([*GOOD[:7], "hull,2026-01-02,", GOOD[8]], "hull lacks 1 of 3 periods, 2026-01-02 first"),
    ],
)
def test_what_was_not_delivered_is_not_taken_for_nothing_sold(lines: list[str], words: str) -> None:
    with pytest.raises(MissingRows, match=words) as caught:
        read_panel(rows(*lines), **COLUMNS, missing="zero_inside", required=["hull"])
    assert "Give the missing rows" in caught.value.fix
    panel = read_panel(rows(*lines), **COLUMNS, missing="zero_inside")
    assert panel.units == ("york", "bath")
    assert words in panel.notes[-1]


def test_a_treated_unit_is_never_left_out() -> None:
    with pytest.raises(MissingRows, match="hull lacks 1 of 3 periods, 2026-01-02") as caught:
        read_panel(rows(*GOOD[:7], GOOD[8]), **COLUMNS, required=["Hull"])
    assert "count as zero" in caught.value.fix
    with pytest.raises(MissingRows):
        read_panel(rows(*GOOD[:7], GOOD[8]), **COLUMNS, missing="refuse")


def test_an_empty_value_is_a_missing_one() -> None:
    panel = read_panel(rows(*GOOD[:8], "hull,2026-01-03,"), **COLUMNS)
    assert panel.units == ("york", "bath")


def test_a_day_that_no_unit_has_is_said() -> None:
    lines = [f"{geo},2026-01-{day:02d},{day}" for geo in ("york", "bath") for day in (1, 2, 3, 5, 6)]
    panel = read_panel(rows(*lines), **COLUMNS)
    assert panel.notes == ("No unit has rows right after 2026-01-03: periods are counted without those missing.",)


def test_months_are_one_step() -> None:
    lines = [f"{geo},2026-{month:02d}-01,{month}" for geo in ("york", "bath") for month in range(1, 7)]
    assert read_panel(rows(*lines), **COLUMNS).notes == ()


def test_two_rows_for_one_day_are_refused_with_their_lines() -> None:
    with pytest.raises(DuplicateRows, match="'york' at 2026-01-01") as caught:
        read_panel(rows(*GOOD, GOOD[0]), **COLUMNS)
    assert caught.value.where == "lines 2, 11"
    summed = read_panel(rows(*GOOD, GOOD[0]), **COLUMNS, duplicates="sum")
    assert summed.outcome[0, 0] == 200
    assert "Summed, as asked: 2 rows that shared unit and period." in summed.notes


def test_a_sum_with_an_empty_part_is_empty_and_told() -> None:
    lines = [*GOOD, "york,2026-01-01,7", "hull,2026-01-02,"]
    panel = read_panel(rows(*lines), **COLUMNS, duplicates="sum")
    assert panel.outcome[0].tolist() == [107, 101, 102]
    assert panel.units == ("york", "bath")
    assert "1 of these sums have an empty part and are taken as empty, hull at 2026-01-02 first." in panel.notes


def test_an_empty_cell_stays_empty_where_other_rows_are_summed() -> None:
    lines = [*GOOD[:7], "hull,2026-01-02,NA", GOOD[8], GOOD[0]]
    with pytest.raises(MissingRows, match="hull lacks 1"):
        read_panel(rows(*lines), **COLUMNS, duplicates="sum", required=["hull"])


def test_names_that_differ_in_case_are_one_unit() -> None:
    panel = read_panel(rows(*GOOD[:2], GOOD[2].replace("york", "York "), *GOOD[3:]), **COLUMNS)
    assert len(panel.units) == 3
    assert panel.notes == ("York is read as york: the names differ in case alone.",)


def test_zeros_and_returns_are_kept_and_counted() -> None:
    panel = read_panel(rows(*GOOD[:3], "bath,2026-01-01,0", "bath,2026-01-02,-4", "bath,2026-01-03,9"), **COLUMNS)
    assert panel.outcome[1].tolist() == [0, -4, 9]
    assert "Kept as they are: 1 value of the outcome below zero (returns)." in panel.notes
    assert "Kept as they are: 1 value of the outcome of zero." in panel.notes


def test_a_unit_that_never_changes_is_no_control() -> None:
    flat = [f"flat,2026-01-0{day},0" for day in (1, 2, 3)]
    assert read_panel(rows(*GOOD, *flat), **COLUMNS).units == ("york", "bath", "hull")
    with pytest.raises(InvalidPanel, match="'flat' never changes"):
        read_panel(rows(*GOOD, *flat), **COLUMNS, required=["flat"])


def test_one_unit_is_nothing_to_compare_with() -> None:
    with pytest.raises(TooFewUnits, match="1 of 1 units"):
        read_panel(rows(*GOOD[:3]), **COLUMNS)


@pytest.mark.parametrize("value", ["many", "1e999", "inf", "nan", "1,2.3"])
def test_what_is_no_number_is_named_with_its_line(value: str) -> None:
    with pytest.raises(UnreadableValues, match="No finite number") as caught:
        read_panel(rows(*GOOD[:8], f'hull,2026-01-03,"{value}"'), **COLUMNS)
    assert caught.value.where == "line 10"


def test_numbers_as_people_write_them() -> None:
    lines = ['york,1,"$1,234.50"', "bath,1,$7"]
    panel = read_panel(rows(*lines), **COLUMNS)
    assert panel.outcome[:, 0].tolist() == [1234.5, 7.0]
    assert panel.currency == "USD"
    comma = read_panel(rows("york;1;12,5", "bath;1;7", header="geo;date;sales"), **COLUMNS)
    assert comma.outcome[:, 0].tolist() == [12.5, 7.0]


def test_a_comma_that_tells_neither_thousands_nor_decimals_is_refused() -> None:
    with pytest.raises(UnreadableValues, match="thousands"):
        read_panel(rows("york;1;1,234", "bath;1;7", header="geo;date;sales"), **COLUMNS)


def test_two_currencies_are_refused() -> None:
    with pytest.raises(MixedCurrencies, match="EUR, USD"):
        read_panel(rows("york,1,$5", "bath,1,€7"), **COLUMNS)
    lines = ["york,1,5,EUR", "bath,1,7,GBP"]
    with pytest.raises(MixedCurrencies, match="EUR, GBP"):
        read_panel(rows(*lines, header="geo,date,sales,money"), **COLUMNS, currency="money")
    one = read_panel(rows("york,1,5,eur", "bath,1,7,EUR ", header="geo,date,sales,money"), **COLUMNS, currency="money")
    assert one.currency == "EUR"


@pytest.mark.parametrize(
    ("source", "told"),
    [
        (b"", "empty"), (b"geo,date,sales\n", "no rows"), (b"geo,date\nyork,1\n", "no column 'sales'"),
        (b"geo,date,sales\nyork,1,2,3,4\n", "no table"), (b"geo,date,sales\n\xff\xfe\xfa,1,2\n", "UTF-8"),
        (b"date,geo,sales, sales\n1,york,2,3\n", "Two columns are named 'sales'"),
        (b"geo,date,sales\n,1,2\nbath,1,2\n", "'geo' is empty"), (b"geo,date,sales\nyork,soon,2\n", "No date in 1"),
    ],
)  # fmt: skip
def test_what_is_no_panel_is_a_problem(source: bytes, told: str) -> None:
    with pytest.raises((InvalidPanel, UnreadableValues), match=told) as caught:
        read_panel(source, **COLUMNS)
    assert caught.value.fix


def test_a_file_that_is_not_there_is_a_problem() -> None:
    with pytest.raises(InvalidPanel, match="cannot be read"):
        read_panel("no/such/file.csv", **COLUMNS)


def test_an_assignment_in_words_and_in_numbers() -> None:
    assert read_assignment(b"geo,group\n1,treatment\n2,Control\n3,other\n") == {
        "1": "treated", "2": "control", "3": "other",
    }  # fmt: skip
    assert read_assignment(b'"geo","geo.group"\n"1",2\n"2",1\n') == {"1": "treated", "2": "control"}
    assert read_assignment(b"unit,group\na,1\nb,0\n") == {"a": "treated", "b": "control"}


@pytest.mark.parametrize(
    ("source", "told"),
    [
        (b"geo,group\na,treated\nb,treated\n", "group 'control'"), (b"geo,group\na,1\nb,7\n", "'treated'"),
        (b"geo,group\na,treated\nA,control\nb,control\n", "several groups"), (b"geo\na\n", "one column"),
    ],
)  # fmt: skip
def test_an_assignment_that_does_not_tell_the_groups(source: bytes, told: str) -> None:
    with pytest.raises(InvalidAssignment, match=told):
        read_assignment(source)


def test_pairs_of_an_assignment() -> None:
    told = b"unit,group,pair\na,treated,1\nb,control,1\nc,control,2\nd,treated,2\ne,control,\n"
    assert read_pairs(told) == [("a", "b"), ("d", "c")]
    assert read_pairs(b"geo,group\na,treated\nb,control\n") == []
    with pytest.raises(InvalidAssignment, match="'1' has two units"):
        read_pairs(b"unit,group,pair\na,treated,1\nb,control,1\nc,control,1\n")


def test_a_sparse_file_is_refused_before_its_grid_is_built(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("measurement.core.reading_panels._grid", lambda *given: pytest.fail("the grid was built"))
    content = "date,geo,sales\n" + "".join(f"{row},g{row},1\n" for row in range(2300))
    with pytest.raises(InvalidPanel, match=r"2,300 rows tell of 2,300 units in 2,300 periods: 5,290,000 values"):
        read_panel(content.encode(), date="date", unit="geo", outcome="sales")


@pytest.mark.parametrize(("header", "twice"), [("geo,date,sales,sales,", "sales"), ("geo,date,sales, ,", "")])
def test_columns_of_one_name_are_refused(header: str, twice: str) -> None:
    with pytest.raises(InvalidPanel, match=f"Two columns are named '{twice}'"):
        read_panel(rows("york,1,2,3,", "bath,1,2,3,", header=header), **COLUMNS)


def test_columns_without_a_name_are_left_alone() -> None:
    lines = [f"{geo},{day},{day},," for geo in ("york", "bath") for day in (1, 2)]
    assert len(read_panel(rows(*lines, header="geo,date,sales,,"), **COLUMNS).units) == 2
