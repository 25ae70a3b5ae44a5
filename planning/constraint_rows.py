"""The rows of the builder's constraint table: money, shares, ratios, held nodes and margins, as typed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Final

from django.http import QueryDict

from optimization.core.problem import Path
from planning.core.reading import read_decimal
from planning.core.terms import MOST_BOUNDS, ScenarioTerms

ARROW: Final = " > "
SPARE_ROWS: Final = 3
#: Powers of ten that a percentage may have, either way.
_SIZES: Final = 20
#: What a row says, with the name it has in the form.
KINDS: Final = {
    "spend": "Spend",
    "share": "Share, %",
    "ratio": "Ratio, times",
    "fixed": "Keep as now",
    "margin": "Margin, %",
}
_LISTS: Final = {"spend": "bounds", "share": "shares", "ratio": "ratios", "fixed": "fixed", "margin": "margins"}


@dataclass(frozen=True)
class BoundRow:
    """A row of the constraint table as typed."""

    number: int
    path: str = ""
    low: str = ""
    high: str = ""
    errors: tuple[str, ...] = ()
    kind: str = "spend"
    within: str = ""

    @property
    def is_empty(self) -> bool:
        return not (self.path or self.low or self.high or self.within)

    @property
    def kinds(self) -> list[tuple[str, str, bool]]:
        """The choices of its kind, with whether it is the one."""
        return [(value, label, value == self.kind) for value, label in KINDS.items()]


def rows_of(terms: ScenarioTerms | None) -> list[BoundRow]:
    """The constraints of a scenario, and spare rows below."""
    rows: list[BoundRow] = []
    if terms is not None:
        rows += [BoundRow(0, _text(one.path), plain(one.min_spend), plain(one.max_spend)) for one in terms.bounds]
        rows += [
            BoundRow(
                0, _text(one.path), percent(one.min_share), percent(one.max_share),
                kind="share", within=_text(one.within),
            )
            for one in terms.shares
        ]  # fmt: skip
        rows += [
            BoundRow(
                0, _text(one.path), plain(one.min_ratio), plain(one.max_ratio),
                kind="ratio", within=_text(one.other),
            )
            for one in terms.ratios
        ]  # fmt: skip
        rows += [BoundRow(0, _text(path), kind="fixed") for path in terms.fixed]
        rows += [BoundRow(0, _text(one.path), percent(one.margin), kind="margin") for one in terms.margins]
    return with_spare_rows([replace(row, number=number) for number, row in enumerate(rows)])


def rows_posted(data: QueryDict) -> list[BoundRow]:
    """The rows of a sent form, empty ones left out."""
    return list(_rows_posted(data))


def _rows_posted(data: QueryDict) -> Iterator[BoundRow]:
    kept = 0
    for number in range(MOST_BOUNDS + SPARE_ROWS):
        if f"bound-{number}-path" not in data:
            continue
        path, low, high, within, kind = (
            data.get(f"bound-{number}-{name}", "").strip() for name in ("path", "low", "high", "within", "kind")
        )
        row = BoundRow(kept, path, low, high, kind=kind if kind in KINDS else "spend", within=within)
        if not row.is_empty:
            kept += 1
            yield row


def with_spare_rows(rows: Sequence[BoundRow]) -> list[BoundRow]:
    """Rows with some empty ones below to type into."""
    return [*rows, *(BoundRow(len(rows) + at) for at in range(SPARE_ROWS))]


def given_by_rows(rows: Sequence[BoundRow], paths: Mapping[Path, int]) -> dict[str, Any]:
    """What the rows say, as `read_terms` takes it."""
    known = {ARROW.join(path): path for path in paths}

    def path_of(text: str) -> list[str]:
        return list(known.get(text, tuple(part.strip() for part in text.split(ARROW.strip()) if part.strip())))

    given: dict[str, list[Any]] = {name: [] for name in _LISTS.values()}
    for row in rows:
        path = path_of(row.path)
        if row.kind == "spend":
            entry: Any = {"path": path, "min_spend": row.low, "max_spend": row.high}
        elif row.kind == "share":
            low, high = fraction(row.low), fraction(row.high)
            entry = {"path": path, "within": path_of(row.within), "min_share": low, "max_share": high}
        elif row.kind == "ratio":
            other = path_of(row.within)
            entry = {"path": path, "other": other, "min_ratio": row.low, "max_ratio": row.high}
        elif row.kind == "margin":
            entry = {"path": path, "margin": fraction(row.low or row.high)}
        else:
            entry = path
        given[_LISTS[row.kind]].append(entry)
    return given


def row_at(rows: Sequence[BoundRow], where: str) -> BoundRow | None:
    """The row that a finding such as `shares[1].within` is about; None where it is about none."""
    name, bracket, rest = where.partition("[")
    number = rest.partition("]")[0]
    if not bracket or not number.isdecimal():
        return None
    mine = [row for row in rows if _LISTS[row.kind] == name]
    return mine[int(number)] if int(number) < len(mine) else None


def fraction(typed: str) -> Any:
    """A percentage as a fraction; what is no number stays as it is, to be refused in its own words."""
    if not typed.strip():
        return ""
    number = read_decimal(typed)
    # A hundredth of a number outside these sizes has no exact decimal, or none at all.
    return number / 100 if number.is_finite() and abs(number.adjusted()) <= _SIZES else typed


def percent(value: Decimal | None) -> str:
    """A fraction as a person types a percentage."""
    return plain(None if value is None else value * 100)


def plain(value: Decimal | None) -> str:
    """A number without zeros that say nothing."""
    if value is None:
        return ""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _text(path: Path) -> str:
    return ARROW.join(path)
