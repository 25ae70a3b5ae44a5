"""Each bound column of a file as one expression from its cleaned text to its canonical type."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final

import polars as pl

from harmonization.core import rmis, transforms
from harmonization.core.binding import Binding
from harmonization.core.contract import FieldSpec, Severity, Source, Step, ValueMap

_STEPS: Final[dict[Step, Callable[[pl.Expr], pl.Expr]]] = {
    "upper": lambda cells: cells.str.to_uppercase(),
    "lower": lambda cells: cells.str.to_lowercase(),
    "collapse_spaces": transforms.collapse_spaces,
    "identifier": transforms.identifier,
}


def text_name(position: int) -> str:
    """The cleaned text of the file's column at `position`."""
    return f"text_{position}"


@dataclass(frozen=True, slots=True)
class Conversion:
    """One canonical column made from one column of the file.

    `label` is the name that rules know it by: the column itself, or the attribution's id.
    """

    column: str
    label: str
    position: int
    on_error: Severity
    expression: pl.Expr

    @property
    def unreadable(self) -> pl.Expr:
        """A cell that says something which its transform cannot read."""
        return pl.col(text_name(self.position)).is_not_null() & pl.col(self.column).is_null()


def conversions(binding: Binding) -> list[Conversion]:
    """Every canonical column that the file feeds, in the contract's order."""
    source = binding.contract.source
    made = []
    for bound in binding.fields:
        spec = bound.spec
        cells = pl.col(text_name(bound.position))
        made.append(Conversion(spec.target, spec.target, bound.position, spec.on_error, _field(cells, spec, source)))
        if spec.value_map and spec.value_map.keep_raw_in:
            made.append(Conversion(spec.value_map.keep_raw_in, spec.target, bound.position, spec.on_error, cells))
    for attributed in binding.attributions:
        cells = pl.col(text_name(attributed.position))
        made.append(
            Conversion(
                attributed.attribution.column,
                attributed.spec.id,
                attributed.position,
                attributed.spec.on_error,
                _amount(cells, source),
            )
        )
    return made


def _amount(cells: pl.Expr, source: Source) -> pl.Expr:
    read = partial(transforms.to_decimal, decimal_sign=source.decimal_sign, thousands_sign=source.thousands_sign)
    return _by_batch(cells, read, rmis.MONEY)


def _count(cells: pl.Expr, source: Source) -> pl.Expr:
    read = partial(transforms.to_integer, decimal_sign=source.decimal_sign, thousands_sign=source.thousands_sign)
    return _by_batch(cells, read, pl.Int64())


def _field(cells: pl.Expr, spec: FieldSpec, source: Source) -> pl.Expr:
    column = rmis.COLUMNS[spec.target]
    decimal, thousands = source.decimal_sign, source.thousands_sign
    if column.unit == "money":
        return _amount(cells, source)
    if column.dtype.is_integer():
        return _count(cells, source).cast(column.dtype, strict=False)
    if column.unit in ("fraction", "count", "seconds"):
        read = partial(transforms.to_fraction, decimal_sign=decimal, thousands_sign=thousands, bare=spec.bare_percent)
        return _by_batch(cells, read, column.dtype)
    if column.unit == "date":
        return _by_batch(cells, partial(transforms.to_date, formats=spec.date_formats), column.dtype)
    if column.unit == "instant":
        instant = partial(transforms.to_instant, formats=spec.date_formats, zone=source.timezone)
        return _by_batch(cells, instant, column.dtype)
    for step in spec.transforms:
        cells = _STEPS[step](cells)
    return _mapped(cells, spec.value_map) if spec.value_map else cells


def _by_batch(cells: pl.Expr, read: Callable[[pl.Series], pl.Series], dtype: pl.DataType) -> pl.Expr:
    return cells.map_batches(read, return_dtype=dtype, is_elementwise=True)


def _mapped(cells: pl.Expr, value_map: ValueMap) -> pl.Expr:
    # A chain of when/then streams; a dictionary replacement would hold the whole column in memory.
    folded = transforms.collapse_spaces(cells).str.to_lowercase()
    otherwise = pl.lit(value_map.default) if value_map.default is not None else pl.lit(None, dtype=pl.String)
    mapped: pl.Expr = pl.when(cells.is_not_null()).then(otherwise)
    for raw, canonical in value_map.values.items():
        mapped = pl.when(folded == " ".join(raw.lower().split())).then(pl.lit(canonical)).otherwise(mapped)
    return mapped
