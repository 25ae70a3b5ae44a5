"""Two to five scenarios side by side: totals, what was asked differently, and where their money differs most.

What cannot be compared as it stands is named: horizons of different lengths, other curves, another objective. Money is
over each scenario's own horizon, or per week of it where that is asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from datetime import date
from decimal import Decimal
from enum import Enum
from typing import Any, Final, Literal

from optimization.core.problem import Path, path_text
from planning.core.aim_words import objective_words
from planning.core.amounts import amount_text
from planning.core.result import Result, ResultLine, whole_cents
from planning.core.terms import CENT, ScenarioTerms

LEAST, MOST = 2, 5
Kind = Literal["money", "ratio", "percent", "text"]
_LABELS: Final = {
    "total_budget": "Total budget",
    "reserve_fraction": "Experiment reserve",
    "min_roas": "Least ROAS",
    "max_change_fraction": "Largest change of a line",
    "stock_cover_threshold_days": "Days of stock needed",
    "min_iroas": "Least incremental ROAS",
    "min_iroas_by": "Least incremental ROAS is judged by",
    "max_cpa": "Most cost per order",
    "margin_fraction": "Margin where none is known",
    "margins": "Margin",
    "fixed": "Held as now",
    "shares": "Share",
    "ratios": "Ratio",
    "season": "Seasons of the weeks",
    "tail_fraction": "Worst cases that count",
    "fair_fraction": "Least of its current part",
}
_LIMITS: Final = {
    "min_spend": "at least",
    "max_spend": "at most",
    "min_share": "at least",
    "max_share": "at most",
    "min_ratio": "at least, times",
    "max_ratio": "at most, times",
}
_MONEY: Final = ("total_budget", "min_spend", "max_spend", "max_cpa")


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A scenario that is compared.

    Attributes:
        status, state: in words, and as stored.
        result: None where it has no allocation; `reason` then says why.
        curves: which curves it was solved with, `curves_key` tells them apart.
        sales: 80 % interval of expected sales; `expected` their middle.
        prices: constraint in words -> what one more unit of it is worth, of those that bind.
        incremental: what its ads cause of the sales, by factors; None where no factor speaks of its lines.
        chance: that it beats the current spend.
    """

    key: str
    label: str
    name: str
    status: str
    state: str
    brand: str
    currency: str
    terms: ScenarioTerms
    reason: str = ""
    curves: str = ""
    curves_key: str = ""
    attribution: str = ""
    now_days: str = ""
    result: Result | None = None
    sales: tuple[float, float] | None = None
    expected: float | None = None
    incremental: float | None = None
    chance: float | None = None
    prices: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Row:
    """One fact of every scenario; None where a scenario does not have it."""

    label: str
    kind: Kind
    values: tuple[Any, ...]
    title: str = ""

    @property
    def differs(self) -> bool:
        return len({str(value) for value in self.values}) > 1


@dataclass(frozen=True, kw_only=True)
class ComparedLine:
    """One line of a budget in every scenario; an amount of None where the scenario has no such line."""

    cell: str
    label: str
    path: Path
    product: str
    tone: str
    amounts: tuple[Decimal | None, ...]
    bindings: tuple[str, ...]

    @property
    def spread(self) -> Decimal:
        """The largest amount less the smallest; a scenario without the line spends nothing on it."""
        told = [amount or Decimal(0) for amount in self.amounts]
        return max(told) - min(told)


