"""The same Amazon account through its other report: weekly, by customer search term.

Two reports of one account and the same weeks do not agree in everything, and that is modelled, not hidden: only
searches that were clicked appear, so clicks and sales are all there while about half of the impressions are missing;
and spend is about 0.2 % lower, because credits for invalid clicks reach this report first.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np

from demo.core.arrays import Ints
from demo.core.reported import Report
from demo.core.streams import stream
from demo.core.world import Cell, World

SPEND_CREDITED = 0.002
IMPRESSIONS_SHOWN = 0.5
EMPTY = np.empty(0, dtype=np.int64)


@dataclass(frozen=True)
class SearchTerm:
    """What was searched, and the targeting that caught it."""

    text: str
    targeting: str
    match_type: str  # "-" for automatic targeting


@dataclass(frozen=True)
class SearchTermReport:
    """A report whose `day` is the first day of the week; `terms[i]` belongs to row i."""

    report: Report
    terms: tuple[SearchTerm, ...]


def terms_of(cell: Cell, automatic: bool) -> tuple[SearchTerm, ...]:
    """The searches that find this product in its automatic or its keyword campaign."""
    brand, flavour = cell.sku.brand.lower(), cell.sku.flavour.lower()
    kind = brand.split(" ", 1)[1]
    if automatic:
        return (
            SearchTerm(f"{flavour} {kind}", "*", "-"),
            SearchTerm(f"{kind} {cell.sku.pack_size.split(',')[0]}", "*", "-"),
            SearchTerm(cell.sku.asin.lower(), "*", "-"),
            SearchTerm(f"snacks for school lunch {kind}", "*", "-"),
        )
    return (
        SearchTerm(brand, brand, "EXACT"),
        SearchTerm(f"{brand} {flavour}", brand, "PHRASE"),
        SearchTerm(f"{flavour} {kind}", f"{flavour} {kind}", "EXACT"),
        SearchTerm(f"best {kind}", kind, "BROAD"),
        SearchTerm(f"{kind} bulk", kind, "BROAD"),
    )


def split_by_search_term(world: World, product_report: Report, first: dt.date, last: dt.date) -> SearchTermReport:
    """Rows by week, campaign, product and search term for whole weeks of the world from `first` to `last`."""
    rng = stream(world.seed, world.profile.key, "search terms")
    report = product_report.between(first, last)
    network = next(network for network in world.profile.networks if network.key == "amazon_ads")
    week = report["day"] // 7
    group = (week * len(world.cells) + report["cell"]) * len(network.splits) + report["split"]
    _, first_rows, member = np.unique(group, return_index=True, return_inverse=True)

    sums: dict[str, Ints] = {}
    for name in ("impressions", "clicks", "spend", "units_same", "units_other", "orders", "sales_same", "sales_other"):
        sums[name] = np.zeros(len(first_rows), dtype=np.int64)
        np.add.at(sums[name], member, report[name])

    pieces: dict[str, list[Ints]] = {name: [] for name in ("day", "cell", "split", *sums)}
    terms: list[SearchTerm] = []
    for number, row in enumerate(first_rows):
        if sums["clicks"][number] == 0:
            continue
        cell, split = int(report["cell"][row]), int(report["split"][row])
        known = terms_of(world.cells[cell], automatic=split == 0)
        part = _split_group(rng, {name: int(column[number]) for name, column in sums.items()}, len(known))
        clicked = np.flatnonzero(part["clicks"])
        terms += [known[term] for term in clicked]
        for name, column in part.items():
            pieces[name].append(column[clicked])
        for name, value in (("day", 7 * int(week[row])), ("cell", cell), ("split", split)):
            pieces[name].append(np.full(len(clicked), value, dtype=np.int64))

    columns = {name: np.concatenate(parts) if parts else EMPTY for name, parts in pieces.items()}
    columns["units"] = columns["units_same"] + columns["units_other"]
    columns["sales"] = columns["sales_same"] + columns["sales_other"]
    return SearchTermReport(Report(report.first, report.as_of, columns), tuple(terms))


def _split_group(rng: np.random.Generator, whole: dict[str, int], count: int) -> dict[str, Ints]:
    """Divide one product's week over `count` terms. Units go where clicks are; sales follow units at the one price."""
    clicks = rng.multinomial(whole["clicks"], rng.dirichlet(np.full(count, 1.5)))
    weight = clicks / clicks.sum()
    spend = whole["spend"] - int(rng.binomial(whole["spend"], SPEND_CREDITED))
    same = rng.multinomial(whole["units_same"], weight)
    other = rng.multinomial(whole["units_other"], weight)
    seen = rng.binomial(max(whole["impressions"] - whole["clicks"], 0), IMPRESSIONS_SHOWN)
    # Orders are units less the second and further units of an order, of which each term keeps at least one unit.
    units = same + other
    further = rng.multivariate_hypergeometric(np.maximum(units - 1, 0), int(units.sum()) - whole["orders"])
    return {
        "impressions": clicks + rng.multinomial(int(seen), weight),
        "clicks": clicks,
        "spend": rng.multinomial(spend, weight),
        "units_same": same,
        "units_other": other,
        "orders": units - further,
        "sales_same": same * (whole["sales_same"] // max(whole["units_same"], 1)),
        "sales_other": other * (whole["sales_other"] // max(whole["units_other"], 1)),
    }
