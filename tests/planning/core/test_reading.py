"""Numbers as people type them: what is read, and what is refused in short words."""

from __future__ import annotations

from decimal import Decimal

import pytest

from planning.core.reading import MOST_MONEY, read_number


def read(value, places=2):
    """(number, what was refused)."""
    said: list[str] = []
    number = read_number(
        value, most=MOST_MONEY, places=places, above_zero=True, refuse=lambda *words: said.append(" ".join(words))
    )
    return number, said


@pytest.mark.parametrize(
    "value", ["1e2000000000", "-1e2000000000", "1e-30000000", "0e-30000000", "0e30000000", "1." + "1" * 9000, "9" * 9000]
)
def test_a_number_is_refused_in_the_words_it_came_in(value):
    number, (said,) = read(value)
    assert number is None
    assert said.startswith(value[:40])
    assert len(said) < 120
