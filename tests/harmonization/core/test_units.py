"""Numbers in every unit, against Decimal alone."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal, localcontext

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harmonization.core import units
from harmonization.core.contract_parts import NumberUnit

MICRO = Decimal("0.000001")
FACTOR: dict[NumberUnit, Decimal] = {
    "units": Decimal(1),
    "micros": MICRO,
    "cents": Decimal("0.01"),
    "thousands": Decimal(1000),
}
amounts = st.decimals(-(10**8), 10**8, places=6) | st.integers(-(10**8), 10**8).map(Decimal)


def money(cells: list[str | None], unit: NumberUnit, point: str = ".", group: str = ",") -> list[Decimal | None]:
    return units.to_money(pl.Series(cells, dtype=pl.String), unit, point, group).to_list()


def in_units(amount: Decimal, unit: NumberUnit) -> Decimal:
    with localcontext(prec=60):
        return (amount * FACTOR[unit]).quantize(MICRO, ROUND_HALF_EVEN)


@pytest.mark.parametrize("unit", units.OF_MONEY)
@given(written=st.lists(amounts, max_size=8))
def test_money_in_each_unit(unit: NumberUnit, written: list[Decimal]) -> None:
    expected = [in_units(amount, unit) for amount in written]
    assert money([f"{amount:f}" for amount in written], unit) == expected
    assert money([*(f"${amount:,f}" for amount in written), None], unit) == [*expected, None]
    continental = [f"{amount:,f}".translate({44: ".", 46: ","}) for amount in written]
    assert money(continental, unit, ",", ".") == expected


@given(st.lists(st.integers(-(10**17), 10**17), min_size=1))
def test_micros_of_large_amounts_are_exact(written: list[int]) -> None:
    expected = [Decimal(micros).scaleb(-6) for micros in written]
    # A cell beside them that has to be read the long way changes nothing.
    assert money([*map(str, written), "1,500,000"], "micros") == [*expected, Decimal("1.5")]


@pytest.mark.parametrize(("cell", "unit"), [("9" * 30, "micros"), ("999999999999", "thousands"), ("x", "cents")])
def test_what_does_not_fit_is_not_readable(cell: str, unit: NumberUnit) -> None:
    assert money([cell, "1"], unit)[0] is None


@given(st.lists(st.decimals(-(10**6), 10**6, places=3), max_size=8))
def test_counts_in_thousands_are_whole(written: list[Decimal]) -> None:
    cells = pl.Series([f"{amount:f}" for amount in written], dtype=pl.String)
    assert units.to_count(cells, "thousands", ".", ",").to_list() == [int(amount * 1000) for amount in written]


def test_a_thousandth_of_a_thousand_is_the_finest_count() -> None:
    assert units.to_count(pl.Series(["1.2345", "1.5"]), "thousands", ".", ",").to_list() == [None, 1500]
    assert units.to_count(pl.Series(["1.5", "2"]), "units", ".", ",").to_list() == [None, 2]


@given(st.lists(st.decimals(-(10**4), 10**4, places=4), max_size=8))
def test_ratios(written: list[Decimal]) -> None:
    bare, marked = [f"{ratio:f}" for ratio in written], [f"{ratio:f} %" for ratio in written]
    percent = pytest.approx([float(ratio) / 100 for ratio in written], rel=1e-12)
    read = [units.to_fraction(pl.Series(bare, dtype=pl.String), unit, ".", ",") for unit in ("units", "percent")]
    assert read[0].to_list() == [float(ratio) for ratio in written]
    assert read[1].to_list() == percent
    for unit in units.OF_FRACTIONS:
        assert units.to_fraction(pl.Series(marked, dtype=pl.String), unit, ".", ",").to_list() == percent
