"""What the good rows of a run add up to, counted as they are written: nothing is read back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, Final

import numpy as np
import polars as pl

from harmonization.core.batch_cells import Flags, Numbered
from harmonization.core.binding import Binding
from harmonization.core.cells import fold
from harmonization.core.rules import Violation
from harmonization.core.source_file import SOURCE_ROW

_WIDE: Final = pl.Decimal(38, 6)
_COUNTS: Final = ("impressions", "clicks")
#: Columns whose distinct values a report names.
_NAMED: Final = ("retailer_id", "account_id")


@dataclass(slots=True)
class Sums:
    """Good rows of one currency."""

    rows: int = 0
    impressions: int = 0
    clicks: int = 0
    money: dict[str, Decimal] = field(default_factory=dict)
    period_start: date | None = None
    period_end: date | None = None


@dataclass(slots=True)
class Broken:
    """Good rows that break a rule which only warns."""

    rows: int = 0
    first_row: int | None = None

    def add(self, rows: int, first_row: int) -> None:
        self.rows += rows
        self.first_row = first_row if self.first_row is None else min(self.first_row, first_row)


class Tally:
    """Adds up batches of good rows."""

    def __init__(self, binding: Binding) -> None:
        self.by_currency: dict[str | None, Sums] = {}
        self.named: dict[str, set[str]] = {name: set() for name in _NAMED}
        self.warned: dict[str, Broken] = {}
        self.unread: dict[str, Broken] = {}
        self.unmapped: dict[str, dict[str, int]] = {}
        self._money = ("spend", *(bound.attribution.column for bound in binding.attributions))
        self._maps: dict[str, tuple[str, set[str]]] = {}
        for bound in binding.fields:
            value_map = bound.spec.value_map
            if value_map is not None and value_map.default is not None and value_map.keep_raw_in is not None:
                self._maps[bound.spec.target] = value_map.keep_raw_in, {fold(raw) for raw in value_map.values}
        self._is_known: dict[tuple[str, str], bool] = {}

    @property
    def rows(self) -> int:
        return sum(sums.rows for sums in self.by_currency.values())

    def add(
        self,
        rows: int,
        columns: Mapping[str, pl.Series],
        numbered: Mapping[str, Numbered],
        constants: Mapping[str, str | None],
    ) -> None:
        """Add `rows` good rows, given as `EventWriter.write` takes them."""
        if not rows:
            return
        summed = {name: columns[name] for name in (*_COUNTS, *self._money) if name in columns}
        frame = pl.DataFrame(
            {**summed, **{name: columns[name] for name in ("period_start", "period_end") if name in columns}}
        )
        currency = _texts(rows, "currency", columns, numbered, constants)
        sums = [
            pl.len().alias("rows"),
            *(pl.col(name).cast(_WIDE).sum() if name in self._money else pl.col(name).sum() for name in summed),
            *(pl.col(name).min() for name in ("period_start",) if name in frame.columns),
            *(pl.col(name).max() for name in ("period_end",) if name in frame.columns),
        ]
        if isinstance(currency, pl.Series):
            found = frame.with_columns(currency.alias("currency")).group_by("currency").agg(sums).iter_rows(named=True)
        elif frame.width:
            found = iter([{"currency": currency, **frame.select(sums).row(0, named=True)}])
        else:
            found = iter([{"currency": currency, "rows": rows}])
        for row in found:
            self._add_sums(row)
        for name in _NAMED:
            values = _texts(rows, name, columns, numbered, constants)
            if isinstance(values, pl.Series):
                self.named[name].update(values.drop_nulls().unique().to_list())
            elif values is not None:
                self.named[name].add(values)
        for target, (raw, known) in self._maps.items():
            for value, count in _value_counts(raw, columns, numbered):
                if not self._knows(target, value, known):
                    counts = self.unmapped.setdefault(target, {})
                    counts[value] = counts.get(value, 0) + count

    def add_breaks(self, source_rows: pl.Series, breaks: Mapping[str, Flags]) -> None:
        """Add where the rules that warn are broken by rows added."""
        for rule, flags in breaks.items():
            at = np.flatnonzero(flags)
            if at.size:
                self.warned.setdefault(rule, Broken()).add(int(at.size), int(source_rows.gather(at).to_numpy().min()))

    def add_frame(self, frame: pl.DataFrame, warnings: Iterable[Violation]) -> None:
        """Add rows with every canonical column, and what they break."""
        self.add(frame.height, {name: frame[name] for name in frame.columns}, {}, {})
        conditions = list(warnings)
        if conditions and frame.height:
            flags = frame.select(each.broken.fill_null(False).alias(f"{at}") for at, each in enumerate(conditions))
            by_rule: dict[str, Flags] = {}
            for at, each in enumerate(conditions):
                found = flags[f"{at}"].to_numpy()
                by_rule[each.rule] = by_rule[each.rule] | found if each.rule in by_rule else found
            self.add_breaks(frame[SOURCE_ROW], by_rule)
        unread = frame.select(SOURCE_ROW, pl.col("unread").str.split(",")).explode("unread").drop_nulls("unread")
        for column, rows, first in unread.group_by("unread").agg(pl.len(), pl.col(SOURCE_ROW).min()).iter_rows():
            self.unread.setdefault(column, Broken()).add(rows, first)

    def _knows(self, target: str, value: str, known: set[str]) -> bool:
        found = self._is_known.get((target, value))
        if found is None:
            found = self._is_known[target, value] = fold(value) in known
        return found

    def _add_sums(self, row: dict[str, Any]) -> None:
        sums = self.by_currency.setdefault(row["currency"], Sums())
        sums.rows += row["rows"]
        sums.impressions += row.get("impressions") or 0
        sums.clicks += row.get("clicks") or 0
        for name in self._money:
            sums.money[name] = sums.money.get(name, Decimal(0)) + (row.get(name) or Decimal(0))
        first, last = row.get("period_start"), row.get("period_end")
        if first is not None:
            sums.period_start = first if sums.period_start is None else min(sums.period_start, first)
        if last is not None:
            sums.period_end = last if sums.period_end is None else max(sums.period_end, last)


def _texts(
    rows: int,
    name: str,
    columns: Mapping[str, pl.Series],
    numbered: Mapping[str, Numbered],
    constants: Mapping[str, str | None],
) -> pl.Series | str | None:
    """A column of texts, or the one value of all rows."""
    if name in columns:
        return columns[name]
    if name in numbered:
        codes, values = numbered[name].codes, numbered[name].values
        one = codes[0] if rows and (codes == codes[0]).all() else None
        if one is None:
            return numbered[name].texts()
        return None if one < 0 else str(values[int(one)])
    return constants.get(name)


def _value_counts(
    name: str, columns: Mapping[str, pl.Series], numbered: Mapping[str, Numbered]
) -> Iterable[tuple[str, int]]:
    if name in numbered:
        codes = numbered[name].codes
        counts = np.bincount(codes[codes >= 0], minlength=1) if (codes < 0).any() else np.bincount(codes, minlength=1)
        used = np.flatnonzero(counts)
        if not len(numbered[name].values):
            return []
        return zip(numbered[name].values.gather(used).to_list(), counts[used].tolist(), strict=True)
    if name in columns:
        counted = columns[name].drop_nulls().value_counts()
        return zip(counted.to_series(0).to_list(), counted.to_series(1).to_list(), strict=True)
    return []
