"""Curves that were fitted elsewhere, as draws from a posterior: the format rmn-curve-draws/1, a Parquet file.

One row per cell and draw. A version keeps, per cell, one curve with its errors and a limited number of the draws:

- k is the geometric mean of the draws, the exponent their mean; a is set so that the curve returns at the usual spend
  what the draws return there on average;
- the error of that return, and the spread of ln k, are those of the draws.
"""

from __future__ import annotations

import io
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import polars as pl

from optimization.core.cells import CellKey
from optimization.core.problem import Curve
from optimization.core.responses import EXPONENT_NAME, Family, Floats, Responses
from tenants.core.problems import InvalidInput, TooLarge

FORMAT: Final = "rmn-curve-draws/1"
METHOD: Final = "imported"
#: Draws of a cell: fewer say too little of the tails, and of more only these are kept.
LEAST_DRAWS, KEPT_DRAWS = 50, 100
LARGEST_FILE: Final = 64 << 20
MOST_ROWS: Final = 4_000_000
MOST_TOLD: Final = 20
LARGEST_AMOUNT: Final = 1e15

_TEXT, _NUMBER = ("retailer", "placement", "sku", "family"), ("a", "k")
REQUIRED: Final = ("retailer", "placement", "sku", "draw", "family", "a", "k")
OPTIONAL: Final = ("exponent", "carry_over", "reference_spend")
_CELL: Final = ["retailer", "placement", "sku"]


class InvalidDraws(InvalidInput):
    """A file of posterior curves that breaks a rule of the format."""

    code = "invalid-curve-draws"
    title = "The file of posterior curves cannot be used"


@dataclass(frozen=True, kw_only=True)
class Known:
    """What the platform knows of the cells a file may name.

    Attributes:
        retailers, placements: names a row may have.
        products: (retailer, SKU) pairs.
        records: curves of the newest version by cell id: usual and observed spend are taken from it.
    """

    retailers: Collection[str]
    placements: Collection[str]
    products: Collection[tuple[str, str]]
    records: Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, kw_only=True)
class Imported:
    """What a curve version keeps: a record per cell, and per cell id the parameters of some draws."""

    records: list[dict[str, Any]]
    draws: dict[str, dict[str, list[float]]]
    draw_count: int


def read_draws(content: bytes, known: Known, *, source: str, n_weeks: int) -> Imported:
    """Curves from a file in the format rmn-curve-draws/1.

    Args:
        source: what fitted them, as the notes of each curve say it.
        n_weeks: of the data they were fitted to.

    Raises:
        InvalidDraws: names every fault by row and column, up to `MOST_TOLD` of them.
        TooLarge: the file or its number of rows.
    """
    frame = _frame(content)
    _refuse(_value_faults(frame, known))
    _refuse(_set_faults(frame))
    cells = frame.partition_by(_CELL, maintain_order=False, as_dict=True)
    records, draws = [], {}
    for key in sorted(cells):
        record, kept = _one(CellKey(*map(str, key)), cells[key].sort("draw"), known, source, n_weeks)
        records.append(record)
        draws[CellKey(*map(str, key)).id] = kept
    return Imported(records=records, draws=draws, draw_count=frame["draw"].n_unique())


def drawn_curves(
    records: Sequence[Mapping[str, Any]], draws: Mapping[str, Mapping[str, Sequence[float]]]
) -> dict[str, tuple[Curve, ...]]:
    """The kept draws of each cell as curves a week; draw d of all cells belongs together."""
    families = {
        CellKey(one["retailer"], one["placement"], one["sku"]).id: Family[one["family"].upper()] for one in records
    }
    return {
        cell: tuple(
            Curve(families[cell], a, k, n) for a, k, n in zip(told["a"], told["k"], told["exponent"], strict=True)
        )
        for cell, told in draws.items()
    }


def _frame(content: bytes) -> pl.DataFrame:
    if len(content) > LARGEST_FILE:
        raise TooLarge(
            f"The file has more than {LARGEST_FILE >> 20} MiB.", where="file", fix="Thin the draws: 100 to 500 suffice."
        )
    try:
        # Columns and rows are known before any of it is unpacked: a small file can hold a great deal.
        names = list(pl.read_parquet_schema(io.BytesIO(content)))
        rows = int(pl.scan_parquet(io.BytesIO(content)).select(pl.len()).collect().item())
    except (pl.exceptions.PolarsError, OSError, ValueError) as error:
        raise _unreadable(error) from None
    _refuse(
        [
            *(
                {"where": f"column {name}", "detail": "It is missing.", "fix": "Add it."}
                for name in REQUIRED
                if name not in names
            ),
            *(
                {"where": f"column {name}", "detail": "The format has no such column.", "fix": "Leave it out."}
                for name in names
                if name not in (*REQUIRED, *OPTIONAL)
            ),
        ]
    )
    if rows == 0:
        raise InvalidDraws("It has no rows.", where="file", fix="Write one row per cell and draw.")
    if rows > MOST_ROWS:
        raise TooLarge(f"It has more than {MOST_ROWS:,} rows.", where="file", fix="Thin the draws: 100 to 500 suffice.")
    try:
        frame = pl.read_parquet(io.BytesIO(content))
    except (pl.exceptions.PolarsError, OSError, ValueError) as error:
        raise _unreadable(error) from None
    return _typed(frame)


