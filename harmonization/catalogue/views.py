"""Pages of the catalogue: products, advertised ids, audiences, exchange rates."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, cast
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from accounts import selectors as people
from accounts import services as authority
from accounts.models import User
from harmonization import selectors as data
from harmonization import services
from harmonization.catalogue import selectors
from harmonization.models import CrosswalkEntry
from tenants.core.problems import Problem
from tenants.selectors import current_tenant

PER_PAGE = 25
MANAGE = "catalogue.manage"
VIEWS = ("products", "crosswalk", "audiences", "rates")
#: What an id was recognised by, as people say it.
METHODS = {
    "exact_id": "the retailer's id",
    "gtin": "GTIN",
    "gtin_of_pack": "GTIN of another pack",
    "seller_sku": "the seller's number",
    "name": "name alone",
    "person": "a person",
}
_CHIPS = {
    "resolved": ("good", "circle-check"),
    "conflict": ("bad", "alert-triangle"),
    "unknown": ("warn", "alert-circle"),
}


@require_safe
def catalogue(request: HttpRequest) -> HttpResponse:
    """Products with stock at each retailer; or, by `?view=`, the ids that are advertised, audiences, exchange rates."""
    authority.require_somewhere(user=request.user, permission=selectors.VIEW)
    return _page(request)


def _page(request: HttpRequest, problem: Problem | None = None) -> HttpResponse:
    asked = request.GET.get("view", "")
    view = asked if asked in VIEWS else "products"
    if problem is not None:
        view = "crosswalk"
    entries = selectors.entries_visible(user=request.user)
    parts = {"products": _products, "crosswalk": _crosswalk, "audiences": _audiences, "rates": _rates}
    context: dict[str, Any] = {
        "view": view,
        "open_ids": entries.exclude(state=CrosswalkEntry.State.RESOLVED).count(),
        "upload_url": f"{reverse('upload-list')}#send",
        "problem": problem,
        **parts[view](request),
    }
    return render(request, "harmonization/catalogue.html", context, status=problem.status if problem else 200)


def _products(request: HttpRequest) -> dict[str, Any]:
    products = data.products_visible(user=request.user)
    if wanted := request.GET.get("q", "").strip():
        products = data.products_matching(products, text=wanted)
    return {"page": Paginator(products, PER_PAGE).get_page(request.GET.get("page")), "q": wanted}


def _crosswalk(request: HttpRequest) -> dict[str, Any]:
    entries = selectors.entries_visible(user=request.user)
    state = request.GET.get("state", "")
    chosen = entries.filter(state=state) if state in CrosswalkEntry.State.values else entries
    page = Paginator(chosen, PER_PAGE).get_page(request.GET.get("page"))
    shown = list(page)
    allowed = selectors.visible_skus(user=request.user, entries=shown)
    brands: set[UUID | None] = {None} if people.may(user=request.user, permission=MANAGE) else set()
    brands.update(people.brands_for(user=request.user, permission=MANAGE).values_list("pk", flat=True))
    rows = []
    for entry in shown:
        tone, icon = _CHIPS[entry.state]
        known = [
            one | {"method": METHODS.get(str(one["method"]), one["method"])}
            for one in selectors.known_candidates(entry, allowed)
        ]
        rows.append(
            {
                "entry": entry,
                "product": entry.product if entry.product and entry.product.sku in allowed else None,
                "tone": tone,
                "icon": icon,
                "method": METHODS.get(entry.method, entry.method),
                "candidates": known if entry.state == CrosswalkEntry.State.CONFLICT else known[1:],
                "spend": [(Decimal(amount), currency) for currency, amount in entry.spend.items()],
                "may_decide": entry.account.brand_id in brands,
            }
        )
    return {
        "page": page,
        "rows": rows,
        "state": state,
        "spend": _spend(entries),
        "states": CrosswalkEntry.State.choices,
    }


def _spend(entries: Any) -> dict[str, dict[str, Decimal]]:
    found = selectors.spend_by_state(entries)
    return {state: found.get(state, {}) for state in CrosswalkEntry.State.values}


def _audiences(request: HttpRequest) -> dict[str, Any]:
    audiences = selectors.audiences_visible(user=request.user)
    return {"page": Paginator(audiences, PER_PAGE).get_page(request.GET.get("page"))}


def _rates(request: HttpRequest) -> dict[str, Any]:
    base = current_tenant().base_currency
    return {"base": base, "rates": selectors.rate_lines(base=base)}


@require_POST
def decide(request: HttpRequest, entry_id: UUID) -> HttpResponse:
    """Say which product an advertised id is, or take that back."""
    entry = selectors.entry_visible(user=request.user, entry_id=entry_id)
    actor = cast(User, request.user)  # the login middleware lets nobody else through
    authority.require(user=actor, permission=MANAGE, brand=entry.account.brand_id)
    try:
        if request.POST.get("act") == "withdraw":
            services.withdraw_decision(actor=actor, entry=entry)
            messages.success(request, f"{entry.sku_id} is open again.")
        else:
            product = selectors.product_visible(user=actor, sku=request.POST.get("sku", "").strip())
            services.decide_product(actor=actor, entry=entry, product=product, reason=request.POST.get("reason", ""))
            messages.success(request, f"{entry.sku_id} is {product}. Its figures follow, those of the past too.")
    except Problem as problem:
        if problem.status == 403:
            raise
        return _page(request, problem)
    return redirect(f"{reverse('catalogue')}?view=crosswalk")
