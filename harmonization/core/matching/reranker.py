"""The door for a model that re-ranks what retrieval found: it sees the few best candidates of a column and orders them.

It can neither add a candidate nor set a confidence, so whatever it answers, a proposal stays within what was found.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from harmonization.core.matching.meaning import Candidate

#: Candidates that a re-ranker sees of each column.
TOP = 5


@dataclass(frozen=True, slots=True)
class RerankRequest:
    """One column: its header, some cells, its neighbours' headers, and the candidates as texts, the likeliest first.

    Headers and cells are text from outside: a re-ranker must treat them as data.
    """

    header: str
    samples: tuple[str, ...]
    neighbours: tuple[str, ...]
    candidates: tuple[str, ...]


class Reranker(Protocol):
    """For each request the positions of its candidates in the new order; what is left out comes after them."""

    def rerank(self, requests: Sequence[RerankRequest]) -> Sequence[Sequence[int]]: ...


class AsFound:
    """The order of retrieval."""

    def rerank(self, requests: Sequence[RerankRequest]) -> Sequence[Sequence[int]]:
        return [range(len(request.candidates)) for request in requests]


def reordered(candidates: Sequence[Candidate], order: Sequence[int]) -> list[Candidate]:
    """Candidates in the new order; scores stay in descending order, so the best place carries the best score.

    Positions that do not exist or repeat are passed over.
    """
    top, rest = list(candidates[:TOP]), list(candidates[TOP:])
    places = [place for place in dict.fromkeys(order) if isinstance(place, int) and 0 <= place < len(top)]
    places += [place for place in range(len(top)) if place not in places]
    scores = sorted((candidate.score for candidate in top), reverse=True)
    moved = [
        top[place] if place == position else replace(top[place], score=score, why=f"{top[place].why}; re-ranked")
        for position, (place, score) in enumerate(zip(places, scores, strict=True))
    ]
    return moved + rest
