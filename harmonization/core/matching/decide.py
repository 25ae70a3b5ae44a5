"""One decision for the whole file: every meaning is given once, and a column that nothing suits well gets none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np
from scipy.optimize import linear_sum_assignment

from harmonization.core.matching.arithmetic import QUOTIENTS, Agreement, agreement
from harmonization.core.matching.column import Column
from harmonization.core.matching.decision import Decision
from harmonization.core.matching.evidence import Numbers
from harmonization.core.matching.meaning import NOTHING, Candidate, Meaning
from harmonization.core.matching.touches import tell_exposure, tell_touches

#: Least score at which a column is mapped: below it, abstaining is right more often.
ENOUGH: Final = 0.54
_BASES: Final = ("impressions", "clicks", "spend")


def decide(columns: Sequence[Column]) -> list[Decision]:
    """The best assignment, after columns were checked against each other's values."""
    decisions = _assign(columns)
    agreements = _check(decisions)
    if agreements:
        decisions = _assign(columns)
        for decision in decisions:
            found = agreements.get(decision.column.position)
            if found is not None and found.target == decision.meaning.target:
                decision.agreement = found
    tell_touches(decisions)
    tell_exposure(decisions)
    return decisions


def _assign(columns: Sequence[Column]) -> list[Decision]:
    """The assignment of meanings to columns with the greatest sum of scores (Hungarian method)."""
    meanings: dict[Meaning, int] = {}
    for column in columns:
        for candidate in column.candidates:
            if candidate.meaning.target is not None and candidate.score >= ENOUGH:
                meanings.setdefault(_key(candidate.meaning), len(meanings))
    width = len(meanings)
    # Columns beyond `width` are each column's own choice of nothing.
    gain = np.full((len(columns), width + len(columns)), -1e6)
    for row, column in enumerate(columns):
        for candidate in column.candidates:
            place = meanings.get(_key(candidate.meaning))
            if place is not None and candidate.score >= ENOUGH:
                # Of two equals the first in the file wins.
                gain[row, place] = max(gain[row, place], candidate.score - 1e-6 * row)
        gain[row, width + row] = max(ENOUGH, _nothing(column))
    rows, places = linear_sum_assignment(gain, maximize=True)
    owner = {int(place): int(row) for row, place in zip(rows, places, strict=True)}
    by_place = {place: meaning for meaning, place in meanings.items()}
    decisions = []
    for row, place in zip(rows.tolist(), places.tolist(), strict=True):
        column = columns[row]
        if place in by_place:
            chosen = next(c for c in column.candidates if _key(c.meaning) == by_place[place])
            decisions.append(Decision(column, chosen))
            continue
        decisions.append(_abstained(column, meanings, owner))
    return decisions


def _abstained(column: Column, meanings: dict[Meaning, int], owner: dict[int, int]) -> Decision:
    nothing = next((c for c in column.candidates if c.meaning == NOTHING), None)
    wanted = next((c for c in column.candidates if c.meaning != NOTHING), None)
    if wanted is not None and wanted.score >= ENOUGH and (nothing is None or wanted.score > nothing.score):
        rival = owner.get(meanings[_key(wanted.meaning)])
        return Decision(column, Candidate(NOTHING, wanted.score, "another column is that already"), rival)
    return Decision(column, nothing or Candidate(NOTHING, 0.6, "nothing fits well enough"))


def _key(meaning: Meaning) -> Meaning:
    """Meanings that the table could not hold side by side are one: a touch that the windows tell need not be named."""
    outcome = meaning.outcome
    if outcome is None or outcome.view_days is None:
        return meaning
    return Meaning(meaning.target, replace(outcome, touch=outcome.credited))


def _nothing(column: Column) -> float:
    return max((c.score for c in column.candidates if c.meaning == NOTHING), default=0.0)


def _check(decisions: Sequence[Decision]) -> dict[int, Agreement]:
    """Raise the candidates that arithmetic bears out; by position, what agreed."""
    known: dict[str, list[Numbers]] = {}
    for decision in decisions:
        meaning, profile = decision.meaning, decision.column.profile
        if meaning.target is None or not profile.is_number:
            continue
        if meaning.outcome is None and meaning.target in _BASES:
            known.setdefault(meaning.target, []).append(profile.numbers)
        elif (
            meaning.outcome is not None
            and meaning.outcome.metric in ("sales", "orders")
            and meaning.outcome.ntb == "all"
        ):
            known.setdefault(meaning.outcome.metric, []).append(profile.numbers)
    whole = _whole_figures(decisions)
    known |= whole
    found: dict[int, Agreement] = {}
    for decision in decisions:
        column = decision.column
        if not column.profile.is_number or decision.meaning.outcome is not None or decision.meaning.target in _BASES:
            continue
        best = _best_agreement(column, known)
        if best is None:
            continue
        named = [index for index, c in enumerate(column.candidates) if c.meaning.target == best.target]
        # A name that says something else, surely, outweighs numbers that happen to agree.
        if not named and decision.meaning.target is not None and decision.chosen.score >= 0.9:
            continue
        if not named and _nothing(column) >= 0.9:
            continue
        found[column.position] = best
        if named:
            old = column.candidates[named[0]]
            column.candidates[named[0]] = replace(
                old, score=round(old.score + (1 - old.score) * 0.7, 4), why=f"{old.why}; {best.words}"
            )
        else:
            column.candidates.append(Candidate(Meaning(best.target), 0.87, best.words))
        column.candidates.sort(key=lambda candidate: -candidate.score)
    return found


def _whole_figures(decisions: Sequence[Decision]) -> dict[str, list[Numbers]]:
    """Sales and orders through all channels and of all products, by which ratios are reckoned where there are some."""
    whole: dict[str, list[Numbers]] = {}
    for decision in decisions:
        outcome = decision.meaning.outcome
        if outcome is None or outcome.metric not in ("sales", "orders") or not decision.column.profile.is_number:
            continue
        if (outcome.match, outcome.channel, outcome.ntb) == ("total", "all", "all"):
            whole.setdefault(outcome.metric, []).append(decision.column.profile.numbers)
    return whole


def _best_agreement(column: Column, known: dict[str, list[Numbers]]) -> Agreement | None:
    """The named quotient where it agrees, else the one that agrees in most rows."""
    named = [c.meaning.target for c in column.candidates if c.meaning.target in QUOTIENTS]
    for target in named:
        hit = agreement(str(target), column.profile.numbers, known, named=True)
        if hit is not None:
            return hit
    if named:
        return None
    hits = [hit for target in QUOTIENTS if (hit := agreement(target, column.profile.numbers, known)) is not None]
    return max((hit for hit in hits if hit.hits >= 3), key=lambda hit: hit.hits, default=None)
