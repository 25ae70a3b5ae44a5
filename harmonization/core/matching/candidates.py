"""Everything a column may mean, from four kinds of evidence: contracts, words, values, nearness of meaning."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Final

import numpy as np

from harmonization.core import rmis
from harmonization.core.matching.column import Column
from harmonization.core.matching.embedder import Embedder, Vectors
from harmonization.core.matching.evidence import Profile
from harmonization.core.matching.knowledge import Knowledge, Spelled
from harmonization.core.matching.lexicon import Concept, Lexicon
from harmonization.core.matching.meaning import NOTHING, Candidate, Meaning, Outcome, compose
from harmonization.core.matching.neighbours import hear_neighbours
from harmonization.core.matching.reading import GROUPS, Nearest, read
from harmonization.core.matching.words import read_header, split_words, without_first

#: Columns that the engine writes itself: no header means them.
OWN: Final = rmis.MADE | frozenset(
    ["report", "network", "grain", "source_tz", "sku_id_type", "impression_basis", "placement_raw"]
)
#: A contract that knows this share of the headers is of the same network.
SAME_NETWORK: Final = 0.6
#: Columns of what was bought. A product is the advertised one unless something says that it was bought.
PURCHASED: Final = frozenset({"purchased_sku_id", "purchased_gtin"})
#: Least cosine at which an unknown word is read as what it is near to.
NEAR: Final = 0.66
#: Letters without a vowel are no word that could be near to one.
_SPOKEN: Final = re.compile(r"[aeiouy]|[^\x00-\x7f]")
#: Columns that the model is asked about: a file with more that words leave open is no report, and time is short.
MOST_ASKED: Final = 250
_SURE: Final = 0.7
#: Headers of a table that may have a word in common, and the share that has it.
_TABLE: Final = 5
_NEARLY_ALL: Final = 0.8
#: What a likeness to a description is worth beside words that are understood.
_TRUST: Final = 0.85
_COUNTING: Final = frozenset({"num", "number", "count", "total", "#"})


def gather(
    headers: Sequence[str],
    profiles: Sequence[Profile],
    knowledge: Knowledge,
    lexicon: Lexicon,
    embedder: Embedder | None,
) -> list[Column]:
    """Columns with their candidates, the likeliest first. The embedder is asked only about what words leave open."""
    nearest_contract, share = knowledge.nearest(headers)
    preferred = nearest_contract.name if nearest_contract is not None and share >= 0.3 else None
    same = nearest_contract.network if nearest_contract is not None and share >= SAME_NETWORK else None
    columns = []
    shared = _shared(headers, lexicon)
    for position, (header, profile) in enumerate(zip(headers, profiles, strict=True)):
        words = without_first(read_header(header, lexicon.words), shared)
        reading = read(words, lexicon)
        column = Column(position, words, profile, reading)
        column.candidates = compose(reading)
        columns.append(column)
    open_questions = [column for column in columns if column.words.words and _is_open(column)]
    if open_questions and embedder is not None:
        _ask(open_questions[:MOST_ASKED], lexicon, embedder)
    delivers = any(_delivers(column, knowledge) for column in columns)
    for column in columns:
        known = _from_contracts(column, knowledge, preferred, same, delivers=delivers)
        column.candidates = [_touched(candidate, known) for candidate in column.candidates]
        column.candidates = _weighed(known + column.candidates + _from_values(column), column)
    hear_neighbours(columns, delivers=delivers)
    return columns


def _shared(headers: Sequence[str], lexicon: Lexicon) -> frozenset[str]:
    """First words that tell nothing of a column: nearly every header has them, or they only group columns."""
    read = [words for header in headers if len(words := read_header(header, lexicon.words).words) > 1]
    shared = GROUPS if any(words[0] == "metric" for words in read) else frozenset()
    if len(headers) < _TABLE or not read:
        return shared
    first, times = Counter(words[0] for words in read).most_common(1)[0]
    return shared | {first} if times >= _NEARLY_ALL * len(headers) else shared


def _is_open(column: Column) -> bool:
    best = column.candidates[0].score if column.candidates else 0.0
    return best < _SURE or bool(column.reading.unknown)


def _delivers(column: Column, knowledge: Knowledge) -> bool:
    """Whether a column counts impressions or clicks: the file then reports days, and is no list of purchases."""
    known = [spelled.meaning.target for spelled in knowledge.lookup(column.words.header)]
    best = column.candidates[0] if column.candidates else None
    if best is not None and best.score >= _SURE:
        known.append(best.meaning.target)
    return "impressions" in known or "clicks" in known


def _from_contracts(
    column: Column, knowledge: Knowledge, preferred: str | None, same: str | None, *, delivers: bool
) -> list[Candidate]:
    spelled = [
        known
        for known in knowledge.lookup(column.words.header)
        if known.contract == preferred or not _is_of_its_report(known, column, knowledge, delivers=delivers)
    ]
    if not spelled:
        return []
    counts: dict[Meaning, list[str]] = {}
    places: dict[Meaning, int] = {}
    for known in spelled:
        if column.words.unit == "%" and known.meaning.outcome is not None:
            continue
        meaning = known.meaning if known.network == same else _as_told(known.meaning, column)
        counts.setdefault(meaning, []).append(known.contract)
        places[meaning] = min(known.place, places.get(meaning, known.place))
    made = []
    for meaning, names in counts.items():
        score = 0.995 if preferred in names else 0.97 if len(counts) == 1 else 0.9 + 0.05 * len(names) / len(spelled)
        score -= 0.01 * min(places[meaning], 3) if len(counts) > 1 else 0.0
        first = preferred if preferred in names else names[0]
        made.append(Candidate(meaning, score, f"spelled so in {first}"))
    return made


def _touched(candidate: Candidate, known: Sequence[Candidate]) -> Candidate:
    """A header that names no touch is of the touch that a contract knows it by."""
    for other in known:
        outcome = other.meaning.outcome
        if outcome is not None and replace(outcome, touch=None) == candidate.meaning.outcome:
            return replace(candidate, meaning=other.meaning)
    return candidate


def _as_told(meaning: Meaning, column: Column) -> Meaning:
    """What a contract of another network says, without windows and touches that are its network's and not told here."""
    outcome = meaning.outcome
    if outcome is None:
        return meaning
    told = (column.words.click_days, column.words.view_days)
    click, view = (days if days in told else None for days in (outcome.click_days, outcome.view_days))
    touch = outcome.touch if outcome.touch == "view" or column.reading.has("click", "view", "exposure") else None
    return Meaning(meaning.target, replace(outcome, click_days=click, view_days=view, touch=touch))


