"""Columns of the Performance table: which there are, which stand there at first, and what their cells hold."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from metrics.core.definitions import METRICS
from metrics.core.difference import Figure
from metrics.core.parts import MEASURED, TESTED
from metrics.core.suppression import WITHHELD

#: In every table.
ALWAYS: Final = ("spend",)
DEFAULT_COLUMNS: Final = ("sales", "reported_roas", "common_roas", "iroas", "ntb_share")
#: Column -> heading, where the metric's label is too long for one.
_HEADINGS: Final = {
    "reported_roas": "Reported",
    "common_roas": "Common",
    "iroas": "iROAS",
    "ntb_share": "NTB",
    "ntb_sales": "NTB sales",
    "ntb_orders": "NTB orders",
    "cpc": "CPC",
    "ctr": "CTR",
    "cpm": "CPM",
    "vcpm": "vCPM",
    "cvr": "CVR",
    "aov": "AOV",
    "viewability": "Viewable",
    "video_completion": "Completion",
    "detail_page_views": "Detail views",
}
#: In the order in which they stand.
COLUMNS: Final = (
    "spend", "sales", "roas", "reported_roas", "common_roas", "iroas", "ntb_share", "ntb_sales", "ntb_orders", "orders",
    "units", "cpc", "ctr", "cpm", "acos", "cvr", "aov", "impressions", "clicks", "viewability", "vcpm",
    "video_completion", "add_to_cart", "detail_page_views", "reach",
)  # fmt: skip
#: The return that each attribution is about: its column is marked while the attribution is in force.
_MARKED: Final = {"as_reported": "reported_roas", "common_window": "common_roas", "incremental": "iroas"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Heading:
    """Of a column. `marked`: it shows the return under the attribution in force."""

    name: str
    label: str
    title: str
    marked: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One figure of a line.

    Attributes:
        withheld: what stands for a figure of too few buyers; empty where it is shown.
        low, high: of the interval, for iROAS.
        untested: no published factor holds for the line; modelled: none of an experiment does.
    """

    name: str
    unit: str
    value: Figure
    withheld: str = ""
    marked: bool = False
    low: float | None = None
    high: float | None = None
    untested: bool = False
    modelled: bool = False


def headings(names: Iterable[str], attribution: str) -> list[Heading]:
    """Of columns, with what they mean."""
    return [
        Heading(
            name=name,
            label=_label(name, attribution),
            title=METRICS[name].description,
            marked=_MARKED[attribution] == name,
        )
        for name in names
    ]


def _label(name: str, attribution: str) -> str:
    if name == "sales" and attribution == "incremental":
        return "Incr. sales"
    return _HEADINGS.get(name, METRICS[name].label)


def metrics_behind(columns: Iterable[str]) -> tuple[str, ...]:
    """Metrics to ask for: an interval comes with its estimate."""
    asked: list[str] = []
    for name in columns:
        asked += [name, "iroas_low", "iroas_high"] if name == "iroas" else [name]
    # The share of spend that a rule covers is told with it.
    return tuple(dict.fromkeys(("spend", *asked)))


def cells_of(line: Mapping[str, Any], names: Iterable[str], attribution: str) -> list[Cell]:
    """Figures of a line of a table."""
    return [_cell(line, name, marked=_MARKED[attribution] == name) for name in names]


def _cell(line: Mapping[str, Any], name: str, *, marked: bool) -> Cell:
    withheld = line.get(WITHHELD + name) or ""
    if name != "iroas":
        return Cell(name=name, unit=METRICS[name].unit, value=line[name], withheld=withheld, marked=marked)
    measured, tested = line.get(MEASURED), line.get(TESTED)
    return Cell(
        name=name,
        unit=METRICS[name].unit,
        value=line[name],
        withheld=withheld,
        marked=marked,
        low=line["iroas_low"],
        high=line["iroas_high"],
        untested=not measured,
        modelled=not tested,
    )
