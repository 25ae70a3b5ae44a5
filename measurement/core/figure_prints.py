"""Whether two files hold the same figures, whatever their rows are called and however they are written.

Of each file a print is kept: its outcome by unit and period, to three digits, so that a copy with other names, another
order of rows or a breath of noise is told as what it is. Figures that were changed by more, or summed over other
periods or markets, are others to it.
"""

from __future__ import annotations

import io
import zlib
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np
from numpy.typing import NDArray

from measurement.core.arrays import Floats
from measurement.core.panel import Panel
from measurement.core.test_data import SwitchbackLog, TwoArms

Codes = NDArray[np.int32]
#: Cells that a print has at most; of larger panels some days are kept, the same ones of every panel.
_MOST_CELLS: Final = 400_000
#: Two units are one where so many of the periods in which either sold have the same figure, at least so many of them,
#: with so many different figures: small counts agree by chance.
_AGREEING: Final = 0.8
_LEAST: Final = 7
_DIFFERENT: Final = 5
_SUMS: Final = "sums"


@dataclass(frozen=True, eq=False, kw_only=True)
class FigurePrint:
    """What a file holds, as it is compared.

    Attributes:
        layout: panel, log or sums; only the same are compared. units: case-folded names, shape [units].
        periods: days by their ordinal, or numbers, ascending, shape [periods].
        codes: figures to three digits, 0 for none, shape [units, periods]; of sums a check sum of each arm.
    """

    layout: str
    units: tuple[str, ...]
    periods: NDArray[np.int64]
    codes: Codes

    def packed(self) -> bytes:
        """For storage; `unpacked` reads it."""
        out = io.BytesIO()
        np.savez_compressed(
            out, layout=np.array(self.layout), units=np.array(self.units, dtype=np.str_), periods=self.periods,
            codes=self.codes,
        )  # fmt: skip
        return out.getvalue()

    def rows(self, units: Collection[str] | None) -> Codes:
        """Figures of some units by case-folded name, None for all; names that are not there are passed over."""
        if units is None:
            return self.codes
        found: Codes = self.codes[[at for at, one in enumerate(self.units) if one in units]]
        return found


def unpacked(content: bytes) -> FigurePrint:
    """A print as `FigurePrint.packed` wrote it."""
    with np.load(io.BytesIO(content), allow_pickle=False) as kept:
        return FigurePrint(
            layout=str(kept["layout"]), units=tuple(str(one) for one in kept["units"]), periods=kept["periods"],
            codes=kept["codes"],
        )  # fmt: skip


def print_of_panel(panel: Panel) -> FigurePrint:
    """The print of units by periods."""
    numbers = np.array([one.toordinal() if isinstance(one, date) else one for one in panel.periods], dtype=np.int64)
    rate = _MOST_CELLS / max(panel.outcome.size, 1)
    # By a hash of the day, so that two large panels keep the same ones.
    kept = np.array([rate >= 1.0 or zlib.crc32(b"%d" % one) < rate * 2**32 for one in numbers], dtype=bool)
    return FigurePrint(
        layout="panel", units=tuple(one.casefold() for one in panel.units), periods=numbers[kept],
        codes=_codes(panel.outcome[:, kept]),
    )  # fmt: skip


def print_of_log(log: SwitchbackLog) -> FigurePrint:
    """The print of a switchback: its outcome by the number of the period."""
    return FigurePrint(
        layout="log", units=("all",), periods=np.array(log.periods, dtype=np.int64), codes=_codes(log.outcome[None, :])
    )


def print_of_sums(arms: TwoArms) -> FigurePrint:
    """The print of two arms: a check sum of the exact sums of each."""
    sums = [
        zlib.crc32(repr(sorted(one.items())).encode()) & 0x7FFFFFFF for one in (arms.arms[name] for name in arms.names)
    ]
    return FigurePrint(
        layout=_SUMS,
        units=arms.names,
        periods=np.zeros(1, dtype=np.int64),
        codes=np.array(sums, dtype=np.int32)[:, None],
    )


def share_figures(
    one: FigurePrint, other: FigurePrint, *, units: Collection[str] | None, of_other: Collection[str] | None
) -> bool:
    """Whether some unit of one file has the figures of some unit of another, in the periods that both have.

    Args:
        units, of_other: case-folded names of those that are asked about, in each; None for all.
    """
    if one.layout != other.layout:
        return False
    _, mine, theirs = np.intersect1d(one.periods, other.periods, assume_unique=True, return_indices=True)
    a, b = one.rows(units)[:, mine], other.rows(of_other)[:, theirs]
    if one.layout == _SUMS:
        return bool(np.isin(a, b).any())
    if a.shape[1] < _LEAST or not a.shape[0] or not b.shape[0]:
        return False
    same = np.zeros((len(a), len(b)), dtype=np.int32)
    for left, right in zip(a.T, b.T, strict=True):
        same += (left[:, None] == right[None, :]) & (left != 0)[:, None]
    sold_a, sold_b = ((codes != 0).astype(np.float32) for codes in (a, b))
    either = sold_a.sum(axis=1)[:, None] + sold_b.sum(axis=1)[None, :] - sold_a @ sold_b.T
    alike = np.argwhere((same >= _LEAST) & (same >= _AGREEING * either))
    return any(len(set(a[row][(a[row] == b[at]) & (a[row] != 0)].tolist())) >= _DIFFERENT for row, at in alike)


def _codes(values: Floats) -> Codes:
    """Three digits and the power of ten in one whole number; 0 for zero."""
    sizes = np.abs(values)
    power = np.floor(np.log10(np.where(sizes > 0.0, sizes, 1.0)))
    digits = np.rint(sizes / 10.0 ** (power - 2))
    # 9.996 has the digits of 10.0.
    power, digits = np.where(digits >= 1000, power + 1, power), np.where(digits >= 1000, 100, digits)
    codes: Codes = (np.sign(values) * (digits * 1000 + power + 500)).astype(np.int32)
    return codes
