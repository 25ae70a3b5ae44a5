"""What a scenario asks beyond its money, in words, each with what identifies it on a page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from optimization.core.problem import Path, path_text
from planning.core.amounts import amount_text
from planning.core.cautious import untested
from planning.core.terms import ScenarioTerms, Share

Key = tuple[str, Path, str]

_RETURNS = {"sales": "ROAS", "incremental_sales": "incremental ROAS", "profit": "profit per unit of spend"}
_LIMITS = {"min_roi": "target", "min_roas": "min_roas", "min_iroas": "min_iroas", "max_cpa": "max_cpa"}
_CAUTIOUSLY = ", by cautious factors; lines not measured count at {:.2f}"
#: Kinds of a limit on what one node spends beside a second one.
PAIRS = ("min_share", "max_share", "min_ratio", "max_ratio")
_LEVELS = {"channel": "channel", "rmn": "retailer", "placement": "placement", "sku": "SKU"}


def objective_words(terms: ScenarioTerms) -> str:
    """What a scenario maximises, in the middle of a sentence; "sales" are those that the networks attribute."""
    what = terms.objective.replace("_", " ")
    if terms.tail_fraction is not None:
        what = f"{what} in the worst {percent_text(terms.tail_fraction)} of cases"
    if terms.target is not None and terms.mode == "flexible_target_marginal_roi":
        return f"{what} above {terms.target.normalize():f} per unit of spend"
    return what


def aim_words(terms: ScenarioTerms, currency: str) -> Iterator[tuple[Key, str]]:
    """Mode, returns, shares, held nodes, margins and weeks, each as people say it."""
    if terms.tail_fraction is not None:
        part = percent_text(terms.tail_fraction)
        yield ("tail_fraction", (), ""), f"The mean of the worst {part} of what may be true is maximised"
    if terms.target is not None:
        what = _RETURNS[terms.objective]
        if terms.mode == "flexible_target_roi":
            yield ("target", (), ""), f"Spend as much as keeps a {what} of {terms.target.normalize():f}"
        else:
            yield ("hurdle", (), ""), f"Spend while the next unit keeps a {what} of {terms.target.normalize():f}"
    if terms.mode == "incremental_only":
        yield ("mode", (), ""), "Every line keeps what it spends now; only the extra money is placed"
    if terms.min_iroas is not None:
        yield (
            ("min_iroas", (), ""),
            (
                f"Incremental ROAS of at least {terms.min_iroas.normalize():f}"
                f"{_CAUTIOUSLY.format(untested()) if terms.is_cautious else ''}"
            ),
        )
    if terms.max_cpa is not None:
        yield ("max_cpa", (), ""), f"Cost per order of at most {amount_text(terms.max_cpa, currency)}"
    for path in terms.fixed:
        yield ("fixed", path, ""), f"{path_text(path)} keeps what it spends now"
    for one in terms.shares:
        for limit, word, value in (("min_share", "at least", one.min_share), ("max_share", "at most", one.max_share)):
            if value is not None:
                yield (
                    pair_key("shares", one.path, limit, one.within),
                    f"{path_text(one.path)} {word} {value:.2%} of {path_text(one.within)}",
                )
    for pair in terms.ratios:
        for limit, word, value in (("min_ratio", "at least", pair.min_ratio), ("max_ratio", "at most", pair.max_ratio)):
            if value is not None:
                times = f"{value.normalize():f} times {path_text(pair.other)}"
                yield pair_key("ratios", pair.path, limit, pair.other), f"{path_text(pair.path)} {word} {times}"
    if terms.fair_fraction is not None:
        level = _LEVELS.get(terms.fair_level, terms.fair_level)
        yield ("fair_fraction", (), ""), f"Every {level} keeps at least {terms.fair_fraction:.2%} of its part"
    if terms.weekly_budgets:
        weeks = len(terms.weekly_budgets)
        yield ("weekly_budgets", (), ""), f"{weeks} weekly budgets; what is not spent rolls forward"
    if terms.season:
        weeks_of = ", ".join(f"{index.normalize():f}" for index in terms.season)
        yield ("season", (), ""), f"Seasons of the weeks: {weeks_of}"
    if terms.objective == "profit":
        if terms.margin_fraction is not None:
            yield ("margin", (), ""), f"Margin of {terms.margin_fraction:.2%} where the catalogue knows none"
        for given in terms.margins:
            yield ("margin", given.path, ""), f"Margin of {given.margin:.2%} for {path_text(given.path)}"


def pair_key(field: str, path: Path, limit: str, second: Path) -> Key:
    """The key of a limit on what one node spends beside a second one; a node may have such limits to several."""
    return field, path, f"{limit} {path_text(second)}"


def key_of(member: Mapping[str, Any], terms: ScenarioTerms) -> Key:
    """The constraint of a scenario that a stored member of a conflict comes from."""
    kind, path = member["kind"], tuple(member.get("path", member.get("scope", ())))
    if "cell" in member:
        return ("mode" if terms.mode == "incremental_only" and kind == "min_spend" else "max_change_fraction"), (), ""
    if kind in _LIMITS:
        return _LIMITS[kind], (), ""
    if kind in PAIRS:
        field = "shares" if kind.endswith("_share") else "ratios"
        for one in terms.shares if field == "shares" else terms.ratios:
            if any(limit == kind and rule.name == member.get("name") for limit, rule in one.rules()):
                return pair_key(field, path, kind, one.within if isinstance(one, Share) else one.other)
    if kind == "min_part":
        return "fair_fraction", (), ""
    if path in terms.fixed:
        return "fixed", path, ""
    if "through_period" in member or (not path and terms.weekly_budgets):
        return "weekly_budgets", (), ""
    return ("bounds", path, kind) if path else ("total_budget", (), "")


def percent_text(fraction: Decimal) -> str:
    """A fraction as a percentage without zeros that say nothing."""
    return f"{(fraction * 100).normalize():f}%"
