"""The Performance page as data: key figures, lines by scope as a tree or a list, finality."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, Final

import polars as pl

from metrics.core.definitions import DIMENSIONS, METRICS, Better, ChangeKind, Unit, attributed_parts
from metrics.core.difference import Figure, difference
from metrics.core.notices import network_name, network_tone
from metrics.core.table import CURRENCY, PREVIOUS, MetricTable, Provenance, roll_up
from metrics.core.time_series import series_of

#: Key figures of the page, in the order in which they stand.
KEY_FIGURES: Final = ("spend", "sales", "roas", "orders", "cpc")
#: Columns of the table; key figures among them.
FIGURES: Final = ("spend", "sales", "roas", "orders", "cpc", "ctr")
CHARTED: Final = ("sales", "roas", "spend", "orders")
MOST_CHILDREN: Final = 50
MOST_LINES: Final = 200

Address = Callable[[Mapping[str, str]], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tab:
    """One way to split the table: by `parent` and below it by `leaf`, or by `leaf` alone."""

    name: str
    label: str
    dimensions: tuple[str, ...]
    leaf: str
    parent: str = ""


TABS: Final = {
    tab.name: tab
    for tab in (
        Tab(
            name="network", label="Network", dimensions=("network", "campaign"), parent="network", leaf="campaign"
        ),
        Tab(
            name="retailer", label="Retailer", dimensions=("network", "retailer", "account"), parent="retailer",
            leaf="account",
        ),
        Tab(
            name="placement", label="Placement", dimensions=("network", "placement"), parent="placement",
            leaf="network",
        ),
        Tab(name="campaign", label="Campaign", dimensions=("network", "campaign"), leaf="campaign"),
        Tab(name="sku", label="SKU", dimensions=("network", "sku"), leaf="sku"),
    )
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyFigure:
    """A figure of the whole selection, with how it went and how it differs."""

    label: str
    value: Figure
    unit: Unit
    change: float | None
    kind: ChangeKind
    better: Better
    formula: str
    series: tuple[float | None, ...]
    previous: tuple[float | None, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A line of the table. `level` 1 stands above those of level 2 that name it as `parent`."""

    id: str
    level: int
    name: str
    values: Mapping[str, Figure]
    change: float | None
    note: str = ""
    parent: str = ""
    url: str = ""
    tone: str = ""
    state: str = ""
    until: str = ""
    children: int = 0
    open: bool = False
    rest: bool = False


@dataclass(frozen=True, slots=True)
class Standing:
    """How final the figures of each account are, on a day.

    Attributes:
        until: account id -> day until which it may be restated.
        missing: account id -> number of days without rows.
        accounts: network -> ids of its accounts.
    """

    today: date
    until: Mapping[str, date] = field(default_factory=dict)
    missing: Mapping[str, int] = field(default_factory=dict)
    accounts: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def of(self, accounts: Iterable[str]) -> tuple[str, str]:
        """(state, words) of figures of some accounts: the least final of them decides."""
        known = list(accounts)
        days = max((self.missing.get(account, 0) for account in known), default=0)
        if days:
            return "missing", "1 day missing" if days == 1 else f"{days} days missing"
        ends = [self.until[account] for account in known if account in self.until]
        if not ends:
            return "", ""
        until = max(ends)
        return ("restating", f"{until:%-d %b}") if until >= self.today else ("final", "")


def standing_of(provenance: Provenance, today: date) -> Standing:
    """What the provenance of a table says about finality."""
    ids = {(item.network, item.account): item.account_id for item in provenance.reports}
    accounts: dict[str, frozenset[str]] = {}
    for item in provenance.reports:
        accounts[item.network] = accounts.get(item.network, frozenset()) | {item.account_id}
    return Standing(
        today=today,
        until={ids[item.network, item.account]: item.until for item in provenance.restating},
        missing={item.account_id: len(item.days) for item in provenance.gaps},
        accounts=accounts,
    )


def restating_from(standing: Standing, last_days: Mapping[str, date]) -> date | None:
    """First day whose figures may still change; None where all are final.

    Args:
        last_days: account id -> last day that was loaded. The network restates as many days as lie between that day
            and the day until which the account is open.
    """
    first = [
        standing.today - (until - last_days[account])
        for account, until in standing.until.items()
        if account in last_days and until >= standing.today
    ]
    return min(first, default=None)


def key_figures(table: MetricTable) -> list[KeyFigure]:
    """Totals of a table by day or week, of one currency."""
    found = []
    for name in KEY_FIGURES:
        metric, series = METRICS[name], series_of(table, name)
        now, before = _total(table, name), _total(table, PREVIOUS + name)
        found.append(
            KeyFigure(
                label=f"{metric.label}, as reported" if attributed_parts(name) else metric.label,
                value=now,
                unit=metric.unit,
                change=difference(name, now, before),
                kind=metric.change,
                better=metric.better,
                formula=metric.formula,
                series=series.values,
                previous=series.previous,
            )
        )
    return found


def _total(table: MetricTable, column: str) -> Figure:
    if table.totals.is_empty() or column not in table.totals.columns:
        return None
    return table.totals[column][0]  # type: ignore[no-any-return]


