"""The rows of a file as it has them, under its own headers: for looking at single rows, and for telling files apart."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from harmonization.core.contract import Contract
from harmonization.core.detect import choose_table, find_header_row, header_span, headers_at
from harmonization.core.reading import open_source
from harmonization.core.source_file import SOURCE_ROW, Limits, raw_name


@dataclass(frozen=True, slots=True)
class RawRows:
    """`headers` as the file writes them, `names` of them unique, and the lazy rows (`source_row`, `raw_0..raw_n`)."""

    headers: tuple[str, ...]
    rows: pl.LazyFrame

    @property
    def names(self) -> list[str]:
        """A name for each column: its header, its place where it has none or another had it before."""
        names: list[str] = []
        for position, header in enumerate(self.headers):
            name = header.strip() or f"column {position + 1}"
            names.append(name if name not in names else f"{name} (column {position + 1})")
        return names

    def first(self, count: int) -> dict[str, list[str]]:
        """The cells of the first `count` rows, by name of the column."""
        columns = [raw_name(position) for position in range(len(self.headers))]
        frame = self.rows.select(columns).head(count).collect(engine="streaming")
        return {
            name: frame[column].cast(pl.String).fill_null("").to_list()
            for name, column in zip(self.names, columns, strict=True)
        }

    def numbered(self, numbers: list[int]) -> dict[int, dict[str, str | None]]:
        """Cells by name of the column, of the rows with these numbers; a number the file lacks is left out."""
        columns = [raw_name(position) for position in range(len(self.headers))]
        wanted = pl.col(SOURCE_ROW).is_in(pl.Series(numbers, dtype=pl.Int64).implode())
        # Nothing past the last one is read.
        within = pl.col(SOURCE_ROW) <= max(numbers, default=0)
        frame = self.rows.filter(within & wanted).select(SOURCE_ROW, *columns).collect(engine="streaming")
        return {
            row[0]: dict(zip(self.names, (None if cell is None else str(cell) for cell in row[1:]), strict=True))
            for row in frame.iter_rows()
        }


@contextmanager
def raw_rows(path: Path, contract: Contract, *, limits: Limits = Limits()) -> Iterator[RawRows]:  # noqa: B008
    """Open a file as the engine does for `contract`.

    Raises:
        UnreadableFile, FileTooLarge: as the engine.
    """
    source = contract.source
    with (
        tempfile.TemporaryDirectory(prefix="raw-rows-") as scratch,
        open_source(
            path,
            encoding=source.encoding,
            delimiter=source.delimiter,
            sheet=source.sheet,
            records=source.records,
            scratch=Path(scratch),
            limits=limits,
        ) as opened,
    ):
        chosen = choose_table(opened, [contract])
        header_row = find_header_row(chosen.head, contract)
        headers = list(headers_at(chosen.head, header_row, contract))
        while headers and not headers[-1].strip() and chosen.head.kind == "csv":
            headers.pop()
        last = header_row + header_span(chosen.head, contract) - 1
        yield RawRows(tuple(headers), chosen.rows(last, len(headers)))
