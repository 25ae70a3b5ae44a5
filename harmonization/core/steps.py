"""The steps that a contract takes between a cell's text and its value.

Each is an expression over text and null, so that a plan of them streams. A cell of which a step leaves nothing
becomes null, which the plan tells apart from a cell that was empty from the start: the one is unreadable, the other is
no value. Patterns are those of Rust's regex, which match in time linear in the text.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import polars as pl

from harmonization.core import transforms
from harmonization.core.contract_parts import Replace, Split, Step, StepCall
from harmonization.core.gtin import to_gtin14


def _gtin14(cells: pl.Expr) -> pl.Expr:
    return cells.map_batches(to_gtin14, return_dtype=pl.String(), is_elementwise=True)


def _split(cells: pl.Expr, how: Split) -> pl.Expr:
    place = how.take - 1 if how.take > 0 else how.take
    return cells.str.split(how.on).list.get(place, null_on_oob=True)


def _replace(cells: pl.Expr, how: Replace) -> pl.Expr:
    return cells.str.replace_all(how.from_, how.to, literal=True)


_NAMED: Final[dict[str, Callable[[pl.Expr], pl.Expr]]] = {
    "trim": lambda cells: cells.str.strip_chars(),
    "upper": lambda cells: cells.str.to_uppercase(),
    "lower": lambda cells: cells.str.to_lowercase(),
    "collapse_spaces": transforms.collapse_spaces,
    "identifier": transforms.identifier,
    "gtin14": _gtin14,
}
_CALLED: Final[dict[str, Callable[[pl.Expr, Any], pl.Expr]]] = {
    "zero_pad": lambda cells, width: cells.str.pad_start(width, "0"),
    "split": _split,
    "extract": lambda cells, pattern: cells.str.extract(pattern, 1),
    "replace": _replace,
    "strip_prefix": lambda cells, text: cells.str.strip_prefix(text),
    "strip_suffix": lambda cells, text: cells.str.strip_suffix(text),
}


def apply_steps(cells: pl.Expr, steps: Sequence[Step]) -> pl.Expr:
    """`cells` (text) after each step in turn; empty text becomes null. Without steps, `cells` itself."""
    for step in steps:
        cells = _CALLED[step.name](cells, step.argument) if isinstance(step, StepCall) else _NAMED[step](cells)
    return pl.when(cells != "").then(cells) if steps else cells
