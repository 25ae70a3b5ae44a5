"""What a person asks of a budget, checked field by field before anything is stored or solved."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from optimization.core.problem import LEVELS, Path, path_text
from tenants.core.problems import InvalidInput

CENT: Final = Decimal("0.01")
#: The most that the columns of money hold.
MOST_MONEY: Final = Decimal("999999999999.99")
MOST_DAYS: Final = 366
MOST_BOUNDS: Final = 500
FIELDS: Final = (
    "name", "horizon_start", "horizon_end", "total_budget", "min_roas", "reserve_fraction",
    "stock_cover_threshold_days", "max_change_fraction", "bounds",
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
    """A budget question. Money in the currency of the curves, fractions as fractions, the horizon inclusive."""

    name: str
    horizon_start: date
    horizon_end: date
    total_budget: Decimal
    min_roas: Decimal | None = None
    reserve_fraction: Decimal = Decimal(0)
    stock_cover_threshold_days: int = 3
    max_change_fraction: Decimal | None = None
    bounds: tuple[Bound, ...] = ()

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
    reader = _Reader(given)
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
    if reader.errors or start is None or end is None or budget is None:
        first = reader.errors[0]
        raise InvalidInput(first["detail"], where=first["where"], fix=first["fix"], errors=reader.errors)
    return ScenarioTerms(horizon_start=start, horizon_end=end, total_budget=budget, **terms)


class _Reader:
    """Reads fields and collects what is wrong with them."""

    def __init__(self, given: Mapping[str, Any]) -> None:
        self.given = given
        self.errors: list[dict[str, str]] = []

    def refuse(self, where: str, detail: str, fix: str) -> None:
        self.errors.append({"where": where, "detail": detail, "fix": fix})

    def text(self, name: str, most: int) -> str:
        value = str(self.given.get(name) or "").strip()
        if not value:
            self.refuse(name, "The scenario has no name.", "Give it a name that says what is asked.")
        elif len(value) > most or "\x00" in value:
            self.refuse(name, f"The name has {len(value)} characters.", f"Use at most {most} printable characters.")
        return value

    def day(self, name: str) -> date | None:
        value = self.given.get(name)
        if isinstance(value, date):
            return value
        try:
            return date.fromisoformat(str(value or ""))
        except ValueError:
            self.refuse(name, f"{value!r} is not a day." if value else "The day is missing.", "Write it as YYYY-MM-DD.")
            return None

    def number(
        self, name: str, *, most: Decimal, places: int, above_zero: bool = False, required: bool = False
    ) -> Decimal | None:
        return read_number(
            self.given.get(name), most=most, places=places, above_zero=above_zero, required=required,
            refuse=lambda detail, fix: self.refuse(name, detail, fix),
        )  # fmt: skip

    def count(self, name: str, *, usual: int, most: int) -> int:
        value = self.given.get(name)
        if value is None or value == "":
            return usual
        number = read_number(
            value, most=Decimal(most), places=0, refuse=lambda detail, fix: self.refuse(name, detail, fix)
        )
        return int(number or 0)


def read_number(
    value: Any,
    *,
    most: Decimal,
    places: int,
    refuse: Callable[[str, str], None],
    above_zero: bool = False,
    required: bool = False,
) -> Decimal | None:
    """A number from 0 to `most` with at most `places` decimals; None where it is empty or was refused."""
    if value is None or value == "":
        if required:
            refuse("An amount is missing.", "Give a number.")
        return None
    try:
        number = Decimal(str(value).replace(",", "").strip()) if not isinstance(value, bool) else Decimal("NaN")
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite():
        refuse(f"{str(value)[:40]!r} is not a number.", "Give a number such as 1200.50.")
        return None
    if number < 0 or (above_zero and number == 0):
        refuse(f"{number:,f} is not allowed.", "Give a number above zero." if above_zero else "Give zero or more.")
        return None
    if number > most:
        refuse(f"{number:,f} is too large.", f"Give at most {most:,f}.")
        return None
    rounded = number.quantize(Decimal(1).scaleb(-places))
    if rounded != number:
        refuse(f"{number:f} has too many decimals.", f"Give at most {places} after the point.")
        return None
    return rounded


def _check_horizon(reader: _Reader, start: date, end: date) -> None:
    if end < start:
        reader.refuse("horizon_end", f"The horizon ends on {end}, before it starts on {start}.", "Swap the two days.")
    elif (end - start).days >= MOST_DAYS:
        reader.refuse("horizon_end", f"The horizon has {(end - start).days + 1} days.", f"Ask for {MOST_DAYS} at most.")
    if not 2000 <= start.year <= 2100:
        reader.refuse("horizon_start", f"No budget starts on {start}.", "Correct the year.")


def _read_bounds(reader: _Reader, given: Any, known: Collection[Path] | None) -> tuple[Bound, ...]:
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


def _read_bound(reader: _Reader, entry: Any, where: str) -> Bound | None:
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
