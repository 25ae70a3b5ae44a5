"""How a file differs from the one before it: columns added, removed, renamed, retyped, or in another unit.

Each file leaves a profile of its columns, by the first `SAMPLE` rows. Two profiles are compared column by column under
the header's plain words. What a difference means for the load is the policy's word: `block`, `warn` or `propose`.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final, Literal, get_args

import numpy as np

from harmonization.core.headers import compact
from harmonization.core.matching import evidence

Drift = Literal["added", "removed", "renamed", "retyped", "unit_changed"]
Action = Literal["block", "warn", "propose"]
DRIFTS: Final[tuple[Drift, ...]] = get_args(Drift)
ACTIONS: Final[tuple[Action, ...]] = get_args(Action)
SAMPLE: Final = 1_000
#: A required column that is gone is refused by the contract itself, before anything is compared.
DEFAULT_POLICY: Final[Mapping[Drift, Action]] = {
    "added": "propose",
    "removed": "warn",
    "renamed": "propose",
    "retyped": "block",
    "unit_changed": "block",
}
#: Fewer values than this tell nothing about a column's magnitude or type.
_ENOUGH: Final = 20
#: Factors between units: percent and fraction or cents and units, thousands, micros.
_FACTORS: Final = (100.0, 1_000.0, 1_000_000.0)
#: How far from such a factor two medians may lie: figures move, but not by themselves to just there.
_SLACK: Final = 1.6
_ALIKE_NAMES: Final = 0.6


@dataclass(frozen=True, slots=True)
class ColumnProfile:
    """One column of one file.

    Attributes:
        kind: number, date, instant, text or empty.
        target: what the contract reads it as; None where it does not.
        filled: values in the sample.
        low, median, high: 10th, 50th and 90th percentile of the absolute values above zero; None where too few.
        percent: cells carry a percent sign. sign: the currency they carry. decimal_comma: they use one.
        forms: formats that read every date of the sample.
    """

    header: str
    kind: str
    target: str | None = None
    filled: int = 0
    low: float | None = None
    median: float | None = None
    high: float | None = None
    percent: bool = False
    sign: str | None = None
    decimal_comma: bool = False
    forms: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """JSON-able."""
        return asdict(self) | {"forms": list(self.forms)}

    @staticmethod
    def of_dict(told: Mapping[str, Any]) -> ColumnProfile:
        """The inverse of `as_dict`."""
        return ColumnProfile(**{**told, "forms": tuple(told.get("forms", ()))})


@dataclass(frozen=True, slots=True)
class Drifted:
    """One difference; `detail` says what was and what is, `action` what follows."""

    drift: Drift
    header: str
    before: str | None
    detail: str
    action: Action
    target: str | None = None
    factor: float | None = None

    def as_dict(self) -> dict[str, Any]:
        """JSON-able."""
        return asdict(self)


def profile_columns(cells: Mapping[str, Sequence[str]], targets: Mapping[str, str | None]) -> list[ColumnProfile]:
    """The profile of a file, from its first cells by header and what the contract reads each header as."""
    return [_profile(header, values, targets.get(header)) for header, values in cells.items()]


def _profile(header: str, values: Sequence[str], target: str | None) -> ColumnProfile:
    seen = evidence.profile(values)
    kind = "text"
    if seen.is_empty:
        kind = "empty"
    elif seen.dates:
        kind = "date"
    elif seen.instants or seen.epoch:
        kind = "instant"
    elif seen.is_number and not seen.gtin_like >= 0.9:
        kind = "number"
    low = median = high = None
    if kind == "number":
        sizes = np.abs(seen.numbers[~np.isnan(seen.numbers)])
        sizes = sizes[sizes > 0]
        if len(sizes) >= _ENOUGH:
            low, median, high = (round(float(size), 9) for size in np.percentile(sizes, [10, 50, 90]))
    return ColumnProfile(
        header=header,
        kind=kind,
        target=target,
        filled=seen.filled,
        low=low,
        median=median,
        high=high,
        percent=seen.percent >= 0.5,
        sign=seen.sign,
        decimal_comma=seen.decimal_comma > seen.decimal_point,
        forms=tuple(seen.dates or seen.instants),
    )


def compare_files(
    before: Sequence[ColumnProfile],
    now: Sequence[ColumnProfile],
    policy: Mapping[Drift, Action] = DEFAULT_POLICY,
) -> list[Drifted]:
    """What differs between two files of one report, in the order of `now`; what was removed comes last."""
    old = {compact(column.header): column for column in before}
    new = {compact(column.header): column for column in now}
    renamed = _renamed([one for name, one in old.items() if name not in new],
                       [one for name, one in new.items() if name not in old])  # fmt: skip
    found: list[Drifted] = []
    for name, column in new.items():
        was = old.get(name) or renamed.get(column.header)
        if was is None:
            detail = f"{column.header!r} is new; it holds {_words(column)}."
            found.append(Drifted("added", column.header, None, detail, policy["added"], column.target))
            continue
        if was.header != column.header and name not in old:
            detail = f"{was.header!r} is gone and {column.header!r} holds the like: {_words(column)}."
            found.append(Drifted("renamed", column.header, was.header, detail, policy["renamed"], was.target))
        found += _changed(was, column, policy)
    gone = {one.header for one in renamed.values()}
    for name, column in old.items():
        if name not in new and column.header not in gone:
            read = f"; it was read as {column.target}" if column.target else ""
            detail = f"{column.header!r} is no longer there{read}."
            found.append(Drifted("removed", column.header, column.header, detail, policy["removed"], column.target))
    return found


def _changed(was: ColumnProfile, now: ColumnProfile, policy: Mapping[Drift, Action]) -> list[Drifted]:
    """Whether a column is of another type or unit. Of one that the contract does not read, that is only told."""
    target = now.target or was.target

    def told(drift: Drift, detail: str, factor: float | None = None) -> list[Drifted]:
        action = policy[drift] if target is not None or policy[drift] != "block" else "warn"
        return [Drifted(drift, now.header, was.header, detail, action, target, factor)]

    if was.kind != now.kind and "empty" not in (was.kind, now.kind) and min(was.filled, now.filled) >= _ENOUGH:
        return told("retyped", f"{now.header!r} held {_words(was)} and holds {_words(now)}.")
    if was.kind != "number" or now.kind != "number":
        return []
    if was.sign and now.sign and was.sign != now.sign:
        return told("unit_changed", f"{now.header!r} was in {was.sign} and is in {now.sign}.")
    # A percent sign tells every cell's unit: the reader goes by it, whatever the size.
    factor = None if was.percent != now.percent else _factor(was, now)
    if factor is None:
        return []
    size, way = (factor, "larger") if factor > 1 else (1 / factor, "smaller")
    detail = f"{now.header!r} is about {size:,.0f} times {way} than before (median {was.median:g}, now {now.median:g})."
    return told("unit_changed", detail, factor)


def _factor(was: ColumnProfile, now: ColumnProfile) -> float | None:
    """The factor between two units, where small, middle and large values have all moved by it."""
    pairs = [(was.low, now.low), (was.median, now.median), (was.high, now.high)]
    ratios = [after / before for before, after in pairs if before and after]
    if len(ratios) < len(pairs):
        return None
    for factor in (*_FACTORS, *(1 / factor for factor in _FACTORS)):
        if all(factor / _SLACK <= ratio <= factor * _SLACK for ratio in ratios):
            return factor
    return None


def _renamed(gone: Sequence[ColumnProfile], fresh: Sequence[ColumnProfile]) -> dict[str, ColumnProfile]:
    """New header to the column it was: read as the same by the contract, or alike in name and kind."""
    scored = []
    for was in gone:
        for now in fresh:
            same_target = was.target is not None and was.target == now.target
            likeness = difflib.SequenceMatcher(None, compact(was.header), compact(now.header)).ratio()
            alike = likeness >= _ALIKE_NAMES and was.kind == now.kind and now.target in (None, was.target)
            if same_target or alike:
                scored.append((same_target, likeness, was.header, now.header))
    pairs: dict[str, ColumnProfile] = {}
    by_header = {column.header: column for column in gone}
    for _, _, was_header, now_header in sorted(scored, reverse=True):
        if now_header not in pairs and was_header in by_header:
            pairs[now_header] = by_header.pop(was_header)
    return pairs


def _words(column: ColumnProfile) -> str:
    if column.kind == "number":
        money = f" in {column.sign}" if column.sign else ""
        return "percentages" if column.percent else f"numbers{money}"
    return {"date": "dates", "instant": "instants", "text": "text", "empty": "nothing"}[column.kind]
