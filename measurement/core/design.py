"""The design of a geo test: allowed sets of markets, ranked, with what each finds, costs and holds out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from measurement.core.arrays import Bools
from measurement.core.assignment import Assigned, Assignment, InvalidDesign, ordered
from measurement.core.design_kinds import DesignKind, extra_spend, kind_of
from measurement.core.features import rows_of
from measurement.core.frontier import undominated
from measurement.core.market_selection import Aim, GeoCandidate, judged, ranking, refusal_words, search_sets
from measurement.core.market_sets import Refusals, SetRules
from measurement.core.out_of_sample import Progress, Windows, windows_of
from measurement.core.panel import Panel, require_scale
from measurement.core.placebo import PLACEBOS
from measurement.core.words import count_of


@dataclass(frozen=True, slots=True, kw_only=True)
class GeoDesigns:
    """What a market search found.

    Attributes:
        candidates: best first. frontier: those that no other beats in MDE, duration, spend and holdout share at once.
        kind: of test. alpha: two-sided. target_power: that MDEs are for. windows: A/A tests behind every figure.
        refused: rule -> sets that broke it. over_budget: candidates whose test costs too much.
        warnings: what a reader must know, each a sentence.
        seed: of the search.
    """

    candidates: tuple[GeoCandidate, ...]
    frontier: tuple[GeoCandidate, ...]
    kind: DesignKind
    alpha: float
    target_power: float
    windows: Windows
    refused: dict[str, int]
    over_budget: int
    warnings: tuple[str, ...]
    seed: int


def design_geo(
    panel: Panel,
    *,
    durations: Sequence[int],
    effects: Sequence[float] = (0.0, 0.05, 0.1),
    treated_counts: Sequence[int] | None = None,
    include: Sequence[str] = (),
    exclude: Sequence[str] = (),
    kind: str = "holdback",
    alpha: float = 0.05,
    power: float = 0.8,
    windows: int = 10,
    treated_share: tuple[float, float] = (0.0, 1.0),
    holdout_share: tuple[float, float] = (0.0, 1.0),
    neighbours: Iterable[frozenset[str]] = (),
    apart: bool = True,
    buffered: bool = False,
    change: float | None = None,
    cost_per_incremental: float | None = None,
    budget: float | None = None,
    keep: int = 30,
    placebos: int = PLACEBOS,
    seed: int = 1,
    progress: Progress | None = None,
) -> GeoDesigns:
    """Search for markets to treat.

    Args:
        panel: the history before the test.
        durations: of the test and its cool-down, in periods.
        effects: lifts whose power is told, each above -1; in a go-dark one above zero means so much of a loss.
        treated_counts: how many markets to treat; by default 2, 3, 5 and 8 as far as a quarter of all allows.
        include, exclude: markets that are treated in any case, or in none (they may be controls).
        kind: `holdback`, `heavy_up` or `go_dark`.
        alpha: two-sided level of the test. power: that the MDE is told for.
        windows: A/A tests in the past, at least seven.
        treated_share, holdout_share: least and most share of volume treated, and without the advertising under test.
        neighbours: pairs of markets, as `geography.touching` finds them. apart: of each at most one is treated.
        buffered: neighbours of treated markets are no controls.
        change: spend of the test over today's, as `extra_spend` takes it. cost_per_incremental: likewise.
        budget: most extra (or, in a go-dark, most saved) spend, in the panel's currency.
        keep: sets of each size that are judged.
        placebos: that the analysis will draw.
        seed: of draws.
        progress: called with (windows done, windows).

    Raises:
        InvalidDesign: anything asked for that the panel cannot give, or no set that the rules allow.
        InvalidInput: amounts that cannot be reckoned with.
    """
    chosen = kind_of(kind)
    _check_numbers(effects, alpha, power, keep, placebos, budget)
    require_scale(panel)
    units = len(panel.units)
    if units < 4:
        raise InvalidDesign(
            f"With {count_of(units, 'market')} there is nothing to compare.",
            where="panel",
            fix="Give at least 4 markets.",
        )
    if panel.outcome.sum() <= 0:
        raise InvalidDesign("The markets sell nothing.", where="panel", fix="Give an outcome above zero.")
    spread = windows_of(len(panel.periods), durations, windows)
    inside, outside = rows_of(panel, include, "include"), rows_of(panel, exclude, "exclude")
    both = sorted(set(inside) & set(outside))
    if both:
        raise InvalidDesign(
            f"{panel.units[both[0]]!r} is included and excluded.", where="include", fix="Take it out of one list."
        )
    rules = SetRules(
        include=tuple(sorted(inside)),
        exclude=frozenset(outside),
        treated_share=_range(treated_share, "treated share"),
        holdout_share=_range(holdout_share, "holdout share"),
        dark_is_treated=chosen.dark == "treated",
        touches=_touches(panel, neighbours),
        apart=apart,
        buffered=buffered,
    )
    sizes = _sizes(treated_counts, units, len(inside), len(outside))
    aim = Aim(
        durations=tuple(dict.fromkeys(durations)),
        effects=tuple(dict.fromkeys(effects)),
        alpha=alpha,
        power=power,
        placebos=placebos,
        sign=chosen.sign,
    )
    refused = Refusals()
    searched = search_sets(panel, sizes, rules, spread.starts[0], aim, keep=keep, seed=seed, refused=refused)
    candidates = [
        _priced(panel, candidate, chosen, spread, change=change, cost_per_incremental=cost_per_incremental)
        for candidate in judged(panel, searched, spread, aim, rules, refused=refused, progress=progress)
    ]
    if not candidates:
        raise InvalidDesign(
            f"No set of markets is allowed: {refusal_words(refused.counts) or 'too few markets are free'}.",
            fix="Loosen the rule that refuses most.",
        )
    within = candidates
    if budget is not None:
        if any(candidate.investment is None for candidate in candidates):
            raise InvalidDesign(
                "A budget needs the cost of a test.",
                where="budget",
                fix="Give the cost per incremental unit, or a panel with cost and the change of spend.",
            )
        within = [candidate for candidate in candidates if abs(candidate.investment or 0.0) <= budget]
        if not within:
            least = min(abs(candidate.investment or 0.0) for candidate in candidates)
            raise InvalidDesign(
                f"The cheapest test costs {least:,.0f}.", where="budget", fix=f"Allow {least:,.0f}, or a shorter test."
            )
    ranked = tuple(replace(within[at], rank=rank) for rank, at in enumerate(ranking(within), start=1))
    return GeoDesigns(
        candidates=ranked,
        frontier=_frontier(ranked),
        kind=chosen,
        alpha=alpha,
        target_power=power,
        windows=spread,
        refused=dict(refused.counts.most_common()),
        over_budget=len(candidates) - len(within),
        warnings=_warnings(panel, ranked, spread, aim, refused),
        seed=seed,
    )


def assignment_of(
    panel: Panel, candidate: GeoCandidate, *, neighbours: Iterable[frozenset[str]] = (), buffered: bool = False
) -> Assignment:
    """The assignment that a candidate stands for; with `buffered`, neighbours of treated markets are no controls."""
    treated = set(candidate.treated)
    touch = _touches(panel, neighbours) if buffered else None
    rows = [panel.place[unit.casefold()] for unit in candidate.treated]
    out = set() if touch is None else {panel.units[at] for at in np.flatnonzero(touch[rows].any(axis=0))} - treated
    return ordered(
        [
            Assigned(
                unit=unit,
                group="treated" if unit in treated else "excluded" if unit in out else "control",
                why="touches a treated market" if unit in out else "",
            )
            for unit in panel.units
        ],
        seed=None,
    )


def _check_numbers(
    effects: Sequence[float], alpha: float, power: float, keep: int, placebos: int, budget: float | None
) -> None:
    rules = (
        (bool(effects) and all(-1.0 < effect < 10.0 for effect in effects), "effect", "fractions above -1, as in 0.05"),
        (0.0 < alpha < 0.5, "alpha", "a level between 0 and 0.5"),
        (alpha < power < 1.0, "power", "a chance above alpha and below 1"),
        (keep >= 1, "keep", "at least 1"),
        (placebos >= 1, "placebos", "at least 1"),
        (budget is None or budget >= 0.0, "budget", "zero or more"),
    )
    for holds, name, fix in rules:
        if not holds:
            raise InvalidDesign(f"The {name} is out of range.", where=name, fix=f"Give {fix}.")


def _range(given: tuple[float, float], name: str) -> tuple[float, float]:
    low, high = given
    if not 0.0 <= low <= high <= 1.0:
        raise InvalidDesign(
            f"{low:g} to {high:g} is no range of shares.", where=name, fix="Give least and most, between 0 and 1."
        )
    return low, high


def _sizes(counts: Sequence[int] | None, units: int, included: int, excluded: int) -> list[int]:
    most = min(units - 1, units - excluded)
    if counts is None:
        wanted = {size for size in (2, 3, 5, 8) if size <= max(2, units // 4)} | ({included} if included > 1 else set())
        sizes = sorted(size for size in wanted if included <= size <= most)
    else:
        sizes = sorted(set(counts))
    if not sizes or sizes[0] < max(1, included) or sizes[-1] > most:
        raise InvalidDesign(
            f"{', '.join(map(str, sizes)) or 'No number of'} treated markets of {units}, with {included} included and "
            f"{excluded} excluded.",
            where="treated counts",
            fix=f"Ask for {max(1, included)} to {most}.",
        )
    return sizes


def _touches(panel: Panel, neighbours: Iterable[frozenset[str]]) -> Bools | None:
    touch = np.zeros((len(panel.units), len(panel.units)), dtype=bool)
    for pair in neighbours:
        rows = rows_of(panel, sorted(pair), "neighbours")
        if len(rows) == 2:
            touch[rows[0], rows[1]] = touch[rows[1], rows[0]] = True
    return touch if touch.any() else None


def _priced(
    panel: Panel,
    candidate: GeoCandidate,
    kind: DesignKind,
    windows: Windows,
    *,
    change: float | None,
    cost_per_incremental: float | None,
) -> GeoCandidate:
    cost = None
    if panel.cost is not None:
        rows = [panel.place[unit.casefold()] for unit in candidate.treated]
        cost = float(panel.cost[rows, windows.starts[0] :].sum(axis=0).mean() * candidate.duration)
    spend = (
        None
        if candidate.mde is None and change is None
        else extra_spend(
            kind,
            treated_cost=cost,
            treated_sales=candidate.baseline,
            effect=candidate.mde or 0.0,
            change=change,
            cost_per_incremental=cost_per_incremental,
        )
    )
    return replace(candidate, investment=spend)


def _frontier(candidates: Sequence[GeoCandidate]) -> tuple[GeoCandidate, ...]:
    """Undominated in MDE, duration, spend (treated volume where unknown) and holdout share; smallest MDE first."""
    able = [candidate for candidate in candidates if candidate.mde is not None]
    if not able:
        return ()
    costs = np.array(
        [
            [
                candidate.mde or 0.0,
                candidate.duration,
                candidate.baseline if candidate.investment is None else abs(candidate.investment),
                candidate.holdout_share,
            ]
            for candidate in able
        ]
    )
    best = undominated(costs)
    front = [candidate for candidate, stays in zip(able, best, strict=True) if stays]
    return tuple(sorted(front, key=lambda candidate: (candidate.mde or 0.0, candidate.rank)))


def _warnings(
    panel: Panel, candidates: Sequence[GeoCandidate], windows: Windows, aim: Aim, refused: Refusals
) -> tuple[str, ...]:
    found = list(panel.notes)
    independent = windows.independent(max(aim.durations))
    if independent < 4:
        found.append(
            f"The {len(windows.starts)} windows overlap: they say as much as {independent:.1f} separate ones, so "
            "errors are drawn strongly towards those of all sets."
        )
    never = {len(candidate.treated) for candidate in candidates if candidate.mde is None}
    if never:
        found.append(
            f"With {', '.join(map(str, sorted(never)))} treated of {len(panel.units)} no lift, however large, is found "
            f"with a power of {aim.power:g} at alpha {aim.alpha:g}."
        )
    if any(candidate.method == "sc_t" for candidate in candidates):
        found.append(
            "One treated market, or too few sets to draw placebos from: the t-test has 2 degrees of freedom and finds "
            "large effects only."
        )
    if refused.counts:
        found.append(f"Sets not taken: {refusal_words(refused.counts)}.")
    return tuple(found)
