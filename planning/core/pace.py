"""A budget against what is spent of it: to date, to come, and the day it is used up. Pure: days and amounts in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from planning.core.pacing import Floats, expected, project, used_up

Status = Literal["on pace", "over", "under", "not begun", "ended", "no data"]
#: An account this far behind the newest has stopped: it holds nothing up, and spends nothing more.
STOPPED_DAYS: Final = 28
#: Figures older than this by the account's own calendar are late.
LATE_DAYS: Final = 2


@dataclass(frozen=True, kw_only=True)
class AccountSpend:
    """Daily spend of one account, without a gap from `first` to its last day with figures.

    Attributes:
        today: by the calendar of the account's own zone.
        final_until: last day that the network no longer restates.
    """

    name: str
    zone: str
    first: date
    spend: Sequence[float]
    today: date
    final_until: date

    @property
    def last(self) -> date:
        return self.first + timedelta(days=len(self.spend) - 1)


@dataclass(frozen=True, eq=False, kw_only=True)
class Pace:
    """How a budget is doing.

    Attributes:
        days: of the period; the arrays beside it are cumulative money at the end of each, NaN where there is none.
        spent_until: last day that every live account has told.
        spent, planned: to that day, so that the two are of the same days; what an account has told of later days is
            in the projection.
        projected, low, high: at the end of the period, with the 80 % interval; None where nothing can be projected.
        cap_day: day the budget is used up as projected, at the earliest (high end of the band) and at the latest.
        status: over or under where the whole interval lies above or below the budget.
        notes: late accounts, days that may still change, what is left out.
    """

    amount: float
    days: tuple[date, ...]
    plan: Floats
    actual: Floats
    ahead: Floats
    ahead_low: Floats
    ahead_high: Floats
    spent: float
    planned: float
    spent_until: date | None
    projected: float | None
    low: float | None
    high: float | None
    cap_day: date | None
    cap_earliest: date | None
    cap_latest: date | None
    status: Status
    notes: tuple[str, ...]

    @property
    def difference(self) -> float | None:
        """Projected less budget: above zero is too much."""
        return None if self.projected is None else self.projected - self.amount


def pace(amount: float, start: date, end: date, accounts: Sequence[AccountSpend], extra: Sequence[str] = ()) -> Pace:
    """How a budget of `amount` from `start` to `end`, both inclusive, is doing.

    Each account is projected from its own last day; the band is that of the accounts' sum.

    Args:
        extra: notes of the caller.
    """
    days = tuple(start + timedelta(days=n) for n in range((end - start).days + 1))
    size = len(days)
    plan = amount * np.arange(1, size + 1) / size
    told = [one for one in accounts if len(one.spend)]
    newest = max((one.last for one in told), default=None)
    live = [one for one in told if newest is not None and (newest - one.last).days <= STOPPED_DAYS]
    notes = [*extra, *_notes(told, live, start)]
    nothing = np.full(size, np.nan)
    if newest is None or not live:
        return Pace(
            amount=amount, days=days, plan=plan, actual=nothing, ahead=nothing, ahead_low=nothing, ahead_high=nothing,
            spent=0.0, planned=0.0, spent_until=None, projected=None, low=None, high=None, cap_day=None,
            cap_earliest=None, cap_latest=None, status="no data", notes=tuple(notes),
        )  # fmt: skip
    until = min(one.last for one in live)
    known, coming = np.zeros(size), np.zeros(size)
    short = False
    for one in told:
        _place(known, one.spend, one.first, start)
        if one in live and one.last < end:
            ahead = expected(one.spend, one.first, (end - one.last).days)
            short = short or ahead is None
            if ahead is not None:
                _place(coming, ahead, one.last + timedelta(days=1), start)
    passed = int(np.clip((until - start).days + 1, 0, size))
    spent, later = float(known[:passed].sum()), float(known[passed:].sum())
    if later > 0.0:
        notes.append(f"{later:,.2f} that some accounts have told of later days is in the projection.")
    actual = np.where(np.arange(size) < passed, np.cumsum(known), np.nan)
    total, low, high = _ahead(known, coming, live, until, start, end)
    if short and passed < size:
        total = low = high = nothing
    first_ahead = days[0]
    final = spent if passed >= size else None if np.isnan(total[-1]) else float(total[-1])
    ends = (None, None) if final is None else (final, final) if passed >= size else (float(low[-1]), float(high[-1]))
    joined = np.where(np.isnan(actual), total, actual)
    return Pace(
        amount=amount,
        days=days,
        plan=plan,
        actual=actual,
        ahead=total,
        ahead_low=low,
        ahead_high=high,
        spent=spent,
        planned=float(plan[passed - 1]) if passed else 0.0,
        spent_until=until,
        projected=final,
        low=ends[0],
        high=ends[1],
        cap_day=used_up(np.nan_to_num(joined), amount, first_ahead),
        cap_earliest=used_up(np.nan_to_num(np.where(np.isnan(actual), high, actual)), amount, first_ahead),
        cap_latest=used_up(np.nan_to_num(np.where(np.isnan(actual), low, actual)), amount, first_ahead),
        status=_status(amount, spent + later, passed >= size, all(one.today < start for one in live), ends),
        notes=tuple(notes),
    )


def _place(into: NDArray[np.float64], values: Sequence[float] | Floats, first: date, start: date) -> None:
    """Add daily values to the days of the period that they fall on."""
    offset = (first - start).days
    for at, value in enumerate(values):
        if 0 <= offset + at < into.size:
            into[offset + at] += float(value)


def _ahead(
    known: Floats, coming: Floats, live: Sequence[AccountSpend], until: date, start: date, end: date
) -> tuple[Floats, Floats, Floats]:
    """Cumulative spend of the days after `until` as projected, with the ends of its band; NaN before."""
    size = known.size
    passed = int(np.clip((until - start).days + 1, 0, size))
    before = np.arange(size) < passed
    daily = known + coming
    total = np.cumsum(daily)
    base = float(total[passed - 1]) if passed else 0.0
    rest = total - base
    down, up = np.ones(size), np.ones(size)
    first = min(one.first for one in live)
    whole = np.zeros((until - first).days + 1)
    for one in live:
        _place(whole, one.spend, one.first, first)
    if until < end and (band := project(whole, first, (end - until).days)) is not None:
        # The band is of sums from the day after `until`; a period that begins later has its first days' band.
        span = band.total
        with np.errstate(divide="ignore", invalid="ignore"):
            relative = (np.where(span > 0.0, band.low / span, 1.0), np.where(span > 0.0, band.high / span, 1.0))
        down[passed:], up[passed:] = (one[-(size - passed) :] for one in relative)
    nan = np.where(before, np.nan, 0.0)
    # What is known of later days is spent, however low the band reaches.
    return nan + total, nan + np.maximum(base + rest * down, np.cumsum(known)), nan + base + rest * up


def _status(amount: float, known: float, told: bool, to_come: bool, ends: tuple[float | None, float | None]) -> Status:
    """How a budget stands.

    Args:
        known: spend of every day of the period that anybody has told.
        told: every live account has told the whole period; to_come: none of them has reached its first day.
    """
    low, high = ends
    if told:
        return "ended"
    if to_come:
        return "not begun"
    if known > amount or (low is not None and low > amount):
        return "over"
    if high is None:
        return "no data"
    return "under" if high < amount else "on pace"


def _notes(told: Sequence[AccountSpend], live: Sequence[AccountSpend], start: date) -> list[str]:
    notes = []
    for one in told:
        if one not in live:
            notes.append(f"{one.name} has no figures since {one.last:%-d %b %Y} and is taken to have stopped.")
            continue
        behind = (one.today - timedelta(days=1) - one.last).days
        if behind > LATE_DAYS:
            notes.append(f"{one.name} is {behind} days late: figures to {one.last:%-d %b}, days since are projected.")
        if one.final_until < one.last and one.last >= start:
            since = max(start, one.final_until + timedelta(days=1))
            notes.append(f"{one.name} may still restate {since:%-d %b} to {one.last:%-d %b}.")
    return notes


def totals(paces: Sequence[Pace]) -> Mapping[str, float]:
    """Sums over budgets that do not overlap, as the caller knows."""
    return {
        "amount": sum(one.amount for one in paces),
        "spent": sum(one.spent for one in paces),
        "projected": sum(one.projected if one.projected is not None else one.spent for one in paces),
    }
