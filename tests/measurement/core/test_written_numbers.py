"""Amounts as people write them: read where a file says what its signs mean, refused where it does not."""

from __future__ import annotations

import re

import polars as pl
import pytest

from measurement.core.panel_values import UnreadableValues, numbers_of
from measurement.core.reading_panels import read_panel
from measurement.core.switchback_log import read_switchback_log


def read(*cells: str, comma_file: bool = False, beside: tuple[str, ...] = ()) -> list[float | None]:
    others = [pl.Series(beside)] if beside else []
    return numbers_of(pl.Series(cells), column="sales", comma_file=comma_file, beside=others)[0].to_list()


@pytest.mark.parametrize(
    ("cells", "wanted"),
    [
        (["5.234", "5234,5", "7"], [5234.0, 5234.5, 7.0]),
        (["1.234,50 €", "-12,5", ""], [1234.5, -12.5, None]),
        (["1.234.567", "1,5"], [1234567.0, 1.5]),
        (["1,234.5", "5,234", "$6"], [1234.5, 5234.0, 6.0]),
        (["1'234.5", "12’345", "0.234"], [1234.5, 12345.0, 0.234]),
        (["1 234,5", "12\u202f345", "1\u00a0234"], [1234.5, 12345.0, 1234.0]),
        (["5.234", "5.2"], [5.234, 5.2]),
        (["5,234", "5,2"], [5.234, 5.2]),
        (["1,23,456.70", "(12.00)"], [123456.7, -12.0]),
        (["1.5e3", "2.125", "1e12"], [1500.0, 2.125, 1e12]),
        (["n/a", "12345", ".5"], [None, 12345.0, 0.5]),
        (["0,0000001", "0,00000049"], [1e-7, 4.9e-7]),
        (["1234567890123,5", "1.234.567.890.123.456,5"], [1234567890123.5, 1234567890123456.5]),
        (["1,5e3", "2,25E-9", "−3"], [1500.0, 2.25e-9, -3.0]),
    ],
)
def test_what_other_cells_say_decides(cells: list[str], wanted: list[float | None]) -> None:
    assert read(*cells) == wanted
    assert read(*cells, comma_file=True) == wanted


@pytest.mark.parametrize("cells", [("5.234", "7"), ("5,234", "7"), ("5.234", "5,234"), ("1.234", "12345")])
def test_what_no_cell_says_is_refused(cells: tuple[str, ...]) -> None:
    with pytest.raises(UnreadableValues, match=f"decimals from thousands, '{re.escape(cells[0])}'") as caught:
        read(*cells)
    assert caught.value.where == "line 2"
    assert "decimal point" in caught.value.fix


def test_a_file_of_commas_has_points_before_decimals() -> None:
    assert read("5.234", "7", comma_file=True) == [5.234, 7.0]
    assert read("5,234", "7", comma_file=True) == [5234.0, 7.0]


def test_other_amounts_of_the_file_say_how_it_is_written() -> None:
    assert read("5.234", "7", beside=("12,5", "3")) == [5234.0, 7.0]
    assert read("5.234", "7", beside=("12.5", "3")) == [5.234, 7.0]
    assert read("5.234", "7", comma_file=True, beside=("12,5",)) == [5234.0, 7.0]


@pytest.mark.parametrize("cells", [("12.5", "12,5"), ("1.234,5", "0.5"), ("1,234.5", "1.234,5")])
def test_a_column_written_in_two_ways_is_refused(cells: tuple[str, ...]) -> None:
    with pytest.raises(UnreadableValues, match="some a decimal comma"):
        read(*cells)


@pytest.mark.parametrize("cell", ["12 34", "1,2,3", "5.23.4", "5 abc", "USD 5", "inf", "1_000", "--5", "(5", "1'23"])
def test_what_is_no_number_is_refused(cell: str) -> None:
    with pytest.raises(UnreadableValues, match="No finite number"):
        read("1234.5", cell)


def test_thousands_of_a_panel_are_as_its_cost_says() -> None:
    lines = ["geo;day;sales;spend"]
    lines += [f"{geo};{day};{geo_size + day}.{day}00;12,5" for geo, geo_size in (("york", 4), ("bath", 7))
              for day in (1, 2)]  # fmt: skip
    panel = read_panel("\n".join(lines).encode(), date="day", unit="geo", outcome="sales", cost="spend")
    assert panel.outcome.tolist() == [[5100.0, 6200.0], [8100.0, 9200.0]]
    assert panel.cost is not None
    assert panel.cost[0, 0] == 12.5


def test_the_log_of_a_switchback_is_read_alike() -> None:
    def log(*cells: str) -> list[float]:
        lines = ["day;on;sales", *(f"{place};{place % 2};{cell}" for place, cell in enumerate(cells))]
        read = read_switchback_log("\n".join(lines).encode(), period="day", treated="on", outcome="sales")
        return list(read.outcome)

    assert log("5.234", "12,5") == [5234.0, 12.5]
    with pytest.raises(UnreadableValues, match="decimals from thousands") as caught:
        log("7", "5.234")
    assert caught.value.where == "line 3"
