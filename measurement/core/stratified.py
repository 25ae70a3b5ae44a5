"""Matched pairs and strata of like units, and the seeded draws within them.

Pairs come from the matching of smallest total distance over all units (Greevy, Lu, Silber, Rosenbaum 2004), not from
taking the nearest pair first. A draw within pairs or strata keeps the arms alike in what was matched on, and makes the
sign-flip test exact.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import networkx as nx
import numpy as np

from measurement.core.arrays import Floats
from measurement.core.assignment import Assigned, Assignment, InvalidDesign, ordered
from measurement.core.features import distances, features_of, rows_of
from measurement.core.panel import Panel
from measurement.core.words import count_of

#: Above this many units a unit is matched among its nearest only; the total is the same wherever it was compared.
_ALL_EDGES: Final = 120
_NEAREST: Final = 24


@dataclass(frozen=True, slots=True)
class MatchedPairs:
    """Like units two by two.

    Attributes:
        pairs: names, nearest pair first.
        distance: of each pair in deviations of the features, shape [pairs].
        left_out: unit -> why it is in no pair.
    """

    pairs: tuple[tuple[str, str], ...]
    distance: Floats
    left_out: dict[str, str]


def match_pairs(
    panel: Panel, *, exclude: Sequence[str] = (), thin: int = 0, farthest: float | None = None
) -> MatchedPairs:
    """Pairs whose summed distance in the features is the smallest possible.

    Args:
        panel: the history before the test.
        exclude: units that stay out.
        thin: how many of the worst pairs to leave out after matching; an odd unit goes before them.
        farthest: leave out pairs that are farther apart than this; None keeps all.

    Raises:
        InvalidDesign: fewer than two pairs remain, or a unit that is not there.
    """
    out = set(rows_of(panel, exclude, "exclude"))
    rows = [row for row in range(len(panel.units)) if row not in out]
    if len(rows) < 4:
        raise InvalidDesign(f"No two pairs can be made of {count_of(len(rows), 'unit')}.", fix="Give at least 4 units.")
    apart = distances(features_of(panel.outcome[rows]))
    matched = sorted(_matching(apart), key=lambda pair: (apart[pair], pair))
    left_out = {panel.units[row]: "excluded by request" for row in out}
    inside = {place for pair in matched for place in pair}
    for place, row in enumerate(rows):
        if place not in inside:
            left_out[panel.units[row]] = "the odd unit: without it the other pairs are nearest"
    kept = matched[: len(matched) - thin] if thin else matched
    if farthest is not None:
        kept = [pair for pair in kept if apart[pair] <= farthest]
    if len(kept) < 2:
        raise InvalidDesign(
            f"{count_of(len(kept), 'pair')} left.", fix="Leave out fewer pairs, or allow a larger distance."
        )
    for pair in matched[len(kept) :]:
        for place in pair:
            left_out[panel.units[rows[place]]] = f"its pair is {apart[pair]:.2f} deviations apart"
    return MatchedPairs(
        pairs=tuple((panel.units[rows[one]], panel.units[rows[other]]) for one, other in kept),
        distance=np.array([apart[pair] for pair in kept]),
        left_out=left_out,
    )


def _matching(apart: Floats) -> list[tuple[int, int]]:
    """The minimum-weight perfect matching; with an odd number, one unit is matched with nobody at no cost."""
    units = len(apart)
    for nearest in (units - 1 if units <= _ALL_EDGES else _NEAREST, units - 1):
        graph = nx.Graph()
        graph.add_nodes_from(range(units))
        order = np.argsort(apart, axis=1, kind="stable")
        for one in range(units):
            others = [int(other) for other in order[one] if other != one][:nearest]
            graph.add_weighted_edges_from((one, other, float(apart[one, other])) for other in others)
        if units % 2:
            graph.add_weighted_edges_from((one, units, 0.0) for one in range(units))
        found = nx.min_weight_matching(graph)
        if len(found) == (units + 1) // 2:
            break
    return [(min(one, other), max(one, other)) for one, other in found if units not in (one, other)]


def draw_pairs(matched: MatchedPairs, *, seed: int) -> Assignment:
    """One of each pair is treated, by a fair coin; units in no pair are excluded with the reason."""
    coins = np.random.default_rng(seed).integers(0, 2, len(matched.pairs))
    width = len(str(len(matched.pairs)))
    rows = [Assigned(unit=unit, group="excluded", why=why) for unit, why in matched.left_out.items()]
    for number, (pair, coin) in enumerate(zip(matched.pairs, coins, strict=True), start=1):
        name = f"P{number:0{width}d}"
        rows.append(Assigned(unit=pair[coin], group="treated", pair=name))
        rows.append(Assigned(unit=pair[1 - coin], group="control", pair=name))
    notes: tuple[str, ...] = ()
    if len(matched.pairs) < 6:
        smallest = 2.0 ** (1 - len(matched.pairs))
        notes = (f"{len(matched.pairs)} pairs: the sign-flip test cannot give p below {smallest:.3g}.",)
    return ordered(rows, seed=seed, notes=notes)


def strata_of(panel: Panel, rows: Sequence[int], size: int) -> list[list[int]]:
    """Strata of `size` like units each: rows in the order of their sales, neighbours in size then grouped by features.

    Blocks of two strata's worth of units in the order of size are split by the first principal axis of the features, so
    that a stratum is alike in variation, slope and autocorrelation too. The last stratum takes what is left over.
    """
    rows = list(rows)
    features = features_of(panel.outcome[rows])
    by_size = np.argsort(-features[:, 0], kind="stable")
    found: list[list[int]] = []
    block = 2 * size
    for start in range(0, len(rows), block):
        inside = by_size[start : start + block]
        centred = features[inside] - features[inside].mean(axis=0)
        axis = np.linalg.svd(centred, full_matrices=False)[2][0]
        # The sign of an axis is arbitrary; it must not depend on the linear algebra in use.
        axis = axis * (1.0 if axis[np.argmax(np.abs(axis))] > 0 else -1.0)
        split = inside[np.argsort(centred @ axis, kind="stable")]
        found.extend([rows[at] for at in split[begin : begin + size]] for begin in range(0, len(split), size))
    if len(found) > 1 and len(found[-1]) < size:
        found[-2].extend(found.pop())
    return found


def draw_stratified(
    panel: Panel, *, seed: int, treated_share: float = 0.5, strata: int | None = None, exclude: Sequence[str] = ()
) -> Assignment:
    """A stratified draw: the same share is treated in every stratum, as nearly as whole units allow.

    Fractions left by a stratum's size are carried to the next, so that the number treated overall is the share of
    all units, rounded.

    Args:
        panel: the history before the test.
        seed: of the draw.
        treated_share: between 0 and 1, both exclusive.
        strata: how many; by default as many as make each hold four units, or both arms at least once.
        exclude: units that stay out.

    Raises:
        InvalidDesign: a share out of range, more strata than can hold both arms, or a unit that is not there.
    """
    if not 0.0 < treated_share < 1.0:
        raise InvalidDesign(f"A share of {treated_share:g} leaves no arm.", fix="Give a share between 0 and 1.")
    out = set(rows_of(panel, exclude, "exclude"))
    rows = [row for row in range(len(panel.units)) if row not in out]
    smallest = max(2, int(np.ceil(1.0 / min(treated_share, 1.0 - treated_share) - 1e-9)))
    most = len(rows) // smallest
    if most < 1:
        raise InvalidDesign(
            f"{len(rows)} units cannot be split with {treated_share:.0%} treated.", fix=f"Give at least {smallest}."
        )
    count = min(most, max(1, len(rows) // max(4, smallest))) if strata is None else strata
    if not 1 <= count <= most:
        raise InvalidDesign(
            f"{count} strata of {len(rows)} units cannot each hold both arms.", fix=f"Ask for 1 to {most} strata."
        )
    rng = np.random.default_rng(seed)
    carried = 0.0
    drawn = [Assigned(unit=panel.units[row], group="excluded", why="excluded by request") for row in sorted(out)]
    for number, members in enumerate(strata_of(panel, rows, len(rows) // count), start=1):
        wanted = len(members) * treated_share + carried
        treated = int(np.clip(np.floor(wanted + 0.5 - 1e-9), 1, len(members) - 1))
        carried = wanted - treated
        chosen = set(rng.choice(len(members), treated, replace=False).tolist())
        for at, row in enumerate(members):
            arm = "treated" if at in chosen else "control"
            drawn.append(Assigned(unit=panel.units[row], group=arm, stratum=f"S{number:02d}"))  # type: ignore[arg-type]
    return ordered(drawn, seed=seed)
