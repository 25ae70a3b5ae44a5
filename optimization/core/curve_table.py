"""The curves of a version as a table: what each cell returns, how sure that is, and what people laid over it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from optimization.core.cells import CellKey
from optimization.core.curve_shapes import Z80, band_factors
from optimization.core.factors import Factor, Factors
from optimization.core.responses import Family, Responses

#: Fewer weeks than this, and a curve is mostly that of its neighbours.
FEW_WEEKS: Final = 6


@dataclass(frozen=True, kw_only=True)
class CurveRow:
    """One cell.

    Attributes:
        usual: spend of a usual week, where the curve is known best, money.
        roas: return of that spend, with the ends of its 80 % interval.
        marginal: return of the next unit of money there.
        shrinkage: share of the shape that comes from other cells.
        overridden, prior: who changed the curve and why; empty where nobody did.
        factor: of its incrementality; None where nothing says.
        tone: colour of its retailer.
    """

    key: CellKey
    product: str
    family: str
    a: float
    k: float
    usual: float
    roas: float
    roas_low: float
    roas_high: float
    marginal: float
    shrinkage: float
    weeks: int
    r2: float | None
    notes: tuple[str, ...] = ()
    overridden: Mapping[str, Any] = field(default_factory=dict)
    prior: Mapping[str, Any] = field(default_factory=dict)
    factor: Factor | None = None
    tone: str = ""

    @property
    def placement(self) -> str:
        """The placement in words."""
        return self.key.placement.replace("_", " ") if self.key.placement != "unknown" else "placement not told"

    @property
    def family_words(self) -> str:
        """The family in words."""
        return self.family.replace("_", " ")


@dataclass(frozen=True, kw_only=True)
class CurveFilter:
    """Which cells are shown; empty is all.

    Attributes:
        search: a part of the SKU or of the product's name.
        state: overridden, prior or few_weeks.
    """

    retailer: str = ""
    placement: str = ""
    search: str = ""
    state: str = ""

    def keeps(self, row: CurveRow) -> bool:
        """Whether a row is shown."""
        text = self.search.strip().casefold()
        states: dict[str, bool] = {
            "overridden": bool(row.overridden), "prior": bool(row.prior), "few_weeks": row.weeks < FEW_WEEKS
        }  # fmt: skip
        return (
            self.retailer in ("", row.key.retailer)
            and self.placement in ("", row.key.placement)
            and (not text or text in row.key.sku.casefold() or text in row.product.casefold())
            and states.get(self.state, True)
        )


#: States one can filter by, in words.
STATES: Final[dict[str, str]] = {
    "overridden": "Overridden", "prior": "With a prior", "few_weeks": f"Fewer than {FEW_WEEKS} weeks"
}  # fmt: skip
SORTS: Final[dict[str, Callable[[CurveRow], Any]]] = {
    "cell": lambda row: row.key,
    "usual": lambda row: row.usual,
    "roas": lambda row: row.roas,
    "marginal": lambda row: row.marginal,
    "shrinkage": lambda row: row.shrinkage,
    "weeks": lambda row: row.weeks,
}


def curve_rows(
    records: Sequence[Mapping[str, Any]],
    *,
    products: Mapping[tuple[str, str], str],
    factors: Factors,
    tones: Mapping[str, str],
) -> list[CurveRow]:
    """One row per curve, in the order of the records.

    Args:
        products: name by (retailer, SKU).
        tones: colour by retailer.
    """
    params = [record["params"] for record in records]
    curves = Responses.of(
        [int(Family[record["family"].upper()]) for record in records],
        [float(one["a"]) for one in params],
        [float(one["k"]) for one in params],
        [float(one.get("p", one.get("n", 1.0))) for one in params],
    )
    usual = np.array([float(record.get("reference_spend", 0.0)) for record in records])
    error = np.array([float(record.get("reference_relative_se", 0.0)) for record in records])
    safe = np.where(usual > 0.0, usual, 1.0)
    roas = np.where(usual > 0.0, curves.value(safe) / safe, 0.0)
    marginal = np.where(usual > 0.0, curves.marginal(safe), 0.0)
    low, high = np.exp(-Z80 * error), np.exp(Z80 * error)
    for at, record in enumerate(records):
        if record.get("band"):
            ends = band_factors(tuple(map(tuple, record["band"])), np.ones(1), Z80)
            low[at], high[at] = float(ends[0][0]), float(ends[1][0])
    return [
        CurveRow(
            key=(key := CellKey(record["retailer"], record["placement"], record["sku"])),
            product=products.get((key.retailer, key.sku), ""),
            family=record["family"],
            a=float(record["params"]["a"]),
            k=float(record["params"]["k"]),
            usual=float(usual[at]),
            roas=float(roas[at]),
            roas_low=float(roas[at] * low[at]),
            roas_high=float(roas[at] * high[at]),
            marginal=float(marginal[at]),
            shrinkage=float(record.get("shrinkage", 1.0)),
            weeks=int(record.get("n_weeks", 0)),
            r2=record.get("r2"),
            notes=tuple(record.get("notes", ())),
            overridden=record.get("overridden", {}),
            prior=record.get("prior", {}),
            factor=factors.for_cell(key.retailer, key.placement),
            tone=tones.get(key.retailer, ""),
        )
        for at, record in enumerate(records)
    ]


def chosen(rows: Sequence[CurveRow], wanted: CurveFilter, sort: str) -> list[CurveRow]:
    """The rows that a filter keeps, in the order asked: a name of `SORTS`, `-` before it for descending."""
    kept = [row for row in rows if wanted.keeps(row)]
    key = SORTS.get(sort.removeprefix("-"), SORTS["usual"])
    return sorted(kept, key=key, reverse=sort.startswith("-") if sort.removeprefix("-") in SORTS else True)
