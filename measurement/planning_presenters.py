"""What planning would take over from a reading, and what it has taken over: for the card and the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final

from django.urls import reverse

from accounts import selectors as people
from accounts.models import User
from measurement import services
from measurement.core.calibration import LEVEL
from measurement.core.words import money, percent, period_text, ratio
from measurement.models import Calibration, Reading
from tenants.core.problems import Problem

_HOW: Final = (
    "The test says by how much attributed sales overstate, or understate, what ads caused in its cell. Retailers and "
    "placements that were not tested learn from it as far as tests so far have been alike (a hierarchy, averaged over "
    "how large the differences may be). Curves and the Incremental switch are multiplied with the factors. iROAS is "
    "the attributed return times the factor. Expected before is what earlier tests say of this cell, or what is "
    "thought of any cell without them; plans count with the factor in force, which is 1.00 where none was published."
)


def planning_card(*, user: User, stored: Reading) -> dict[str, Any]:
    """The card of a reading: figures before and after, or why planning cannot use it."""
    used = services.calibration_in_use(stored)
    try:
        preview = services.preview_planning(as_user=user, reading=stored).as_dict()
    except Problem as problem:
        if used is None:
            return {"why_not": f"{problem.detail} {problem.fix}".strip()}
        preview = used.summary
    currency = stored.experiment.currency
    shown: Mapping[str, Any] = used.summary if used else preview
    allowed = people.may(user=user, permission=services.PUBLISH, brand=stored.experiment.brand)
    return {
        "rows": list(_rows(shown, currency)),
        "used": used,
        "url": reverse("experiment-planning", args=[stored.experiment_id]) + f"?reading={stored.pk}",
        "allowed": allowed and used is None,
        "why_not": "" if used or allowed else "Whoever may publish factors can use it in planning.",
        "note": f"Rests on {', '.join(shown['tests'])}. Intervals of {LEVEL:.0%}",
        "how": _HOW,
    }


def planning_context(*, user: User, stored: Reading) -> dict[str, Any]:
    """The page that asks before anything is published, and that tells afterwards what was.

    Raises:
        Problem: planning cannot use the reading; says why.
    """
    used = services.calibration_in_use(stored)
    shown = used.summary if used else services.preview_planning(as_user=user, reading=stored).as_dict()
    currency = stored.experiment.currency
    cells = [_cell(one, currency) for one in shown["transfers"]]
    top = max((cell["high"] for cell in cells), default=1.0)
    return {
        "used": used,
        "shown": shown,
        "figures": _figures(shown, cells),
        "cells": cells,
        "scale": max(top, 1.0) * 1.05,
        "allowed": people.may(user=user, permission=services.PUBLISH, brand=stored.experiment.brand),
        "rests": f"Rests on {', '.join(shown['tests'])}. Intervals of {LEVEL:.0%}",
        "how": _HOW,
        "valid": f"{period_text(_day(shown['valid_from']))} to {period_text(_day(shown['valid_to']))}",
        "changes": _changes(used) if used else [],
    }


def cell_words(retailer: str, placement: str) -> str:
    """Walmart · onsite search rest; a retailer without placements by its name."""
    return f"{retailer} · {placement.replace('_', ' ')}" if placement else retailer


def _rows(shown: Mapping[str, Any], currency: str) -> Sequence[tuple[str, str, bool]]:
    tested = shown["transfers"][0]
    others = sum(one["influence"] >= 0.005 for one in shown["transfers"][1:])
    return (
        ("Curve", cell_words(shown["retailer"], shown["placement"]), False),
        ("Attributed ROAS", ratio(shown["attributed"]), False),
        ("Expected before", _range(shown["prior"]), False),
        ("This test", _range(shown["test"]), False),
        ("After the test", _range(shown["after"]), True),
        ("Interval", _narrower(shown["narrower"]), False),
        ("Factor in force", ratio(tested["before"]), False),
        ("Factor after", _range(tested["after"]), True),
        ("Budget that moves", percent(shown["moved"]), False),
        ("Counts until", period_text(_day(shown["valid_to"])), False),
        ("Transfers to", f"{others} other cell{'' if others == 1 else 's'}", False),
    )


def _figures(shown: Mapping[str, Any], cells: Sequence[Mapping[str, Any]]) -> list[tuple[str, str, str, str]]:
    """(label, value, beside it, below it)."""
    tested = cells[0]
    return [
        ("Factor of the tested cell", f"{tested['before']} → {tested['after']}", "", tested["name"]),
        (
            "iROAS after the test",
            ratio(shown["after"]["value"]),
            _ends(shown["after"]),
            "of the tested change of spend",
        ),
        ("Interval", _narrower(shown["narrower"]), "", f"was {_ends(shown['prior'])}"),
        ("Budget that moves", percent(shown["moved"]), "", "of a usual week, within half of each line"),
    ]


def _cell(one: Mapping[str, Any], currency: str) -> dict[str, Any]:
    now, before, after = (float(part) for part in one["spend"])
    return {
        "name": cell_words(one["retailer"], one["placement"]),
        "before": ratio(one["before"]),
        "after": ratio(one["after"]["value"]),
        "interval": _ends(one["after"]),
        "low": one["after"]["low"],
        "value": one["after"]["value"],
        "high": one["after"]["high"],
        "tested": one["source"] not in ("proxy", "prior"),
        "proxy": one["source"] in ("proxy", "prior"),
        "source": one["source"],
        "influence": percent(one["influence"], 0),
        "spend_now": money(now, currency),
        "spend_before": money(before, currency),
        "spend_after": money(after, currency),
        "change": after - before,
        "moves": money(after - before, currency),
        "spends": now > 0 or after > 0,
    }


def _changes(used: Calibration) -> list[tuple[str, str, str]]:
    """(what, which, address)."""
    made = [("Factors", f"version {used.factor_set.version}", reverse("metric-factors"))]
    if used.curve_version:
        version = used.curve_version
        made.append(("Curves", f"version {version.number}", reverse("curve-version", args=[version.pk])))
    return made


def _range(of: Mapping[str, float]) -> str:
    return f"{ratio(of['value'])} ({_ends(of)})"


def _ends(of: Mapping[str, float]) -> str:
    return f"{ratio(of['low'])} to {ratio(of['high'])}"


def _narrower(share: float) -> str:
    return f"{percent(share, 0)} narrower" if share >= 0 else f"{percent(-share, 0)} wider"


def _day(text: str | date) -> date:
    return text if isinstance(text, date) else date.fromisoformat(text)