def _is_of_its_report(known: Spelled, column: Column, knowledge: Knowledge, *, delivers: bool) -> bool:
    """Whether what a contract calls so is called so there alone."""
    if delivers and known.contract in knowledge.single:
        return True
    if known.meaning.target in PURCHASED and not _says_purchased(column):
        return True
    reading = column.reading
    if known.meaning.target == "keyword" and "id" in reading.traits:
        return True
    said = reading.things or reading.measures or reading.ratios or reading.foreign or reading.unknown
    return bool(reading.traits and not said)


def _says_purchased(column: Column) -> bool:
    return any(thing in column.reading.things for thing in ("purchased", "purchased_gtin"))


# --- nearness of meaning ----------------------------------------------------------------------------------------------


@lru_cache(maxsize=64)
def _phrases(embedder: Embedder, names: tuple[str, ...]) -> Vectors:
    return embedder.embed(names)


def describe(target: str) -> str:
    """What the embedder knows a canonical column or metric by: its name in words and its description."""
    column = rmis.COLUMNS.get(target)
    name = target.removeprefix("reported_").replace("_", " ")
    return f"{name}: {column.description}" if column is not None else f"{name}: attributed {name} after an ad"


@lru_cache(maxsize=1)
def targets() -> tuple[str, ...]:
    """Canonical columns and metrics that a header may mean."""
    columns = tuple(column.name for column in rmis.EVENTS if column.name not in OWN)
    return (*columns, *rmis.Metric.__args__)  # type: ignore[attr-defined]


def nameable(lexicon: Lexicon) -> list[tuple[str, tuple[Concept, ...]]]:
    """Phrases that an unknown word may be near to: of one or two words, and not without meaning."""
    return [
        (phrase, concepts)
        for phrase, concepts in (lexicon.english or lexicon).spelled()
        if concepts[0].kind != "filler" and phrase.count(" ") <= 1
    ]