def _unreadable(error: Exception) -> InvalidDraws:
    said = str(error).splitlines()
    return InvalidDraws(
        f"It cannot be read as Parquet: {said[0][:200] if said else 'it is empty'}.",
        where="file",
        fix="Write it with pandas, polars or pyarrow as Parquet.",
    )


def _typed(frame: pl.DataFrame) -> pl.DataFrame:
    faults: list[dict[str, str]] = []
    columns = []
    for name in frame.columns:
        kind = frame.schema[name]
        if name in _TEXT and kind not in (pl.String, pl.Categorical, pl.Enum):
            faults.append({"where": f"column {name}", "detail": f"It holds {kind}, not text.", "fix": "Write text."})
        elif name == "draw" and not kind.is_integer():
            faults.append({"where": "column draw", "detail": f"It holds {kind}.", "fix": "Number the draws from 0."})
        elif name not in (*_TEXT, "draw") and not kind.is_numeric():
            faults.append({"where": f"column {name}", "detail": f"It holds {kind}.", "fix": "Write numbers."})
        else:
            columns.append(
                pl.col(name).cast(pl.String if name in _TEXT else pl.Int64 if name == "draw" else pl.Float64)
            )
    _refuse(faults)
    try:
        typed = frame.with_columns(columns)
    except pl.exceptions.PolarsError:
        raise InvalidDraws("A draw has a number beyond 64 bits.", where="column draw", fix="Number from 0.") from None
    for name, usual in (("exponent", None), ("carry_over", 0.0), ("reference_spend", None)):
        if name not in typed.columns:
            typed = typed.with_columns(pl.lit(usual, pl.Float64).alias(name))
    return typed.with_row_index("row", offset=1)


def _value_faults(frame: pl.DataFrame, known: Known) -> list[dict[str, str]]:
    """Rows whose own values break a rule, the first of each column."""
    families = {family.label: family for family in Family}
    shaped = [family.label for family in EXPONENT_NAME]
    n, family = pl.col("exponent"), pl.col("family")
    products = [f"{retailer}\x00{sku}" for retailer, sku in known.products]
    pair = pl.concat_str(["retailer", "sku"], separator="\x00")
    rules: list[tuple[str, pl.Expr, str]] = [
        *((name, pl.col(name).is_null() | (pl.col(name) == ""), "Fill it.") for name in _TEXT),
        ("draw", pl.col("draw").is_null() | (pl.col("draw") < 0), "Number the draws from 0."),
        ("family", ~family.is_in(list(families)), f"Use one of: {', '.join(families)}."),
        ("a", _no_amount("a", least=0.0), "Give money a week, zero or more."),
        ("k", _no_amount("k", least=0.0) | (pl.col("k") == 0), "Give money a week, more than zero."),
        (
            "exponent",
            family.is_in(shaped)
            & (n.is_null() | ~n.is_finite() | (n <= 0) | (n > 20) | ((family == "power") & (n > 1))),
            "power needs p in (0, 1], hill n in (0, 20].",
        ),
        ("exponent", ~family.is_in(shaped) & n.is_not_null() & ~n.is_nan() & (n != 1), "This family has none."),
        (
            "carry_over",
            pl.col("carry_over").is_null() | ~((pl.col("carry_over") >= 0) & (pl.col("carry_over") < 1)),
            "Give a share from 0 to below 1.",
        ),
        (
            "reference_spend",
            pl.col("reference_spend").is_not_null()
            & (_no_amount("reference_spend", least=0.0) | (pl.col("reference_spend") == 0)),
            "Give the usual weekly spend, more than zero, or leave the column out.",
        ),
        ("retailer", ~pl.col("retailer").is_in(list(known.retailers)), f"Use one of: {_some(known.retailers)}."),
        ("placement", ~pl.col("placement").is_in(list(known.placements)), "Use a canonical placement, or unknown."),
        ("sku", ~pair.is_in(products), "Use the SKU of the catalogue, as the table of curves shows it."),
    ]
    faults: list[dict[str, str]] = []
    for column, wrong, fix in rules:
        bad = frame.filter(wrong.fill_null(True))
        told = {fault["where"].rpartition(" ")[2] for fault in faults}
        if bad.height == 0 or (column in told and column not in ("exponent",)):
            continue
        for row in bad.head(3).iter_rows(named=True):
            more = f"; {bad.height:,} rows in all" if bad.height > 1 else ""
            faults.append(
                {"where": f"row {row['row']}, column {column}", "detail": f"{_shown(row[column])}{more}.", "fix": fix}
            )
    return faults


def _no_amount(name: str, *, least: float) -> pl.Expr:
    value = pl.col(name)
    return value.is_null() | ~value.is_finite() | (value < least) | (value > LARGEST_AMOUNT)


