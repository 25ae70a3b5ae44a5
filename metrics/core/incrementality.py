"""Incrementality factors: which share of attributed outcomes the ads caused, with an interval.

A factor holds for a scope: a brand, a retailer, a placement, a campaign type, or any of those that it leaves open. Of
several that hold for a row the most specific counts; of equally specific ones the one that was published last. Where
none does, the factor is 1 and the row counts as untested.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final, Literal

import polars as pl

from metrics.core.dimension import DIMENSIONS
from metrics.core.request import Period

Evidence = Literal["experiment", "counterfactual", "econometric", "proxy", "judgement"]
#: How a factor was found, from the strongest evidence down.
EVIDENCE: Final[dict[str, str]] = {
    "experiment": "randomised experiment",
    "counterfactual": "modelled counterfactual (geo or time)",
    "econometric": "econometric model",
    "proxy": "taken over from a similar scope",
    "judgement": "judgement of a person, with the reason",
}
OUTCOMES: Final = ("sales", "orders", "units")
#: Halo can make a factor greater than 1, and cannibalised sales make it negative; beyond this it is a mistake.
LARGEST: Final = 10
#: Every row is compared with each factor in force.
MOST_FACTORS: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Factor:
    """One factor in force.

    Attributes:
        brand, retailer, placement, campaign_type: the scope; empty means any. Brand and retailer are ids.
        scope: the same in words.
        low, value, high: the estimate with its interval, low <= value <= high.
        valid_from, valid_to: days of the rows it holds for; None is open.
    """

    id: str
    outcome: str
    brand: str = ""
    retailer: str = ""
    placement: str = ""
    campaign_type: str = ""
    scope: str = ""
    low: float
    value: float
    high: float
    level: float
    evidence: str
    method: str
    source: str
    version: int
    valid_from: date | None = None
    valid_to: date | None = None

    @property
    def specific(self) -> int:
        """How much of the scope is named; the brand counts most, then retailer, placement and campaign type."""
        named = (self.brand, self.retailer, self.placement, self.campaign_type)
        return sum(weight for weight, value in zip((8, 4, 2, 1), named, strict=True) if value)

    @property
    def tested(self) -> bool:
        """Whether an experiment found it, and not a model."""
        return self.evidence == "experiment"

    def holds_in(self, period: Period) -> bool:
        """Whether some day of a period is in force."""
        return (self.valid_from is None or self.valid_from <= period.end) and (
            self.valid_to is None or self.valid_to >= period.start
        )

    def condition(self, known: frozenset[str]) -> pl.Expr:
        """Whether it holds for a row, by the day on which the row starts."""
        parts = [
            column == value
            for column, value in (
                (pl.col("rmn_brand_id"), self.brand),
                (pl.col("rmn_retailer_id"), self.retailer),
                (DIMENSIONS["placement"].expression(known), self.placement),
                (DIMENSIONS["campaign_type"].expression(known), self.campaign_type),
            )
            if value
        ]
        if self.valid_from is not None:
            parts.append(pl.col("period_start") >= self.valid_from)
        if self.valid_to is not None:
            parts.append(pl.col("period_start") <= self.valid_to)
        return pl.all_horizontal(parts) if parts else pl.lit(True)


def in_force(factors: Sequence[Factor], outcome: str, *periods: Period) -> list[Factor]:
    """Factors of an outcome that hold on some day of the periods, the one that counts first."""
    return sorted(
        (one for one in factors if one.outcome == outcome and any(one.holds_in(period) for period in periods)),
        key=lambda one: (-one.specific, -one.version, one.id),
    )


def index_expression(factors: Sequence[Factor], known: frozenset[str]) -> pl.Expr:
    """Position of the factor that holds for a row among `factors`, which are in the order of `in_force`."""
    if not factors:
        return pl.lit(None, pl.Int32)
    return pl.coalesce(pl.when(factor.condition(known)).then(pl.lit(at, pl.Int32)) for at, factor in enumerate(factors))


def factor_frame(factors: Sequence[Factor], name: str) -> pl.LazyFrame:
    """`name` (position), `low`, `middle`, `high`, each prefixed by `name` and a dot."""
    return pl.LazyFrame(
        [(at, factor.low, factor.value, factor.high) for at, factor in enumerate(factors)],
        schema={name: pl.Int32, f"{name}.low": pl.Float64, f"{name}.middle": pl.Float64, f"{name}.high": pl.Float64},
        orient="row",
    )


def of_scopes(factors: Sequence[Factor], retailers: Collection[str]) -> list[Factor]:
    """Factors that can hold for rows of these retailers."""
    return [factor for factor in factors if not factor.retailer or factor.retailer in retailers]
