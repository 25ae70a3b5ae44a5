"""Numbers as people type them: what is read, and what is refused in short words."""

from __future__ import annotations

from decimal import Decimal

import pytest

from planning.constraint_rows import fraction
from planning.core.reading import MOST_MONEY, read_number
from planning.core.typed_file import read_table, read_typed
from tenants.core.problems import InvalidInput


def read(value, places=2):
    """(number, what was refused)."""
    said: list[str] = []
    number = read_number(
        value, most=MOST_MONEY, places=places, above_zero=True, refuse=lambda *words: said.append(" ".join(words))
    )
    return number, said


@pytest.mark.parametrize(
    "value",
    ["1e2000000000", "-1e2000000000", "1e-30000000", "0e-30000000", "0e30000000", "1." + "1" * 9000, "9" * 9000],
)
def test_a_number_is_refused_in_the_words_it_came_in(value):
    number, (said,) = read(value)
    assert number is None
    assert said.startswith(value[:40])
    assert len(said) < 120


@pytest.mark.parametrize(
    ("typed", "number"), [("1,200", "1200"), ("1,234,567.5", "1234567.50"), (" 1200.50 ", "1200.50"), (7, "7.00")]
)
def test_commas_stand_between_thousands(typed, number):
    assert read(typed) == (Decimal(number), [])


@pytest.mark.parametrize(
    "typed", ["1200,50", "12,5", "1,20", "1.200,50", "1,2000", ",500", "0,5", "1,200,50", "1200,500"]
)
def test_a_comma_as_decimal_mark_is_refused(typed):
    number, (said,) = read(typed)
    assert number is None
    assert said == f"{typed!r} is not a number. Write 1200.50 or 1,200.50."
    # A percentage keeps what was typed, to be refused in the same words.
    assert fraction(typed) == typed


def test_a_pasted_amount_with_a_decimal_comma_is_refused_and_thousands_are_read():
    def amount(row):
        return read_typed(read_table(row))[0].amount

    assert amount("rmn=Amazon,1,200") == amount("rmn=Amazon;1,200;") == amount("rmn=Amazon\t1200\t") == 1200
    for row in ("rmn=Amazon,1200,50", "rmn=Amazon;1200,50", "rmn=Amazon\t1200\t50", "scope;amount\nrmn=Amazon;1200,50"):
        with pytest.raises(InvalidInput, match="not a number"):
            amount(row)


@pytest.mark.parametrize("text", ['rmn=Amazon,"' + "9" * 140_000, "rmn=Amazon,1\rrmn=Walmart,2"])
def test_a_table_that_is_no_table_is_refused(text):
    with pytest.raises(InvalidInput, match="cannot be read"):
        read_table(text)


@pytest.mark.parametrize("typed", ["1e1000005", "1e-1000005", "-1e1000005", "1e30", "sNaN", "1e30000000"])
def test_a_percentage_out_of_all_sizes_stays_as_typed(typed):
    assert fraction(typed) == typed
    assert read(fraction(typed), places=4)[1]
