"""Figures of the brands a person may see: the one door for the page, REST, the command line and the planner."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Required, TypedDict, Unpack
from uuid import UUID

from django.contrib.auth.models import AnonymousUser
from django.utils import timezone

from accounts import selectors as people
from accounts.models import Brand, User
from accounts.services import require_somewhere
from harmonization.selectors import EventView, published_events
from metrics import selectors
from metrics.core.export import EXPORT_FORMATS, ExportFile, write_export
from metrics.core.ids import brand_id, with_plain_ids
from metrics.core.query import query
from metrics.core.request import BASE, MAX_LINES, NATIVE, MetricRequest, read_request
from metrics.core.suppression import suppressed
from metrics.core.table import MetricTable
from tenants.core.problems import InvalidInput, NotAllowed, NotFound, TooLarge
from tenants.selectors import current_tenant

Actor = User | AnonymousUser


class Question(TypedDict, total=False):
    """What is asked of figures; every door takes these words.

    Attributes:
        metrics, dimensions: names of `metrics.core.definitions`; at least one metric.
        start, end: first and last day; both must be given.
        filters: members to keep, by dimension; brands and accounts by id.
        compare: none, previous (weekdays matched), previous_exact or year.
        attribution: as_reported, common_window or incremental.
        window, match: of the common rule, where not the usual one.
        money: native, base (the tenant's currency) or an ISO 4217 code.
        sort: a metric or dimension asked for, `-` before it for descending order.
        limit: lines to return; the others are summed into `rest`.
    """

    metrics: Required[Iterable[str]]
    dimensions: Iterable[str]
    start: Required[date]
    end: Required[date]
    filters: Mapping[str, Iterable[str]]
    compare: str
    attribution: str
    window: int | None
    match: str
    money: str
    sort: str
    limit: int | None


def query_metrics(*, actor: Actor, as_of: datetime | None = None, **asked: Unpack[Question]) -> MetricTable:
    """Figures of the brands that the actor may see, split by dimensions.

    Args:
        as_of: as they were published at that instant, before later files restated them; None is now.

    Raises:
        NotAuthenticated, NotAllowed: nobody is logged in, or no role carries metrics.view.
        NotFound: a brand to filter on does not exist or is not this person's to know of.
        InvalidInput: the request breaks a rule of `metrics.core.request`, or figures of that instant are not kept.
    """
    return query_tables(actor=actor, requests=[make_request(**asked)], as_of=as_of)[0]


def make_request(**asked: Unpack[Question]) -> MetricRequest:
    """A checked question, with ids in one spelling and the base currency by its code.

    Raises:
        InvalidInput: as for `read_request`.
    """
    if asked.get("money") == BASE:
        asked["money"] = current_tenant().base_currency
    asked["filters"] = with_plain_ids(asked.get("filters") or {})
    return read_request(**asked)


def query_tables(
    *, actor: Actor, requests: Sequence[MetricRequest], as_of: datetime | None = None
) -> list[MetricTable]:
    """Several tables of the same brands and of one version of the data, so that they agree on a page.

    Raises:
        NotAuthenticated, NotAllowed, NotFound, InvalidInput: as for `query_metrics`.
        ValueError: the requests filter on different brands.
    """
    wanted = {request.filters.get("brand", ()) for request in requests}
    if len(wanted) != 1:
        raise ValueError("tables that are asked for together are of the same brands")
    events, brands = _events(actor, "metrics.view", wanted.pop(), as_of)
    return _answers(events, requests, brands)


def query_tenant_metrics(*, request: MetricRequest) -> MetricTable:
    """Figures of every brand of the running tenant, for fits and plans: nothing of it is withheld, and no person is
    asked for. What is shown to somebody comes from `query_metrics`."""
    brands = list(Brand.objects.values_list("pk", flat=True))
    return query(published_events(brand_ids=brands, with_unbranded=True), request)


def query_for_operator(*, as_of: datetime | None = None, **asked: Unpack[Question]) -> MetricTable:
    """Figures of every brand of the running tenant, for whoever runs the server: there is no person to ask.

    Raises:
        InvalidInput: as for `query_metrics`.
    """
    brands = list(Brand.objects.all())
    keys = [brand.pk for brand in brands]
    events = published_events(brand_ids=keys, with_unbranded=True, as_of=_checked_instant(as_of))
    return _answers(events, [make_request(**asked)], brands)[0]


def _answers(events: EventView | None, requests: Sequence[MetricRequest], brands: Sequence[Brand]) -> list[MetricTable]:
    """Every table that is shown, exported or told to somebody is made here, so that every way out is suppressed."""
    needs_factors = any(request.incremental for request in requests)
    factors = selectors.factors_for(brand_ids=[brand.pk for brand in brands]) if needs_factors else []
    converts = any(request.money != NATIVE for request in requests)
    rates = selectors.exchange_rates() if converts else None
    smallest = selectors.smallest_cell()
    return [
        suppressed(query(events, request.withholding(smallest), factors=factors, rates=rates)) for request in requests
    ]


def export_metrics(*, actor: Actor, kind: str, as_of: datetime | None = None, **asked: Unpack[Question]) -> ExportFile:
    """The same figures as a file, `csv` or `xlsx`, of the brands whose figures the actor may take out.

    Raises:
        InvalidInput: also where the kind of file is unknown.
        TooLarge: more lines than a file should have.
        NotAllowed: no role carries metrics.export, or not for a brand that is filtered on.
        NotAuthenticated, NotFound: as for `query_metrics`.
    """
    request = make_request(**asked)
    chosen = next((known for known in EXPORT_FORMATS if known == kind), None)
    if chosen is None:
        raise InvalidInput(
            f"Figures cannot be written as {kind!r}.", where="export", fix=f"Use one of: {', '.join(EXPORT_FORMATS)}."
        )
    events, brands = _events(actor, "metrics.export", request.filters.get("brand", ()), as_of)
    table = _answers(events, [request], brands)[0]
    if table.lines.height > MAX_LINES:
        raise TooLarge(
            f"The file would have {table.line_count:,} lines; the most is {MAX_LINES:,}.",
            where="export",
            fix="Narrow the period or the filters, split by fewer dimensions, or set a limit.",
        )
    return write_export(table, chosen, brands=[brand.name for brand in brands])


def _events(
    actor: Actor, permission: str, wanted: tuple[str, ...], as_of: datetime | None
) -> tuple[EventView | None, list[Brand]]:
    """Published events that the actor has the permission for, and the brands that they are of.

    What an account of several brands spent on no product in particular is nobody's: only a role for the whole tenant
    sees it, and a filter on brands leaves it out.
    """
    brands = _brands(actor, permission, wanted)
    everything = not wanted and people.may(user=actor, permission=permission)
    keys = [brand.pk for brand in brands]
    return published_events(brand_ids=keys, with_unbranded=everything, as_of=_checked_instant(as_of)), brands


def _checked_instant(as_of: datetime | None) -> datetime | None:
    if as_of is not None and as_of > timezone.now():
        raise InvalidInput(
            f"{as_of:%Y-%m-%d %H:%M} UTC has not come yet.", where="as_of", fix="Give an instant of the past, or none."
        )
    return as_of


def _brands(actor: Actor, permission: str, wanted: tuple[str, ...]) -> list[Brand]:
    """The brands to read: those asked for, or all for which the actor has the permission."""
    permitted = {brand.pk: brand for brand in people.brands_for(user=actor, permission=permission)}
    if not permitted:
        require_somewhere(user=actor, permission=permission)
    if not wanted:
        return list(permitted.values())
    asked = [brand_id(text) for text in wanted]
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
