"""What is true of a world and of each file, as plain data for a JSON document.

Sums of files are exact decimal strings. Curves and allocations are floats: they are compared within tolerances.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from demo.core.arrays import Floats, Ints
from demo.core.curves import Curves, best_allocation
from demo.core.days import Facts
from demo.core.export_plan import NetworkPlan, PlannedFile
from demo.core.measures import attributed, totals
from demo.core.profiles import NetworkKey
from demo.core.world import COMMON_SIGMA, NOISE_SIGMA, OUT_OF_STOCK_SHARE, World
from demo.core.writers.walmart_item import as_of_pacific

RECENT_WEEKS = 8
PACIFIC = ZoneInfo("America/Los_Angeles")
# The sales figure that a cell's curve speaks of, per network.
CURVE_METRIC = {
    "amazon_ads": {"metric": "sales", "click_days": 7, "match": "total"},
    "walmart_connect": {"metric": "sales", "click_days": 14, "match": "total"},
    "criteo": {"metric": "sales", "click_days": 30, "view_days": 1, "match": "category"},
}


def file_truth(planned: PlannedFile) -> dict[str, Any]:
    """Rows, totals and attributed figures of one file, and what it is."""
    network, rows = planned.network, planned.report
    matures = dt.timedelta(days=network.matures_days)
    return {
        "file": planned.name,
        "set": "variant" if planned.variant else "demo",
        "contract": planned.contract,
        "network": network.key,
        "retailer": network.retailer,
        "account_name": planned.account_name or network.account_name,
        "currency": planned.currency,
        "grain": planned.grain,
        "first_day": planned.first.isoformat(),
        "last_day": planned.last.isoformat(),
        "as_of": as_of_pacific(rows.as_of).replace(tzinfo=PACIFIC).astimezone(dt.UTC).isoformat(),
        "last_final_day": min(planned.last, rows.as_of - matures).isoformat(),
        "columns": list(planned.header),
        "rows": len(rows),
        "totals": totals(rows, planned.currency),
        "attributed": attributed(rows, planned.measures),
        **planned.notes,
    }


def network_truth(plan: NetworkPlan) -> dict[str, Any]:
    """What one network amounts to once all demo files are loaded and later exports have replaced earlier ones.

    Amazon counts by its advertised product report: the search-term report is a second view of the same money.
    """
    return {
        "retailer": plan.network.retailer,
        "rows": len(plan.settled),
        "totals": totals(plan.settled, plan.network.currency),
        "attributed": attributed(plan.settled, plan.measures),
    }


def weekly_sums(world: World, facts: Mapping[NetworkKey, Facts], final: Mapping[NetworkKey, Ints]) -> tuple[Ints, Ints]:
    """Spend and final sales in cents, each of shape [weeks, cells]; `final` holds the final sales per row."""
    spend = np.zeros((world.weeks, len(world.cells)), dtype=np.int64)
    sales = np.zeros_like(spend)
    for key, rows in facts.items():
        np.add.at(spend, (rows.day // 7, rows.cell), rows.traffic.spend)
        np.add.at(sales, (rows.day // 7, rows.cell), final[key])
    return spend, sales


def world_truth(world: World, weekly_spend: Ints, weekly_sales: Ints) -> dict[str, Any]:
    """Curves, mixes, events and episodes. Weekly arrays are in cents, shape [weeks, cells]."""
    gone = world.cells_out_of_stock_at_the_end()
    mixes = {
        "usual": world.usual_spend,
        "year": weekly_spend.mean(axis=0) / 100,
        f"last_{RECENT_WEEKS}_weeks": weekly_spend[-RECENT_WEEKS:].mean(axis=0) / 100,
    }
    return {
        "model": {
            "weekly_revenue": "curve(weekly spend) x demand x noise; no carry-over between weeks",
            "families": {"log": "a ln(1 + x / k)", "michaelis_menten": "a x / (k + x)"},
            "noise_sigma": NOISE_SIGMA,
            "common_sigma": COMMON_SIGMA,
            "out_of_stock": f"revenue x {OUT_OF_STOCK_SHARE}, none of it of the advertised product",
            "curve_metric": CURVE_METRIC,
        },
        "weeks": [(world.first + dt.timedelta(weeks=week)).isoformat() for week in range(world.weeks)],
        "demand": {
            network.key: _rounded(world.demand[:, world.cells_of(network.key)[0]]) for network in world.profile.networks
        },
        "events": [
            {
                "name": event.name,
                "network": event.network or "all",
                "first_day": event.first.isoformat(),
                "last_day": event.last.isoformat(),
                "demand_factor": event.demand,
                "spend_factor": event.spend,
            }
            for event in world.events
        ],
        "out_of_stock": [
            {
                "network": episode.network,
                "sku": episode.sku.sku,
                "retailer_product_id": episode.sku.id_at(episode.network),
                "first_day": episode.first.isoformat(),
                "last_day": episode.last.isoformat(),
                "still_out": episode.still_out,
            }
            for episode in world.out_of_stock
        ],
        "cells": [
            {
                "cell": cell.name,
                "network": cell.network.key,
                "retailer": cell.network.retailer,
                "placement_raw": cell.placement.raw,
                "sku": cell.sku.sku,
                "gtin14": cell.sku.gtin14,
                "retailer_product_id": cell.sku.id_at(cell.network.key),
                "curve": {
                    "family": world.curves.family(number),
                    "a": float(world.curves.a[number]),
                    "k": float(world.curves.k[number]),
                },
                "in_stock_at_the_end": number not in gone,
                "usual_weekly_spend": round(float(world.usual_spend[number]), 4),
                "weekly_spend_cents": weekly_spend[:, number].tolist(),
                "weekly_sales_cents": weekly_sales[:, number].tolist(),
            }
            for number, cell in enumerate(world.cells)
        ],
        "mixes": {
            name: {
                "all_in_stock": _mix_truth(world, world.curves, spend),
                "as_at_the_end": _mix_truth(world, world.curves.without(gone), spend),
            }
            for name, spend in mixes.items()
        },
    }


def _mix_truth(world: World, curves: Curves, spend: Floats) -> dict[str, Any]:
    """A split of weekly money and the best one of the same money, by true expected revenue in an ordinary week."""
    best = best_allocation(curves, float(spend.sum()))
    revenue = float(curves.revenue(spend).sum())
    names = [cell.name for cell in world.cells]
    return {
        "budget": float(spend.sum()),
        "revenue": revenue,
        "best_revenue": best.revenue,
        "loss": 1 - revenue / best.revenue,
        "price": best.price,
        "spend": dict(zip(names, _rounded(spend), strict=True)),
        "best_spend": dict(zip(names, _rounded(best.spend), strict=True)),
    }


def _rounded(values: Floats) -> list[float]:
    return [round(float(value), 6) for value in values]
