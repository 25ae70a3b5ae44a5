"""What a contract would make of a file, seen on its first rows: nothing is stored."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import polars as pl

from harmonization.core import rmis
from harmonization.core.binding import HeaderMatch, bind
from harmonization.core.contract import Contract
from harmonization.core.detect import choose_table, find_header_row, header_span, headers_at
from harmonization.core.load_context import LoadContext
from harmonization.core.plan import compile_plan
from harmonization.core.reading import open_source
from harmonization.core.sampled import Forgetful, Memory, open_sampled
from harmonization.core.source_file import SOURCE_ROW, Limits, UnreadableFile

#: Rows that a preview reads; a test by hand reads more of them, a load all.
ROWS: Final = 1_000
SHOWN: Final = 6
#: Canonical columns that the load gives and not the file: the same on every row, and nothing to look at here.
_QUIET: Final = frozenset(
    ["event_key", "load_id", "batch_id", "contract", "report", "unread", "source_row", "source_tz", "network",
     "retailer_id", "account_id", "account_name", "brand_id", "brand_name", "impression_basis", "grain"]
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that would be kept aside: its number in the file, the rules it breaks, and the cells to blame."""

    row: int
    rules: tuple[str, ...]
    cells: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Preview:
    """The first `rows` rows under a contract: rows = good + quarantined + skipped.

    `columns` are the canonical columns that hold something, `lines` the first good rows with their values as text;
    `more` says whether the file has more rows than were read.
    """

    matches: tuple[HeaderMatch, ...]
    rows: int
    good: int
    quarantined: int
    skipped: int
    more: bool
    columns: tuple[str, ...]
    lines: tuple[dict[str, str | None], ...]
    broken: dict[str, int]
    bad: tuple[BadRow, ...]
    totals: tuple[dict[str, Any], ...]


def preview(
    path: Path,
    contract: Contract,
    *,
    context: LoadContext = LoadContext(),  # noqa: B008
    rows: int = ROWS,
    limits: Limits = Limits(),  # noqa: B008
    content: str = "",
    memory: Memory | None = None,
) -> Preview:
    """Read the first `rows` rows of `path` by `contract`.

    Args:
        content: the hash of the file, under which `memory` keeps its first rows: the next preview reads nothing.

    Raises:
        UnreadableFile, FileTooLarge: the file itself.
        HeadersDoNotFit, InvalidParameter: the file against the contract.
    """
    source = contract.source
    with (
        tempfile.TemporaryDirectory(prefix="preview-") as scratch,
        open_sampled(
            path,
            contract,
            content=content,
            rows=rows + 1,
            scratch=Path(scratch),
            limits=limits,
            memory=memory if memory is not None and content else Forgetful(),
        ) as file,
    ):
        opened = choose_table(file, [contract])
        if opened.head.kind not in source.formats:
            raise UnreadableFile(
                f"{contract.label} reads {' and '.join(source.formats)}; this is {opened.head.kind}.",
                where=path.name,
                fix="Add the format to the contract.",
            )
        header_row = find_header_row(opened.head, contract)
        headers = list(headers_at(opened.head, header_row, contract))
        while headers and not headers[-1].strip() and opened.head.kind == "csv":
            headers.pop()
        binding = bind(contract, headers, context)
        head = opened.rows(header_row + header_span(opened.head, contract) - 1, len(headers)).head(rows + 1).collect()
        plan = compile_plan(head.head(rows).lazy(), binding, context)
        good, quarantined, skipped = pl.collect_all([plan.good, plan.quarantined, plan.skipped])
        return Preview(
            matches=binding.matches,
            rows=min(head.height, rows),
            good=good.height,
            quarantined=quarantined.height,
            skipped=skipped.height,
            more=head.height > rows,
            columns=_telling(good),
            lines=tuple(_as_text(good.head(SHOWN), _telling(good))),
            broken=_broken(quarantined),
            bad=tuple(_bad(quarantined.head(SHOWN))),
            totals=_totals(good),
        )


def sample_columns(path: Path, contract: Contract, *, limits: Limits = Limits()) -> list[dict[str, Any]]:  # noqa: B008
    """The columns of a file with their first values and what `contract` reads them as, in the shape of a proposal.

    Raises:
        UnreadableFile, FileTooLarge: the file itself.
    """
    with (
        tempfile.TemporaryDirectory(prefix="preview-") as scratch,
        open_source(path, records=contract.source.records, scratch=Path(scratch), limits=limits) as file,
    ):
        opened = choose_table(file, [contract])
        header_row = find_header_row(opened.head, contract)
        headers = headers_at(opened.head, header_row, contract)
        rows = opened.head.rows[header_row + header_span(opened.head, contract) - 1 :]
    columns = []
    for position, header in enumerate(headers):
        cells = (row[position].strip()[:80] for row in rows if position < len(row))
        columns.append(
            {
                "source": header.strip(),
                "position": position,
                "samples": list(dict.fromkeys(cell for cell in cells if cell))[:5],
                "target": None,
                "attribution": None,
                "confidence": 1.0,
                "reason": "",
                "alternatives": [],
            }
        )
    return [column for column in columns if column["source"] or column["samples"]]


def _telling(good: pl.DataFrame) -> tuple[str, ...]:
    return tuple(name for name in good.columns if name not in _QUIET and good[name].null_count() < good.height)


def _as_text(frame: pl.DataFrame, columns: tuple[str, ...]) -> list[dict[str, str | None]]:
    plain = frame.select(pl.col(name).cast(pl.String) for name in columns)
    return [
        {name: _short(value, rmis.COLUMNS.get(name)) for name, value in row.items()}
        for row in plain.iter_rows(named=True)
    ]


def _short(value: str | None, column: rmis.Column | None) -> str | None:
    is_amount = column is None or column.unit == "money"
    if value is None or not is_amount or "." not in value:
        return value
    whole, _, places = value.partition(".")
    return f"{whole}.{places.rstrip('0').ljust(2, '0')}"


def _broken(quarantined: pl.DataFrame) -> dict[str, int]:
    counted = quarantined["rule_ids"].explode(empty_as_null=False).value_counts(sort=True)
    return dict(counted.iter_rows())


def _bad(quarantined: pl.DataFrame) -> list[BadRow]:
    return [
        BadRow(
            row=row[SOURCE_ROW],
            rules=tuple(row["rule_ids"]),
            cells=tuple((one["column"] or "", one["value"] or "") for one in row["findings"]),
        )
        for row in quarantined.iter_rows(named=True)
    ]


def _totals(good: pl.DataFrame) -> tuple[dict[str, Any], ...]:
    sums = good.group_by("currency", maintain_order=True).agg(
        pl.len().alias("rows"), pl.col("impressions", "clicks").sum(), pl.col("spend").sum()
    )
    return tuple(
        {**row, "spend": None if row["spend"] is None else _short(str(row["spend"]), rmis.COLUMNS["spend"])}
        for row in sums.iter_rows(named=True)
    )
