"""Which files a person would have downloaded, and when: periods, dates of export, restatements, one broken feed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np

from demo.core.days import Facts
from demo.core.measures import AMAZON_7_DAY, AMAZON_14_DAY, CRITEO, WALMART, Measure
from demo.core.profiles import NetworkKey, NetworkProfile
from demo.core.reported import Report, joined, report
from demo.core.search_terms import SPEND_CREDITED, split_by_search_term
from demo.core.world import World
from demo.core.writers import amazon_advertised_product, amazon_search_term, criteo_performance, walmart_item

SETTLED_DAYS = 31  # after its last day a report no longer changes, whatever the window
RESTATED_DAYS = 21  # what the later Walmart export covers, the first of them a second time
RESTATED_OVERLAP = 14
BROKEN_DAYS = 14
MISSING_DAYS = (5, 6)  # of the broken file, counted from its first day
RENAMED = {"attributedSales": "salesAttributed"}
RUPEES_PER_DOLLAR = 83


@dataclass(frozen=True)
class PlannedFile:
    """One export: its rows, how they are written, and what has to be known to judge what is read from it."""

    name: str
    network: NetworkProfile
    contract: str
    report: Report
    measures: Sequence[Measure]
    write: Callable[[Path], None]
    header: Sequence[str]
    first: dt.date
    last: dt.date
    grain: Literal["day", "period"] = "day"
    currency: str = "USD"
    account_name: str = ""
    variant: bool = False
    notes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class NetworkPlan:
    """The files of one network, and what is known once they all are loaded and later exports replaced earlier ones."""

    network: NetworkProfile
    files: tuple[PlannedFile, ...]
    settled: Report
    measures: Sequence[Measure]


def plan_network(world: World, facts: Facts) -> NetworkPlan:
    """All files of the network these facts belong to."""
    planners: dict[NetworkKey, Callable[[World, Facts], NetworkPlan]] = {
        "amazon_ads": _plan_amazon,
        "walmart_connect": _plan_walmart,
        "criteo": _plan_criteo,
    }
    return planners[facts.network.key](world, facts)


def _periods(world: World) -> list[tuple[dt.date, dt.date]]:
    """The world's weeks in as many runs as the profile has files per report."""
    runs = np.array_split(np.arange(world.weeks), world.profile.parts)
    return [
        (world.first + dt.timedelta(weeks=int(run[0])), world.first + dt.timedelta(weeks=int(run[-1]), days=6))
        for run in runs
    ]


def _span(first: dt.date, last: dt.date) -> str:
    return f"{first:%Y%m%d}-{last:%Y%m%d}"


def _export_date(world: World, last: dt.date) -> dt.date:
    return min(last + dt.timedelta(days=SETTLED_DAYS), world.last + dt.timedelta(days=1))


