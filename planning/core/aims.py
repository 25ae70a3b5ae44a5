"""What a scenario is after, beyond its money: objective, mode, returns, margins, held nodes, shares,
ratios, weeks with their seasons, and how much the worst cases count."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from optimization.core.linear import ratio_of, share_of
from optimization.core.problem import LEVELS, LinearConstraint, Path, path_text
from planning.core.reading import MOST_MONEY, Reader

OBJECTIVES: Final = ("sales", "incremental_sales", "profit")
MODES: Final = ("fixed_budget", "flexible_target_roi", "flexible_target_marginal_roi", "incremental_only")
#: Factors that a least incremental ROAS counts with.
IROAS_BY: Final = ("expected", "cautious")
TARGET_MODES: Final = MODES[1:3]
#: Levels at which everybody can be given a part.
FAIR_LEVELS: Final = tuple(level for level in LEVELS if level != "audience")
MOST_ENTRIES: Final = 200
MOST_WEEKS: Final = 53
#: Of a ratio of two nodes, or a season.
MOST_RATIO: Final = Decimal(1000)
LEAST_TAIL: Final = Decimal("0.02")
_ONE: Final = Decimal(1)


@dataclass(frozen=True, slots=True)
class Share:
    """Least and most part of the spend under `within` that goes to `path`, as fractions; None is no limit."""

    path: Path
    within: Path = ()
    min_share: Decimal | None = None
    max_share: Decimal | None = None

    def rules(self) -> Iterator[tuple[str, LinearConstraint]]:
        """Its limits for the solver, each by its field; a conflict names one by the name it has there."""
        if self.max_share is not None:
            yield "max_share", share_of(self.path, self.within, float(self.max_share))
        if self.min_share is not None:
            yield "min_share", share_of(self.path, self.within, float(self.min_share), least=True)

    def as_dict(self) -> dict[str, Any]:
        """As stored."""
        return {
            "path": list(self.path), "within": list(self.within),
            "min_share": None if self.min_share is None else str(self.min_share),
            "max_share": None if self.max_share is None else str(self.max_share),
        }  # fmt: skip

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> Share:
        """From `as_dict`."""
        return cls(
            tuple(stored["path"]), tuple(stored["within"]),
            None if stored["min_share"] is None else Decimal(stored["min_share"]),
            None if stored["max_share"] is None else Decimal(stored["max_share"]),
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Ratio:
    """Least and most of the spend under `path` as a multiple of that under `other`; None is no limit."""

    path: Path
    other: Path
    min_ratio: Decimal | None = None
    max_ratio: Decimal | None = None

    def rules(self) -> Iterator[tuple[str, LinearConstraint]]:
        """Its limits for the solver, each by its field; a conflict names one by the name it has there."""
        if self.max_ratio is not None:
            yield "max_ratio", ratio_of(self.path, self.other, float(self.max_ratio))
        if self.min_ratio is not None:
            yield "min_ratio", ratio_of(self.path, self.other, float(self.min_ratio), least=True)

    def as_dict(self) -> dict[str, Any]:
        """As stored."""
        return {
            "path": list(self.path), "other": list(self.other),
            "min_ratio": None if self.min_ratio is None else str(self.min_ratio),
            "max_ratio": None if self.max_ratio is None else str(self.max_ratio),
        }  # fmt: skip

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> Ratio:
        """From `as_dict`."""
        return cls(
            tuple(stored["path"]), tuple(stored["other"]),
            None if stored["min_ratio"] is None else Decimal(stored["min_ratio"]),
            None if stored["max_ratio"] is None else Decimal(stored["max_ratio"]),
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Margin:
    """Fraction of revenue that is earned by all lines under `path`; the deepest path counts."""

    path: Path
    margin: Decimal

    def as_dict(self) -> dict[str, Any]:
        """As stored."""
        return {"path": list(self.path), "margin": str(self.margin)}

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> Margin:
        """From `as_dict`."""
        return cls(tuple(stored["path"]), Decimal(stored["margin"]))


def read_aims(reader: Reader, known: Collection[Path] | None) -> dict[str, Any]:
    """These fields of `ScenarioTerms`; what is wrong is left with the reader.

    Args:
        known: every node of the tree; None where that is not known yet.
    """
    mode = reader.choice("mode", MODES, MODES[0])
    target = reader.number("target", most=Decimal(1000), places=4, above_zero=True)
    if mode in TARGET_MODES and target is None and not _has(reader, "target"):
        reader.refuse("target", f"The mode {mode} has no target.", "Give the return that is asked for, such as 2.5.")
    if mode not in TARGET_MODES and target is not None:
        reader.refuse(
            "target", f"The mode {mode} takes no target.", f"Leave it out, or use {' or '.join(TARGET_MODES)}."
        )
    level = reader.choice("fair_level", FAIR_LEVELS, "")
    part = reader.number("fair_fraction", most=_ONE, places=4)
    if bool(level) != (part is not None) and not _has(reader, "fair_fraction", "fair_level"):
        reader.refuse("fair_fraction", "A least part needs a level and a fraction.", "Give both, or neither.")
    least = reader.number("min_iroas", most=Decimal(1000), places=4)
    by = reader.choice("min_iroas_by", IROAS_BY, IROAS_BY[0])
    if by != IROAS_BY[0] and least is None and not _has(reader, "min_iroas"):
        reader.refuse(
            "min_iroas_by", "Cautious factors judge a least incremental ROAS, and none is asked for.",
            f"Give min_iroas too, or use {IROAS_BY[0]}.",
        )  # fmt: skip
    return {
        "objective": reader.choice("objective", OBJECTIVES, OBJECTIVES[0]),
        "mode": mode,
        "target": target,
        "min_iroas": least,
        "min_iroas_by": by,
        "max_cpa": reader.number("max_cpa", most=MOST_MONEY, places=2, above_zero=True),
        "margin_fraction": reader.number("margin_fraction", most=_ONE, places=4),
        "margins": _margins(reader, known),
        "fixed": _fixed(reader, known),
        "shares": _shares(reader, known),
        "ratios": _ratios(reader, known),
        "fair_level": level,
        "fair_fraction": part,
        "weekly_budgets": _weekly(reader),
        "season": _season(reader),
        "tail_fraction": _tail(reader),
    }


def _has(reader: Reader, *names: str) -> bool:
    return any(error["where"] in names for error in reader.errors)


def _margins(reader: Reader, known: Collection[Path] | None) -> tuple[Margin, ...]:
    found: dict[Path, Margin] = {}
    example = '{"path": [...], "margin": 0.35}'
    for number, value in enumerate(reader.entries("margins", MOST_ENTRIES, example)):
        where = f"margins[{number}]"
        entry = reader.entry(where, value, ("path", "margin"), example)
        if entry is None:
            continue
        path = reader.path(where, entry.get("path"), known)
        margin = reader.part(f"{where}.margin", entry.get("margin"), most=_ONE, places=4, required=True)
        if path is None or margin is None:
            continue
        if path in found:
            reader.refuse(where, f"{path_text(path)} has two margins.", "Keep one.")
        found[path] = Margin(path, margin)
    return tuple(found.values())


def _fixed(reader: Reader, known: Collection[Path] | None) -> tuple[Path, ...]:
    found: list[Path] = []
    for number, value in enumerate(reader.entries("fixed", MOST_ENTRIES, '["onsite search", "Walmart"]')):
        path = reader.path(f"fixed[{number}]", value, known)
        if path in found:
            reader.refuse(f"fixed[{number}]", f"{path_text(path or ())} is named twice.", "Name it once.")
        elif path is not None:
            found.append(path)
    return tuple(found)


def _shares(reader: Reader, known: Collection[Path] | None) -> tuple[Share, ...]:
    found: dict[tuple[Path, Path], Share] = {}
    example = '{"path": [...], "within": [], "max_share": 0.6}'
    for number, value in enumerate(reader.entries("shares", MOST_ENTRIES, example)):
        where = f"shares[{number}]"
        entry = reader.entry(where, value, ("path", "within", "min_share", "max_share"), example)
        if entry is None:
            continue
        before = len(reader.errors)
        path = reader.path(where, entry.get("path"), known)
        within = reader.path(f"{where}.within", entry.get("within"), known, root=True)
        least, most = (
            reader.part(f"{where}.{name}", entry.get(name), most=_ONE, places=4) for name in ("min_share", "max_share")
        )
        if path is None or within is None or len(reader.errors) > before:
            continue
        if least is None and most is None:
            reader.refuse(where, "A share needs a least, a most, or both.", "Fill in one, or remove the row.")
        elif least is not None and most is not None and least > most:
            reader.refuse(where, f"The least share, {least:.2%}, is above the most, {most:.2%}.", "Swap them.")
        elif path == within:
            reader.refuse(where, f"{path_text(path)} is all of itself.", "Name a part of it, or something else.")
        elif (path, within) in found:
            reader.refuse(where, f"This share of {path_text(path)} is limited twice.", "Put both limits into one row.")
        else:
            found[path, within] = Share(path, within, least, most)
    return tuple(found.values())


def _weekly(reader: Reader) -> tuple[Decimal, ...]:
    found = []
    for number, value in enumerate(reader.entries("weekly_budgets", MOST_WEEKS, "1000, 1000, 1500")):
        amount = reader.part(f"weekly_budgets[{number}]", value, most=MOST_MONEY, places=2, required=True)
        found.append(amount or Decimal(0))
    return tuple(found)


def _ratios(reader: Reader, known: Collection[Path] | None) -> tuple[Ratio, ...]:
    found: dict[tuple[Path, Path], Ratio] = {}
    example = '{"path": [...], "other": [...], "max_ratio": 1.5}'
    for number, value in enumerate(reader.entries("ratios", MOST_ENTRIES, example)):
        where = f"ratios[{number}]"
        entry = reader.entry(where, value, ("path", "other", "min_ratio", "max_ratio"), example)
        if entry is None:
            continue
        before = len(reader.errors)
        path = reader.path(where, entry.get("path"), known)
        other = reader.path(f"{where}.other", entry.get("other"), known)
        least, most = (
            reader.part(f"{where}.{name}", entry.get(name), most=MOST_RATIO, places=4)
            for name in ("min_ratio", "max_ratio")
        )
        if path is None or other is None or len(reader.errors) > before:
            continue
        if least is None and most is None:
            reader.refuse(where, "A ratio needs a least, a most, or both.", "Fill in one, or remove the row.")
        elif least is not None and most is not None and least > most:
            reader.refuse(where, f"The least ratio, {least:f}, is above the most, {most:f}.", "Swap them.")
        elif path == other:
            reader.refuse(where, f"{path_text(path)} is held against itself.", "Name two different nodes.")
        elif path == other[: len(path)] or other == path[: len(other)]:
            reader.refuse(
                where, f"{path_text(max(path, other, key=len))} lies inside {path_text(min(path, other, key=len))}.",
                "Limit its share of that instead: shares.",
            )  # fmt: skip
        elif (path, other) in found:
            reader.refuse(
                where, f"{path_text(path)} is held against {path_text(other)} twice.", "Put both limits into one row."
            )
        else:
            found[path, other] = Ratio(path, other, least, most)
    return tuple(found.values())


def _season(reader: Reader) -> tuple[Decimal, ...]:
    found = []
    for number, value in enumerate(reader.entries("season", MOST_WEEKS, "1, 1, 1.4")):
        index = reader.part(f"season[{number}]", value, most=MOST_RATIO, places=4, required=True)
        found.append(_ONE if index is None else index)
    if found and not any(found) and not _has(reader, "season"):
        reader.refuse("season", "No week has a season above zero, so nothing would sell.", "Write 1 for a usual week.")
    return tuple(found)


def _tail(reader: Reader) -> Decimal | None:
    tail = reader.number("tail_fraction", most=_ONE, places=4, above_zero=True)
    if tail is not None and tail < LEAST_TAIL:
        reader.refuse(
            "tail_fraction", f"The worst {tail:.2%} of a few hundred draws are less than two of them.",
            f"Give at least {LEAST_TAIL}.",
        )  # fmt: skip
        return None
    return tail
