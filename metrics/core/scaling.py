"""Attributed sums times incrementality factors: rows are first summed by the factor that holds for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import polars as pl

from harmonization.core.rmis import MONEY
from metrics.core.conversion import converted
from metrics.core.incrementality import Factor, factor_frame, in_force, index_expression
from metrics.core.parts import MEASURED, TESTED, Part, Sources, basis_of, outcomes_of
from metrics.core.request import NATIVE, MetricRequest

_INDEX = "factor."


@dataclass(frozen=True, slots=True)
class Scaling:
    """Factors in force by outcome, the one that counts first."""

    by_outcome: Mapping[str, Sequence[Factor]]

    @classmethod
    def of(cls, request: MetricRequest, factors: Sequence[Factor]) -> Self:
        """For a request: empty where none of its figures is incremental."""
        wanted = dict.fromkeys(
            metric.outcome for metric in outcomes_of(request) if basis_of(metric, request) == "incremental"
        )
        return cls({outcome: in_force(factors, outcome, *request.periods) for outcome in wanted})

    @property
    def factors(self) -> list[Factor]:
        """All of them."""
        return [factor for factors in self.by_outcome.values() for factor in factors]

    @property
    def names(self) -> list[str]:
        """Columns that hold a row's factor, as its position; none where nothing has to be multiplied."""
        return [_INDEX + outcome for outcome, factors in self.by_outcome.items() if factors]

    def indices(self, known: frozenset[str]) -> list[pl.Expr]:
        """Those columns."""
        return [
            index_expression(factors, known).alias(_INDEX + outcome)
            for outcome, factors in self.by_outcome.items()
            if factors
        ]

    def shares(self, request: MetricRequest, sources: Sources) -> list[Part]:
        """Hidden sums of the spend whose sales have a factor, and one that an experiment found."""
        factors = self.by_outcome.get("sales")
        if not factors:
            return []
        index = index_expression(factors, sources.known)
        spend = pl.col("spend") if request.money == NATIVE else converted(pl.col("spend"))
        tested = [at for at, factor in enumerate(factors) if factor.tested]
        return [
            Part(name=MEASURED, value=pl.when(index.is_not_null()).then(spend), money=True),
            Part(name=TESTED, value=pl.when(index.is_in(tested)).then(spend), money=True),
        ]

    def applied(self, sums: pl.LazyFrame, parts: Sequence[Part]) -> pl.LazyFrame:
        """Sums by factor with those multiplied that are incremental, to the precision of storage."""
        for outcome, factors in self.by_outcome.items():
            if factors:
                sums = sums.join(factor_frame(factors, _INDEX + outcome), on=_INDEX + outcome, how="left")
        return sums.with_columns(
            (pl.col(part.name).cast(pl.Float64) * pl.col(f"{_INDEX}{part.factor[0]}.{part.factor[1]}").fill_null(1.0))
            .round(6)
            .cast(MONEY)
            .alias(part.name)
            for part in parts
            if part.factor is not None and self.by_outcome.get(part.factor[0])
        )
