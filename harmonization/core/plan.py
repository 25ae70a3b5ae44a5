"""A binding compiled once into one lazy plan: text cells in; canonical rows, quarantined rows and skipped rows out.

Every source row takes exactly one of the three ways. Skip rules are looked at first (a total row is no bad row), then
all rules; a row that breaks any is quarantined with each rule that it breaks. The plan runs on Polars' streaming
engine, so that memory does not grow with the file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import polars as pl

from harmonization.core import currency, rmis
from harmonization.core.binding import Binding
from harmonization.core.cells import Cell
from harmonization.core.conversions import Conversion, conversions, resolved_gtins
from harmonization.core.currency import with_base_currency
from harmonization.core.duplicates import NO_DUPLICATES, Duplicates
from harmonization.core.event_key import event_key
from harmonization.core.load_context import LoadContext
from harmonization.core.rules import FX_RATE_KNOWN, RAGGED_ROW, UNIQUE, Violation, apply_rules, expression_windows
from harmonization.core.source_file import RAGGED, SOURCE_ROW, raw_name
from harmonization.core.uniqueness import is_among, unique_violations

BLANK_ROW: Final = "blank_row"
REPEATED_ROW: Final = "repeated_row"
_SKIP: Final = "__skip"
_BAD: Final = "__bad"
_PART: Final = "\x1f"
_ITEM: Final = "\x1e"


@dataclass(frozen=True, slots=True)
class Plan:
    """Lazy frames over one source, and what to count afterwards.

    `good` has the canonical columns. `aside` has all other rows as they came. `quarantined` and `skipped` split those:
    the first has `source_row`, `rule_ids`, `findings` (rule, column, value as text), the row as `raw` (JSON by header)
    and its `spend` and `currency` where they could be read; the second `source_row`, `reason` and `raw`.

    Each frame is meant to be run alone: the good rows first, and only where some rows are missing from them a second
    run for `aside`, whose reasons are then worked out over it alone. A file without bad rows pays for one sink.
    """

    good: pl.LazyFrame
    aside: pl.LazyFrame
    quarantined: pl.LazyFrame
    skipped: pl.LazyFrame
    warnings: tuple[Violation, ...]
    rules_not_applied: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Recipe:
    """A binding compiled into expressions, in the order in which they are applied to rows of text cells.

    `null_tokens` clean the cells that `made` columns are read from; `resolved` columns are made from those; `coalesced`
    are columns of the file with the context's value where a cell is empty, `constants` what only the context knows;
    then `periods`,
    `derived`, and what judges a row: `skips` (reason and condition) and `violations`. `columns` are the canonical
    columns of the result, attributions included.
    """

    binding: Binding
    null_tokens: tuple[str, ...]
    made: tuple[Conversion, ...]
    resolved: dict[str, pl.Expr]
    coalesced: dict[str, pl.Expr]
    constants: dict[str, str | None]
    periods: dict[str, pl.Expr]
    derived: tuple[tuple[str, pl.Expr], ...]
    skips: tuple[tuple[str, pl.Expr], ...]
    violations: tuple[Violation, ...]
    warnings: tuple[Violation, ...]
    rules_not_applied: tuple[str, ...]
    columns: tuple[str, ...]
    context: LoadContext

    def in_base_currency(self, frame: pl.LazyFrame) -> pl.LazyFrame:
        """`frame` with spend in the base currency too, where the context has one."""
        base = self.context.base_currency
        return frame if base is None else with_base_currency(frame, base, self.context.fx_rates)

    @property
    def cells(self) -> list[Cell]:
        """Each cell once."""
        return list(dict.fromkeys(each.cell for each in self.made))

    @property
    def unread(self) -> list[Conversion]:
        """Columns whose unreadable cells are left empty."""
        return [each for each in self.made if each.on_error == "warn"]


def compile_recipe(binding: Binding, context: LoadContext) -> Recipe:
    """Everything that a contract says about rows with these headers, as expressions over their cells."""
    contract = binding.contract
    made = conversions(binding)
    resolved = resolved_gtins(binding)
    fed = {each.column for each in made} | set(resolved)
    cell_of = {each.column: each.cell.name for each in made}
    constants, coalesced = _from_context(binding, context, fed, cell_of)
    columns = fed | {column.name for column in rmis.EVENTS if column.always} | set(constants)
    derived = []
    for each in contract.derived:
        for value in expression_windows(each.expression, binding, columns):
            derived.append((each.target, value.cast(rmis.COLUMNS[each.target].dtype, strict=False)))
            columns.add(each.target)
    warnings = []
    if context.base_currency is not None:
        columns |= set(currency.COLUMNS)
        no_rate = pl.col("spend").is_not_null() & pl.col("currency").is_not_null() & pl.col("fx_rate").is_null()
        warnings.append(Violation(FX_RATE_KNOWN, "fx_rate", no_rate))
    applied = apply_rules(binding, columns, context, {each.column: each.unreadable for each in made})
    names = [column.name for column in rmis.EVENTS if column.name in columns]
    return Recipe(
        binding=binding,
        null_tokens=tuple(contract.source.null_tokens),
        made=tuple(made),
        resolved=resolved,
        coalesced=coalesced,
        constants=constants,
        periods=_periods(binding),
        derived=tuple(derived),
        skips=tuple(_skips(binding)),
        violations=(
            Violation(RAGGED_ROW, RAGGED, pl.col(RAGGED).is_not_null()),
            *(_readable(each) for each in made if each.on_error == "quarantine"),
            *applied.quarantine,
        ),
        warnings=(*warnings, *applied.warn),
        rules_not_applied=applied.not_applied,
        context=context,
        columns=(*names, *(bound.attribution.column for bound in binding.attributions)),
    )


def compile_plan(
    source: pl.LazyFrame, binding: Binding, context: LoadContext, duplicates: Duplicates = NO_DUPLICATES
) -> Plan:
    """Compile `binding` over `source`: text columns `raw_0..raw_n`, `source_row` (Int64) and `ragged` (text)."""
    return lay_out(source, compile_recipe(binding, context), duplicates)


def lay_out(source: pl.LazyFrame, recipe: Recipe, duplicates: Duplicates = NO_DUPLICATES) -> Plan:
    """A recipe over `source`, with what is known of duplicates."""
    binding = recipe.binding
    frame = source.with_columns(cell.text(recipe.null_tokens) for cell in recipe.cells)
    repeated = (REPEATED_ROW, is_among(duplicates.repeated))
    skip = pl.coalesce([pl.when(applies).then(pl.lit(reason)) for reason, applies in (*recipe.skips, repeated)])
    frame = frame.with_columns(skip.alias(_SKIP), *(each.expression.alias(each.column) for each in recipe.made))
    frame = frame.with_columns(value.alias(name) for name, value in recipe.resolved.items())
    frame = frame.with_columns(
        *(pl.lit(value, dtype=rmis.COLUMNS[name].dtype).alias(name) for name, value in recipe.constants.items()),
        *(value.alias(name) for name, value in recipe.coalesced.items()),
    ).with_columns(value.alias(name) for name, value in recipe.periods.items())
    for target, value in recipe.derived:
        frame = frame.with_columns(value.alias(target))
    frame = recipe.in_base_currency(frame)
    contract = binding.contract
    violations = [
        *recipe.violations,
        Violation(UNIQUE, None, is_among(duplicates.conflicting)),
        *unique_violations(contract, duplicates.by_rule, "quarantine"),
    ]
    frame = frame.with_columns(pl.any_horizontal(v.broken.fill_null(False) for v in violations).alias(_BAD))
    is_skipped, is_bad = pl.col(_SKIP).is_not_null(), pl.col(_BAD)
    good = frame.filter(~is_skipped & ~is_bad).with_columns(
        _unread(recipe.unread).alias("unread"), event_key(contract.natural_key).alias("event_key")
    )
    return Plan(
        good=good.select(recipe.columns),
        aside=frame.filter(is_skipped | is_bad).select(
            SOURCE_ROW, RAGGED, *(raw_name(position) for position in range(len(binding.headers)))
        ),
        quarantined=_quarantined(frame.filter(~is_skipped & is_bad), binding, list(recipe.made), violations),
        skipped=frame.filter(is_skipped).select(SOURCE_ROW, pl.col(_SKIP).alias("reason"), _raw(binding).alias("raw")),
        warnings=(*recipe.warnings, *unique_violations(contract, duplicates.by_rule, "warn")),
        rules_not_applied=recipe.rules_not_applied,
    )


def _unread(made: list[Conversion]) -> pl.Expr:
    if not made:
        return pl.lit(None, dtype=pl.String)
    names = pl.concat_str(
        [pl.when(each.unreadable).then(pl.lit(each.column)) for each in made], separator=",", ignore_nulls=True
    )
    return pl.when(names != "").then(names)


def _readable(conversion: Conversion) -> Violation:
    return Violation(f"readable_{conversion.label}", conversion.column, conversion.unreadable)


def _skips(binding: Binding) -> list[tuple[str, pl.Expr]]:
    cells = [pl.col(raw_name(position)) for position in range(len(binding.headers))]
    blank = pl.all_horizontal(cell.str.strip_chars().fill_null("") == "" for cell in cells)
    overflowing = pl.col(RAGGED).fill_null("").str.starts_with("more")
    reasons = [(BLANK_ROW, blank & ~overflowing)]
    positions = {bound.spec.target: bound.position for bound in binding.fields}
    for skip in binding.contract.skip:
        position = 0 if skip.column == "first" else positions.get(skip.column)
        if position is not None:
            matches = pl.col(raw_name(position)).str.strip_chars().str.contains(skip.pattern)
            reasons.append((skip.id, matches.fill_null(False)))
    return reasons


def _from_context(
    binding: Binding, context: LoadContext, fed: set[str], cell_of: Mapping[str, str]
) -> tuple[dict[str, str | None], dict[str, pl.Expr]]:
    """Columns that the file leaves out, and those that it may leave empty.

    What the file says always wins, readable or not.
    """
    contract = binding.contract
    known: dict[str, str | None] = {
        "load_id": context.load_id,
        "contract": contract.label,
        "report": contract.report,
        "network": contract.network,
        "retailer_id": context.retailer_id or contract.retailer_id,
        "account_id": context.account_id,
        "account_name": context.account_name,
        "brand_id": context.brand_id,
        "brand_name": context.brand_name,
        "source_tz": contract.source.timezone,
        "ad_product": contract.ad_product,
        "impression_basis": contract.impression_basis,
        "cost_model": contract.cost_model,
        "sku_id_type": contract.sku_id_type,
        "currency": binding.header_currency or context.currency or contract.source.currency,
    }
    constants: dict[str, str | None] = {}
    coalesced: dict[str, pl.Expr] = {}
    if binding.period is not None:
        first, last = binding.period
        coalesced |= {"period_start": pl.lit(first), "period_end": pl.lit(last)}
    for column in rmis.EVENTS:
        wanted = column.always or (column.name in contract.natural_key and column.name not in fed)
        if not wanted or column.name in (SOURCE_ROW, "event_key", "unread", *coalesced):
            continue
        value = known.get(column.name)
        if column.name not in fed:
            constants[column.name] = value
        elif value is not None:
            there: pl.Expr = pl.lit(value, dtype=column.dtype)
            if column.name in cell_of:
                there = pl.when(pl.col(cell_of[column.name]).is_null()).then(there)
            coalesced[column.name] = pl.coalesce(pl.col(column.name), there)
    return constants, coalesced


def _periods(binding: Binding) -> dict[str, pl.Expr]:
    from_dates = binding.contract.source.grain == "from_dates"
    if binding.period is not None:
        first, last = binding.period
        stated = ("day" if first == last else "period") if from_dates else binding.contract.source.grain
        return {"period_start": pl.lit(first), "period_end": pl.lit(last), "grain": pl.lit(stated)}
    start, end = pl.col("period_start"), pl.coalesce("period_end", "period_start")
    grain = pl.lit(binding.contract.source.grain)
    if from_dates:
        grain = pl.when(start == end).then(pl.lit("day")).otherwise(pl.lit("period"))
    return {"period_end": end, "grain": grain}


def _raw(binding: Binding) -> pl.Expr:
    names: list[str] = []
    for position, header in enumerate(binding.headers):
        name = header.strip() or f"column {position + 1}"
        names.append(name if name not in names else f"{name} (column {position + 1})")
    cells = [pl.col(raw_name(position)).alias(name) for position, name in enumerate(names)]
    return pl.struct(cells).struct.json_encode()


def _quarantined(
    bad: pl.LazyFrame, binding: Binding, made: list[Conversion], violations: list[Violation]
) -> pl.LazyFrame:
    # Findings are joined as text and cut again: a list of structs built from one per rule costs fifty times as much.
    texts = {each.column: pl.col(each.cell.name) for each in made}
    findings = []
    for violation in violations:
        column = violation.column or ""
        value = texts.get(column, pl.col(column).cast(pl.String) if column else pl.lit(None, dtype=pl.String))
        finding = pl.concat_str(
            [pl.lit(violation.rule), pl.lit(column), value.fill_null("").str.replace_all(f"[{_PART}{_ITEM}]", " ")],
            separator=_PART,
        )
        findings.append(pl.when(violation.broken.fill_null(False)).then(finding))
    parts = pl.element().str.split_exact(_PART, 2).struct
    named = pl.struct(
        parts.field("field_0").alias("rule"),
        pl.when(parts.field("field_1") != "").then(parts.field("field_1")).alias("column"),
        pl.when(parts.field("field_2") != "").then(parts.field("field_2")).alias("value"),
    )
    listed = pl.concat_str(findings, separator=_ITEM, ignore_nulls=True).str.split(_ITEM)
    rules = pl.element().struct.field("rule").unique(maintain_order=True)
    return bad.with_columns(listed.list.eval(named).alias("findings")).select(
        SOURCE_ROW,
        pl.col("findings").list.eval(rules).alias("rule_ids"),
        "findings",
        _raw(binding).alias("raw"),
        "spend",
        "currency",
    )
