"""Which cell of a brand to test next, by what its answer is worth to the plans that rest on it."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

import numpy as np
from django.contrib.auth.models import AnonymousUser

from accounts.models import Brand, User
from accounts.services import require
from measurement import selectors
from measurement.core.calibration import Cell, CellTest
from measurement.core.next_test import (
    USUAL_WEEKS,
    Candidate,
    Suggestion,
    expected_incremental,
    log_error,
    next_tests,
    suggested,
)
from measurement.core.words import count_of
from measurement.models import Reading
from measurement.selectors.reserves import HeldReserve, told_reserves
from measurement.services.calibration import (
    budget_lines,
    calibrated_cells,
    curves_of,
    tests_in_planning,
)
from measurement.services.spent_reserves import spent_of
from measurement.services.tested_cells import cell_of, cell_test
from optimization import selectors as optimization
from optimization.core.stored_curves import StoredCurve
from tenants.core.problems import InvalidInput, NotFound, Problem

#: A heavy-up by this part of the spend, for so many weeks, in this part of the market.
RAISE: Final = 0.5
WEEKS: Final = 4
SHARE: Final = 0.5
#: What is assumed of a test's precision until the brand has a reading of that retailer: a standard error of this part
#: of all sales there, of which the ads are attributed this share.
LIFT_SE: Final = 0.012
ATTRIBUTED_SHARE: Final = 0.25


@dataclass(frozen=True, kw_only=True)
class NextTests:
    """Every cell as a candidate, ranked.

    Attributes:
        best: what is suggested, though it be worth less than it costs (`per_cost` below 1); None where no reading
            would move money, or none that would fits the reserve.
        ranked: all, best first. reserve: None where no reserve was told, and everything fits.
        scenario: whose reserve it is, and `taken`, what registered experiments spend of it in its days.
        currency: of all money. assumptions: what figures rest on, in words.
        left_out: readings in planning, and tests that may spend of the reserve, that do not count now; why.
    """

    best: Suggestion | None
    ranked: tuple[Suggestion, ...]
    reserve: Decimal | None
    currency: str
    assumptions: tuple[str, ...]
    left_out: tuple[str, ...] = ()
    scenario: HeldReserve | None = None
    taken: Decimal = Decimal(0)


def suggest_next_test(
    *,
    as_user: User | AnonymousUser,
    brand: Brand | None,
    reserve: Decimal | None = None,
    scenario: str = "",
    weeks: int = USUAL_WEEKS,
) -> NextTests:
    """Rank a heavy-up of each cell of a brand by the expected value of its information per unit of cost.

    Args:
        brand: None is all brands together, whose curves are fitted over all.
        reserve: money that may be spent on a test; None is any amount.
        scenario: id or label of the one whose reserve pays, less what registered experiments spend of it in its days.
        weeks: how long plans rest on the answer.

    Raises:
        InvalidInput: there are no curves, the reserve or the weeks are out of range, both a reserve and a scenario are
            given, or it is one of another brand.
        NotAllowed, NotFound: as `accounts.services.require` for experiments.view; there is no such scenario to see.
    """
    require(user=as_user, permission=selectors.VIEW, brand=brand)
    if reserve is not None and (not reserve.is_finite() or reserve < 0):
        raise InvalidInput(f"{reserve} is no reserve.", where="reserve", fix="Give zero or more, or leave it out.")
    paying, spent, taken = None, None, Decimal(0)
    if scenario:
        paying = _scenario(as_user, brand, reserve, scenario)
        spent = spent_of(paying, as_user=as_user)
        taken = spent.amount
        reserve = max(paying.amount - taken, Decimal(0))
    if not 1 <= weeks <= 104:
        raise InvalidInput(f"Plans of {count_of(weeks, 'week')} are not made.", where="weeks", fix="Give 1 to 104.")
    version = optimization.latest_curves(brand=brand)
    if version is None:
        raise InvalidInput(
            "Without response curves nothing says what a factor would move.", where="curves", fix="Fit the curves."
        )
    curves = curves_of(version)
    tests, readings, left_out = _tests(brand, curves)
    known = calibrated_cells(curves, tests)
    usual = np.array([one.reference_spend for one in curves])
    place = {one.cell: at for at, one in enumerate(known.factors)}
    noise = _noise(readings)
    candidates = [
        found
        for cell in dict.fromkeys(cell_of(one) for one in curves)
        if (found := _candidate(cell, curves, noise, float(known.factors[place[cell]].value))) is not None
    ]
    ranked = next_tests(
        known, budget_lines(curves, place), float(usual.sum()), candidates,
        reserve=float("inf") if reserve is None else float(reserve), weeks=weeks,
    )  # fmt: skip
    return NextTests(
        best=suggested(ranked), ranked=ranked, reserve=reserve, currency=str(version.settings["currency"]),
        assumptions=_assumptions(weeks, noise), left_out=(*left_out, *(spent.left_out if spent else ())),
        scenario=paying, taken=taken,
    )  # fmt: skip


def scenarios_with_reserve(*, as_user: User | AnonymousUser, brand: Brand | None) -> list[HeldReserve]:
    """Plans of exactly this brand that hold money back for tests, of those a person may see; the newest first."""
    return [one for told in told_reserves() for one in told.listed(as_user=as_user, brand=brand)]


def _scenario(user: User | AnonymousUser, brand: Brand | None, reserve: Decimal | None, reference: str) -> HeldReserve:
    if reserve is not None:
        raise InvalidInput(
            "A reserve and a scenario are given, which has one of its own.", where="reserve", fix="Give one of both."
        )
    told = told_reserves()
    if not told:
        raise NotFound(f"There is no scenario {reference!r}.", where="scenario", fix="Type the reserve.")
    try:
        found = told[0].named(as_user=user, reference=reference)
    except NotFound:
        raise NotFound(
            f"There is no scenario {reference[:40]!r} to see.", where="scenario",
            fix="Use its label, such as SC-0001, or type the reserve.",
        ) from None  # fmt: skip
    if found.brand_id != (brand.pk if brand else None):
        raise InvalidInput(
            f"{found.label} plans the money of {found.brand_name}.",
            where="scenario", fix="Choose a scenario of this brand.",
        )  # fmt: skip
    return found


def _tests(
    brand: Brand | None, curves: tuple[StoredCurve, ...]
) -> tuple[list[CellTest], list[Reading], tuple[str, ...]]:
    tests, kept, left_out = [], [], []
    for one in tests_in_planning(brand):
        try:
            tests.append(cell_test(one, curves, on=selectors.today()))
            kept.append(one)
        except Problem as problem:
            left_out.append(f"{one.experiment.label}: {problem.detail}")
    return tests, kept, tuple(left_out)


def _noise(readings: list[Reading]) -> dict[str, float]:
    """Standard error of the incremental sales of the newest test at each retailer, in money."""
    found = {}
    for one in readings:
        told, retailer = one.result.get("incremental"), one.experiment.retailer
        if told and retailer and None not in (told.get("low"), told.get("high")):
            # Close enough for a plan: the ends of a 95 % interval are four standard errors apart.
            found[retailer.name] = (float(told["high"]) - float(told["low"])) / 4.0
    return found


def _candidate(cell: Cell, curves: tuple[StoredCurve, ...], noise: dict[str, float], factor: float) -> Candidate | None:
    mine = [one for one in curves if cell_of(one) == cell]
    spend = sum(one.reference_spend for one in mine)
    cost = RAISE * spend * WEEKS * SHARE
    if cost <= 0.0:
        return None
    now, more = (sum(float(one.revenue(one.reference_spend * part)) for one in mine) for part in (1.0, 1.0 + RAISE))
    attributed = (more - now) / (RAISE * spend)
    known = noise.get(cell[0])
    if known is None:
        retailer = sum(float(one.revenue(one.reference_spend)) for one in curves if one.key.retailer == cell[0])
        known = LIFT_SE * retailer * WEEKS * SHARE / ATTRIBUTED_SHARE
    return Candidate(
        retailer=cell[0], placement=cell[1], cost=cost, weeks=WEEKS,
        log_se=max(log_error(known, expected_incremental(cost, attributed, factor)), 0.02),
        how=f"{RAISE:.0%} more for {WEEKS} weeks in {SHARE:.0%} of the market",
    )  # fmt: skip


def _assumptions(weeks: int, noise: dict[str, float]) -> tuple[str, ...]:
    told = [
        f"Every test is a heavy-up: {RAISE:.0%} more for {WEEKS} weeks in {SHARE:.0%} of the market.",
        f"Plans rest on its answer for {count_of(weeks, 'week')}, and may move a line by half of its spend.",
    ]
    if noise:
        told.append(f"At {', '.join(sorted(noise))} a test is as precise as the last one was.")
    told.append(
        f"Elsewhere its standard error is {LIFT_SE:.1%} of all sales, of which {ATTRIBUTED_SHARE:.0%} are attributed."
    )
    return tuple(told)
