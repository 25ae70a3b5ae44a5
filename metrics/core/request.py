"""What is asked: figures, split, period, filters, comparison, attribution. Checked once, here, for every door."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from types import MappingProxyType
from typing import Final, Literal

from metrics.core.definitions import DIMENSIONS, METRICS, attributed_parts, dimension_named, metric_named
from tenants.core.problems import InvalidInput

Compare = Literal["none", "previous", "previous_exact", "year"]
Attribution = Literal["as_reported", "common_window", "incremental"]

COMPARISONS: Final[tuple[Compare, ...]] = ("none", "previous", "previous_exact", "year")
ATTRIBUTIONS: Final[tuple[Attribution, ...]] = ("as_reported", "common_window", "incremental")
#: What money is shown in: as it was spent, or converted to the tenant's base currency; else an ISO 4217 code.
NATIVE, BASE = "native", "base"
#: Which purchases a common rule may count, with their words.
MATCHES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "same_sku": "same SKU",
        "total": "advertised and other products",
        "parent_sku": "same parent SKU",
        "category": "same category",
        "brand": "same brand",
        "halo": "other products only",
        "campaign": "products of the campaign",
    }
)
DEFAULT_WINDOW: Final = 14
DEFAULT_MATCH: Final = "same_sku"
MAX_WINDOW: Final = 90
MAX_DAYS: Final = 1100
MAX_DIMENSIONS: Final = 6
MAX_LINES: Final = 100_000


@dataclass(frozen=True, slots=True)
class Period:
    """Days from `start` to `end`, both inclusive."""

    start: date
    end: date

    @property
    def days(self) -> int:
        return (self.end - self.start).days + 1

    def moved(self, days: int) -> Period:
        """The same number of days, earlier or later."""
        return Period(self.start + timedelta(days=days), self.end + timedelta(days=days))


@dataclass(frozen=True, slots=True)
class CommonRule:
    """One rule for all networks: days after a click, and which purchases count.

    It counts all channels and all buyers, and nothing after a mere view.
    """

    click_days: int = DEFAULT_WINDOW
    match: str = DEFAULT_MATCH

    @property
    def label(self) -> str:
        """For people: `14-day click, same SKU`."""
        return f"{self.click_days}-day click, {MATCHES[self.match]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricRequest:
    """A checked question; `read_request` makes it.

    Attributes:
        dimensions: with those added that a member is only unique in.
        filters: members to keep, by dimension; an empty mapping keeps all.
        sort: a metric or dimension of the request, with `-` before it for descending order; empty for the usual order.
        limit: lines to return; the others are summed into one line, so that lines and totals agree.
        rule: of the common window.
        money: `native`, or the currency that money is converted to.
        smallest_cell: fewer orders than this are withheld; 0 withholds nothing.
    """

    metrics: tuple[str, ...]
    dimensions: tuple[str, ...]
    period: Period
    filters: Mapping[str, tuple[str, ...]]
    compare: Compare
    attribution: Attribution
    sort: str
    limit: int | None
    rule: CommonRule = CommonRule()
    money: str = NATIVE
    smallest_cell: int = 0

    @property
    def incremental(self) -> bool:
        """Whether some figure needs incrementality factors."""
        if self.attribution == "incremental":
            return True
        return any(part.basis == "incremental" for name in self.metrics for part in attributed_parts(name))

    def withholding(self, smallest_cell: int) -> MetricRequest:
        """The same question, with figures of fewer orders than this withheld."""
        return replace(self, smallest_cell=smallest_cell)

    @property
    def periods(self) -> tuple[Period, ...]:
        """The period and, where there is one, that it is compared with."""
        return (self.period,) if self.comparison is None else (self.period, self.comparison)

    @property
    def shift_days(self) -> int:
        """How far back the comparison lies, in days. Weekdays match unless `previous_exact` was asked for."""
        if self.compare == "previous":
            return math.ceil(self.period.days / 7) * 7
        if self.compare == "previous_exact":
            return self.period.days
        return 364 if self.compare == "year" else 0

    @property
    def comparison(self) -> Period | None:
        """The period that is compared with."""
        return self.period.moved(-self.shift_days) if self.shift_days else None

    @property
    def order(self) -> tuple[str, bool]:
        """Column to sort by, and whether descending: time goes forward, everything else has its largest line first."""
        if self.sort:
            return self.sort.removeprefix("-"), self.sort.startswith("-")
        timed = next((name for name in self.dimensions if DIMENSIONS[name].grain), None)
        return (timed, False) if timed else (self.metrics[0], True)


def read_request(
    *,
    metrics: Iterable[str],
    dimensions: Iterable[str] = (),
    start: date,
    end: date,
    filters: Mapping[str, Iterable[str]] | None = None,
    compare: str = "none",
    attribution: str = "as_reported",
    sort: str = "",
    limit: int | None = None,
    window: int | None = None,
    match: str = "",
    money: str = "",
) -> MetricRequest:
    """Check a question.

    Args:
        window, match: of the common rule, where not the usual one.
        money: `native` or empty, or the ISO 4217 code to convert to; `base` is the caller's to resolve.

    Raises:
        InvalidInput: a name is unknown, the period is empty or too long, or a choice is not among those accepted.
    """
    chosen = tuple(dict.fromkeys(metric_named(name).name for name in metrics))
    if not chosen:
        raise InvalidInput("No metric is asked for.", where="metrics", fix=f"Name some of: {', '.join(METRICS)}.")
    split = _expanded(dimensions)
    _check_period(start, end)
    _check_choice("compare", compare, COMPARISONS)
    _check_choice("attribution", attribution, ATTRIBUTIONS)
    _check_sort(sort, (*chosen, *split))
    if limit is not None and not 1 <= limit <= MAX_LINES:
        raise InvalidInput(
            f"The limit {limit} is out of range.", where="limit", fix=f"Ask for 1 to {MAX_LINES:,} lines."
        )
    return MetricRequest(
        metrics=chosen,
        dimensions=split,
        period=Period(start, end),
        filters=MappingProxyType(_checked_filters(filters or {})),
        compare=compare,  # type: ignore[arg-type]
        attribution=attribution,  # type: ignore[arg-type]
        sort=sort,
        limit=limit,
        rule=_checked_rule(window, match),
        money=_checked_money(money),
    )


def _checked_rule(window: int | None, match: str) -> CommonRule:
    days = DEFAULT_WINDOW if window is None else window
    if not 1 <= days <= MAX_WINDOW:
        raise InvalidInput(
            f"A window of {days} days is out of range.",
            where="window",
            fix=f"Use 1 to {MAX_WINDOW} days after a click.",
        )
    chosen = match or DEFAULT_MATCH
    _check_choice("match", chosen, tuple(MATCHES))
    return CommonRule(days, chosen)


def _checked_money(money: str) -> str:
    if money in ("", NATIVE):
        return NATIVE
    if not re.fullmatch(r"[A-Z]{3}", money):
        raise InvalidInput(
            f"money cannot be {money!r}.", where="money", fix="Use native, base, or an ISO 4217 code such as EUR."
        )
    return money


def _expanded(names: Iterable[str]) -> tuple[str, ...]:
    wanted: dict[str, None] = {}
    for name in names:
        dimension = dimension_named(name)
        wanted |= dict.fromkeys((*dimension.within, name))
    if len(wanted) > MAX_DIMENSIONS:
        raise InvalidInput(
            f"{len(wanted)} dimensions are more than a table can show: {', '.join(wanted)}.",
            where="dimensions",
            fix=f"Ask for at most {MAX_DIMENSIONS}; a campaign counts with its account.",
        )
    return tuple(wanted)


def _checked_filters(filters: Mapping[str, Iterable[str]]) -> dict[str, tuple[str, ...]]:
    checked = {}
    for name, values in filters.items():
        dimension = dimension_named(name, where="filters")
        if not dimension.can_filter:
            raise InvalidInput(f"{name} is no filter.", where=name, fix="Choose days with start and end.")
        if members := tuple(dict.fromkeys(values)):
            checked[name] = members
    return checked


def _check_period(start: date, end: date) -> None:
    if end < start:
        raise InvalidInput(
            f"The period ends on {end}, before it starts on {start}.", where="end", fix="Swap start and end."
        )
    if (end - start).days >= MAX_DAYS:
        raise InvalidInput(
            f"The period has {(end - start).days + 1} days.", where="start", fix=f"Ask for at most {MAX_DAYS} days."
        )
    if start.year < 2000 or end.year > 2100:
        raise InvalidInput(
            f"No data can lie from {start.isoformat()} to {end.isoformat()}.", where="start", fix="Correct the year."
        )


def _check_choice(where: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise InvalidInput(f"{where} cannot be {value!r}.", where=where, fix=f"Use one of: {', '.join(choices)}.")


def _check_sort(sort: str, columns: tuple[str, ...]) -> None:
    if sort and sort.removeprefix("-") not in columns:
        raise InvalidInput(
            f"The table has no column {sort.removeprefix('-')!r} to sort by.",
            where="sort",
            fix=f"Sort by one of: {', '.join(columns)}; put - before it for descending order.",
        )