def _ask(columns: Sequence[Column], lexicon: Lexicon, embedder: Embedder) -> None:
    """Read unknown words by what they are near to, and headers as a whole by the descriptions of the targets."""
    entries = nameable(lexicon)
    vectors = _phrases(embedder, tuple(phrase for phrase, _ in entries))
    target_vectors = _phrases(embedder, tuple(describe(target) for target in targets()))
    wholes = embedder.embed([column.words.phrase for column in columns])
    counted = np.array([any(concept.kind in ("measure", "ratio") for concept in concepts) for _, concepts in entries])
    phrases = [phrase for column in columns for phrase in column.reading.unknown]
    asked = sorted({*phrases, *(_counted_phrase(column) for column in columns if _counts(column))})
    near = dict(zip(asked, embedder.embed(asked) @ vectors.T, strict=True)) if asked else {}

    def nearest_to(column: Column) -> Nearest:
        # A header that says it counts is read among what is counted.
        counts = _counts(column)

        def nearest(phrase: str) -> tuple[str, tuple[Concept, ...], float] | None:
            if phrase not in near or not _SPOKEN.search(phrase):
                return None
            scores = np.where(counted, near[_counted_phrase(column)], -1.0) if counts else near[phrase]
            best = int(np.argmax(scores))
            return (*entries[best], float(scores[best])) if scores[best] >= NEAR else None

        return nearest

    for column, scores in zip(columns, wholes @ target_vectors.T, strict=True):
        _reread(column, lexicon, nearest_to(column))
        if not column.reading.is_empty and not column.reading.guesses:
            # A bare `id` is near to everything and means none of it; what was understood needs no likeness.
            continue
        for index in np.argsort(-scores)[:5]:
            target = targets()[int(index)]
            if target in PURCHASED and not _says_purchased(column):
                continue
            outcome = _outcome_of(target, column) if target in rmis.Metric.__args__ else None  # type: ignore[attr-defined]
            likeness = float(scores[index]) * _TRUST
            column.candidates.append(
                Candidate(Meaning(target, outcome), round(max(0.0, likeness), 4), "is near in meaning")
            )


def _counts(column: Column) -> bool:
    return bool(_COUNTING & set(split_words(column.words.header)))


def _counted_phrase(column: Column) -> str:
    return " ".join(word for word in column.words.words if word not in _COUNTING)


def _reread(column: Column, lexicon: Lexicon, nearest: Nearest) -> None:
    said = column.reading
    counts = _counts(column)
    if (said.things and not counts) or said.measures or said.ratios or said.foreign:
        # The header's own words already say what it is; the rest of them only qualifies it.
        return
    guessed = read(column.words, lexicon, nearest)
    if guessed.guesses:
        column.reading = guessed
        guesses = "; ".join(guessed.guesses)
        column.candidates += [
            Candidate(candidate.meaning, candidate.score, f"{candidate.why} ({guesses})")
            for candidate in compose(guessed)
        ]


def _outcome_of(metric: str, column: Column) -> Outcome:
    words, reading = column.words, column.reading
    touch: rmis.Touch | None = "view" if reading.has("view") else "click" if reading.has("click") else None
    return Outcome(
        metric=metric,  # type: ignore[arg-type]
        click_days=words.click_days,
        view_days=words.view_days,
        ntb="new" if reading.has("new") else "all",
        touch=touch,
    )


# --- values -----------------------------------------------------------------------------------------------------------


def _from_values(column: Column) -> list[Candidate]:
    """Meanings that the values alone suggest."""
    made = []
    profile = column.profile
    if "place" in profile.kinds and column.reading.is_empty and not profile.is_number:
        made.append(Candidate(Meaning("placement"), 0.66, "values are places of ads"))
    if profile.asin >= 0.9:
        made.append(Candidate(Meaning("sku_id"), 0.8, "values are ASINs"))
    if profile.gtin >= 0.95 and profile.filled >= 3 and profile.distinct >= 2 and not profile.dates:
        made.append(Candidate(Meaning("gtin14"), 0.78, "values are GTINs with right check digits"))
    if profile.currency >= 0.95:
        made.append(Candidate(Meaning("currency"), 0.8, "values are ISO currency codes"))
    if profile.dates and not profile.is_number:
        made.append(Candidate(Meaning("period_start"), 0.55, "values are dates"))
    if profile.instants and not profile.dates:
        made.append(Candidate(Meaning("event_ts_utc"), 0.5, "values are instants"))
    if "match_type" in profile.kinds:
        made.append(Candidate(Meaning("match_type"), 0.6, "values are match types"))
    if "status" in profile.kinds and "match_type" not in profile.kinds:
        made.append(Candidate(Meaning("status"), 0.45, "values are states of delivery"))
    if "territory" in profile.kinds:
        made.append(Candidate(Meaning("geo"), 0.75, "values are names of countries or states"))
    if "cost_model" in profile.kinds:
        made.append(Candidate(Meaning("cost_model"), 0.6, "values are pricing models"))
    return made