def _set_faults(frame: pl.DataFrame) -> Iterator[dict[str, str]]:
    """Rules that hold for the rows of a cell, or of the file, together."""
    twice = frame.group_by([*_CELL, "draw"]).agg(pl.len(), pl.col("row").min()).filter(pl.col("len") > 1).sort("row")
    for row in twice.head(3).iter_rows(named=True):
        yield {
            "where": f"row {row['row']}, column draw",
            "detail": f"Draw {row['draw']} of {_named(row)} occurs {row['len']} times.",
            "fix": "Number draws through over all chains.",
        }
    by_cell = frame.group_by(_CELL).agg(
        pl.col("draw").n_unique().alias("draws"), pl.col("row").min(), pl.col("family").n_unique().alias("families"),
        pl.col("reference_spend").n_unique().alias("spends"),
    ).sort("row")  # fmt: skip
    everyone = frame["draw"].n_unique()
    for row in by_cell.iter_rows(named=True):
        where = f"row {row['row']}"
        if row["families"] > 1:
            yield {
                "where": f"{where}, column family",
                "detail": f"{_named(row)} has several.",
                "fix": "Use one a cell.",
            }
        if row["spends"] > 1:
            yield {
                "where": f"{where}, column reference_spend", "detail": f"{_named(row)} has several.",
                "fix": "Repeat one a cell.",
            }  # fmt: skip
        if row["draws"] < LEAST_DRAWS:
            yield {
                "where": f"{where}, column draw",
                "detail": f"{_named(row)} has {row['draws']} draws.",
                "fix": f"Write at least {LEAST_DRAWS}.",
            }
        elif row["draws"] != everyone:
            yield {
                "where": f"{where}, column draw",
                "detail": f"{_named(row)} has {row['draws']} of {everyone} draws.",
                "fix": "Write every draw for every cell: a draw is one possible truth of all of them.",
            }


def _refuse(faults: Iterator[dict[str, str]] | list[dict[str, str]]) -> None:
    told = []
    for fault in faults:
        told.append(fault)
        if len(told) == MOST_TOLD:
            break
    if told:
        first = told[0]
        raise InvalidDraws(first["detail"], where=first["where"], fix=first["fix"], errors=told)


def _one(
    key: CellKey, rows: pl.DataFrame, known: Known, source: str, n_weeks: int
) -> tuple[dict[str, Any], dict[str, list[float]]]:
    family = Family[str(rows["family"][0]).upper()]
    shaped = family in EXPONENT_NAME
    a, k = rows["a"].to_numpy(), rows["k"].to_numpy()
    n = rows["exponent"].to_numpy() if shaped else np.ones(a.size)
    held = known.records.get(key.id, {})
    usual = rows["reference_spend"][0] or held.get("reference_spend") or float(np.exp(np.log(k).mean()))
    sold = _revenue(family, a, k, n, float(usual))
    mean = float(sold.mean())
    middle_k, middle_n = float(np.exp(np.log(k).mean())), float(n.mean())
    unit = float(_revenue(family, np.ones(1), np.array([middle_k]), np.array([middle_n]), float(usual))[0])
    middle_a = mean / unit
    relative = float(sold.std(ddof=1)) / mean if mean > 0.0 else 0.0
    params = {"a": middle_a, "k": middle_k} | ({EXPONENT_NAME[family]: middle_n} if shaped else {})
    record = {
        "retailer": key.retailer, "placement": key.placement, "sku": key.sku, "family": family.label,
        "params": params, "amplitude_se": middle_a * relative, "log_scale_sd": float(np.log(k).std(ddof=1)),
        "reference_spend": float(usual), "reference_relative_se": min(relative, 10.0),
        "carry_over": float(rows["carry_over"].mean()), "n_weeks": n_weeks,  # type: ignore[arg-type]
        "observed_spend": dict(held.get("observed_spend", {"min": 0.0, "max": 0.0})), "r2": None, "shrinkage": 0.0,
        "notes": [f"Imported from {source}, {a.size} draws."],
    }  # fmt: skip
    kept = np.unique(np.linspace(0, a.size - 1, min(a.size, KEPT_DRAWS)).round().astype(int))
    return record, {"a": a[kept].tolist(), "k": k[kept].tolist(), "exponent": n[kept].tolist()}


def _revenue(family: Family, a: Floats, k: Floats, n: Floats, spend: float) -> Floats:
    curves = Responses.of(np.full(a.size, int(family), dtype=np.int8), a, k, n)
    return curves.value(np.full(a.size, spend))


def _named(row: Mapping[str, Any]) -> str:
    return f"{row['retailer']}, {row['placement']}, {row['sku']}"


def _shown(value: object) -> str:
    return (
        "Nothing"
        if value is None or value == ""
        else f"{value!r} is not allowed"
        if isinstance(value, str)
        else f"{value} is not allowed"
    )


def _some(names: Collection[str]) -> str:
    return ", ".join(sorted(names)[:10]) or "none"
