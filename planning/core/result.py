"""What a solved scenario says, line by line, in whole cents that add up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal
from typing import Any

from optimization.core.problem import Path
from planning.core.aim_words import objective_words
from planning.core.prices import constraint_key
from planning.core.terms import CENT, ScenarioTerms

_WORDS = {
    "out_of_stock": "out of stock",
    "own_cap": "largest change",
    "own_floor": "largest change",
    "node_cap": "cap",
    "node_floor": "floor",
    "min_roas": "least ROAS",
    "max_cpa": "most CPA",
}


@dataclass(frozen=True, kw_only=True)
class ResultLine:
    """One line of a budget before and after; money over the horizon, returns in money per money.

    Attributes:
        cell: its id; empty for the reserve and for what is not spent.
        product: what people call its SKU, where the catalogue knows it.
        gain: 80 % interval of the change in expected sales; None where there is none.
        binding: what keeps it from having more, in two words; empty where only the budget does.
        constraint: the same as a key, that of `planning.core.prices`; empty where nothing binds.
    """

    cell: str
    label: str
    path: Path = ()
    product: str = ""
    tone: str = ""
    now: Decimal
    proposed: Decimal
    sales_now: float | None = None
    sales_proposed: float | None = None
    marginal_now: float | None = None
    marginal: float | None = None
    gain: tuple[float, float] | None = None
    binding: str = ""
    constraint: str = ""
    why: str = ""
    out_of_stock: bool = False

    @property
    def change(self) -> Decimal:
        return self.proposed - self.now


@dataclass(frozen=True, kw_only=True)
class Result:
    """A solved scenario.

    Attributes:
        lines: by size of change; the reserve and what stays unspent are lines too, so that `proposed` adds up to the
            budget.
        sales_now: expected sales of the current spend; what is spent on an empty shelf sells nothing.
        marginal: what one more unit of budget adds to what is `maximised`.
    """

    lines: tuple[ResultLine, ...]
    now: Decimal
    proposed: Decimal
    sales_now: float
    sales_proposed: float
    moved: Decimal
    freed: Decimal
    marginal: float | None
    maximised: str = "sales"

    @property
    def allocated(self) -> Decimal:
        """Money that the solver placed."""
        return sum((line.proposed for line in self.lines if line.cell), Decimal(0))

    @property
    def gain(self) -> float:
        return self.sales_proposed - self.sales_now

    @property
    def roas_now(self) -> float | None:
        return self.sales_now / float(self.now) if self.now else None

    @property
    def roas_proposed(self) -> float | None:
        return self.sales_proposed / float(self.allocated) if self.allocated else None


def whole_cents(amounts: Sequence[float], total: Decimal) -> list[Decimal]:
    """Amounts in cents that add up to `total`: each rounded down, the cents left to the largest remainders."""
    floors = [Decimal(repr(amount)).quantize(CENT, ROUND_FLOOR) for amount in amounts]
    left = int((total - sum(floors, Decimal(0))) / CENT)
    by_remainder = sorted(range(len(amounts)), key=lambda at: (float(floors[at]) - amounts[at], at))
    step = CENT if left >= 0 else -CENT
    for at in by_remainder[: abs(left)] if left >= 0 else by_remainder[left:]:
        floors[at] += step
    return floors


def read_result(
    terms: ScenarioTerms,
    solution: Mapping[str, Any],
    *,
    paths: Mapping[str, Path],
    current: Mapping[str, Decimal],
    elsewhere: Decimal,
    gains: Mapping[str, Sequence[float]],
    products: Mapping[tuple[str, str], str],
    tones: Mapping[str, str],
) -> Result:
    """A stored solution for people.

    Args:
        paths: by cell id.
        current: spend now by cell id; `elsewhere` is spend now in lines that no curve describes.
        gains: interval of the gain, by cell id.
        products: by (retailer, SKU).
        tones: colour of a retailer, by its name.
    """
    stored = list(solution["lines"])
    placed = Decimal(repr(sum(line["proposed"] for line in stored))).quantize(CENT)
    # The solver's sum misses a used-up budget by rounding only.
    placed = terms.available if abs(placed - terms.available) <= CENT else placed
    cents = whole_cents([line["proposed"] for line in stored], placed)
    lines = [
        _line(line, amount, paths[line["cell"]], current, gains, products, tones)
        for line, amount in zip(stored, cents, strict=True)
    ]
    lines.sort(key=lambda line: (-abs(line.change), line.label))
    extra = []
    if elsewhere:
        extra.append(
            ResultLine(cell="", label="Lines without a curve", now=elsewhere, proposed=Decimal(0),
                       why="Spent now, but too little is known of its response to plan with.")
        )  # fmt: skip
    if terms.reserve:
        extra.append(
            ResultLine(cell="", label="Experiment reserve", now=Decimal(0), proposed=terms.reserve,
                       binding=f"reserve {terms.reserve_fraction:.2%}", why="Held back for experiments; not optimised.")
        )  # fmt: skip
    if unspent := terms.available - placed:
        extra.append(
            ResultLine(cell="", label="Not spent", now=Decimal(0), proposed=unspent,
                       why=solution.get("unspent", {}).get("why")
                       or "No line may take more: each is at a bound, or more would break the least ROAS.")
        )  # fmt: skip
    every = (*lines, *extra)
    sellable = [line for line in lines if not line.out_of_stock]
    return Result(
        lines=every,
        now=sum((line.now for line in every), Decimal(0)),
        proposed=sum((line.proposed for line in every), Decimal(0)),
        sales_now=sum(line.sales_now or 0.0 for line in sellable),
        sales_proposed=sum(line.sales_proposed or 0.0 for line in sellable),
        moved=sum((-line.change for line in lines if line.change < 0), Decimal(0)),
        freed=sum((line.now for line in lines if line.out_of_stock), Decimal(0)),
        marginal=solution.get("budget_shadow_price"),
        maximised=objective_words(terms),
    )


def _line(
    line: Mapping[str, Any],
    amount: Decimal,
    path: Path,
    current: Mapping[str, Decimal],
    gains: Mapping[str, Sequence[float]],
    products: Mapping[tuple[str, str], str],
    tones: Mapping[str, str],
) -> ResultLine:
    reason = line["reason"]
    retailer, sku = path[1], path[-1]
    out = reason["kind"] == "out_of_stock"
    gain = gains.get(line["cell"])
    word = _WORDS.get(reason["kind"], "")
    at = reason["path"]
    return ResultLine(
        cell=line["cell"],
        label=line_label(path),
        path=path,
        product=products.get((retailer, sku), ""),
        tone=tones.get(retailer, ""),
        now=current.get(line["cell"], Decimal(0)),
        proposed=amount,
        sales_now=line["revenue_now"],
        sales_proposed=line["revenue_proposed"],
        marginal_now=None if out else line["marginal_now"],
        marginal=None if out else line["marginal_proposed"],
        gain=None if gain is None else (gain[0], gain[1]),
        binding=f"{word} of {at[-1]}" if word in ("cap", "floor") and at else word,
        constraint=constraint_key(reason["kind"], at),
        why=reason["text"],
        out_of_stock=out,
    )


def line_label(path: Path) -> str:
    """What people call a line: retailer, placement, SKU."""
    return f"{path[1]} · {placement_words(path[2])} · {path[-1]}"


def placement_words(placement: str) -> str:
    """A canonical placement as people say it: onsite_search_top -> search top."""
    return placement.removeprefix("onsite_").replace("_", " ") if placement != "unknown" else "placement not told"
