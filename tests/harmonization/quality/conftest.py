from __future__ import annotations

from datetime import date, timedelta

import pytest

from harmonization.services import check_after_load
from tests.harmonization.conftest import walmart_csv, walmart_row

FIRST = date(2026, 8, 3)


def days(count: int, start: int = 0, **changes: str) -> list[str]:
    """Rows of so many days from the start-th on, each a little different."""
    each = range(start, start + count)
    return [walmart_row(str(FIRST + timedelta(days=n)), spend=f"{10 + n % 4}.00", **changes) for n in each]


def with_gap() -> bytes:
    """A file that lacks three days."""
    return walmart_csv(*days(30), *days(10, 33))


@pytest.fixture
def check(load, walmart):
    """`check(content)`: load a file of Acme's Walmart account and check what it changed."""

    def _check(content: bytes, name: str = "item.csv", account=None):
        return check_after_load(load(content, account or walmart, name))

    return _check
