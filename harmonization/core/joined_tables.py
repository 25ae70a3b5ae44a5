"""Several files of one report as one: the members of an archive.

Rows are numbered as if the files stood one below the other, in the order of their names; which rows are of which file
is told. Columns may stand in another order, and the header in another row; a file with other columns is refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import polars as pl

from harmonization.core.headers import compact
from harmonization.core.source_file import HEAD_ROWS, RAGGED, SOURCE_ROW, Head, OpenedFile, UnreadableFile, raw_name


def join_tables(tables: Sequence[tuple[str, OpenedFile]], archive: str, *, left: Sequence[str] = ()) -> OpenedFile:
    """One opened file of all `tables` (name and file), which must be of one kind.

    Raises:
        UnreadableFile: they are of several kinds; when rows are asked for, one has other columns than the first.
    """
    (first_name, first), *rest = tables
    warnings = [f"Not read: {', '.join(left[:10])}."] if left else []
    for name, table in rest:
        if table.head.kind != first.head.kind:
            raise UnreadableFile(
                f"The archive holds {first.head.kind} and {table.head.kind} files.",
                where=f"{first_name} and {name}",
                fix="Pack files of one report and one format.",
            )
    for _, table in tables:
        warnings += [warning for warning in table.warnings if warning not in warnings]
    if not rest:
        return replace(first, warnings=tuple(warnings))

    said = f"{len(tables)} files were read as one, in this order: {_names(tables)}."
    head = _joined_head([table.head for _, table in tables]) if first.head.names_its_columns else first.head

    def rows(header_row: int, width: int) -> pl.LazyFrame:
        headers = head.rows[header_row - 1][:width]
        frames, offset = [], 0
        for name, table in tables:
            found, order = _fitting(table, headers, name, first_name)
            present = [source for source in order if source is not None]
            own = table.rows(found, max(present, default=-1) + 1)
            cells = [
                (pl.lit(None, dtype=pl.String) if source is None else pl.col(raw_name(source))).alias(raw_name(target))
                for target, source in enumerate(order)
            ]
            frames.append(own.select(*cells, pl.col(SOURCE_ROW) + offset, RAGGED))
            last = own.select(pl.col(SOURCE_ROW).max()).collect(engine="streaming").item()
            offset += int(last) if last is not None else found
        return pl.concat(frames)

    return OpenedFile(head, rows, (*warnings, said))


def _joined_head(heads: Sequence[Head]) -> Head:
    """Records may leave keys out, so files of records have the columns of all of them."""
    names = list(dict.fromkeys(name for head in heads for name in head.rows[0]))
    rows = [tuple(names)]
    for head in heads:
        for row in head.rows[1:]:
            cells = dict(zip(head.rows[0], row, strict=True))
            rows.append(tuple(cells.get(name, "") for name in names))
    return replace(heads[0], rows=tuple(rows[:HEAD_ROWS]))


def _names(tables: Sequence[tuple[str, OpenedFile]]) -> str:
    names = [name for name, _ in tables]
    return ", ".join(names[:10]) + (f" and {len(names) - 10} more" if len(names) > 10 else "")


def _fitting(table: OpenedFile, headers: Sequence[str], name: str, first_name: str) -> tuple[int, list[int | None]]:
    """The header row of `table` and, for each of `headers`, the position of its column there."""
    if table.head.names_its_columns:
        own = {header: position for position, header in enumerate(table.head.rows[0])}
        return 1, [own.get(header) for header in headers]
    wanted = [compact(header) for header in headers]
    for number, row in enumerate(table.head.rows, start=1):
        cells = [compact(cell) for cell in row]
        if cells[: len(wanted)] == wanted and not any(cells[len(wanted) :]):
            return number, list(range(len(wanted)))
        if sorted(filter(None, cells)) == sorted(wanted):
            return number, [cells.index(form) for form in wanted]
    raise UnreadableFile(
        f"Its columns are not those of {first_name}.",
        where=name,
        fix="Pack only files of one report, or send them one by one.",
    )
