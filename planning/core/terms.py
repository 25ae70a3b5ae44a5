"""What a person asks of a budget, checked field by field before anything is stored or solved."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Final

from optimization.core.problem import LEVELS, Path, path_text
from planning.core.aims import Margin, Ratio, Share, read_aims
from planning.core.reading import CENT, MOST_MONEY, Reader, read_number
from tenants.core.problems import InvalidInput

__all__ = [
    "CENT",
    "FIELDS",
    "MOST_BOUNDS",
    "MOST_MONEY",
    "Bound",
    "Margin",
    "Ratio",
    "ScenarioTerms",
    "Share",
    "columns_of",
    "read_number",
    "read_terms",
]

MOST_DAYS: Final = 366
MOST_BOUNDS: Final = 500
FIELDS: Final = (
    "name", "horizon_start", "horizon_end", "total_budget", "min_roas", "reserve_fraction",
    "stock_cover_threshold_days", "max_change_fraction", "bounds", "objective", "mode", "target", "min_iroas",
    "max_cpa", "margin_fraction", "margins", "fixed", "shares", "fair_level", "fair_fraction", "weekly_budgets",
    "ratios", "season", "tail_fraction", "min_iroas_by",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Bound:
    """Least and most spend of all lines under `path`; None is no bound."""

    path: Path
    min_spend: Decimal | None = None
    max_spend: Decimal | None = None

    def as_dict(self) -> dict[str, Any]:
        """As stored: money as text, so that it stays exact."""
        return {
            "path": list(self.path),
            "min_spend": None if self.min_spend is None else str(self.min_spend),
            "max_spend": None if self.max_spend is None else str(self.max_spend),
        }


@dataclass(frozen=True, kw_only=True)
class ScenarioTerms:
    """A budget question. Money in the currency of the curves, fractions as fractions, the horizon inclusive.

    Attributes:
        objective: sales, incremental_sales or profit.
        mode: fixed_budget; flexible_target_roi and flexible_target_marginal_roi, where the budget is a ceiling; or
            incremental_only, where every line keeps what it spends now and only the rest of the budget is placed.
        min_iroas_by: the factors that the least incremental ROAS counts with: expected, or cautious, which is what they
            are at least in four of five cases.
        target: the return that a flexible mode asks for, in terms of the objective.
        margin_fraction: margin of products whose own the catalogue does not know; `margins` are for nodes of the tree.
        fixed: nodes that keep what they spend now.
        fair_level, fair_fraction: every node of that level gets at least the fraction of its current part of the whole.
        weekly_budgets: one for each week; what is not spent rolls forward. Empty: no week has a budget of its own.
        season: one for each week with a budget: how many times as much as in a usual week the same money sells. Empty:
            every week is a usual one.
        tail_fraction: the mean of that part of what may be true, the worst, is maximised; None is the expected value.
    """

    name: str
    horizon_start: date
    horizon_end: date
    total_budget: Decimal
    min_roas: Decimal | None = None
    reserve_fraction: Decimal = Decimal(0)
    stock_cover_threshold_days: int = 3
    max_change_fraction: Decimal | None = None
    bounds: tuple[Bound, ...] = ()
    objective: str = "sales"
    mode: str = "fixed_budget"
    target: Decimal | None = None
    min_iroas: Decimal | None = None
    min_iroas_by: str = "expected"
    max_cpa: Decimal | None = None
    margin_fraction: Decimal | None = None
    margins: tuple[Margin, ...] = ()
    fixed: tuple[Path, ...] = ()
    shares: tuple[Share, ...] = ()
    fair_level: str = ""
    fair_fraction: Decimal | None = None
    weekly_budgets: tuple[Decimal, ...] = ()
    ratios: tuple[Ratio, ...] = ()
    season: tuple[Decimal, ...] = ()
    tail_fraction: Decimal | None = None

    @property
    def days(self) -> int:
        """Length of the horizon."""
        return (self.horizon_end - self.horizon_start).days + 1

    @property
    def weeks(self) -> float:
        """Length of the horizon, in the unit of the curves."""
        return self.days / 7.0

    @property
    def reserve(self) -> Decimal:
        """Money held back for experiments, to the cent."""
        return (self.total_budget * self.reserve_fraction).quantize(CENT)

    @property
    def asks_incrementality(self) -> bool:
        """True where the answer depends on what the ads caused."""
        return self.objective == "incremental_sales" or self.min_iroas is not None

    @property
    def is_cautious(self) -> bool:
        """True where a least incremental ROAS is to hold by cautious factors."""
        return self.min_iroas is not None and self.min_iroas_by == "cautious"

    @property
    def available(self) -> Decimal:
        """Money that may be allocated."""
        return self.total_budget - self.reserve


def read_terms(given: Mapping[str, Any], *, known_paths: Collection[Path] | None = None) -> ScenarioTerms:
    """Check what was given for a scenario; text is read as forms and files write it.

    Args:
        given: by the names of `FIELDS`; what has a usual value may be left out.
        known_paths: every path a bound may name; None where that is not known yet, which refuses bounds.

    Raises:
        InvalidInput: `errors` lists every finding with its field in `where`.
    """
    reader = Reader(given)
    unknown = sorted(set(given) - set(FIELDS))
    for name in unknown:
        reader.refuse(name, f"There is no field {name!r}.", f"Use some of: {', '.join(FIELDS)}.")
    name = reader.text("name", 120)
    start, end = reader.day("horizon_start"), reader.day("horizon_end")
    if start is not None and end is not None:
        _check_horizon(reader, start, end)
    budget = reader.number("total_budget", most=MOST_MONEY, places=2, above_zero=True, required=True)
    terms: dict[str, Any] = {
        "name": name,
        "min_roas": reader.number("min_roas", most=Decimal(1000), places=4),
        "reserve_fraction": reader.number("reserve_fraction", most=Decimal("0.5"), places=4) or Decimal(0),
        "stock_cover_threshold_days": reader.count("stock_cover_threshold_days", usual=3, most=365),
        "max_change_fraction": reader.number("max_change_fraction", most=Decimal(99), places=4),
        "bounds": _read_bounds(reader, given.get("bounds") or (), known_paths),
    }
    terms |= read_aims(reader, known_paths)
    _check_fixed(reader, terms)
    if start is not None and end is not None and budget is not None:
        _check_weeks(reader, (end - start).days + 1, budget, terms["weekly_budgets"])
    _check_season(reader, terms["season"], terms["weekly_budgets"])
    if reader.errors or start is None or end is None or budget is None:
        first = reader.errors[0]
        raise InvalidInput(first["detail"], where=first["where"], fix=first["fix"], errors=reader.errors)
    return ScenarioTerms(horizon_start=start, horizon_end=end, total_budget=budget, **terms)


def columns_of(terms: ScenarioTerms) -> dict[str, Any]:
    """As stored, and as `read_terms` takes them again: money in lists as text, so that it stays exact."""
    return {
        "name": terms.name, "horizon_start": terms.horizon_start, "horizon_end": terms.horizon_end,
        "total_budget": terms.total_budget, "min_roas": terms.min_roas, "reserve_fraction": terms.reserve_fraction,
        "stock_cover_threshold_days": terms.stock_cover_threshold_days,
        "max_change_fraction": terms.max_change_fraction, "bounds": [bound.as_dict() for bound in terms.bounds],
        "objective": terms.objective, "mode": terms.mode, "target": terms.target, "min_iroas": terms.min_iroas,
        "max_cpa": terms.max_cpa, "margin_fraction": terms.margin_fraction,
        "margins": [one.as_dict() for one in terms.margins], "fixed": [list(path) for path in terms.fixed],
        "shares": [one.as_dict() for one in terms.shares], "fair_level": terms.fair_level,
        "fair_fraction": terms.fair_fraction, "weekly_budgets": [str(amount) for amount in terms.weekly_budgets],
        "ratios": [one.as_dict() for one in terms.ratios], "season": [str(index) for index in terms.season],
        "tail_fraction": terms.tail_fraction, "min_iroas_by": terms.min_iroas_by,
    }  # fmt: skip


def _check_horizon(reader: Reader, start: date, end: date) -> None:
    if end < start:
        reader.refuse("horizon_end", f"The horizon ends on {end}, before it starts on {start}.", "Swap the two days.")
    elif (end - start).days >= MOST_DAYS:
        reader.refuse("horizon_end", f"The horizon has {(end - start).days + 1} days.", f"Ask for {MOST_DAYS} at most.")
    if not 2000 <= start.year <= 2100:
        reader.refuse("horizon_start", f"No budget starts on {start}.", "Correct the year.")


def _check_fixed(reader: Reader, terms: Mapping[str, Any]) -> None:
    bound = {one.path for one in terms["bounds"]}
    for at, path in enumerate(terms["fixed"]):
        if path in bound:
            reader.refuse(
                f"fixed[{at}]", f"{path_text(path)} keeps what it spends now and has a bound too.", "Keep one of both."
            )


def _check_weeks(reader: Reader, days: int, budget: Decimal, weekly: tuple[Decimal, ...]) -> None:
    if not weekly:
        return
    if days % 7 or len(weekly) * 7 != days:
        reader.refuse(
            "weekly_budgets", f"There are {len(weekly)} weekly budgets for {days} days.",
            "Give one for each week of a horizon of whole weeks.",
        )  # fmt: skip
    elif sum(weekly) != budget:
        reader.refuse(
            "weekly_budgets", f"The weekly budgets add up to {sum(weekly):,.2f}, not to the total of {budget:,.2f}.",
            "Make both agree.",
        )  # fmt: skip


def _check_season(reader: Reader, season: tuple[Decimal, ...], weekly: tuple[Decimal, ...]) -> None:
    if season and not weekly:
        reader.refuse(
            "season", "A season is one of weeks, and no week has a budget.",
            "Give weekly_budgets too; all of it in the first week leaves the timing free.",
        )  # fmt: skip
    elif season and len(season) != len(weekly):
        reader.refuse(
            "season",
            f"There are {len(season)} seasons for {len(weekly)} weeks.",
            "Give one for each, 1 for a usual one.",
        )


def _read_bounds(reader: Reader, given: Any, known: Collection[Path] | None) -> tuple[Bound, ...]:
    if not isinstance(given, list | tuple):
        reader.refuse("bounds", "A list of bounds is expected.", 'Write [{"path": [...], "min_spend": 100}].')
        return ()
    if len(given) > MOST_BOUNDS:
        reader.refuse("bounds", f"{len(given)} bounds are too many.", f"Use at most {MOST_BOUNDS}.")
        return ()
    found: dict[Path, Bound] = {}
    for number, entry in enumerate(given):
        where = f"bounds[{number}]"
        bound = _read_bound(reader, entry, where)
        if bound is None:
            continue
        if known is None or bound.path not in known:
            reader.refuse(
                where,
                f"No line lies under {path_text(bound.path)}.",
                "Choose a path from the tree of the curves." if known else "Fit the response curves first.",
            )
        elif bound.path in found:
            reader.refuse(where, f"{path_text(bound.path)} is bound twice.", "Put both limits into one row.")
        found[bound.path] = bound
    return tuple(found.values())


def _read_bound(reader: Reader, entry: Any, where: str) -> Bound | None:
    if not isinstance(entry, Mapping):
        reader.refuse(where, "A bound is an object.", 'Write {"path": [...], "min_spend": 100}.')
        return None
    unknown = sorted(set(entry) - {"path", "min_spend", "max_spend"})
    if unknown:
        reader.refuse(where, f"There is no key {unknown[0]!r} here.", "Use path, min_spend, max_spend.")
        return None
    path = entry.get("path")
    if not isinstance(path, list | tuple) or not path or not all(isinstance(part, str) and part for part in path):
        reader.refuse(
            f"{where}.path", "A bound needs a path: a list of names from the top.",
            f"Give one to {len(LEVELS)} of {', '.join(LEVELS)}; the total budget is a field of its own.",
        )  # fmt: skip
        return None
    before = len(reader.errors)
    limits = [
        read_number(
            entry.get(name), most=MOST_MONEY, places=2,
            refuse=lambda detail, fix, name=name: reader.refuse(f"{where}.{name}", detail, fix),  # type: ignore[misc]
        )
        for name in ("min_spend", "max_spend")
    ]  # fmt: skip
    if len(reader.errors) > before:
        return None
    low, high = limits
    if low is None and high is None:
        reader.refuse(where, "A bound needs a least spend, a most, or both.", "Fill in one, or remove the row.")
        return None
    if low is not None and high is not None and low > high:
        reader.refuse(where, f"The least, {low:,f}, is above the most, {high:,f}.", "Swap them.")
        return None
    return Bound(tuple(path), low, high)
