"""The cell of a row that a canonical value is read from: of one column or of the first that holds something."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from harmonization.core.source_file import raw_name
from harmonization.core.transforms import clean_text, collapse_spaces


def fold(text: str) -> str:
    """Text as values are compared by: without case and surplus spaces."""
    return " ".join(text.lower().split())


def folded(cells: pl.Expr) -> pl.Expr:
    """`fold` of a column that has no outer spaces."""
    return collapse_spaces(cells).str.to_lowercase()


@dataclass(frozen=True, slots=True)
class Cell:
    """Where the text of a value stands. Positions count columns from 0.

    The first of `positions` that is not empty is taken, or with `joined` all that are not empty, joined by ` | `; else
    `default`; only on rows whose cell at `when_position` is one of `when_values` (folded), null on others.
    """

    positions: tuple[int, ...]
    default: str | None = None
    when_position: int | None = None
    when_values: tuple[str, ...] = ()
    joined: bool = False

    @property
    def name(self) -> str:
        """Of the column that holds the cleaned text; equal cells share it."""
        name = ("joined_" if self.joined else "text_") + "_".join(str(position) for position in self.positions)
        if self.default is not None:
            name += f"|{self.default}"
        if self.when_position is not None:
            name += f"|{self.when_position}={'|'.join(self.when_values)}"
        return name

    def text(self, null_tokens: Sequence[str]) -> pl.Expr:
        """The cleaned text, over the raw columns of the file."""
        parts = [clean_text(pl.col(raw_name(position)), null_tokens) for position in self.positions]
        if self.joined and len(parts) > 1:
            whole = pl.concat_str(parts, separator=" | ", ignore_nulls=True)
            parts = [pl.when(whole != "").then(whole)]
        if self.default is not None:
            parts.append(pl.lit(self.default))
        text = parts[0] if len(parts) == 1 else pl.coalesce(parts)
        if self.when_position is not None:
            holds = folded(pl.col(raw_name(self.when_position)).str.strip_chars()).is_in(list(self.when_values))
            text = pl.when(holds).then(text)
        return text.alias(self.name)
