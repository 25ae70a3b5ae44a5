"""Sets of markets that may be treated: what is allowed, and which sets are worth looking at.

Sets come from three sources: markets that move together (each market with its nearest by correlation), one market
from each of as many strata of like markets (drawn), and plain draws. The first tend to fit well, the others cover
what correlation overlooks. Where the number of allowed sets is small, all are looked at.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import combinations
from math import comb

import numpy as np

from measurement.core.arrays import Bools, Floats, Ints
from measurement.core.panel import Panel
from measurement.core.stratified import strata_of


@dataclass(frozen=True, slots=True, kw_only=True)
class SetRules:
    """What is asked of a set of treated markets; rows are those of the panel.

    Attributes:
        include: markets in every set. exclude: markets in none; they may be controls.
        treated_share: least and most share of the panel's volume that is treated.
        holdout_share: least and most share of volume without the advertising under test; `dark_is_treated` says that
            the treated markets are the dark ones (a go-dark).
        touches: which markets are neighbours, shape [units, units]; None where none are known.
        apart: no two neighbours are treated. buffered: neighbours of a treated market are no controls.
    """

    include: tuple[int, ...] = ()
    exclude: frozenset[int] = frozenset()
    treated_share: tuple[float, float] = (0.0, 1.0)
    holdout_share: tuple[float, float] = (0.0, 1.0)
    dark_is_treated: bool = False
    touches: Bools | None = None
    apart: bool = False
    buffered: bool = False


@dataclass(slots=True)
class Refusals:
    """How many sets were looked at and not taken, by rule."""

    counts: Counter[str] = field(default_factory=Counter)


def allowed(members: tuple[int, ...], rules: SetRules, shares: Floats) -> str:
    """The rule that a set breaks, or nothing; `shares` are the markets' shares of volume, shape [units]."""
    if not set(rules.include) <= set(members):
        return "include"
    if rules.exclude & set(members):
        return "exclude"
    rows = list(members)
    if rules.apart and rules.touches is not None and rules.touches[np.ix_(rows, rows)].any():
        return "adjacent markets"
    share = float(shares[rows].sum())
    if not rules.treated_share[0] <= share <= rules.treated_share[1]:
        return "treated volume share"
    dark = share if rules.dark_is_treated else 1.0 - share
    if not rules.holdout_share[0] <= dark <= rules.holdout_share[1]:
        return "holdout share"
    return ""


def donors_of(members: Bools, rules: SetRules) -> Bools:
    """Markets that may stand for the treated ones, for each set; shapes [sets, units]."""
    donors: Bools = ~members
    if rules.buffered and rules.touches is not None:
        donors &= ~((members.astype(np.int64) @ rules.touches.astype(np.int64)) > 0)
    return donors


def candidate_sets(
    panel: Panel, size: int, rules: SetRules, *, most: int, rng: np.random.Generator, refused: Refusals
) -> list[tuple[int, ...]]:
    """Allowed sets of `size` markets, at most `most`, each once, sorted within.

    All of them where there are no more than `most`; else neighbours first, then draws, half of them stratified.
    """
    shares = panel.outcome.sum(axis=1) / panel.outcome.sum()
    free = [row for row in range(len(panel.units)) if row not in rules.exclude and row not in rules.include]
    open_places = size - len(rules.include)
    if open_places < 0 or open_places > len(free):
        return []
    if comb(len(free), open_places) <= most:
        source: Iterable[tuple[int, ...]] = combinations(free, open_places)
        tries = most
    else:
        source = _proposals(panel, free, open_places, rules, rng)
        tries = 12 * most
    found: dict[tuple[int, ...], None] = {}
    seen: set[tuple[int, ...]] = set()
    for number, chosen in enumerate(source):
        if len(found) >= most or number >= tries:
            break
        members = tuple(sorted((*rules.include, *chosen)))
        if members in seen:
            continue
        seen.add(members)
        rule = allowed(members, rules, shares)
        if rule:
            refused.counts[rule] += 1
        else:
            found[members] = None
    return list(found)


def _proposals(
    panel: Panel, free: list[int], places: int, rules: SetRules, rng: np.random.Generator
) -> Iterator[tuple[int, ...]]:
    likeness = _correlation(panel.outcome)
    order = np.argsort(-likeness, axis=1, kind="stable")
    apart = rules.touches if rules.apart else None
    for first in free:
        yield tuple(_nearest(first, order[first], free, places, apart))
    strata = _drawing_strata(panel, free, places)
    while True:
        yield tuple(int(rng.choice(stratum)) for stratum in strata)
        yield tuple(rng.choice(free, places, replace=False).tolist())


def _nearest(first: int, order: Ints, free: list[int], places: int, apart: Bools | None) -> list[int]:
    """A market and those that move most like it, passing over neighbours that may not go with those taken."""
    inside, taken = set(free), [first]
    for other in order.tolist():
        if len(taken) == places:
            break
        if other in inside and other not in taken and (apart is None or not apart[other, taken].any()):
            taken.append(other)
    return taken[:places]


def _drawing_strata(panel: Panel, free: list[int], places: int) -> list[list[int]]:
    """As many strata of like markets as there are places."""
    strata = strata_of(panel, free, max(1, len(free) // places))
    while len(strata) > places:
        last = strata.pop()
        strata[-1] = strata[-1] + last
    return strata


def _correlation(outcome: Floats) -> Floats:
    """Correlation of changes from period to period, 0 where a market never changes, shape [units, units]."""
    change = np.diff(outcome, axis=1)
    change = change - change.mean(axis=1, keepdims=True)
    norm = np.linalg.norm(change, axis=1, keepdims=True)
    unit = np.divide(change, norm, out=np.zeros_like(change), where=norm > 0)
    return np.asarray(unit @ unit.T)


def as_members(sets: list[tuple[int, ...]], units: int) -> Bools:
    """Sets as rows of truth values, shape [sets, units]."""
    members = np.zeros((len(sets), units), dtype=bool)
    for row, chosen in enumerate(sets):
        members[row, list(chosen)] = True
    return members


def screened(outcome: Floats, sets: list[tuple[int, ...]], until: int, keep: int) -> list[tuple[int, ...]]:
    """The sets whose share of all others' volume was steadiest up to a period, steadiest first.

    Only the history before the first window is looked at: sets chosen by the errors that they are later judged by
    would look better than they are.
    """
    if len(sets) <= keep:
        return sets
    members = as_members(sets, len(outcome)).astype(np.float64)
    treated = members @ outcome[:, :until]
    rest = outcome[:, :until].sum(axis=0) - treated
    with np.errstate(divide="ignore", invalid="ignore"):
        wobble = np.std(treated / rest, axis=1) / np.mean(treated / rest, axis=1)
    order = np.argsort(np.where(np.isfinite(wobble), wobble, np.inf), kind="stable")
    return [sets[at] for at in order[:keep]]