def rows_of(table: MetricTable, tab: Tab, standing: Standing, address: Address) -> list[Row]:
    """The lines of a table of one currency, parents before their children."""
    lines = list(table.lines.iter_rows(named=True))
    if not tab.parent:
        shown = [_row(line, tab, standing, address, level=1) for line in lines[:MOST_LINES]]
        return [*shown, *_more(table, lines, MOST_LINES, "", level=1)]
    below: dict[Any, list[dict[str, Any]]] = {}
    for line in lines:
        below.setdefault(line[tab.parent], []).append(line)
    rows: list[Row] = []
    for at, parent in enumerate(_parents(table, tab)):
        children = below[parent[tab.parent]]
        name = f"r{at}"
        rows.append(_parent_row(parent, children, tab, standing, address, id=name, open=len(children) <= 8))
        for number, line in enumerate(children[:MOST_CHILDREN]):
            rows.append(_row(line, tab, standing, address, level=2, id=f"{name}-{number}", parent=name))
        rows += _more(table, children, MOST_CHILDREN, name, level=2)
    return rows


def _parents(table: MetricTable, tab: Tab) -> list[dict[str, Any]]:
    column, descending = table.request.order
    by = tab.parent if column in DIMENSIONS else column
    rolled = roll_up(table.lines, table.request, (tab.parent,))
    ordered = rolled.sort([by, tab.parent], descending=[descending, False], nulls_last=True)
    return list(ordered.iter_rows(named=True))


def _parent_row(
    parent: dict[str, Any],
    children: Sequence[dict[str, Any]],
    tab: Tab,
    standing: Standing,
    address: Address,
    *,
    id: str,  # noqa: A002 - the attribute it becomes
    open: bool,  # noqa: A002
) -> Row:
    member = parent[tab.parent]
    state, until = standing.of(_accounts(children, standing))
    return Row(
        id=id,
        level=1,
        name=_name(tab.parent, parent),
        values=_values(parent),
        change=_change(parent),
        url=address({tab.parent: str(member)}) if member is not None else "",
        tone=network_tone(member) if tab.parent == "network" else "",
        state=state,
        until=until,
        children=len(children),
        open=open,
    )


def _row(
    line: dict[str, Any],
    tab: Tab,
    standing: Standing,
    address: Address,
    *,
    level: int,
    id: str = "",  # noqa: A002
    parent: str = "",
) -> Row:
    state, until = standing.of(_accounts([line], standing))
    member = line[tab.leaf]
    name = _name(tab.leaf, line)
    notes = [network_name(line["network"])] if not parent else []
    if tab.leaf == "sku" and member is not None and name != member:
        notes.append(member)
    return Row(
        id=id,
        level=level,
        name=name,
        values=_values(line),
        change=_change(line),
        note=" · ".join(notes),
        parent=parent,
        url=address(_path(line, tab)) if member is not None else "",
        tone=network_tone(line["network"]) if not parent else "",
        state=state,
        until=until,
    )


def _path(line: Mapping[str, Any], tab: Tab) -> dict[str, str]:
    """What narrows the page to a line: its member, and what that is only unique in."""
    names = (*filter(None, [tab.parent]), *DIMENSIONS[tab.leaf].within, tab.leaf)
    return {name: str(line[name]) for name in names if line[name] is not None}


def _more(table: MetricTable, lines: Sequence[dict[str, Any]], most: int, parent: str, *, level: int) -> list[Row]:
    """What the page has no room for, as one line, so that what is shown adds up to the total."""
    if len(lines) <= most:
        return []
    schema = table.lines.schema
    rest = roll_up(pl.DataFrame(list(lines[most:]), schema=schema), table.request, ()).row(0, named=True)
    return [
        Row(
            id=f"{parent}-more",
            level=level,
            name=f"{len(lines) - most:,} more, together",
            values=_values(rest),
            change=_change(rest),
            parent=parent,
            rest=True,
        )
    ]


def _accounts(lines: Sequence[dict[str, Any]], standing: Standing) -> set[str]:
    if lines and "account" in lines[0]:
        return {line["account"] for line in lines}
    return {account for line in lines for account in standing.accounts.get(line["network"], frozenset())}


def _name(dimension: str, line: Mapping[str, Any]) -> str:
    member = line[dimension]
    if member is None:
        return f"{DIMENSIONS[dimension].label} not told"
    if dimension == "network":
        return network_name(member)
    if dimension == "placement":
        return str(member).replace("_", " ").capitalize()
    label = line.get(DIMENSIONS[dimension].label_name)
    return str(label or member)


def _values(line: Mapping[str, Any]) -> dict[str, Figure]:
    return {name: line[name] for name in FIGURES}


def _change(line: Mapping[str, Any]) -> float | None:
    return difference("spend", line["spend"], line.get(f"{PREVIOUS}spend"))


def total_row(table: MetricTable) -> Row | None:
    """The totals of a table of one currency."""
    if table.totals.is_empty():
        return None
    line = table.totals.row(0, named=True)
    return Row(id="total", level=1, name="Total", values=_values(line), change=_change(line))


def in_currency(table: MetricTable, currency: str) -> MetricTable:
    """The part of a table that is in one currency."""
    only = pl.col(CURRENCY) == currency
    lines = table.lines.filter(only)
    return MetricTable(
        request=table.request,
        lines=lines,
        rest=table.rest.filter(only),
        totals=table.totals.filter(only),
        line_count=lines.height,
        notices=table.notices,
        provenance=table.provenance,
    )


def gap_marks(provenance: Provenance) -> list[tuple[date, str]]:
    """(first day, words) of each run of days without rows of an account."""
    marks = []
    for gap in provenance.gaps:
        previous: date | None = None
        for day in gap.days:
            if previous is None or day - previous > timedelta(days=1):
                marks.append((day, f"{network_name(gap.network)}: no rows"))
            previous = day
    return marks