def fits(meaning: Meaning, profile: Profile) -> tuple[float, str]:
    """How well the values suit a meaning: a factor from 0 to 1.05, and what they are, where that matters."""
    if profile.is_empty or meaning.target is None:
        return 1.0, ""
    if meaning.outcome is not None:
        return (1.0, "") if profile.numeric >= 0.8 else (0.1, "values are no numbers")
    target = meaning.target
    unit = rmis.COLUMNS[target].unit
    if unit in ("count", "money", "fraction", "rate"):
        if profile.numeric < 0.8 or (profile.is_moment and bool(profile.dates) and not profile.is_number):
            return 0.1, "values are no numbers"
        if unit == "count" and profile.percent > 0.5:
            return 0.1, "values are per cent"
        whole = target in ("impressions", "clicks", "viewable_impressions", "reach")
        return (0.6, "values are fractions") if whole and profile.whole < 0.8 else (1.0, "")
    if unit == "hour":
        return (1.05, "values are hours") if "hour" in profile.kinds else (0.15, "values are no hours")
    if unit == "date":
        return (1.02, "values are dates") if profile.dates else _moment(profile)
    if unit == "instant":
        if profile.instants or profile.epoch:
            return 1.02, "values are instants"
        return (0.75, "") if profile.dates else (0.1, "values are no instants")
    return _text_fits(target, profile)


def _moment(profile: Profile) -> tuple[float, str]:
    return (0.7, "values are instants") if profile.instants or profile.epoch else (0.1, "values are no dates")


def _text_fits(target: str, profile: Profile) -> tuple[float, str]:
    if target == "currency":
        return (1.02, "values are ISO currency codes") if profile.currency >= 0.9 else (0.1, "values are no currencies")
    if target == "gtin14":
        if profile.gtin >= 0.8:
            return 1.03, "values are GTINs with right check digits"
        return (0.9, "") if profile.gtin_like >= 0.5 or profile.is_number else (0.2, "values are no GTINs")
    if target == "match_type":
        return (1.02, "values are match types") if "match_type" in profile.kinds else (0.8, "")
    if target == "bidding_strategy" and "cost_model" in profile.kinds:
        return 0.5, "values are pricing models"
    if target == "cost_model":
        return (1.03, "values are pricing models") if "cost_model" in profile.kinds else (0.55, "")
    if profile.is_moment and not profile.is_number:
        return 0.2, "values are dates"
    coded = profile.is_number or profile.uuid >= 0.9
    # One account a file, many users: the same id in all rows is not a shopper's.
    if target == "user_id" and profile.constant:
        return 0.5, "values are all the same"
    if target == "account_id" and profile.filled > 2 and profile.distinct == profile.filled:
        return 0.75, "values are all different"
    if "territory" in profile.kinds and target in ("status", "placement", "device", "keyword"):
        return 0.3, "values are names of countries or states"
    if profile.is_number and profile.whole < 0.9 and (target.endswith("_id") or target == "seller_sku"):
        return 0.2, "values are fractions"
    if target.endswith("_id"):
        if coded or profile.asin >= 0.9:
            return 1.02, ""
        return (0.55, "values are words") if profile.spaced >= 0.5 else (0.95, "")
    if target.endswith("_name"):
        fractional = profile.is_number and profile.whole < 0.9
        return (0.3, "values are numbers") if fractional else (0.5, "values are codes") if coded else (1.0, "")
    if profile.is_number and target not in ("seller_sku", "geo", "search_term", "keyword", "pack_size"):
        return 0.4, "values are numbers"
    return 1.0, ""


def _weighed(candidates: Sequence[Candidate], column: Column) -> list[Candidate]:
    """One candidate per meaning: the best source, raised a little by every other that agrees, tempered by values."""
    by_meaning: dict[Meaning, list[Candidate]] = {}
    for candidate in candidates:
        if candidate.meaning.target not in OWN:
            by_meaning.setdefault(candidate.meaning, []).append(candidate)
    weighed = []
    for meaning, sources in by_meaning.items():
        sources.sort(key=lambda candidate: -candidate.score)
        score = sources[0].score
        for other in sources[1:]:
            score += (1.0 - score) * 0.25 * other.score
        factor, said = fits(meaning, column.profile)
        # Of two that are called the same the plainer name is the figure itself.
        score -= 0.0005 * len(column.words.words) if meaning.outcome is None else 0.0
        if meaning.target == column.words.phrase.replace(" ", "_"):
            score += 0.004
        reasons = list(dict.fromkeys([source.why for source in sources[:2]] + ([said] if said else [])))
        score = score * factor if factor <= 1.0 else score + (1.0 - score) * 0.3
        weighed.append(Candidate(meaning, round(min(1.0, score), 4), "; ".join(reasons)))
    if not weighed:
        weighed = [Candidate(NOTHING, 0.3, "nothing in the header or the values is understood")]
    return sorted(weighed, key=lambda candidate: (-candidate.score, candidate.meaning.target or ""))
