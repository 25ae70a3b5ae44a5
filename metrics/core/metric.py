"""What a figure is: how it adds up, which attribution it rests on, and what the guidelines say about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

Unit = Literal["money", "count", "multiple", "fraction"]
Better = Literal["up", "down", "none"]
ChangeKind = Literal["percent", "points", "ratio"]
#: Rule under which outcomes are counted; empty for figures that follow the attribution of the request.
Basis = Literal["", "as_reported", "common_window", "incremental"]
Bound = Literal["low", "middle", "high"]
Standing = Literal["as defined", "with disclosure", "not covered"]

#: Before the name of a figure of the period that is compared with.
PREVIOUS: Final = "previous."
#: Hidden columns beside a figure that is made of them: sums over the rows that tell both parts of a ratio, and the
#: number of rows that a figure which cannot be added comes from.
TOP: Final = "top."
BOTTOM: Final = "bottom."
ROWS: Final = "rows."
SUM: Final = "sum."


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One figure.

    Attributes:
        unit: `money` is in the line's currency, `fraction` is a share (0.084 is 8.4 %), `multiple` a return (5.31).
        column: of the events, for figures that are read as they are.
        optional: only some reports have the column; a row without it does not tell the figure.
        outcome: attributed outcome, for figures whose column an attribution decides.
        ntb: of all buyers, or only of those new to the brand.
        basis: the attribution the figure always rests on; empty follows the request.
        bound: which end of the interval of the incrementality factors it takes.
        unique: counts people; the count of a whole is not the sum of its parts.
        numerator, denominator, scale: of a ratio; the value is scale x sum(numerator) / sum(denominator).
        better: the direction that is welcome; `none` where it depends.
        change: how a difference to another period is told.
        standard: what the IAB/MRC Retail Media Measurement Guidelines (January 2024) say about it.
        standing: whether they define it, ask for a disclosure with it, or do not cover it.
    """

    name: str
    label: str
    unit: Unit
    description: str
    standard: str
    standing: Standing
    column: str = ""
    optional: bool = False
    outcome: str = ""
    ntb: Literal["all", "new"] = "all"
    basis: Basis = ""
    bound: Bound = "middle"
    unique: bool = False
    numerator: str = ""
    denominator: str = ""
    scale: int = 1
    better: Better = "up"
    change: ChangeKind = "percent"

    @property
    def ratio(self) -> bool:
        """Whether it is made of two other figures."""
        return bool(self.numerator)

    @property
    def additive(self) -> bool:
        """Whether the figure of a whole is the sum of the figures of its parts."""
        return not self.numerator and not self.unique

    @property
    def formula(self) -> str:
        """How it is computed, in words of the other metrics and columns."""
        if self.ratio:
            times = "" if self.scale == 1 else f"{self.scale} x "
            return f"{times}{self.numerator} / {self.denominator}"
        if self.unique:
            return f"{self.column} of one row, never added"
        if not self.outcome:
            return f"sum of {self.column}"
        whose = " of new buyers" if self.ntb == "new" else ""
        rule = {
            "": "",
            "as_reported": ", as reported",
            "common_window": ", under the common rule",
            "incremental": f" x factor ({self.bound})",
        }[self.basis]
        return f"sum of attributed {self.outcome}{whose}{rule}"
