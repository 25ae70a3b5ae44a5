"""The Performance page as data: key figures, lines by scope as a tree or a list, finality."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, Final

import polars as pl

from metrics.core.columns import Cell, cells_of
from metrics.core.definitions import DIMENSIONS, METRICS, Better, ChangeKind, Unit, attributed_parts
from metrics.core.difference import Figure, difference
from metrics.core.finality import Finality, finality_of
from metrics.core.notices import network_name, network_tone
from metrics.core.suppression import WITHHELD
from metrics.core.table import CURRENCY, PREVIOUS, MetricTable, Provenance, roll_up
from metrics.core.time_series import series_of

#: Key figures of the page, in the order in which they stand.
KEY_FIGURES: Final = ("spend", "sales", "roas", "orders", "cpc")
CHARTED: Final = ("sales", "roas", "spend", "orders")
MOST_CHILDREN: Final = 50
MOST_LINES: Final = 200

Address = Callable[[Mapping[str, str]], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tab:
    """One way to split the table: by `parent` and below it by `leaf`, or by `leaf` alone. A line leads to the tab
    `below`, narrowed to itself."""

    name: str
    label: str
    dimensions: tuple[str, ...]
    leaf: str
    parent: str = ""
    below: str = ""


def _tab(name: str, label: str, *dimensions: str, parent: str = "", leaf: str = "", below: str = "") -> Tab:
    return Tab(
        name=name, label=label, dimensions=("network", *dimensions), parent=parent, leaf=leaf or name, below=below
    )


#: In the order of the way down: network, retailer, account, campaign, ad group, SKU.
TABS: Final = {
    tab.name: tab
    for tab in (
        _tab("network", "Network", "campaign", parent="network", leaf="campaign", below="ad_group"),
        _tab("retailer", "Retailer", "retailer", "account", parent="retailer", leaf="account", below="campaign"),
        _tab("type", "Type", "campaign_type", parent="network", leaf="campaign_type"),
        _tab("placement", "Placement", "placement", parent="placement", leaf="network"),
        _tab("campaign", "Campaign", "campaign", below="ad_group"),
        _tab("ad_group", "Ad group", "ad_group", below="sku"),
        _tab("sku", "SKU", "sku"),
    )
}


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
    low: Figure = None
    high: Figure = None
    withheld: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A line of the table. `level` 1 stands above those of level 2 that name it as `parent`."""

    id: str
    level: int
    name: str
    cells: Sequence[Cell]
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
    """How final the figures of each account are, on a day."""

    today: date
    finality: Finality = field(default_factory=Finality)

    def of(self, accounts: Iterable[str]) -> tuple[str, str]:
        """(state, words) of figures of some accounts: the least final of them decides."""
        until, days = self.finality.of(accounts)
        if days:
            return "missing", "1 day missing" if days == 1 else f"{days} days missing"
        if until is None:
            return "", ""
        return ("restating", f"{until:%-d %b}") if until >= self.today else ("final", "")

    @property
    def accounts(self) -> Mapping[str, frozenset[str]]:
        """Network -> ids of its accounts."""
        return self.finality.accounts


def standing_of(provenance: Provenance, today: date) -> Standing:
    """What the provenance of a table says about finality."""
    return Standing(today, finality_of(provenance))


def restating_from(standing: Standing, last_days: Mapping[str, date]) -> date | None:
    """First day whose figures may still change; None where all are final.

    Args:
        last_days: account id -> last day that was loaded. The network restates as many days as lie between that day
            and the day until which the account is open.
    """
    first = [
        standing.today - (until - last_days[account])
        for account, until in standing.finality.until.items()
        if account in last_days and until >= standing.today
    ]
    return min(first, default=None)


#: What is added to the label of a figure that rests on an attribution.
_UNDER: Final = {"as_reported": ", as reported", "common_window": ", common window"}


def key_figures(table: MetricTable) -> list[KeyFigure]:
    """Totals of a table by day or week, of one currency."""
    found = []
    attribution = table.request.attribution
    for name in KEY_FIGURES:
        metric, series = METRICS[name], series_of(table, name)
        now, before = _total(table, name), _total(table, PREVIOUS + name)
        found.append(
            KeyFigure(
                label=label_under(name, attribution),
                value=now,
                unit=metric.unit,
                change=difference(name, now, before),
                kind=metric.change,
                better=metric.better,
                formula=metric.formula,
                series=series.values,
                previous=series.previous,
                low=_total(table, "iroas_low") if name == "roas" else None,
                high=_total(table, "iroas_high") if name == "roas" else None,
                withheld=str(_total(table, WITHHELD + name) or ""),
            )
        )
    return found


def label_under(name: str, attribution: str) -> str:
    """What people call a figure under an attribution."""
    label = METRICS[name].label
    if not attributed_parts(name):
        return label
    if attribution == "incremental":
        return {"roas": "iROAS", "sales": "Incremental sales"}.get(name, f"{label}, incremental")
    return label + _UNDER[attribution]


