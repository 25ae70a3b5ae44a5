"""What columns of figures say of each other: views beside impressions, cost that the cost per click tells, and what is
left of a total beside its halo.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from harmonization.core.matching.column import Column
from harmonization.core.matching.evidence import Numbers
from harmonization.core.matching.meaning import Candidate, Meaning, Outcome

_SURE: Final = 0.7
#: A rate in the export was rounded to a few digits.
_TOLERANCE: Final = 0.012
_ROUNDED: Final = 0.0051


def compare_figures(columns: Sequence[Column]) -> None:
    """Add and temper candidates of figures by the other figures of the file."""
    _views(columns)
    _cost(columns)
    _parts(columns)


def _of(columns: Sequence[Column], target: str) -> list[Column]:
    return [
        column
        for column in columns
        if column.best is not None
        and column.best.score >= _SURE
        and column.best.meaning.target == target
        and column.best.meaning.outcome is None
    ]


def _offer(column: Column, candidate: Candidate) -> None:
    others = [other for other in column.candidates if other.meaning != candidate.meaning]
    column.candidates = sorted([candidate, *others], key=lambda other: -other.score)


def _views(columns: Sequence[Column]) -> None:
    """Bare views: of videos where the file tells of them, else ads that were seen, and of no other impressions all."""
    bare = [c for c in columns if c.reading.measures == ["views"] and _is_bare(c)]
    if len(bare) != 1:
        return
    films = any("video" in column.words.words or "quartile" in column.words.words for column in columns)
    shown = _of(columns, "impressions")
    if films:
        _offer(bare[0], Candidate(Meaning("video_views"), 0.8, "views in a file of videos"))
    elif not shown and _of(columns, "clicks"):
        _offer(bare[0], Candidate(Meaning("impressions"), 0.8, "views beside clicks, and no other impressions"))
    elif shown and not _exceeds(bare[0].profile.numbers, shown[0].profile.numbers):
        _offer(
            bare[0], Candidate(Meaning("viewable_impressions"), 0.8, "views beside impressions: those that were seen")
        )


def _is_bare(column: Column) -> bool:
    reading = column.reading
    told = reading.things or reading.traits or reading.unknown or reading.foreign or reading.ratios or reading.rates
    return not told and set(reading.scopes) <= {"total"}


def _exceeds(some: Numbers, every: Numbers) -> bool:
    if len(some) != len(every):
        return False
    both = np.isfinite(some) & np.isfinite(every)
    return bool(np.any(some[both] > every[both] + 0.01))


def _cost(columns: Sequence[Column]) -> None:
    """The column that is clicks times the cost per click, or impressions by their cost, is what was spent."""
    agreeing = [column for column in columns if _may_be_cost(column) and _costs_so(column, columns)]
    named = _of(columns, "spend")
    if len(agreeing) != 1 or agreeing == named:
        return
    if not named:
        _offer(agreeing[0], Candidate(Meaning("spend"), 0.995, "equals clicks or impressions times what each cost"))
    elif agreeing[0] in named:
        for column in named:
            if column is not agreeing[0]:
                column.candidates = sorted(
                    (
                        replace(c, score=round(0.4 * c.score, 4)) if c.meaning.target == "spend" else c
                        for c in column.candidates
                    ),
                    key=lambda candidate: -candidate.score,
                )
                # What is called cost and was not paid may be a share of the sales: arithmetic tells.
                column.candidates.append(Candidate(Meaning("reported_acos"), 0.5, "called cost, and not what was paid"))


def _may_be_cost(column: Column) -> bool:
    return column.profile.is_number and any(
        measure in ("spend", "sales", "value", "fees") for measure in column.reading.measures
    ) and not column.reading.ratios and not column.reading.rates  # fmt: skip


def _costs_so(column: Column, columns: Sequence[Column]) -> bool:
    for rate, count, factor in (("reported_cpc", "clicks", 1.0), ("reported_cpm", "impressions", 1000.0)):
        for price in _of(columns, rate):
            for counted in _of(columns, count):
                if _is_product(column.profile.numbers, price.profile.numbers, counted.profile.numbers / factor):
                    return True
    return False


def _is_product(whole: Numbers, price: Numbers, times: Numbers) -> bool:
    if not len(whole) == len(price) == len(times):
        return False
    usable = np.isfinite(whole) & np.isfinite(price) & np.isfinite(times) & (whole > 0) & (times > 0)
    if usable.sum() < 2:
        return False
    expected = price[usable] * times[usable]
    slack = np.maximum(_TOLERANCE * expected, _ROUNDED * times[usable])
    return bool(np.mean(np.abs(whole[usable] - expected) <= slack) >= 0.8)


def _parts(columns: Sequence[Column]) -> None:
    """Beside a total and the halo, the figure with a word more that nobody knows is the advertised product's."""
    told: dict[Outcome, list[Column]] = {}
    for column in columns:
        if column.best is not None and column.best.score >= 0.5 and column.best.meaning.outcome is not None:
            told.setdefault(column.best.meaning.outcome, []).append(column)
    for outcome, same in list(told.items()):
        plain = [column for column in same if not column.reading.unknown]
        odd = [column for column in same if column.reading.unknown]
        if outcome.match != "total" or len(plain) != 1 or len(odd) != 1:
            continue
        for known, other in (("halo", "same_sku"), ("same_sku", "halo")):
            halves = told.get(replace(outcome, match=known), [])  # type: ignore[arg-type]
            wanted = replace(outcome, match=other)  # type: ignore[arg-type]
            if len(halves) == 1 and wanted not in told and _adds_up(plain[0], odd[0], halves[0]):
                why = f"with the {known.replace('_', ' ')} it makes the total"
                _offer(odd[0], Candidate(Meaning(outcome.metric, wanted), 0.85, why))


def _adds_up(total: Column, part: Column, rest: Column) -> bool:
    """Whether two parts are the whole, or nothing speaks against it where there are no rows."""
    numbers = [column.profile.numbers for column in (total, part, rest)]
    if not all(len(each) == len(numbers[0]) for each in numbers):
        return False
    whole, some, other = numbers
    usable = np.isfinite(whole) & np.isfinite(some) & np.isfinite(other)
    return bool(np.all(np.abs(whole[usable] - some[usable] - other[usable]) <= 0.02 + 1e-6 * whole[usable]))
