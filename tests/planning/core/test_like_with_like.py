from datetime import date
from decimal import Decimal

import pytest

from planning.core.like_period import like_period
from planning.core.result import whole_cents

DATA = (date(2026, 1, 1), date(2026, 6, 30))


@pytest.mark.parametrize(
    ("horizon", "expected"),
    [
        (("2026-07-01", "2026-07-10"), ("2026-06-21", "2026-06-30", "before", 1.0)),
        (("2026-05-01", "2026-05-10"), ("2026-04-21", "2026-04-30", "before", 1.0)),
        (("2026-09-01", "2026-09-10"), ("2026-06-21", "2026-06-30", "latest", 1.0)),
        (("2026-01-05", "2026-01-14"), ("2026-06-21", "2026-06-30", "latest", 1.0)),
        (("2026-07-01", "2027-06-27"), ("2026-01-01", "2026-06-30", "shorter", 2.0)),
        (("0001-01-01", "0001-01-01"), ("2026-06-30", "2026-06-30", "latest", 1.0)),
        (("9999-12-31", "9999-12-31"), ("2026-06-30", "2026-06-30", "latest", 1.0)),
    ],
)
def test_as_many_days_as_the_horizon(horizon, expected):
    found = like_period((date.fromisoformat(horizon[0]), date.fromisoformat(horizon[1])), DATA)
    assert (str(found.start), str(found.end), found.kind, found.scale) == expected


@pytest.mark.parametrize(
    ("amounts", "total", "expected"),
    [
        ([1 / 3, 1 / 3, 1 / 3], "1.00", ["0.34", "0.33", "0.33"]),
        ([0.009, 0.001], "0.01", ["0.01", "0.00"]),
        ([131000.0 - 1e-11, 10.0], "131010.00", ["131000.00", "10.00"]),
        ([0.0, 2.0], "2.00", ["0.00", "2.00"]),
        ([2.0, 3.0], "4.99", ["2.00", "2.99"]),
        ([], "0", []),
    ],
)
def test_cents_add_up_to_the_total(amounts, total, expected):
    assert [str(one) for one in whole_cents(amounts, Decimal(total))] == expected
