"""A learning programme in words and pictures: what its pages show of it."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any

from jobs.models import Job
from optimization import selectors
from optimization.core.cells import CellKey
from optimization.core.learning.charts import SpreadPoint, WeekPoint, spread_chart, weekly_chart
from optimization.learning_models import LearningObservation, LearningProgramme, LearningWeek
from optimization.selectors.learning_history import latest_observations
from optimization.services.learning import SETTABLE

# status: (tone, icon) of its chip
CHIPS = {"active": ("good", "player-play"), "paused": ("warn", "player-pause"), "ended": ("dashed", "player-stop")}
WEEK_CHIPS = {
    "proposed": ("info", "clock"),
    "accepted": ("good", "check"),
    "skipped": ("dashed", "x"),
    "observed": ("good", "eye"),
}
STAGES = ("Weekly figures", "Proposal")


def programme_context(programme: LearningProgramme) -> dict[str, Any]:
    """What the page of a programme shows of its weeks."""
    weeks = list(programme.weeks.select_related("decided_by").defer("decision", "lines").order_by("number"))
    known = latest_observations(programme)
    newest = max(weeks, key=lambda week: week.sequence, default=None)
    context: dict[str, Any] = {
        "week": newest,
        "week_chip": WEEK_CHIPS[newest.status] if newest else None,
        "lines": _lines(newest, programme) if newest else [],
        "history": [_row(one, known.get(one.number)) for one in reversed(weeks)],
        "settings": [(name, programme.settings[name]) for name in SETTABLE],
        "observed": len(known),
    }
    if weeks:
        context["weekly"] = weekly_chart([_point(one, known.get(one.number)) for one in weeks], programme.currency)
        context["spread"] = spread_chart([_spread(one) for one in weeks])
        shock = newest.summary["shock"] if newest else None
        context["shock"] = None if shock is None else abs(math.expm1(shock))
        context["shock_side"] = "below" if shock is not None and shock < 0.0 else "above"
    return context


def stages_of(job: Job) -> list[dict[str, str]]:
    """The stages of the job that proposes, those to come included."""
    progress = getattr(job, "progress", None)
    states = {stage["name"]: stage["status"] for stage in progress.stages} if progress else {}
    shown = {"done": "done", "running": "now", "stopped": "failed"}
    return [{"label": name, "state": shown.get(states.get(name, ""), ""), "note": ""} for name in STAGES]


def _lines(week: LearningWeek, programme: LearningProgramme) -> list[dict[str, Any]]:
    products = selectors.product_names(brand=programme.brand)
    rows = []
    for line in week.lines:
        key = CellKey(*line["cell"].split("|"))
        proposed = Decimal(line["proposed"])
        rows.append(
            line
            | {
                "label": f"{key.retailer} · {key.placement.replace('_', ' ')} · {key.sku}",
                "product": products.get((key.retailer, key.sku), ""),
                "proposed": proposed,
                "change": None if line["now"] is None else float(proposed) - line["now"],
            }
        )
    return sorted(rows, key=lambda row: -row["proposed"])


def _row(week: LearningWeek, seen: LearningObservation | None) -> dict[str, Any]:
    spend, sales = (None, None) if seen is None else (sum(seen.spend), sum(seen.sales))
    return {
        "week": week,
        "chip": WEEK_CHIPS[week.status],
        "proposed": Decimal(week.summary["spend"]),
        "expected": week.summary["expected_sales"],
        "spend": spend,
        "sales": sales,
        "roas": sales / spend if spend else None,
        "restated": seen is not None and seen.version > 1,
        "in_part": seen is not None and not all(seen.told),
    }


def _point(week: LearningWeek, seen: LearningObservation | None) -> WeekPoint:
    return WeekPoint(
        monday=week.monday,
        spend=None if seen is None else sum(seen.spend),
        sales=None if seen is None else sum(seen.sales),
        expected=week.summary["expected_sales"],
    )


def _spread(week: LearningWeek) -> SpreadPoint:
    tenths = week.summary.get("spread_tenths")
    if tenths is None:  # proposed before the summary had them
        tenths = [math.sqrt(line["factor_high"] / line["factor_low"]) - 1.0 for line in week.lines]
    return SpreadPoint(monday=week.monday, widths=tuple(tenths))
