"""Panels from the harmonised events: what was reported, by SKU or retailer and day."""

from __future__ import annotations

import csv
import io
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from accounts.models import User
from accounts.services import require
from measurement.core.words import count_of
from measurement.models import Experiment, PanelVersion
from measurement.selectors import MANAGE
from measurement.services.panels import add_panel
from metrics.core.request import MAX_DAYS, read_request
from metrics.core.table import CURRENCY, MetricTable
from metrics.services import query_tenant_metrics
from optimization.selectors import account_days
from tenants.core.problems import InvalidInput

#: What a unit of such a panel can be.
UNITS: Final = ("sku", "retailer", "placement", "campaign")
_HEADER: Final = ("date", "unit", "outcome", "cost", "currency")


def panel_from_events(
    *,
    actor: User | None,
    experiment: Experiment,
    unit: str = "sku",
    start: date | None = None,
    end: date | None = None,
    job_id: UUID | None = None,
) -> PanelVersion:
    """Build the data of an experiment from what its accounts reported, through the metrics layer.

    A unit without a row on a day that every account reported sold and cost nothing that day; a day that an account
    did not report stays out of all units. Rows that name no such unit are left out. Each is said in a note.

    Args:
        unit: one of `UNITS`.
        start, end: default the last `MAX_DAYS` days that are final for every account.

    Raises:
        InvalidInput: no events, several currencies, or the experiment is of a kind that has no panel.
        NotAllowed, NotFound: as `accounts.services.require` for experiments.manage.
    """
    if actor is not None:
        require(user=actor, permission=MANAGE, brand=experiment.brand)
    if unit not in UNITS:
        raise InvalidInput(f"There is no unit {unit!r}.", where="unit", fix=f"Use one of {', '.join(UNITS)}.")
    first, last = _span(experiment, start, end)
    filters: dict[str, list[str]] = {}
    if experiment.brand_id:
        filters["brand"] = [str(experiment.brand_id)]
    if experiment.retailer:
        filters["retailer"] = [experiment.retailer.name]
    if experiment.placement:
        filters["placement"] = [experiment.placement]
    if experiment.currency:
        filters["currency"] = [experiment.currency]
    table = query_tenant_metrics(
        request=read_request(
            metrics=(experiment.outcome, "spend"), dimensions=("date", unit), start=first, end=last, filters=filters
        )
    )
    content, notes = _as_csv(table, experiment.outcome, unit, first, last)
    return add_panel(
        actor=actor,
        experiment=experiment,
        chunks=[content],
        file_name=f"events-{unit}-{first}-{last}.csv",
        columns={name: name for name in _HEADER},
        origin=PanelVersion.Origin.EVENTS,
        data_version=table.provenance.version,
        notes=notes,
        job_id=job_id,
    )


def _span(experiment: Experiment, start: date | None, end: date | None) -> tuple[date, date]:
    days = account_days(brand=experiment.brand).values()
    if experiment.retailer:
        days = [one for one in days if one.retailer == experiment.retailer.name]  # type: ignore[assignment]
    if not days:
        raise InvalidInput(
            "No reports are published that this experiment could read.",
            where="experiment",
            fix="Send reports of its accounts first, or a file of its own.",
        )
    last = end or min(one.final_until for one in days)
    first = start or max(max(one.first_day for one in days), last - timedelta(days=MAX_DAYS - 1))
    if first > last:
        raise InvalidInput(f"{first} lies after {last}.", where="start", fix="Give a start before the end.")
    return first, last


def _as_csv(table: MetricTable, outcome: str, unit: str, first: date, last: date) -> tuple[bytes, list[str]]:
    """Rows of a complete grid, and what was done to make it one; days that an account did not report are left out."""
    if len(table.currencies) > 1:
        raise InvalidInput(
            f"The reports are in {', '.join(table.currencies)}; they are never mixed.",
            where="currency",
            fix="Give the experiment one currency, or one retailer.",
        )
    unreported = {day for gap in table.provenance.gaps for day in gap.days}
    nameless = 0
    cells: dict[tuple[date, str], tuple[Decimal | float | None, Decimal]] = {}
    code = table.currencies[0] if table.currencies else ""
    for row in table.lines.iter_rows(named=True):
        member, day = row[unit], row["date"]
        if member and day is not None and row[CURRENCY] in (None, code):
            cells[day, str(member)] = (row[outcome], row["spend"] or Decimal(0))
        else:
            nameless += 1
    units = sorted({member for _, member in cells})
    if not units:
        raise InvalidInput(
            f"No reported row between {first} and {last} names a {unit}.", where="unit", fix="Choose another unit."
        )
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(_HEADER)
    days = [day for day in _days(first, last) if day not in unreported]
    for day in days:
        for member in units:
            amount, spend = cells.get((day, member), (Decimal(0), Decimal(0)))
            writer.writerow([day, member, _plain(amount), _plain(spend), code])
    return out.getvalue().encode(), _notes(unit, len(days) * len(units), len(cells), nameless, first, last, unreported)


def _notes(unit: str, grid: int, told: int, nameless: int, first: date, last: date, unreported: set[date]) -> list[str]:
    """What was done to the reported rows, each a sentence."""
    notes = []
    if grid > told:
        notes.append(
            f"{grid - told:,} of {grid:,} rows are zero: the accounts reported those days, and no such {unit}."
        )
    if nameless:
        what = "1 reported sum names" if nameless == 1 else f"{nameless:,} reported sums name"
        notes.append(f"{what} no {unit}, or no day, and {'is' if nameless == 1 else 'are'} left out.")
    inside = sorted(day for day in unreported if first <= day <= last)
    if inside:
        first_of = "" if len(inside) == 1 else " first"
        left = "is left out" if len(inside) == 1 else "are left out"
        notes.append(f"{count_of(len(inside), 'day')} that an account did not report {left}, {inside[0]}{first_of}.")
    return notes


def _days(first: date, last: date) -> list[date]:
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


def _plain(value: Any) -> str:
    return "" if value is None else f"{value:f}" if isinstance(value, Decimal) else repr(value)
