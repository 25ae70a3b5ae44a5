"""The answer to a metric request: lines, totals of the same lines, and where every figure comes from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final, Literal

import polars as pl

from metrics.core.attribution import Fit
from metrics.core.coverage import Gap, LeftOut, ReportUsed
from metrics.core.definitions import DIMENSIONS
from metrics.core.incrementality import Factor
from metrics.core.metric import PREVIOUS
from metrics.core.parts import finished, is_sum
from metrics.core.request import MetricRequest

CURRENCY: Final = "currency"
Severity = Literal["info", "warn"]
__all__ = [
    "CURRENCY",
    "PREVIOUS",
    "AttributionUsed",
    "MetricTable",
    "Notice",
    "Provenance",
    "Restating",
    "roll_up",
    "sum_of_known",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """Something a reader must know to read the figures right."""

    code: str
    severity: Severity
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AttributionUsed:
    """The rule under which a network's outcomes are counted: the column read, and its words for people.

    Attributes:
        metric: name of the figure.
        column: empty where the network tells nothing that may be read.
        fit: whether it is the network's headline, or exactly, nearly or not at all under the common rule.
        difference: from the common rule, in words.
    """

    network: str
    metric: str
    column: str
    label: str
    fit: Fit = "headline"
    difference: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Restating:
    """Until when the figures of an account may still change."""

    network: str
    account: str
    until: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """Where the figures come from.

    Attributes:
        as_of: when the newest data was published; None where there is none.
        version: of the event table.
        factors: incrementality factors that figures were multiplied with.
    """

    as_of: datetime | None = None
    version: int | None = None
    reports: tuple[ReportUsed, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    gaps: tuple[Gap, ...] = ()
    attributions: tuple[AttributionUsed, ...] = ()
    restating: tuple[Restating, ...] = ()
    factors: tuple[Factor, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricTable:
    """Figures.

    Every frame has the columns of the dimensions (and `<name>_label` where people call the member otherwise),
    `currency`, the metrics asked for and the additive ones they rest on; with a comparison each figure also as
    `previous.<name>`. Sums of money are exact decimals, ratios float64, and null is "not told", which is not 0.

    Attributes:
        lines: one per member and currency, sorted, at most `request.limit`.
        rest: the lines beyond the limit as one per currency; empty where there are none.
        totals: one per currency, of `lines` and `rest` together.
        line_count: how many lines there are without a limit.
    """

    request: MetricRequest
    lines: pl.DataFrame
    rest: pl.DataFrame
    totals: pl.DataFrame
    line_count: int
    notices: tuple[Notice, ...] = ()
    provenance: Provenance = field(default_factory=Provenance)

    @property
    def currencies(self) -> list[str]:
        """Currencies of the figures; more than one are never added up."""
        return [str(code) for code in self.totals[CURRENCY].drop_nulls()]

    @property
    def is_empty(self) -> bool:
        return self.line_count == 0


def roll_up(lines: pl.DataFrame, request: MetricRequest, by: Sequence[str]) -> pl.DataFrame:
    """Sums of lines by some of their dimensions and by currency, ratios computed anew from the sums.

    Members keep the order in which their first line stands.
    """
    parts = [column for column in lines.columns if is_sum(column, request)]
    labels = [DIMENSIONS[name].label_name for name in by if DIMENSIONS[name].label_columns]
    keys = list(dict.fromkeys((*by, CURRENCY)))
    summed = lines.group_by(keys, maintain_order=True).agg(
        *(pl.col(label).drop_nulls().first() for label in labels), *(sum_of_known(pl.col(part)) for part in parts)
    )
    return finished(summed, request)


def sum_of_known(expression: pl.Expr) -> pl.Expr:
    """A sum that is null, not 0, where nothing is known."""
    return pl.when(expression.is_not_null().any()).then(expression.sum())
