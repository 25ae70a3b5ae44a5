"""Each bound column of a file as one expression from its cleaned text to its canonical type."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import polars as pl

from harmonization.core import moments, rmis, units
from harmonization.core.binding import Binding
from harmonization.core.cells import Cell, fold, folded
from harmonization.core.contract import FieldSpec, Severity, Source, ValueMap
from harmonization.core.contract_parts import NumberUnit
from harmonization.core.currency_codes import currency_code
from harmonization.core.direct import Direct, PlainAmount, PlainCount, PlainInstant
from harmonization.core.field_checks import GTIN_OF
from harmonization.core.gtin import isbn10_to_gtin14, to_gtin14
from harmonization.core.steps import apply_steps


@dataclass(frozen=True, slots=True)
class Conversion:
    """One canonical column made from one cell of each row.

    `label` is the name that rules know it by: the column itself, or the attribution's id. `direct` reads cells as they
    lie in the file, quickly: what it finds is what `expression` would, and where it finds nothing nothing is said.
    """

    column: str
    label: str
    cell: Cell
    on_error: Severity
    expression: pl.Expr
    direct: Direct | None = None

    @property
    def unreadable(self) -> pl.Expr:
        """A cell that says something which its transform cannot read."""
        return pl.col(self.cell.name).is_not_null() & pl.col(self.column).is_null()


def conversions(binding: Binding) -> list[Conversion]:
    """Every canonical column that the file feeds, in the contract's order."""
    source = binding.contract.source
    made = []
    for bound in binding.fields:
        spec, cell = bound.spec, bound.cell
        text = pl.col(cell.name)
        expression, direct = _field(text, spec, source), _direct(spec, source)
        made.append(Conversion(spec.target, spec.target, cell, spec.on_error, expression, direct))
        if spec.value_map and spec.value_map.keep_raw_in:
            made.append(Conversion(spec.value_map.keep_raw_in, spec.target, cell, spec.on_error, text))
    made += [
        Conversion(
            each.attribution.column,
            each.spec.id,
            each.cell,
            each.spec.on_error,
            _amount(pl.col(each.cell.name), source, each.spec.unit),
            PlainAmount() if each.spec.unit == "units" and source.decimal_sign == "." else None,
        )
        for each in binding.attributions
    ]
    return made


def resolved_gtins(binding: Binding) -> dict[str, pl.Expr]:
    """Columns filled by `resolver: gtin` from product ids that are GTINs of some form, or ISBNs.

    Any other id (most ASINs, item ids) leaves them empty: that is no finding. A GTIN that the file itself tells wins.
    """
    fed = {bound.spec.target for bound in binding.fields}
    filled = {}
    for bound in binding.fields:
        if bound.spec.resolver == "gtin":
            target = GTIN_OF[bound.spec.target]
            resolved = _by_batch(pl.col(bound.spec.target), _gtin_of_id, pl.String())
            filled[target] = pl.coalesce(pl.col(target), resolved) if target in fed else resolved
    return filled


def _gtin_of_id(cells: pl.Series) -> pl.Series:
    read = to_gtin14(cells)
    return read.zip_with(read.is_not_null(), isbn10_to_gtin14(cells))


def _amount(cells: pl.Expr, source: Source, unit: NumberUnit) -> pl.Expr:
    return _by_batch(cells, _numbers(units.to_money, source, unit), rmis.MONEY)


def _numbers(
    read: Callable[[pl.Series, NumberUnit, str, str], pl.Series], source: Source, unit: NumberUnit
) -> Callable[[pl.Series], pl.Series]:
    return lambda cells: read(cells, unit, source.decimal_sign, source.thousands_sign)


def _field(cells: pl.Expr, spec: FieldSpec, source: Source) -> pl.Expr:
    column = rmis.COLUMNS[spec.target]
    cells = apply_steps(cells, spec.transforms)
    zone = spec.timezone or source.timezone
    if column.unit == "money":
        return _amount(cells, source, spec.unit)
    if column.unit == "hour" and spec.date_formats:
        hour = partial(moments.to_hour, formats=spec.date_formats, zone=zone, report_zone=source.timezone)
        return _by_batch(cells, hour, column.dtype)
    if column.dtype.is_integer():
        count = _by_batch(cells, _numbers(units.to_count, source, spec.unit), pl.Int64())
        return count.cast(column.dtype, strict=False)
    if column.unit in ("fraction", "count"):
        return _by_batch(cells, _numbers(units.to_fraction, source, spec.unit), column.dtype)
    if column.unit == "date":
        day = partial(moments.to_day, formats=spec.date_formats, zone=zone, report_zone=source.timezone)
        return _by_batch(cells, day, column.dtype)
    if column.unit == "instant":
        return _by_batch(cells, partial(moments.to_instant, formats=spec.date_formats, zone=zone), column.dtype)
    if spec.resolver == "currency":
        return _by_batch(cells, currency_code, pl.String())
    return _mapped(cells, spec.value_map) if spec.value_map else cells


def _direct(spec: FieldSpec, source: Source) -> Direct | None:
    """The first thing that the field's reading tries, where that is cheap."""
    column = rmis.COLUMNS[spec.target]
    if spec.transforms or spec.value_map is not None:
        return None
    if column.unit == "money" and spec.unit == "units" and source.decimal_sign == ".":
        return PlainAmount()
    if column.dtype == pl.Int64 and spec.unit == "units":
        return PlainCount()
    if column.unit == "instant" and spec.date_formats:
        form, zone = spec.date_formats[0], spec.timezone or source.timezone
        if "%" in form and "%z" not in form:
            return PlainInstant(form, zone)
    return None


def _by_batch(cells: pl.Expr, read: Callable[[pl.Series], pl.Series], dtype: pl.DataType) -> pl.Expr:
    return cells.map_batches(read, return_dtype=dtype, is_elementwise=True)


def _mapped(cells: pl.Expr, value_map: ValueMap) -> pl.Expr:
    # A chain of when/then streams; a dictionary replacement would hold the whole column in memory.
    words = folded(cells)
    otherwise = pl.lit(value_map.default) if value_map.default is not None else pl.lit(None, dtype=pl.String)
    mapped: pl.Expr = pl.when(cells.is_not_null()).then(otherwise)
    for raw, canonical in value_map.values.items():
        mapped = pl.when(words == fold(raw)).then(pl.lit(canonical)).otherwise(mapped)
    return mapped
