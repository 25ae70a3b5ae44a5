"""Reads of advertised ids, audiences and exchange rates."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from django.db.models import Case, IntegerField, Max, QuerySet, Value, When

from harmonization import selectors
from harmonization.models import Audience, CrosswalkEntry, FxRate, Product
from harmonization.selectors import Person
from tenants.core.problems import NotFound

VIEW = "catalogue.view"


def entries_visible(*, user: Person) -> QuerySet[CrosswalkEntry]:
    """Advertised ids of one's accounts: conflicts first, then what the catalogue does not know, then by rows."""
    weight = Case(
        When(state="conflict", then=Value(0)), When(state="unknown", then=Value(1)), default=Value(2),
        output_field=IntegerField(),
    )  # fmt: skip
    return (
        CrosswalkEntry.objects.filter(account__in=selectors.accounts_visible(user=user, permission=VIEW))
        .select_related("account__brand", "retailer", "product", "decided_by")
        .order_by(weight, "-rows", "sku_id", "pk")
    )


def entry_visible(*, user: Person, entry_id: UUID) -> CrosswalkEntry:
    """One advertised id, or `NotFound` in the words of a nonexistent one."""
    entry = entries_visible(user=user).filter(pk=entry_id).first()
    if entry is None:
        raise NotFound("There is nothing here under that id.")
    return entry


def product_visible(*, user: Person, sku: str) -> Product:
    """One product by the brand's own code, or `NotFound`; one of another brand is told like none."""
    product = selectors.products_visible(user=user).filter(sku=sku).first()
    if product is None:
        raise NotFound("There is no such product.", where="sku", fix="Give the SKU as the catalogue has it.")
    return product


def visible_skus(*, user: Person, entries: Iterable[CrosswalkEntry]) -> frozenset[str]:
    """Of the candidates of these entries, the SKUs that a person may know of."""
    named = {one["sku"] for entry in entries for one in entry.candidates}
    named |= {entry.product.sku for entry in entries if entry.product}
    return frozenset(selectors.products_visible(user=user).filter(sku__in=named).values_list("sku", flat=True))


def spend_by_state(entries: QuerySet[CrosswalkEntry]) -> dict[str, dict[str, Decimal]]:
    """State -> currency -> spend on the ids in it."""
    total: dict[str, dict[str, Decimal]] = {}
    for state, spend in entries.order_by().values_list("state", "spend"):
        sums = total.setdefault(state, {})
        for currency, amount in spend.items():
            sums[currency] = sums.get(currency, Decimal(0)) + Decimal(amount)
    return total


def audiences_visible(*, user: Person) -> QuerySet[Audience]:
    """Audiences of one's accounts."""
    accounts = selectors.accounts_visible(user=user, permission=VIEW)
    return Audience.objects.filter(account__in=accounts).select_related("account__brand")


@dataclass(frozen=True)
class RateLine:
    """What is known of one currency: its newest rate and how far back there are any."""

    newest: FxRate
    days: int


def rate_lines(*, base: str) -> list[RateLine]:
    """Every currency with a rate to `base`."""
    rates = FxRate.objects.filter(base=base)
    newest = dict(rates.order_by().values_list("currency").annotate(Max("day")))
    counts: dict[str, int] = {}
    for currency in rates.order_by().values_list("currency", flat=True):
        counts[currency] = counts.get(currency, 0) + 1
    found = {(row.currency, row.day): row for row in rates.filter(day__in=set(newest.values()))}
    return [RateLine(found[currency, day], counts[currency]) for currency, day in sorted(newest.items())]


def known_candidates(entry: CrosswalkEntry, allowed: Collection[str]) -> list[dict[str, object]]:
    """Candidates of an entry that a person may know of."""
    return [one for one in entry.candidates if one["sku"] in allowed]
