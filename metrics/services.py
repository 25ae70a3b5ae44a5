"""Figures of the brands a person may see: the one door for the page, REST, the command line and the planner."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from uuid import UUID

from django.contrib.auth.models import AnonymousUser

from accounts import selectors as people
from accounts.models import Brand, User
from accounts.services import require_somewhere
from harmonization.selectors import EventView, published_events
from metrics.core.export import EXPORT_FORMATS, ExportFile, write_export
from metrics.core.query import query
from metrics.core.request import MAX_LINES, MetricRequest, read_request
from metrics.core.table import MetricTable
from tenants.core.problems import InvalidInput, NotAllowed, NotFound, TooLarge

Actor = User | AnonymousUser


def query_metrics(
    *,
    actor: Actor,
    metrics: Iterable[str],
    dimensions: Iterable[str] = (),
    start: date,
    end: date,
    filters: Mapping[str, Iterable[str]] | None = None,
    compare: str = "none",
    attribution: str = "as_reported",
    sort: str = "",
    limit: int | None = None,
) -> MetricTable:
    """Figures of the brands that the actor may see, split by dimensions.

    Args:
        metrics, dimensions: names of `metrics.core.definitions`.
        start, end: first and last day.
        filters: members to keep, by dimension; brands and accounts by id.
        compare: none, previous (weekdays matched), previous_exact or year.
        sort: a metric or dimension asked for, `-` before it for descending order.
        limit: lines to return; the others are summed into `rest`.

    Raises:
        NotAuthenticated, NotAllowed: nobody is logged in, or no role carries metrics.view.
        NotFound: a brand to filter on does not exist or is not this person's to know of.
        InvalidInput: the request breaks a rule of `metrics.core.request`.
    """
    request = read_request(
        metrics=metrics,
        dimensions=dimensions,
        start=start,
        end=end,
        filters=with_plain_ids(filters or {}),
        compare=compare,
        attribution=attribution,
        sort=sort,
        limit=limit,
    )
    return query_tables(actor=actor, requests=[request])[0]


def query_tables(*, actor: Actor, requests: Sequence[MetricRequest]) -> list[MetricTable]:
    """Several tables of the same brands and of one version of the data, so that they agree on a page.

    Raises:
        NotAuthenticated, NotAllowed, NotFound: as for `query_metrics`.
        ValueError: the requests filter on different brands.
    """
    wanted = {request.filters.get("brand", ()) for request in requests}
    if len(wanted) != 1:
        raise ValueError("tables that are asked for together are of the same brands")
    events, _ = _events(actor, "metrics.view", wanted.pop())
    return [query(events, request) for request in requests]


def query_tenant_metrics(*, request: MetricRequest) -> MetricTable:
    """Figures of every brand of the running tenant, for operators at the command line: there is no person to ask."""
    brands = list(Brand.objects.values_list("pk", flat=True))
    return query(published_events(brand_ids=brands, with_unbranded=True), request)


def export_metrics(
    *,
    actor: Actor,
    kind: str,
    metrics: Iterable[str],
    dimensions: Iterable[str] = (),
    start: date,
    end: date,
    filters: Mapping[str, Iterable[str]] | None = None,
    compare: str = "none",
    attribution: str = "as_reported",
    sort: str = "",
    limit: int | None = None,
) -> ExportFile:
    """The same figures as a file, `csv` or `xlsx`, of the brands whose figures the actor may take out.

    Raises:
        InvalidInput: also where the kind of file is unknown.
        TooLarge: more lines than a file should have.
        NotAllowed: no role carries metrics.export, or not for a brand that is filtered on.
        NotAuthenticated, NotFound: as for `query_metrics`.
    """
    request = read_request(
        metrics=metrics,
        dimensions=dimensions,
        start=start,
        end=end,
        filters=with_plain_ids(filters or {}),
        compare=compare,
        attribution=attribution,
        sort=sort,
        limit=limit,
    )
    chosen = next((known for known in EXPORT_FORMATS if known == kind), None)
    if chosen is None:
        raise InvalidInput(
            f"Figures cannot be written as {kind!r}.", where="export", fix=f"Use one of: {', '.join(EXPORT_FORMATS)}."
        )
    events, brands = _events(actor, "metrics.export", request.filters.get("brand", ()))
    table = query(events, request)
    if table.lines.height > MAX_LINES:
        raise TooLarge(
            f"The file would have {table.line_count:,} lines; the most is {MAX_LINES:,}.",
            where="export",
            fix="Narrow the period or the filters, split by fewer dimensions, or set a limit.",
        )
    return write_export(table, chosen, brands=[brand.name for brand in brands])


def with_plain_ids(filters: Mapping[str, Iterable[str]]) -> dict[str, list[str]]:
    """Filters with ids in the one spelling that the events have: a UUID may be sent in capitals or without hyphens.

    Raises:
        InvalidInput: what stands for a brand is no UUID.
    """
    plain = {name: list(members) for name, members in filters.items()}
    if "brand" in plain:
        plain["brand"] = [str(_brand_id(text)) for text in plain["brand"]]
    return plain


def _events(actor: Actor, permission: str, wanted: tuple[str, ...]) -> tuple[EventView | None, list[Brand]]:
    """Published events that the actor has the permission for, and the brands that they are of.

    What an account of several brands spent on no product in particular is nobody's: only a role for the whole tenant
    sees it, and a filter on brands leaves it out.
    """
    brands = _brands(actor, permission, wanted)
    everything = not wanted and people.may(user=actor, permission=permission)
    return published_events(brand_ids=[brand.pk for brand in brands], with_unbranded=everything), brands


def _brands(actor: Actor, permission: str, wanted: tuple[str, ...]) -> list[Brand]:
    """The brands to read: those asked for, or all for which the actor has the permission."""
    permitted = {brand.pk: brand for brand in people.brands_for(user=actor, permission=permission)}
    if not permitted:
        require_somewhere(user=actor, permission=permission)
    if not wanted:
        return list(permitted.values())
    asked = [_brand_id(text) for text in wanted]
    if missing := [key for key in asked if key not in permitted]:
        _refuse(actor, permission, missing)
    return [permitted[key] for key in asked]


def _refuse(actor: Actor, permission: str, missing: list[UUID]) -> None:
    """A brand that may not be known of is answered like one that does not exist."""
    visible = people.brands_for(user=actor, permission="metrics.view").filter(pk__in=missing)
    if visible.count() < len(missing):
        raise NotFound("There is nothing here under that id.")
    raise NotAllowed(
        f"None of your roles carries {permission!r} for this brand.", fix="Ask an owner of this tenant for one."
    )


def _brand_id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise InvalidInput(f"{text!r} is not the id of a brand.", where="brand", fix="Send its UUID.") from None
