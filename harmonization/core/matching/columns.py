"""From headers and cells to proposed columns: gather candidates, let a re-ranker order them, decide, say how."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from harmonization.core.matching.candidates import describe, gather
from harmonization.core.matching.column import Column
from harmonization.core.matching.decide import decide
from harmonization.core.matching.decision import Decision
from harmonization.core.matching.embedder import Embedder
from harmonization.core.matching.evidence import Profile, profile
from harmonization.core.matching.knowledge import Knowledge
from harmonization.core.matching.meaning import Candidate
from harmonization.core.matching.proposal import Alternative, ProposedColumn
from harmonization.core.matching.reranker import TOP, AsFound, Reranker, RerankRequest, reordered
from harmonization.core.matching.tongues import spoken
from harmonization.core.matching.units import Reads, how_to_read

#: Cells of a column that are shown and given to a re-ranker.
SAMPLES: Final = 5
#: Confidence is logistic in score and lead over the next candidate: constant, and weight of each. Set by hand, so that
#: a bare guess is about even; labelled reports have too few errors to fit it (the benchmark tells the error).
CALIBRATION: Final = (-4.2, 6.4, 2.6)


@dataclass(frozen=True, slots=True)
class Matched:
    """Decisions with the proposed columns that follow from them, both in the file's order."""

    decisions: tuple[Decision, ...]
    reads: tuple[Reads, ...]
    columns: tuple[ProposedColumn, ...]


def match_columns(
    headers: Sequence[str],
    cells: Sequence[Sequence[str]],
    knowledge: Knowledge,
    *,
    without: Sequence[str] = (),
    embedder: Embedder | None = None,
    reranker: Reranker | None = None,
) -> Matched:
    """Match headers to RMIS. `cells` holds a list of text cells per header, of equal length, or empty lists."""
    profiles = profile_all(cells)
    columns = gather(headers, profiles, knowledge, spoken(headers, without), embedder)
    samples = [_samples(values) for values in cells]
    _rerank(columns, samples, reranker or AsFound())
    decisions = decide(columns)
    reads = how_to_read(decisions)
    proposed = tuple(
        _proposed(decision, read, samples[decision.column.position], headers)
        for decision, read in zip(decisions, reads, strict=True)
    )
    return Matched(tuple(decisions), tuple(reads), proposed)


def profile_all(cells: Sequence[Sequence[str]]) -> list[Profile]:
    """The profiles of a file's columns: `1.200` is a thousand and more where another column has decimal commas."""
    profiles = [profile(values) for values in cells]
    if sum(one.decimal_comma for one in profiles) <= sum(one.decimal_point for one in profiles):
        return profiles
    return [
        profile(values, comma_file=True) if one.numeric and not one.decimal_comma else one
        for values, one in zip(cells, profiles, strict=True)
    ]


def _samples(values: Sequence[str]) -> tuple[str, ...]:
    distinct = dict.fromkeys(value.strip()[:80] for value in values if value.strip())
    return tuple(list(distinct)[:SAMPLES])


def _rerank(columns: Sequence[Column], samples: Sequence[tuple[str, ...]], reranker: Reranker) -> None:
    """Only columns that retrieval leaves open are asked about."""
    asked = [column for column in columns if len(column.candidates) > 1 and column.candidates[0].score < 0.95]
    if not asked:
        return
    names = tuple(column.words.header[:80] for column in columns)
    requests = [
        RerankRequest(
            header=column.words.header[:200],
            samples=samples[column.position],
            neighbours=names[max(0, column.position - 4) : column.position + 5],
            candidates=tuple(spell(candidate) for candidate in column.candidates[:TOP]),
        )
        for column in asked
    ]
    for column, order in zip(asked, reranker.rerank(requests), strict=True):
        if list(order) != list(range(min(TOP, len(column.candidates)))):
            column.candidates = reordered(column.candidates, order)


def spell(candidate: Candidate) -> str:
    """A candidate as text."""
    meaning = candidate.meaning
    if meaning.target is None:
        return "no target"
    if meaning.outcome is None:
        return describe(meaning.target)
    said = ", ".join(f"{key} {value}" for key, value in meaning.outcome.as_dict().items() if value is not None)
    return f"attributed outcome: {said}"


def confidence(score: float, lead: float) -> float:
    """The chance that a choice of this score, with this lead over the next, is right."""
    base, by_score, by_lead = CALIBRATION
    return round(float(1.0 / (1.0 + np.exp(-(base + by_score * score + by_lead * lead)))), 3)


def lead_of(decision: Decision) -> float:
    """How far the choice is ahead of the next meaning. What another column took does not count as next."""
    others = [c.score for c in decision.column.candidates if c.meaning != decision.meaning]
    return max(0.0, decision.chosen.score - (others[0] if others and decision.rival is None else 0.0))


def _proposed(decision: Decision, read: Reads, samples: tuple[str, ...], headers: Sequence[str]) -> ProposedColumn:
    column, chosen = decision.column, decision.chosen
    others = [c for c in column.candidates if c.meaning != chosen.meaning]
    reason = chosen.why
    if decision.rival is not None:
        reason = f"{headers[decision.rival]!r} is {others[0].meaning.target} already" if others else reason
    if read.note:
        reason = f"{reason}; {read.note}"
    return ProposedColumn(
        source=headers[column.position],
        position=column.position,
        target=chosen.meaning.target,
        attribution=chosen.meaning.outcome,
        unit=read.unit,
        transforms=read.transforms,
        formats=read.formats,
        confidence=confidence(chosen.score, lead_of(decision)),
        reason=reason,
        alternatives=tuple(
            Alternative(c.meaning.target, c.meaning.outcome, confidence(c.score, 0.0), c.why) for c in others[:TOP]
        ),
        samples=samples,
    )
