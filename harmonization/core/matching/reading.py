"""What a header's words say: the concepts found in them, longest phrases first, and what was not understood."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from harmonization.core.matching.lexicon import Concept, Lexicon
from harmonization.core.matching.words import HeaderWords

#: Finds the concepts of an unknown phrase by nearness of meaning: (nearest phrase, its concepts, similarity) or None.
Nearest = Callable[[str], tuple[str, tuple[Concept, ...], float] | None]
_LEVEL: Final = re.compile(r"((l|lvl) )?[1-9]( (st|nd|rd|th))?")
#: Dotted prefixes that only group columns.
GROUPS: Final = frozenset({"metric", "segment", "dimension", "attribute", "data", "report", "stat", "field", "row"})


@dataclass(slots=True)
class Reading:
    """Concepts by kind. `certainty` falls with every word that was not understood or only guessed.

    `head` is the kind of the last word that means something, which in English is what the column is.
    """

    words: HeaderWords
    things: list[str] = field(default_factory=list)
    traits: list[str] = field(default_factory=list)
    measures: list[str] = field(default_factory=list)
    scopes: list[str] = field(default_factory=list)
    ratios: list[str] = field(default_factory=list)
    rates: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    guesses: list[str] = field(default_factory=list)
    certainty: float = 1.0
    head: str = ""

    def has(self, *scopes: str) -> bool:
        return any(scope in self.scopes for scope in scopes)

    @property
    def is_empty(self) -> bool:
        return not (self.things or self.traits or self.measures or self.ratios or self.foreign)


def read(words: HeaderWords, lexicon: Lexicon, nearest: Nearest | None = None) -> Reading:
    """The reading of a header. With `nearest`, unknown words are understood by what they are like."""
    reading = Reading(words)
    owners, _ = _walk([word for word in words.prefix if word not in GROUPS], lexicon)
    found = [kept for concepts in owners if (kept := _named(concepts))]
    own, unknown = _walk(words.words, lexicon)
    found += own
    for phrase in unknown:
        guess = nearest(phrase) if nearest is not None and not phrase.isdigit() else None
        if guess is None:
            reading.unknown.append(phrase)
            continue
        found.append(guess[1])
        reading.guesses.append(f"{phrase!r} is like {guess[0]!r}")
        reading.certainty *= 0.6 + 0.3 * guess[2]
    if lexicon.head_first and lexicon.english is not None and not lexicon.english.words.issuperset(words.words):
        # What a column is stands last in English, and first here.
        found.reverse()
    _settle(found, reading)
    if reading.things and not reading.measures:
        # `category_l2`: the number of a level is no riddle.
        reading.unknown = [phrase for phrase in reading.unknown if not _LEVEL.fullmatch(phrase)]
    lost = sum(len(phrase.split()) for phrase in reading.unknown)
    reading.certainty *= 1.0 - 0.75 * lost / max(1, len(words.words))
    return reading


def _walk(sequence: Sequence[str], lexicon: Lexicon) -> tuple[list[tuple[Concept, ...]], list[str]]:
    """The concepts of a sequence of words in order, longest phrases first, and the phrases between that are unknown."""
    found: list[tuple[Concept, ...]] = []
    unknown: list[list[str]] = []
    index = 0
    gap = False
    while index < len(sequence):
        width, concepts = _longest(sequence, index, lexicon)
        if concepts:
            found.append(concepts)
        elif gap:
            unknown[-1].append(sequence[index])
        else:
            unknown.append([sequence[index]])
        gap = not concepts
        index += width or 1
    return found, [" ".join(span) for span in unknown]


def _named(concepts: tuple[Concept, ...]) -> tuple[Concept, ...]:
    """What a path says of the column at its end: whose it is, and not how it is counted."""
    return tuple(concept for concept in concepts if concept.kind in ("thing", "foreign"))


def _longest(sequence: Sequence[str], index: int, lexicon: Lexicon) -> tuple[int, tuple[Concept, ...]]:
    for width in range(min(lexicon.longest, len(sequence) - index), 0, -1):
        concepts = lexicon.phrases.get(tuple(sequence[index : index + width]))
        if concepts:
            return width, concepts
    return 0, ()


#: Measures of outcomes: beside them `advertised sku`, `brand`, `store`, `click` say which outcomes count.
OUTCOMES: Final = frozenset(
    {"sales", "orders", "units", "add_to_cart", "detail_page_views", "view_through_conversions", "value"}
)


def _settle(found: list[tuple[Concept, ...]], reading: Reading) -> None:
    """Choose among the meanings of each phrase by what stands beside it."""
    kinds = [{concept.kind for concept in concepts} for concepts in found]
    names = {concept.name for concepts in found for concept in concepts if concept.kind == "measure"}
    outcome = bool(names & (OUTCOMES - {"value"}))
    spending = any("measure" in kind for kind in kinds)
    for concepts in found:
        by_kind: dict[str, str] = {concept.kind: concept.name for concept in concepts}
        _place(by_kind, reading, outcome=outcome, measured=spending)


def _place(by_kind: dict[str, str], reading: Reading, *, outcome: bool, measured: bool) -> None:
    thing, scope, measure = by_kind.get("thing"), by_kind.get("scope"), by_kind.get("measure")
    head = next((kind for kind in ("ratio", "measure", "thing", "scope", "trait") if kind in by_kind), "")
    reading.head = head or reading.head
    if "foreign" in by_kind and not (scope is not None and (outcome or (scope == "part" and measured))):
        reading.foreign.append(by_kind["foreign"])
    elif "ratio" in by_kind:
        reading.ratios.append(by_kind["ratio"])
    elif "rate" in by_kind:
        reading.rates.append(by_kind["rate"])
    elif measure is not None and not (scope is not None and outcome and measure not in OUTCOMES):
        reading.measures.append(measure)
    elif scope is not None and (thing is None or outcome) and (outcome or "trait" not in by_kind):
        reading.scopes.append(scope)
    elif thing is not None:
        # `ad spend`, `ad clicks`: of course it is the ad's.
        if not (thing == "ad" and measured):
            reading.things.append(thing)
    elif "trait" in by_kind:
        reading.traits.append(by_kind["trait"])
