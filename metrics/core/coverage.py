"""Which report speaks for an account on which days.

Several reports of one account repeat the same spend: Amazon's search-term and advertised-product reports are two views
of the same clicks. So for each account and day one report is read: of those that tell most of the dimensions asked
for, the one with the lowest rank. A row of several days is taken or left whole, for nothing in a report says how its
figures lie on its days.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Final, Literal

from metrics.core.request import Period

Reason = Literal["repeats", "straddles"]
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """The rows of one load with one period and currency.

    Attributes:
        present: per dimension asked for, whether any of the rows tells it.
        all_impressions: False where the report holds only what was clicked at least once.
    """

    load_id: str
    account_id: str
    account: str
    network: str
    report: str
    rank: int
    all_impressions: bool
    start: date
    end: date
    currency: str | None
    rows: int
    spend: Decimal
    present: tuple[bool, ...]

    @property
    def key(self) -> tuple[str, date, date]:
        """What identifies its rows among the events; slices that differ only in currency share it."""
        return self.load_id, self.start, self.end


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportUsed:
    """A report that figures come from. `told` are the dimensions asked for that it has."""

    network: str
    account_id: str
    account: str
    report: str
    all_impressions: bool
    told: tuple[str, ...]
    first_day: date
    last_day: date
    rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """Rows that were not read. `repeats`: another report, or another load of it, tells the same days. `straddles`: they
    reach out of the period, and cannot be cut."""

    network: str
    account: str
    report: str
    reason: Reason
    currency: str | None
    rows: int
    spend: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """Days from an account's first to the last of any account for which it has no row at all."""

    network: str
    account_id: str
    account: str
    days: tuple[date, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """What is read of a period, and what is not.

    Attributes:
        networks: per load that at least some rows are read from, its network.
        dropped: keys (`Slice.key`) of slices inside the period that are not read.
    """

    networks: dict[str, str]
    dropped: frozenset[tuple[str, date, date]]
    used: tuple[ReportUsed, ...]
    left_out: tuple[LeftOut, ...]
    gaps: tuple[Gap, ...]

    @property
    def loads(self) -> frozenset[str]:
        """Loads that at least some rows are read from."""
        return frozenset(self.networks)


def choose_reports(
    slices: Iterable[Slice], period: Period, dimensions: Sequence[str], *, filtered: Collection[str] = ()
) -> Coverage:
    """Choose for each account and day the one report to read.

    Args:
        slices: of all reports; those that do not touch the period are ignored.
        dimensions: in the order of `Slice.present`.
        filtered: those of them that rows are filtered on. A report that does not tell one of these has no row to give,
            so telling them comes before telling the others.
    """
    by_account: defaultdict[str, list[Slice]] = defaultdict(list)
    straddling: list[Slice] = []
    for item in slices:
        if item.start >= period.start and item.end <= period.end:
            by_account[item.account_id].append(item)
        elif item.start <= period.end and item.end >= period.start:
            straddling.append(item)
    kept: list[Slice] = []
    repeated: list[Slice] = []
    for items in by_account.values():
        taken, left = _one_report_a_day(items, [name in filtered for name in dimensions])
        kept += taken
        repeated += left
    # What reaches out of the period is only a loss where no other report speaks for its days.
    spoken = {(item.account_id, day) for item in kept for day in _days(item)}
    lost = [item for item in straddling if not _spoken_for(item, spoken, period)]
    return Coverage(
        networks={item.load_id: item.network for item in kept},
        dropped=frozenset(item.key for item in repeated),
        used=_used(kept, dimensions),
        left_out=(*_left_out(repeated, "repeats"), *_left_out(lost, "straddles")),
        gaps=_gaps(kept, lost),
    )


def _days(item: Slice) -> Iterable[date]:
    return (item.start + _DAY * offset for offset in range((item.end - item.start).days + 1))


def _spoken_for(item: Slice, spoken: set[tuple[str, date]], period: Period) -> bool:
    inside = (day for day in _days(item) if period.start <= day <= period.end)
    return all((item.account_id, day) in spoken for day in inside)


def _one_report_a_day(items: list[Slice], filtered: Sequence[bool]) -> tuple[list[Slice], list[Slice]]:
    reports: defaultdict[str, list[Slice]] = defaultdict(list)
    for item in items:
        reports[item.report].append(item)
    if len(reports) == 1:
        return _once(items)

    def preference(report: str) -> tuple[int, int, int, str]:
        told = [any(flags) for flags in zip(*(item.present for item in reports[report]), strict=True)]
        needed = sum(flag for flag, needs in zip(told, filtered, strict=True) if needs)
        return -needed, -sum(told), min(item.rank for item in reports[report]), report

    taken: set[date] = set()
    kept: list[Slice] = []
    left: list[Slice] = []
    for report in sorted(reports, key=preference):
        free: list[Slice] = []
        for item in reports[report]:
            (free if taken.isdisjoint(_days(item)) else left).append(item)
        own, repeated = _once(free)
        taken.update(day for item in own for day in _days(item))
        kept += own
        left += repeated
    return kept, left


def _once(items: list[Slice]) -> tuple[list[Slice], list[Slice]]:
    """Slices of one report, each day told once.

    A report that was loaded by day and again as one sum of the month holds everything twice. Rows of different loads
    repeat each other where their periods overlap without being equal; the shorter period is kept, unless the longer one
    has more to tell (`_told_in_part`). Rows of one load never do, and rows of the same period are different rows: a
    load that restates rows has replaced them already.
    """
    if len({item.load_id for item in items}) == 1 or all(item.start == item.end for item in items):
        return items, []
    told: defaultdict[date, set[tuple[str, date, date]]] = defaultdict(set)
    kept: list[Slice] = []
    left = _told_in_part(items)
    behind = {id(item) for item in left}
    items = [item for item in items if id(item) not in behind]
    for item in sorted(items, key=lambda item: (item.end - item.start, item.start, item.load_id)):
        before = {key for day in _days(item) for key in told[day]}
        if any(key[0] != item.load_id and key[1:] != (item.start, item.end) for key in before):
            left.append(item)
            continue
        kept.append(item)
        for day in _days(item):
            told[day].add(item.key)
    return kept, left


def _told_in_part(items: list[Slice]) -> list[Slice]:
    """Slices that give way to a longer period of another load: it reaches days that they do not, and has more spend.

    A month that was exported on the 10th, on the 20th and at its end is told by the last export alone.
    """
    periods: defaultdict[tuple[date, date], list[Slice]] = defaultdict(list)
    for item in items:
        periods[item.start, item.end].append(item)
    behind: dict[int, Slice] = {}
    for start, end in sorted(periods, key=lambda period: (period[0] - period[1], period[0])):
        if start == end:
            break  # nothing is shorter than a day
        whole = [item for item in periods[start, end] if id(item) not in behind]
        loads = {item.load_id for item in whole}
        parts = [
            item
            for item in items
            if item.load_id not in loads
            and id(item) not in behind
            and item.start <= end
            and item.end >= start
            and item.end - item.start < end - start
        ]
        if not whole or not parts:
            continue
        reached = min(item.start for item in parts) <= start and max(item.end for item in parts) >= end
        if not reached and _spend(parts) < _spend(whole):
            behind |= {id(item): item for item in parts}
    return list(behind.values())


def _spend(items: list[Slice]) -> Decimal:
    return sum((item.spend for item in items), Decimal(0))


def _used(kept: list[Slice], dimensions: Sequence[str]) -> tuple[ReportUsed, ...]:
    groups: defaultdict[tuple[str, str, str, str], list[Slice]] = defaultdict(list)
    for item in kept:
        groups[item.network, item.account, item.account_id, item.report].append(item)
    return tuple(
        ReportUsed(
            network=network,
            account_id=account_id,
            account=account,
            report=report,
            all_impressions=all(item.all_impressions for item in items),
            told=tuple(name for at, name in enumerate(dimensions) if any(item.present[at] for item in items)),
            first_day=min(item.start for item in items),
            last_day=max(item.end for item in items),
            rows=sum(item.rows for item in items),
        )
        for (network, account, account_id, report), items in sorted(groups.items())
    )


def _left_out(items: list[Slice], reason: Reason) -> list[LeftOut]:
    groups: defaultdict[tuple[str, str, str, str], list[Slice]] = defaultdict(list)
    for item in items:
        groups[item.network, item.account, item.report, item.currency or ""].append(item)
    return [
        LeftOut(
            network=network,
            account=account,
            report=report,
            reason=reason,
            currency=currency or None,
            rows=sum(item.rows for item in members),
            spend=_spend(members),
        )
        for (network, account, report, currency), members in sorted(groups.items())
    ]


def _gaps(kept: list[Slice], lost: list[Slice]) -> tuple[Gap, ...]:
    """Days without rows, from an account's first day to the last day that any account has.

    An account that reports by week is not behind until a whole week is missing.
    """
    accounts: defaultdict[tuple[str, str, str], set[date]] = defaultdict(set)
    longest: defaultdict[tuple[str, str, str], int] = defaultdict(int)
    for item in (*kept, *lost):
        account = item.network, item.account_id, item.account
        accounts[account].update(_days(item))
        longest[account] = max(longest[account], (item.end - item.start).days + 1)
    latest = max((max(days) for days in accounts.values()), default=None)
    gaps = []
    for account, days in sorted(accounts.items()):
        own = max(days)
        behind = latest is not None and (latest - own).days >= longest[account]
        until = latest if behind and latest is not None else own
        if missing := tuple(day for day in _span(min(days), until) if day not in days):
            network, account_id, name = account
            gaps.append(Gap(network=network, account_id=account_id, account=name, days=missing))
    return tuple(gaps)


def _span(first: date, last: date) -> list[date]:
    return [first + _DAY * offset for offset in range((last - first).days + 1)]