def _total(table: MetricTable, column: str) -> Figure:
    if table.totals.is_empty() or column not in table.totals.columns:
        return None
    return table.totals[column][0]  # type: ignore[no-any-return]


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """How a table of one currency is laid out: `columns` are those shown, `address` makes links that keep the rest."""

    table: MetricTable
    tab: Tab
    standing: Standing
    address: Address
    columns: Sequence[str]

    def cells(self, line: Mapping[str, Any]) -> list[Cell]:
        """Figures of a line."""
        return cells_of(line, self.columns, self.table.request.attribution)


def rows_of(layout: Layout) -> list[Row]:
    """The lines of a table of one currency, parents before their children."""
    tab = layout.tab
    lines = list(layout.table.lines.iter_rows(named=True))
    if not tab.parent:
        shown = [_row(layout, line, level=1) for line in lines[:MOST_LINES]]
        return [*shown, *_more(layout, lines, MOST_LINES, "", level=1)]
    below: dict[Any, list[dict[str, Any]]] = {}
    for line in lines:
        below.setdefault(line[tab.parent], []).append(line)
    rows: list[Row] = []
    for at, parent in enumerate(_parents(layout.table, tab)):
        children = below[parent[tab.parent]]
        name = f"r{at}"
        rows.append(_parent_row(layout, parent, children, id=name, open=len(children) <= 8))
        for number, line in enumerate(children[:MOST_CHILDREN]):
            rows.append(_row(layout, line, level=2, id=f"{name}-{number}", parent=name))
        rows += _more(layout, children, MOST_CHILDREN, name, level=2)
    return rows


def _parents(table: MetricTable, tab: Tab) -> list[dict[str, Any]]:
    column, descending = table.request.order
    by = tab.parent if column in DIMENSIONS else column
    rolled = roll_up(table.lines, table.request, (tab.parent,))
    ordered = rolled.sort([by, tab.parent], descending=[descending, False], nulls_last=True)
    return list(ordered.iter_rows(named=True))


def _parent_row(
    layout: Layout,
    parent: dict[str, Any],
    children: Sequence[dict[str, Any]],
    *,
    id: str,  # noqa: A002 - the attribute it becomes
    open: bool,  # noqa: A002
) -> Row:
    tab, standing = layout.tab, layout.standing
    member = parent[tab.parent]
    state, until = standing.of(standing.finality.accounts_of(children))
    return Row(
        id=id,
        level=1,
        name=_name(tab.parent, parent),
        cells=layout.cells(parent),
        change=_change(parent),
        url=layout.address({tab.parent: str(member)}) if member is not None else "",
        tone=network_tone(member) if tab.parent == "network" else "",
        state=state,
        until=until,
        children=len(children),
        open=open,
    )


def _row(
    layout: Layout,
    line: dict[str, Any],
    *,
    level: int,
    id: str = "",  # noqa: A002
    parent: str = "",
) -> Row:
    tab, standing = layout.tab, layout.standing
    state, until = standing.of(standing.finality.accounts_of([line]))
    member = line[tab.leaf]
    name = _name(tab.leaf, line)
    notes = [network_name(line["network"])] if not parent else []
    if tab.leaf == "sku" and member is not None and name != member:
        notes.append(member)
    return Row(
        id=id,
        level=level,
        name=name,
        cells=layout.cells(line),
        change=_change(line),
        note=" · ".join(notes),
        parent=parent,
        url=layout.address(_path(line, tab)) if member is not None else "",
        tone=network_tone(line["network"]) if not parent else "",
        state=state,
        until=until,
    )


def _path(line: Mapping[str, Any], tab: Tab) -> dict[str, str]:
    """What narrows the page to a line, one level further down: its member, and what that is only unique in."""
    names = (*filter(None, [tab.parent]), *DIMENSIONS[tab.leaf].within, tab.leaf)
    path = {name: str(line[name]) for name in names if line[name] is not None}
    return path | ({"by": tab.below} if tab.below else {})


def _more(layout: Layout, lines: Sequence[dict[str, Any]], most: int, parent: str, *, level: int) -> list[Row]:
    """What the page has no room for, as one line, so that what is shown adds up to the total."""
    if len(lines) <= most:
        return []
    table = layout.table
    rest = roll_up(pl.DataFrame(list(lines[most:]), schema=table.lines.schema), table.request, ()).row(0, named=True)
    return [
        Row(
            id=f"{parent}-more",
            level=level,
            name=f"{len(lines) - most:,} more, together",
            cells=layout.cells(rest),
            change=_change(rest),
            parent=parent,
            rest=True,
        )
    ]


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


def _change(line: Mapping[str, Any]) -> float | None:
    return difference("spend", line["spend"], line.get(f"{PREVIOUS}spend"))


def total_row(layout: Layout) -> Row | None:
    """The totals of a table of one currency."""
    if layout.table.totals.is_empty():
        return None
    line = layout.table.totals.row(0, named=True)
    return Row(id="total", level=1, name="Total", cells=layout.cells(line), change=_change(line))


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
