"""Which touches earn credit, where no header says it: what stands beside a figure, and how large it is, tells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from harmonization.core.matching.column import Column
from harmonization.core.matching.decision import Decision
from harmonization.core.matching.meaning import Meaning, Outcome

#: Orders per click from which clicks alone cannot have earned them: not every second click ends in an order.
_TOO_MANY: Final = 0.6
#: Fewer clicks are chance.
_ENOUGH_CLICKS: Final = 50.0


def tell_touches(decisions: Sequence[Decision]) -> None:
    """Where a file counts clicks alone in one column, the same figure without the word counts every touch."""
    plain = {_without_touch(d): d for d in decisions if d.meaning.outcome and d.meaning.outcome.touch is None}
    apart = [
        (plain[_without_touch(decision)], decision)
        for decision in decisions
        if decision.meaning.outcome is not None
        and decision.meaning.outcome.touch == "click"
        and decision.column.reading.has("click")
        and _without_touch(decision) in plain
    ]
    if not apart or any(_is_more(part.column, whole.column) for whole, part in apart):
        return
    for decision in plain.values():
        outcome = decision.meaning.outcome
        assert outcome is not None, "these are outcomes"
        view = outcome.view_days or outcome.click_days
        told = Meaning(decision.meaning.target, replace(outcome, view_days=view, touch="both"))
        chosen = replace(decision.chosen, meaning=told, why=f"{decision.chosen.why}; clicks alone are told apart")
        decision.column.candidates = [chosen if c is decision.chosen else c for c in decision.column.candidates]
        decision.chosen = chosen


def _without_touch(decision: Decision) -> Outcome | None:
    return replace(decision.meaning.outcome, touch=None) if decision.meaning.outcome is not None else None


def _is_more(part: Column, whole: Column) -> bool:
    """Whether values show that a figure cannot be a part of another."""
    some, every = part.profile.numbers, whole.profile.numbers
    if len(some) != len(every) or not len(some):
        return False
    both = np.isfinite(some) & np.isfinite(every)
    return bool(np.any(some[both] > every[both] + 0.01))


def tell_exposure(decisions: Sequence[Decision]) -> None:
    """Windows that name no touch hold for views, too, where the file shows that views earn credit."""
    why = _by_numbers(decisions) or _by_model(decisions)
    if not why:
        return
    for decision in decisions:
        outcome = decision.meaning.outcome
        if outcome is None or outcome.touch is not None or outcome.click_days is None or outcome.view_days is not None:
            continue
        told = replace(outcome, view_days=outcome.click_days, touch="both")
        _say(decision, Meaning(decision.meaning.target, told), why)


def _say(decision: Decision, meaning: Meaning, why: str) -> None:
    chosen = replace(decision.chosen, meaning=meaning, why=f"{decision.chosen.why}; {why}")
    decision.column.candidates = [chosen if c is decision.chosen else c for c in decision.column.candidates]
    decision.chosen = chosen


def _by_numbers(decisions: Sequence[Decision]) -> str:
    """Whether the orders of the shortest window are too many for the clicks."""
    clicks = [d.column.profile.numbers for d in decisions if d.meaning.target == "clicks"]
    windows = [(days, d.column.profile.numbers) for d in decisions if (days := _days_of_every_order(d)) is not None]
    if len(clicks) != 1 or not windows:
        return ""
    orders = min(windows, key=lambda pair: pair[0])[1]
    if len(orders) != len(clicks[0]):
        return ""
    both = np.isfinite(orders) & np.isfinite(clicks[0])
    clicked = float(clicks[0][both].sum())
    enough = clicked >= _ENOUGH_CLICKS and float(orders[both].sum()) >= _TOO_MANY * clicked
    return "orders are too many for clicks alone" if enough else ""


def _days_of_every_order(decision: Decision) -> int | None:
    """The window of a figure of all orders that names no touch; None of every other figure."""
    outcome = decision.meaning.outcome
    if outcome is None or outcome.metric != "orders" or outcome.touch is not None or outcome.view_days is not None:
        return None
    whole = (outcome.match, outcome.channel, outcome.ntb) == ("total", "all", "all")
    return outcome.click_days if whole and decision.column.profile.is_number else None


def _by_model(decisions: Sequence[Decision]) -> str:
    """Whether a column says that the last touch earns all: of any kind, where clicks alone would be the last click."""
    for decision in decisions:
        column = decision.column
        if "attribution" in column.reading.foreign and (column.profile.only or "").casefold() == "last touch":
            return f"credit goes to the last touch, by {column.words.header[:40]!r}"
    return ""
