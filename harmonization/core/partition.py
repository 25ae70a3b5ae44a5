"""A recipe applied to one batch of rows: the good ones typed and ready to write, the others told apart.

The result for a good row is that of `plan.lay_out`, by the same expressions: they are evaluated once a value where a
cell repeats itself, and a row is put aside as soon as anything about it is not plainly good. Which rule a row breaks,
and with what, is worked out by the plan over those rows alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

from harmonization.core import currency, rmis
from harmonization.core.batch_cells import (
    VALUES_LIMIT,
    CellBatch,
    CellPlan,
    Flags,
    Numbered,
    RepeatingCell,
    VaryingCell,
    Words,
    repeats_itself,
)
from harmonization.core.cells import Cell
from harmonization.core.digests import hash_rows, worth_compiled
from harmonization.core.event_key import SEEDS, key_columns, words_of
from harmonization.core.plan import Recipe
from harmonization.core.row_batch import RowBatch, Rows
from harmonization.core.source_file import RAGGED, SOURCE_ROW, raw_name

_BAD: Final = "__bad"
_RAW: Final = "raw_"
#: Keys are made of so many rows at a time: their words then stay in the processor's cache.
_KEY_ROWS: Final = 8192


@dataclass(slots=True)
class Judged:
    """One batch after the rules: `good` marks its good rows.

    `columns` hold typed columns, `numbered` texts that repeat; `keys` are the two words of `event_key`. `breaks` has,
    by rule that warns, where it is broken.
    """

    rows: RowBatch
    good: Flags
    columns: dict[str, pl.Series]
    numbered: dict[str, Numbered]
    keys: tuple[Words, Words]
    breaks: dict[str, Flags]

    def only(self, kept: Flags) -> tuple[dict[str, pl.Series], dict[str, Numbered]]:
        """`columns` and `numbered` of the rows `kept`."""
        frame = pl.DataFrame(self.columns).filter(pl.Series(kept))
        numbered = {
            name: Numbered(each.codes[kept], each.values, each.numbers[kept], each.words)
            for name, each in self.numbered.items()
        }
        return {name: frame[name] for name in self.columns}, numbered


class BatchPlan:
    """A recipe made ready for batches; it remembers the values it has seen, and is for one pass over one report."""

    def __init__(self, recipe: Recipe) -> None:
        self.recipe = recipe
        self._constants = {name: value for name, value in recipe.constants.items() if name not in recipe.periods}
        self._fixed_grain = recipe.periods["grain"].meta.root_names() == []
        if self._fixed_grain:
            self._constants["grain"] = pl.select(recipe.periods["grain"]).item()
        self._key = key_columns(recipe.binding.contract.natural_key)
        self._key_words = np.empty((len(self._key), _KEY_ROWS), np.uint64)
        self._cells: list[RepeatingCell | VaryingCell] | None = None
        self._allot()

    @property
    def constants(self) -> dict[str, str | None]:
        """Columns with one value in every row."""
        return self._constants

    def apply(self, batch: Rows) -> Judged:
        """Judge a batch: `raw_n` (text), `source_row` (Int64) and `ragged` (text)."""
        rows = RowBatch(batch)
        if self._cells is None:
            self._cells = [self._start(plan, rows) for plan in self._plans]
        good = np.ones(rows.height, np.bool_)
        if rows.ragged.null_count() < rows.height:
            good &= rows.ragged.is_null().to_numpy()
        columns: dict[str, pl.Series] = {SOURCE_ROW: rows.source_rows}
        numbered: dict[str, Numbered] = {}
        batches = []
        for at, cell in enumerate(self._cells):
            given = cell.apply(rows)
            batches.append(given)
            columns |= {name: column.alias(name) for name, column in given.columns.items()}
            numbered |= given.numbered
            if given.bad is not None:
                good &= ~given.bad
            if isinstance(cell, RepeatingCell) and cell.values > VALUES_LIMIT:
                self._cells[at] = VaryingCell(cell.plan, self.recipe.null_tokens)
        if (blank := _maybe_blank(self._plans, batches, rows.height)) is not None:
            good &= ~blank
        if self._always_bad:
            good[:] = False
        breaks = self._over_rows(rows, columns, numbered, good)
        return Judged(rows, good, columns, numbered, self._keys(rows.height, columns, numbered), breaks)

    def _allot(self) -> None:
        """Give each expression to the cell that it is about; what is about several cells is for whole rows."""
        recipe = self.recipe
        changed = {"period_end", "grain", *(target for target, _ in recipe.derived)}
        conditions = [
            *(violation.broken for violation in recipe.violations if violation.column != RAGGED),
            *(condition for _, condition in recipe.skips[1:]),
            *(each.unreadable for each in recipe.unread),
        ]
        rest: list[pl.Expr] = []
        left_resolved, left_coalesced = dict(recipe.resolved), dict(recipe.coalesced)
        self._plans: list[CellPlan] = []
        about: dict[Cell, list[pl.Expr]] = {cell: [] for cell in recipe.cells}
        stages: dict[Cell, list[tuple[pl.Expr, ...]]] = {}
        known: dict[Cell, set[str]] = {}
        for cell in recipe.cells:
            made = [each for each in recipe.made if each.cell == cell]
            own = {each.column for each in made}
            stages[cell] = [tuple(each.expression.alias(each.column) for each in made)]
            for left in (left_resolved, left_coalesced):
                inside = {
                    name: value for name, value in left.items() if set(value.meta.root_names()) <= own | {cell.name}
                }
                stages[cell].append(tuple(value.alias(name) for name, value in inside.items()))
                own |= set(inside)
                for name in inside:
                    del left[name]
            known[cell] = own
        # What other cells or the context still fill is judged as it is in the end, not as this cell leaves it.
        changed |= {*left_resolved, *left_coalesced}
        for condition in conditions:
            roots = set(condition.meta.root_names())
            for cell in recipe.cells:
                alone = len(cell.positions) == 1 and cell.when_position is None
                there = (known[cell] - changed) | {cell.name} | ({raw_name(cell.positions[0])} if alone else set())
                if roots and roots <= there:
                    about[cell].append(condition)
                    break
            else:
                rest.append(condition)
        for cell in recipe.cells:
            columns = [each.column for each in recipe.made if each.cell == cell]
            columns += [name for name in known[cell] if name not in columns]
            self._plans.append(
                CellPlan(
                    cell=cell,
                    text=cell.text(recipe.null_tokens),
                    stages=tuple(stage for stage in stages[cell] if stage),
                    columns=tuple(columns),
                    bad=pl.any_horizontal([each.fill_null(False) for each in about[cell]] or [pl.lit(False)]),
                    direct={each.column: each for each in recipe.made if each.cell == cell},
                )
            )
        one_row = pl.DataFrame(
            {name: pl.Series([value], dtype=rmis.COLUMNS[name].dtype) for name, value in self._constants.items()}
        )
        fixed = [each for each in rest if set(each.meta.root_names()) <= set(self._constants)]
        self._always_bad = bool(fixed) and bool(
            one_row.select(pl.any_horizontal(each.fill_null(False) for each in fixed)).item()
        )
        self._mixed = [each for each in rest if not set(each.meta.root_names()) <= set(self._constants)]
        self._resolved, self._coalesced = left_resolved, left_coalesced

    def _start(self, plan: CellPlan, rows: RowBatch) -> RepeatingCell | VaryingCell:
        if len(plan.raw) > 1:
            return VaryingCell(plan, self.recipe.null_tokens)
        varying = VaryingCell(plan, self.recipe.null_tokens)
        if varying.is_quick or not repeats_itself(rows.column(plan.raw[0])):
            return varying
        return RepeatingCell(plan, self._key)

    def _over_rows(
        self, rows: RowBatch, columns: dict[str, pl.Series], numbered: dict[str, Numbered], good: Flags
    ) -> dict[str, Flags]:
        """What takes several cells: periods, derived columns, rules. Returns where rules that warn are broken."""
        recipe = self.recipe
        steps: list[dict[str, pl.Expr]] = [step for step in (self._resolved, self._coalesced) if step]
        periods = dict(recipe.periods)
        if self._fixed_grain:
            del periods["grain"]
        if "period_end" not in columns and "period_start" in columns:
            del periods["period_end"]
            columns["period_end"] = columns["period_start"].alias("period_end")
        steps += [periods] if periods else []
        steps += [{target: value} for target, value in recipe.derived]
        warned = {f"{at}": warning.broken for at, warning in enumerate(recipe.warnings)}
        judged = {_BAD: pl.any_horizontal(each.fill_null(False) for each in self._mixed)} if self._mixed else {}
        steps.append(judged | {name: broken.fill_null(False) for name, broken in warned.items()})
        wanted = {name for step in steps for value in step.values() for name in value.meta.root_names()}
        made = {name for step in steps[:-1] for name in step}
        if recipe.context.base_currency is not None:
            wanted |= {"currency", "spend", "period_end"}
            made |= set(currency.COLUMNS)
        if not made and not steps[-1]:
            return {}
        frame = self._frame(rows, columns, numbered, wanted - (made - set(columns) - set(numbered))).lazy()
        for step in steps[:-1]:
            frame = frame.with_columns(value.alias(name) for name, value in step.items())
        frame = recipe.in_base_currency(frame)
        found = frame.select(*sorted(made), *(value.alias(name) for name, value in steps[-1].items())).collect()
        for name in made:
            columns[name] = found[name]
            numbered.pop(name, None)
        if judged:
            good &= ~found[_BAD].to_numpy()
        breaks: dict[str, Flags] = {}
        for at, warning in enumerate(recipe.warnings):
            flags = found[f"{at}"]
            if flags.any():
                before = breaks.get(warning.rule)
                breaks[warning.rule] = flags.to_numpy() if before is None else before | flags.to_numpy()
        return breaks

    def _frame(
        self, rows: RowBatch, columns: dict[str, pl.Series], numbered: dict[str, Numbered], wanted: Iterable[str]
    ) -> pl.DataFrame:
        """A frame of the `wanted` columns, texts and constants included."""
        present: list[pl.Series] = [rows.source_rows.alias("__row")]
        literals = []
        for name in sorted(wanted):
            if name in columns:
                present.append(columns[name])
            elif name in numbered:
                present.append(numbered[name].texts().alias(name))
            elif name in self._constants:
                literals.append(pl.lit(self._constants[name], dtype=rmis.COLUMNS[name].dtype).alias(name))
            elif name == RAGGED:
                present.append(rows.ragged)
            elif name.startswith(_RAW):
                present.append(rows.column(name))
            elif name in self.recipe.periods:
                literals.append(pl.lit(None, dtype=rmis.COLUMNS[name].dtype).alias(name))
            else:
                texts = next(plan for plan in self._plans if plan.cell.name == name)
                present.append(rows.select(texts.raw).select(texts.text).to_series())
        return pl.DataFrame(present).with_columns(literals)

    def _keys(self, height: int, columns: dict[str, pl.Series], numbered: dict[str, Numbered]) -> tuple[Words, Words]:
        words: list[tuple[Words, Words] | None] = []
        for name in self._key:
            known = numbered.get(name)
            if known is not None and known.words is not None:
                words.append(None)
                continue
            if name in self._constants:
                values = pl.Series([self._constants[name]], dtype=pl.String)
            else:
                values = columns[name] if known is None else known.texts()
            words.append((words_of(values, SEEDS[0]), words_of(values, SEEDS[1])))
        found = np.empty((len(SEEDS), height), np.uint64)
        for first in range(0, height, _KEY_ROWS):
            some = slice(first, min(first + _KEY_ROWS, height))
            for which, seed in enumerate(SEEDS):
                table = self._key_words[:, : some.stop - some.start]
                for row, name, of_rows in zip(table, self._key, words, strict=True):
                    if of_rows is None:
                        known = numbered[name]
                        np.take(known.words[which], known.numbers[some], out=row, mode="clip")  # type: ignore[index]
                    else:
                        row[:] = of_rows[which][some] if of_rows[which].size == height else of_rows[which][0]
                found[which, some] = hash_rows(table, seed, by_loops=worth_compiled(height))
        return found[0], found[1]


def _maybe_blank(plans: Sequence[CellPlan], batches: Sequence[CellBatch], height: int) -> Flags | None:
    """Where no cell that is used holds anything: rows that may be blank."""
    found = np.ones(height, np.bool_)
    for plan, batch in zip(plans, batches, strict=True):
        if plan.cell.default is None and plan.cell.when_position is None:
            if batch.empty is None:
                return None
            found &= batch.empty
    return found if found.any() else None
