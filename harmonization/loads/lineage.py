"""Lineage: from a figure to the rows of files that it is the sum of, and from a row to the cells that made it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

import polars as pl
from deltalake.exceptions import DeltaError

from accounts import selectors as people
from accounts import services as authority
from accounts.models import User
from harmonization import selectors
from harmonization.core.lineage_filters import FILTERS
from harmonization.core.raw_rows import raw_rows
from harmonization.core.rmis import Attribution
from harmonization.loads.selectors import quarantine_of
from harmonization.models import Load
from harmonization.selectors import Person
from harmonization.services.contracts import check_contract
from tenants.core.problems import InvalidInput, NotFound

MOST_ROWS: Final = 1_000
#: Both are needed: rows are what figures are made of, told with the names of files.
PERMISSIONS: Final = ("metrics.view", "uploads.view")


@dataclass(frozen=True)
class SourceRow:
    """One row in force, and where it comes from."""

    event_key: str
    load: UUID
    upload: UUID
    file_name: str
    source_row: int
    contract: str
    report: str
    first_day: date
    last_day: date
    campaign: str | None
    sku: str | None
    currency: str | None
    impressions: int | None
    clicks: int | None
    spend: Decimal | None


@dataclass(frozen=True)
class Lineage:
    """Rows that meet what was asked: `count` of them in all with their `spend` by currency, the first as `rows`."""

    count: int
    spend: dict[str, Decimal]
    files: int
    rows: list[SourceRow]
    version: int | None


def lineage(
    *,
    user: Person,
    start: date | None = None,
    end: date | None = None,
    filters: Mapping[str, Sequence[str]] | None = None,
    as_of: datetime | None = None,
    limit: int = 100,
) -> Lineage:
    """The source rows behind the figures of some days and members.

    They are of the brands whose figures and whose files a person may see: figures are for more people than rows.

    Args:
        start, end: rows wholly within these days.
        filters: members to keep, by the names of `FILTERS`.
        as_of: rows that were in force at that instant.

    Raises:
        InvalidInput: a filter that there is not, or a limit out of range.
    """
    if unknown := sorted(set(filters or {}) - set(FILTERS)):
        raise InvalidInput(
            f"Rows cannot be asked by {', '.join(unknown)}.", where=unknown[0], fix=f"Use {', '.join(FILTERS)}."
        )
    if not 1 <= limit <= MOST_ROWS:
        raise InvalidInput(f"{limit} rows is out of range.", where="limit", fix=f"Ask for 1 to {MOST_ROWS}.")
    brands = set.intersection(
        *({brand.pk for brand in people.brands_for(user=user, permission=needed)} for needed in PERMISSIONS)
    )
    everything = all(people.may(user=user, permission=needed) for needed in PERMISSIONS)
    view = selectors.published_events(brand_ids=brands, with_unbranded=everything, as_of=as_of)
    if view is None:
        return Lineage(0, {}, 0, [], None)
    rows = _matching(view.rows, start, end, filters or {})
    sums = (
        rows.group_by("currency")
        .agg(pl.len().alias("rows"), pl.col("spend").cast(pl.Decimal(38, 6)).sum(), pl.col("load_id").unique())
        .collect(engine="streaming")
    )
    present = set(rows.collect_schema().names())
    found = (
        rows.select(column for column in _SHOWN if column in present)
        .sort("period_start", "load_id", "source_row")
        .head(limit)
        .collect(engine="streaming")
    )
    loads = _loads(found["load_id"].to_list())
    return Lineage(
        count=int(sums["rows"].sum()),
        spend=dict(sorted((row["currency"] or "unknown", row["spend"]) for row in sums.iter_rows(named=True))),
        files=len({load for some in sums["load_id"].to_list() for load in some}),
        rows=[_source_row(row, loads[row["load_id"]]) for row in found.iter_rows(named=True)],
        version=view.version,
    )


def lineage_asker(user: Person) -> User:
    """The person, if there is anything that they may see rows of.

    Raises:
        NotAllowed: their roles show them figures, or files, or neither, but not both.
    """
    for needed in PERMISSIONS:
        asker = authority.require_somewhere(user=user, permission=needed)
    return asker


def asked_lineage(user: Person, asked: Mapping[str, Any]) -> Lineage:
    """`lineage` of what an address asks for: members of each filter by comma."""
    filters = {name: [one for one in str(asked[name]).split(",") if one] for name in FILTERS if asked.get(name)}
    return lineage(
        user=user,
        start=asked.get("start"),
        end=asked.get("end"),
        as_of=asked.get("as_of"),
        limit=asked.get("limit") or 100,
        filters=filters,
    )


_SHOWN = (
    "event_key", "load_id", "source_row", "rmn_report", "period_start", "period_end", "campaign_name", "campaign_id",
    "rmn_sku", "sku_id", "currency", "impressions", "clicks", "spend",
)  # fmt: skip


def _matching(
    rows: pl.LazyFrame, start: date | None, end: date | None, filters: Mapping[str, Sequence[str]]
) -> pl.LazyFrame:
    present = set(rows.collect_schema().names())
    if start is not None:
        rows = rows.filter(pl.col("period_start") >= start)
    if end is not None:
        rows = rows.filter(pl.col("period_end") <= end)
    for name, members in filters.items():
        columns = [pl.col(column) for column in FILTERS[name] if column in present]
        if not columns:
            return rows.filter(False)
        wanted = [str(member) for member in members]
        rows = rows.filter(pl.coalesce(columns).is_in(wanted) | pl.any_horizontal(one.is_in(wanted) for one in columns))
    return rows


def _loads(ids: Sequence[str]) -> dict[str, Load]:
    loads = Load.objects.filter(pk__in=set(ids)).select_related("upload", "contract_version__contract")
    return {str(load.pk): load for load in loads.defer("report", "problem")}


def _source_row(row: dict[str, Any], load: Load) -> SourceRow:
    return SourceRow(
        event_key=row["event_key"],
        load=load.pk,
        upload=load.upload_id,
        file_name=load.upload.file_name,
        source_row=row["source_row"],
        contract=str(load.contract_version),
        report=row["rmn_report"],
        first_day=row["period_start"],
        last_day=row["period_end"],
        campaign=row.get("campaign_name") or row.get("campaign_id"),
        sku=row.get("rmn_sku") or row.get("sku_id"),
        currency=row["currency"],
        impressions=row["impressions"],
        clicks=row["clicks"],
        spend=row["spend"],
    )


@dataclass(frozen=True)
class CellOrigin:
    """A cell of the file and what became of it: `target` and `value` are None where the contract does not read it."""

    header: str
    cell: str | None
    target: str | None
    how: str
    value: str | None


@dataclass(frozen=True)
class RowOrigin:
    """One row of a file with all that is known of it.

    Attributes:
        state: `in force`, `gave way` (published, and restated since), `quarantined`, `skipped` or `not published`.
        rules: rules it broke.
        derived: canonical values that no cell of the row holds: from the load, the contract or the account.
    """

    load: Load
    source_row: int
    state: str
    rules: list[str]
    cells: list[CellOrigin]
    derived: list[tuple[str, str]]


def row_origin(load: Load, source_row: int) -> RowOrigin:
    """The row of a load's file at a number, re-read from the file as it is kept.

    Raises:
        NotFound: the file has no such row, or the load names no contract.
    """
    if load.contract_version is None:
        raise NotFound("There is nothing here under that id.")
    contract = check_contract(text=load.contract_version.text)
    with raw_rows(selectors.stored_file(load.upload), contract) as raw:
        cells = raw.numbered([source_row]).get(source_row)
        names = raw.names
    if cells is None:
        raise NotFound(f"The file has no row {source_row:,}.", fix="Rows are counted from the first line of the file.")
    made, state = _canonical(load, source_row)
    _, waiting = quarantine_of(load, source_row=source_row, limit=1) if state != "in force" else (0, [])
    rules = waiting[0].rules if waiting else []
    if rules:
        state = "quarantined"
    # A column may feed several canonical ones: each is a line.
    matches = load.report.get("headers", [])
    origins = [
        CellOrigin(
            names[match["position"]],
            cells[names[match["position"]]],
            _plain(match.get("target")),
            match.get("how", ""),
            _text(made.get(match.get("target"))),
        )
        for match in sorted(matches, key=lambda one: one["position"])
        if match["position"] < len(names)
    ]
    read = {match.get("target") for match in matches}
    derived = [
        (_plain(name) or name, _text(value) or "")
        for name, value in made.items()
        if value is not None and name not in read
    ]
    return RowOrigin(load, source_row, state, rules, origins, sorted(derived))


def _canonical(load: Load, source_row: int) -> tuple[dict[str, Any], str]:
    """The canonical row, from the newest version that has it, and whether it is in force."""
    this = (pl.col("load_id") == str(load.pk)) & (pl.col("source_row") == source_row)
    folder = selectors.events_folder()
    newest = selectors.version_in_force(None)
    for version, state in ((newest, "in force"), (load.delta_version, "gave way")):
        if version is None:
            continue
        try:
            rows = folder.scan(version).filter(this).collect(engine="streaming").to_dicts()
        except (FileNotFoundError, pl.exceptions.ComputeError, DeltaError):
            continue  # that version's files, or its log, are no longer kept
        if rows:
            return rows[0], state
    return {}, "not published"


def _plain(column: str | None) -> str | None:
    """A column's name; an attribution's in words."""
    if column is None or not column.startswith("att__"):
        return column
    return Attribution.parse(column).label


def _text(value: Any) -> str | None:
    if value is None:
        return None
    return f"{value:f}" if isinstance(value, Decimal) else str(value)
