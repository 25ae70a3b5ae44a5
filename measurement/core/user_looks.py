"""A user test looked at before its end: what the lift says under a plan of looks, or at any moment."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from measurement.core.always_valid import always_valid, mixture_spread
from measurement.core.sequential import Spending, read_look
from measurement.core.user_test import UserReading
from tenants.core.problems import InvalidInput


def at_any_moment(reading: UserReading, *, planned_users: int) -> dict[str, Any]:
    """Lift with an interval and a p-value that hold however often the test is looked at.

    Args:
        planned_users: of both groups at the planned end, where the interval is made narrowest.

    Raises:
        InvalidInput: fewer planned users than are in the test, or a lift by Fieller, which has no standard error.
    """
    error = _error(reading)
    users = reading.control.n + reading.treatment.n
    if planned_users < users:
        raise InvalidInput(
            f"{planned_users:,} users were planned, and {users:,} are in the test.",
            where="planned_users",
            fix="Give the users of both groups at the planned end.",
        )
    spread = mixture_spread(error * math.sqrt(users / planned_users), alpha=reading.alpha)
    found = always_valid([(reading.relative.value, error)], tau=spread, alpha=reading.alpha)
    return {
        "ci": [found.effect.low, found.effect.high],
        "p_value": found.p_value,
        "planned_users": planned_users,
        "procedure": "mixture sequential probability ratio test, valid at every look",
    }


def at_planned_look(
    reading: UserReading,
    *,
    look: int,
    fractions: Sequence[float],
    planned_users: int | None = None,
    spending: Spending = "obrien_fleming",
) -> dict[str, Any]:
    """Lift at one of the looks that were planned, with the boundary that keeps alpha over all of them.

    Args:
        look: its number, from 1. fractions: shares of the final users at which the plan looks, the last one 1; for the
            looks before this one, the shares at which they were made.
        planned_users: of both groups at the planned end: alpha is then spent at the share that this look has reached.
            Without them the look is taken to stand where it was planned.

    Raises:
        InvalidInput: no such look, shares that do not rise to 1, fewer users than at the look before, no planned users,
            or a lift by Fieller, which has no standard error.
    """
    users = reading.control.n + reading.treatment.n
    if planned_users is not None and planned_users < 1:
        raise InvalidInput(
            f"{planned_users:,} users were planned.",
            where="planned_users",
            fix="Give the users of both groups at the planned end.",
        )
    reached = None if planned_users is None else users / planned_users
    found = read_look(
        reading.relative.value,
        _error(reading),
        look=look,
        fractions=fractions,
        reached=reached,
        alpha=reading.alpha,
        spending=spending,
    )
    return {
        "ci": [found.effect.low, found.effect.high],
        "p_value": found.p_value,
        "look": found.look,
        "fractions": list(fractions),
        "reached": fractions[look - 1] if reached is None else reached,
        "boundary": found.boundary,
        "stop": found.crossed,
        "procedure": f"group-sequential, {spending.replace('_', ' ')} spending at the share of users "
        + ("planned for this look" if reached is None else "reached, of those planned"),
    }


def _error(reading: UserReading) -> float:
    if reading.std_error is None:
        raise InvalidInput(
            "Fieller's interval has no standard error to spend.", where="method", fix="Use the delta method for looks."
        )
    return reading.std_error