@dataclass(frozen=True, kw_only=True)
class Subtotal:
    """What all lines under a node get."""

    path: Path
    amounts: tuple[Decimal | None, ...]


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Scenarios side by side, in the order they were asked for.

    Attributes:
        per_week: money is per week of each one's horizon, else over the horizon.
        cautions: what makes the figures not directly comparable, in words.
        terms: what was asked, where `differs` says that not all ask the same.
        lines: largest difference first. Lines and `totals` of one scenario add up to its budget.
    """

    candidates: tuple[Candidate, ...]
    per_week: bool
    cautions: tuple[str, ...]
    totals: tuple[Row, ...]
    terms: tuple[Row, ...]
    lines: tuple[ComparedLine, ...]

    @property
    def currency(self) -> str:
        """Of all amounts: that of the scenarios with an answer."""
        return _currency(self.candidates)

    @property
    def scopes(self) -> tuple[Path, ...]:
        """Nodes of channel, retailer and placement that some line lies under, from the top down."""
        return tuple(sorted({line.path[:depth] for line in self.lines if line.path for depth in (1, 2, 3)}))

    def sums(self, lines: Sequence[ComparedLine]) -> tuple[Decimal | None, ...]:
        """What these lines get together, per scenario."""
        return _sums(lines) if lines else tuple(None for _ in self.candidates)

    @property
    def bindings(self) -> tuple[str, ...]:
        """Every constraint that binds some line."""
        return tuple(sorted({word for line in self.lines for word in line.bindings if word}))

    def narrowed(self, *, scope: Path = (), constraint: str = "") -> tuple[ComparedLine, ...]:
        """Lines under a node, and those that a constraint binds in some scenario."""
        return tuple(
            line
            for line in self.lines
            if line.path[: len(scope)] == scope and (not constraint or constraint in line.bindings)
        )

    def subtotals(self, lines: Sequence[ComparedLine], depth: int) -> tuple[Subtotal, ...]:
        """Sums by the first `depth` levels, in order of path; lines outside the tree are left out."""
        paths = sorted({line.path[:depth] for line in lines if line.path})
        return tuple(
            Subtotal(path=path, amounts=_sums([one for one in lines if one.path[:depth] == path])) for path in paths
        )


def compare(candidates: Sequence[Candidate], *, per_week: bool = False) -> Comparison:
    """Lay scenarios side by side. Those without an allocation keep their column, without figures."""
    return Comparison(
        candidates=tuple(candidates),
        per_week=per_week,
        cautions=tuple(_cautions(candidates, per_week)),
        totals=tuple(_totals(candidates, per_week)),
        terms=tuple(_terms(candidates)),
        lines=_lines(candidates, per_week),
    )


def term_words(terms: ScenarioTerms, currency: str) -> dict[str, str]:
    """What is asked, label -> value. A field that is new to the terms is told by its own name."""
    told = {"Horizon": f"{_day(terms.horizon_start)} to {_day(terms.horizon_end)}, {terms.days} days"}
    for one in fields(terms):
        value = getattr(terms, one.name)
        if one.name in ("name", "horizon_start", "horizon_end") or value in (None, (), ""):
            continue
        if one.name == "min_iroas_by" and terms.min_iroas is None:
            continue  # says nothing without the limit it is of
        label = _LABELS.get(one.name, _words(one.name))
        if isinstance(value, tuple) and not isinstance(value[0], Decimal):
            for item in value:
                told |= _item_words(label, item, currency)
        else:
            told[label] = _value_words(one.name, value, currency)
    return told


def _item_words(label: str, item: Any, currency: str) -> dict[str, str]:
    if isinstance(item, tuple):
        return {f"{path_text(item)}, {label.lower()}": "yes"}
    if not is_dataclass(item):
        return {f"{label}: {item}": "yes"}
    place = path_text(getattr(item, "path", ())) if getattr(item, "path", ()) else label
    if within := getattr(item, "within", None):
        place = f"{place} of {path_text(within)}"
    if other := getattr(item, "other", None):
        place = f"{place} against {path_text(other)}"
    told = {}
    for one in fields(item):
        value = getattr(item, one.name)
        if one.name in ("path", "within", "other") or value is None or value == "":
            continue
        word = _LIMITS.get(one.name, _words(one.name).lower())
        told[f"{place}, {word}"] = _value_words(one.name, value, currency)
    return told


def _value_words(name: str, value: Any, currency: str) -> str:
    if isinstance(value, Decimal):
        if name == "margin" or name.endswith(("_fraction", "_share")):
            return f"{value:.2%}"
        if name in _MONEY or name.endswith(("_budget", "_budgets", "_spend", "_amount")):
            return amount_text(value, currency)
        return f"{value.normalize():f}"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Enum):
        value = value.value
    if isinstance(value, list | tuple):
        return ", ".join(_value_words(name, item, currency) for item in value)
    return str(value).replace("_", " ")


def _words(name: str) -> str:
    return name.replace("_", " ").capitalize()


def _day(day: date) -> str:
    return f"{day:%-d %b %Y}"


def _cautions(candidates: Sequence[Candidate], per_week: bool) -> Iterator[str]:
    def told(of: Callable[[Candidate], str]) -> str:
        return "; ".join(f"{one.label} {of(one)}" for one in candidates)

    def differ(of: Callable[[Candidate], Any]) -> bool:
        return len({of(one) for one in candidates}) > 1

    if differ(lambda one: one.terms.days):
        way = "Money is per week of each." if per_week else "Money is over each one's own horizon; look at it per week."
        yield f"Horizons differ in length: {told(lambda one: f'{one.terms.days} days')}. {way}"
    elif differ(lambda one: one.terms.horizon_start):
        yield f"Horizons begin on different days: {told(lambda one: _day(one.terms.horizon_start))}."
    answered = [one for one in candidates if one.curves_key]
    if len({one.curves_key for one in answered}) > 1:
        which = "; ".join(f"{one.label} {one.curves}" for one in answered)
        yield f"Solved with different curves, so expected sales differ for that alone: {which}."
    if len({one.attribution for one in answered}) > 1:
        which = "; ".join(f"{one.label} {one.attribution.replace('_', ' ')}" for one in answered)
        yield f"Sales are attributed differently: {which}."
    if differ(lambda one: one.brand):
        yield f"Of different brands: {told(lambda one: one.brand)}."
    if differ(lambda one: objective_words(one.terms)):
        yield f"Different objectives: {told(lambda one: objective_words(one.terms))}."
    for one in candidates:
        if one.result is None:
            yield f"{one.label} is {one.status} and has no figures. {one.reason}".rstrip()


def _totals(candidates: Sequence[Candidate], per_week: bool) -> Iterator[Row]:
    def row(label: str, kind: Kind, of: Callable[[Candidate, Result], Any], title: str = "") -> Row:
        values = tuple(None if one.result is None else of(one, one.result) for one in candidates)
        return Row(label=label, kind=kind, values=values, title=title)

    def scaled(one: Candidate, amount: Any) -> float | None:
        return None if amount is None else float(amount) / (one.terms.weeks if per_week else 1.0)

    # What is not solved may be of other money; its budget then stands among what is asked, in that.
    same = _currency(candidates)
    budgets = [scaled(one, one.terms.total_budget) if one.currency == same else None for one in candidates]
    yield Row(label="Budget", kind="money", values=tuple(budgets))
    yield row("Spend", "money", lambda one, result: scaled(one, result.allocated), "What the lines get together")
    yield row("Spend now", "money", lambda one, result: scaled(one, result.now))
    yield row("Expected sales", "money", lambda one, _: scaled(one, one.expected))
    for at, word in ((0, "low"), (1, "high")):
        yield row(
            f"Expected sales, {word}", "money",
            lambda one, _, at=at: scaled(one, one.sales[at] if one.sales else None),  # type: ignore[misc]
            "End of the 80 % interval",
        )  # fmt: skip
    yield row(
        "Incremental sales", "money", lambda one, _: scaled(one, one.incremental),
        "Expected sales times the factors it counts with; lines that none speaks of count as reported",
    )  # fmt: skip
    yield row("Gain on now", "money", lambda one, result: scaled(one, result.gain))
    yield row("ROAS", "ratio", lambda _, result: result.roas_proposed)
    maximised = dict.fromkeys(one.result.maximised for one in candidates if one.result is not None)
    what = next(iter(maximised), "sales") if len(maximised) < 2 else "what each one maximises"
    yield row(
        "Marginal return" if what == "sales" else f"Marginal return, {what}", "ratio",
        lambda _, result: result.marginal, f"Expected {what} from one more unit of budget",
    )  # fmt: skip
    yield row("Chance it beats now", "percent", lambda one, _: one.chance)
    yield row("Binding constraints", "text", lambda one, _: str(len(one.prices)))
    binding = dict.fromkeys(words for one in candidates for words in one.prices)
    for words in binding:
        yield row(f"Price of: {words}", "ratio", lambda one, _, words=words: one.prices.get(words),  # type: ignore[misc]
                  "Objective gained by one more unit of this constraint; nothing where it does not bind")  # fmt: skip


def _currency(candidates: Sequence[Candidate]) -> str:
    return next((one.currency for one in candidates if one.result is not None), candidates[0].currency)


def _terms(candidates: Sequence[Candidate]) -> Iterator[Row]:
    told = [term_words(one.terms, one.currency) for one in candidates]
    yield Row(label="Scope", kind="text", values=tuple(one.brand for one in candidates))
    for label in dict.fromkeys(label for words in told for label in words):
        yield Row(label=label, kind="text", values=tuple(words.get(label) for words in told))
    yield Row(label="Curves", kind="text", values=tuple(one.curves or None for one in candidates))
    yield Row(label="Now is measured over", kind="text", values=tuple(one.now_days or None for one in candidates))


def _lines(candidates: Sequence[Candidate], per_week: bool) -> tuple[ComparedLine, ...]:
    found: dict[str, list[ResultLine | None]] = {}
    amounts: dict[str, list[Decimal | None]] = {}
    for at, one in enumerate(candidates):
        if one.result is None:
            continue
        lines = [line for line in one.result.lines if line.cell or line.proposed]
        shown = [line.proposed for line in lines]
        if per_week and lines:
            weeks = one.terms.weeks
            total = (one.result.proposed / Decimal(repr(weeks))).quantize(CENT)
            shown = whole_cents([float(line.proposed) / weeks for line in lines], total)
        for line, amount in zip(lines, shown, strict=True):
            key = line.cell or line.label
            found.setdefault(key, [None] * len(candidates))[at] = line
            amounts.setdefault(key, [None] * len(candidates))[at] = amount
    compared = []
    for key, lines_of in found.items():
        first = next(line for line in lines_of if line is not None)
        compared.append(
            ComparedLine(
                cell=first.cell, label=first.label, path=first.path, product=first.product, tone=first.tone,
                amounts=tuple(amounts[key]),
                bindings=tuple("" if line is None else line.binding for line in lines_of),
            )
        )  # fmt: skip
    return tuple(sorted(compared, key=lambda line: (not line.cell, -line.spread, line.label)))


def _sums(lines: Sequence[ComparedLine]) -> tuple[Decimal | None, ...]:
    columns = zip(*(line.amounts for line in lines), strict=True)
    return tuple(
        None
        if all(amount is None for amount in column)
        else sum((amount or Decimal(0) for amount in column), Decimal(0))
        for column in columns
    )