def _plan_amazon(world: World, facts: Facts) -> NetworkPlan:
    network, currency = facts.network, facts.network.currency
    today = world.last + dt.timedelta(days=1)
    periods = _periods(world)
    files, parts = [], []
    for first, last in periods:
        rows = report(facts, _export_date(world, last)).between(first, last)
        # The latest download was made as a workbook, the earlier ones as CSV: the same account, two notations.
        as_workbook = (first, last) == periods[-1]
        parts.append(rows)
        files.append(
            PlannedFile(
                name=f"amazon_sp_advertised_product_{_span(first, last)}.{'xlsx' if as_workbook else 'csv'}",
                network=network,
                contract="amazon_sp_advertised_product",
                report=rows,
                measures=AMAZON_7_DAY,
                write=_workbook_writer(world, rows, currency)
                if as_workbook
                else _csv_writer(world, rows, currency, amazon_advertised_product.US_STYLE),
                header=amazon_advertised_product.HEADER,
                first=first,
                last=last,
            )
        )

    first = world.first + dt.timedelta(weeks=world.weeks // 2)
    weekly = split_by_search_term(world, report(facts, today), first, world.last)
    files.append(
        PlannedFile(
            name=f"amazon_sp_search_term_{_span(first, world.last)}.xlsx",
            network=network,
            contract="amazon_sp_search_term",
            report=weekly.report,
            measures=AMAZON_7_DAY,
            write=lambda path: amazon_search_term.write_xlsx(path, world, weekly, currency),
            header=amazon_search_term.HEADER,
            first=first,
            last=world.last,
            grain="period",
            notes={
                "second_view_of": "amazon_sp_advertised_product",
                "known_difference": {
                    "clicks": "equal",
                    "sales": "equal",
                    "orders": "equal",
                    "units": "equal",
                    "impressions": "about half: only searches with a click appear",
                    "spend": f"about {SPEND_CREDITED:.1%} lower: credits for invalid clicks",
                },
            },
        )
    )
    if world.profile.other_marketplaces:
        files += _other_marketplaces(world, report(facts, today), network)
    return NetworkPlan(network, tuple(files), joined(parts), AMAZON_7_DAY)


def _other_marketplaces(world: World, rows: Report, network: NetworkProfile) -> list[PlannedFile]:
    """A few products over two weeks, as accounts in the United Kingdom and India would show them."""
    first = world.last - dt.timedelta(days=13)
    few = rows.between(first, world.last)
    cells = world.cells_of(network.key)
    british = few.take(np.isin(few["cell"], cells[:3]))
    indian = few.take(np.isin(few["cell"], cells[3:6])).priced(RUPEES_PER_DOLLAR)
    return [
        PlannedFile(
            name=f"variants/amazon_sp_advertised_product_{code}_{_span(first, world.last)}.csv",
            network=network,
            contract="amazon_sp_advertised_product",
            report=part,
            measures=measures,
            write=_csv_writer(world, part, currency, style),
            header=style.header,
            first=first,
            last=world.last,
            currency=currency,
            account_name=f"{world.profile.company.split()[0]} {code.upper()}",
            variant=True,
        )
        for code, part, currency, style, measures in (
            ("uk", british, "GBP", amazon_advertised_product.UK_STYLE, AMAZON_7_DAY),
            ("in", indian, "INR", amazon_advertised_product.INDIA_STYLE, AMAZON_14_DAY),
        )
    ]


def _workbook_writer(world: World, rows: Report, currency: str) -> Callable[[Path], None]:
    return lambda path: amazon_advertised_product.write_xlsx(path, world, rows, currency)


def _csv_writer(
    world: World, rows: Report, currency: str, style: amazon_advertised_product.CsvStyle
) -> Callable[[Path], None]:
    return lambda path: amazon_advertised_product.write_csv(path, world, rows, currency, style)


def _plan_walmart(world: World, facts: Facts) -> NetworkPlan:
    """Periods as they ended, and a later export of the last days: it restates days of the one before."""
    network = facts.network
    restated_from = world.last - dt.timedelta(days=RESTATED_DAYS - 1)
    exports = [(first, last, _export_date(world, last)) for first, last in _periods(world)]
    first, _, _ = exports.pop()
    early_last = restated_from + dt.timedelta(days=RESTATED_OVERLAP - 1)
    exports.append((first, early_last, early_last + dt.timedelta(days=1)))
    exports.append((restated_from, world.last, world.last + dt.timedelta(days=1)))

    files, parts = [], []
    for number, (first, last, as_of) in enumerate(exports):
        rows = report(facts, as_of).between(first, last)
        is_restatement = number == len(exports) - 1
        kept_to = restated_from - dt.timedelta(days=1) if number == len(exports) - 2 else last
        parts.append(rows.between(first, kept_to))
        files.append(
            PlannedFile(
                name=f"walmart_search_item_{_span(first, last)}.csv",
                network=network,
                contract="walmart_search_item",
                report=rows,
                measures=WALMART,
                write=_walmart_writer(world, rows),
                header=walmart_item.HEADER,
                first=first,
                last=last,
                notes={"restates": [restated_from.isoformat(), early_last.isoformat()]} if is_restatement else {},
            )
        )
    return NetworkPlan(network, tuple(files), joined(parts), WALMART)


def _walmart_writer(world: World, rows: Report) -> Callable[[Path], None]:
    return lambda path: walmart_item.write_csv(path, world, rows)


def _plan_criteo(world: World, facts: Facts) -> NetworkPlan:
    """Periods as they ended; the last two weeks come broken: a renamed column, and days that are missing."""
    network = facts.network
    broken_from = world.last - dt.timedelta(days=BROKEN_DAYS - 1)
    missing = [broken_from + dt.timedelta(days=offset) for offset in MISSING_DAYS]
    periods = _periods(world)
    periods[-1] = (periods[-1][0], broken_from - dt.timedelta(days=1))

    def planned(name: str, rows: Report, first: dt.date, last: dt.date, **more: Any) -> PlannedFile:
        renamed = RENAMED if more.pop("broken", False) else {}
        return PlannedFile(
            name=f"{name}_{_span(first, last)}.csv",
            network=network,
            contract="criteo_performance",
            report=rows,
            measures=CRITEO,
            write=lambda path: criteo_performance.write_csv(path, world, rows, renamed),
            header=[renamed.get(column, column) for column in criteo_performance.HEADER],
            first=first,
            last=last,
            **more,
        )

    parts = [report(facts, _export_date(world, last)).between(first, last) for first, last in periods]
    files = [
        planned("criteo_performance", rows, first, last) for rows, (first, last) in zip(parts, periods, strict=True)
    ]
    whole = report(facts, world.last + dt.timedelta(days=1)).between(broken_from, world.last)
    gaps = [(day - world.first).days for day in missing]
    broken = whole.take(~np.isin(whole["day"], gaps))
    drift = {"renamed": RENAMED, "missing_days": [day.isoformat() for day in missing]}
    resent = planned("variants/criteo_performance_resent", whole, broken_from, world.last, variant=True)
    files.append(
        planned(
            "criteo_performance",
            broken,
            broken_from,
            world.last,
            broken=True,
            notes={"broken": drift | {"resent_as": resent.name}},
        )
    )
    return NetworkPlan(network, (*files, resent), joined([*parts, broken]), CRITEO)
