"""Pages of curves: what was fitted, how well it predicts, and what people lay over it."""

from __future__ import annotations

from typing import Any, cast
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import selectors as people
from accounts import services as authority
from accounts.models import Brand, User
from accounts.rest.downloads import as_download
from jobs.selectors import MANAGE_SCHEDULES
from metrics.core.ids import brand_id
from optimization import presenters, selectors, services
from optimization.core.curve_table import STATES
from optimization.exports import EXPORT, export_curves
from optimization.forms import FactorForm, ImportForm, OverrideForm, PriorForm, show_problem
from optimization.models import CurveVersion
from tenants.core.problems import InvalidInput, Problem

PAGE = 25
CELLS = 50


@require_safe
def curve_list(request: HttpRequest) -> HttpResponse:
    """Every version I may see; `?brand=` narrows them down."""
    return _listed(request, ImportForm(brands=_brand_options(_me(request), "curves.fit")))


def _listed(request: HttpRequest, form: ImportForm, problem: Problem | None = None) -> HttpResponse:
    me = _me(request)
    versions = selectors.curve_versions_listed(user=me)
    slug = request.GET.get("brand", "")
    if slug:
        versions = versions.filter(brand__slug=slug)
    page = Paginator(versions, PAGE).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "lines": [presenters.version_line(one) for one in page],
        "stale": presenters.stale_lines(versions),
        "brands": list(people.brands_for(user=me, permission=selectors.VIEW_CURVES)),
        "brand": slug,
        "fit_options": _brand_options(me, "curves.fit"),
        "weeks": services.USUAL_WEEKS,
        "refits": presenters.refit_lines(me),
        "form": form,
        "problem": problem,
    }
    return render(request, "optimization/curve_list.html", context, status=problem.status if problem else 200)


@require_POST
def import_curves(request: HttpRequest) -> HttpResponse:
    """Take a file of posterior draws."""
    me = _me(request)
    brand = _brand(request, "curves.fit")
    form = ImportForm(request.POST, request.FILES, brands=_brand_options(me, "curves.fit"))
    if not form.is_valid():
        return _listed(request, form, InvalidInput("The form is not complete.", fix="See the fields."))
    given = {name: value for name, value in form.cleaned_data.items() if name not in ("brand", "file")}
    try:
        made = services.import_curves(
            actor=me, brand=brand, content=form.cleaned_data["file"].read(services.LARGEST_IMPORT + 1), **given
        )
    except Problem as problem:
        if problem.status in (403, 404):
            raise
        return _listed(request, form, problem)
    words = "are imported" if made.created else "were imported before; nothing changed"
    messages.success(request, f"{made.version} {words}.")
    return redirect("curve-version", made.version.pk)


@require_POST
def refits(request: HttpRequest) -> HttpResponse:
    """Switch the weekly fit of a brand on or off."""
    brand = _brand(request, "curves.fit")
    on = request.POST.get("on") == "1"
    services.schedule_refits(actor=_me(request), brand=brand, on=on)
    name = brand.name if brand else "all brands"
    messages.success(
        request, f"Curves of {name} are {'fitted every week' if on else 'no longer fitted by themselves'}."
    )
    return redirect("curve-list")


@require_POST
def fit(request: HttpRequest) -> HttpResponse:
    """Have curves fitted; the first time every week from then on, where the person asks for it and may."""
    brand = _brand(request, "curves.fit")
    may_schedule = people.may(user=_me(request), permission=MANAGE_SCHEDULES, brand=brand)
    if request.POST.get("weekly") == "1" and may_schedule and services.refits_of(brand=brand) is None:
        services.schedule_refits(actor=_me(request), brand=brand)
    job = services.request_fit(actor=_me(request), brand=brand)
    return redirect("job-detail", job.pk)


@require_safe
def curve_version(request: HttpRequest, version_id: UUID) -> HttpResponse:
    """One version: how well it predicts, and its cells."""
    me = _me(request)
    version = selectors.curve_version_visible(user=me, version_id=version_id)
    table = presenters.version_table(version)
    shown = presenters.rows_shown(table, request.GET)
    page = Paginator(shown, CELLS).get_page(request.GET.get("page"))
    context = {
        "version": version,
        "table": table,
        "check": version.diagnostics.get("out_of_sample", {}),
        "verdict": presenters.verdict(version),
        "page": page,
        "wanted": presenters.filter_of(request.GET),
        "sort": request.GET.get("sort", ""),
        "states": STATES.items(),
        "narrowed": len(shown) < len(table.rows),
        "may_export": people.may(user=me, permission=EXPORT, brand=version.brand),
        **presenters.choices_of(table),
        **presenters.standing_of(version),
    }
    return render(request, "optimization/curve_version.html", context)


@require_safe
def export(request: HttpRequest, version_id: UUID) -> HttpResponse:
    """The cells that the page has filtered, all of them, as a file."""
    me = _me(request)
    version = selectors.curve_version_visible(user=me, version_id=version_id)
    return as_download(
        export_curves(user=me, version=version, kind=request.GET.get("export", "csv"), query=request.GET)
    )


@require_http_methods(["GET", "HEAD", "POST"])
def curve_cell(request: HttpRequest, version_id: UUID) -> HttpResponse:
    """One curve, named by `?retailer=&placement=&sku=`: picture, errors, overrides and priors, its factor."""
    me = _me(request)
    version = selectors.curve_version_visible(user=me, version_id=version_id)
    may_adjust = people.may(user=me, permission="curves.fit", brand=version.brand)
    if request.method == "POST":
        authority.require(user=me, permission="curves.fit", brand=version.brand)
    named = {name: request.GET.get(name, "") for name in ("retailer", "placement", "sku")}
    table = presenters.version_table(version)
    row = presenters.row_of(table, **named)
    act = request.POST.get("act", "")
    override = OverrideForm(
        request.POST if act == "override" else None, initial=presenters.override_initial(row),
        auto_id="override_%s",
    )  # fmt: skip
    prior = PriorForm(request.POST if act == "prior" else None, auto_id="prior_%s")
    form = prior if act == "prior" else override
    if request.method == "POST" and form.is_valid() and _adjusted(request, form, act, version, named):
        return redirect(f"{reverse('curve-cell', args=[version_id])}?{urlencode(named)}")
    context = {
        "version": version,
        "table": table,
        "override": override,
        "prior": prior,
        "act": act,
        "may_adjust": may_adjust,
        **presenters.cell_context(table, row, user=me),
    }
    return render(request, "optimization/curve_cell.html", context, status=400 if form.errors else 200)


def _adjusted(
    request: HttpRequest, form: OverrideForm | PriorForm, act: str, version: CurveVersion, named: dict[str, str]
) -> bool:
    given: dict[str, Any] = dict(form.cleaned_data)
    given |= named
    if act == "prior":
        wide = given.pop("scope")
        given["spread"] = float(given["spread"])
        given |= {"placement": "" if wide == "retailer" else named["placement"]}
        given |= {"sku": named["sku"] if wide == "sku" else ""}
    try:
        services.adjust_curves(actor=_me(request), kind=act or "override", brand=version.brand, **given)
    except Problem as problem:
        if problem.status != 400:
            raise
        show_problem(form, problem)
        return False
    messages.success(request, "Solves read the curve like this from now on. Earlier answers stay as they are.")
    return True


@require_POST
def revoke(request: HttpRequest, adjustment_id: UUID) -> HttpResponse:
    """Take an override or a prior back."""
    me = _me(request)
    held = selectors.adjustment_visible(user=me, adjustment_id=adjustment_id)
    authority.require(user=me, permission="curves.fit", brand=held.brand)
    try:
        services.revoke_adjustment(actor=me, adjustment_id=adjustment_id, reason=request.POST.get("reason", ""))
        messages.success(request, "It is revoked. Solves read the curve without it from now on.")
    except Problem as problem:
        messages.error(request, str(problem))
    version = selectors.latest_curves(brand=held.brand)
    if version is None:
        return redirect("curve-list")
    if held.sku and held.placement and held.retailer:
        cell = {"retailer": held.retailer, "placement": held.placement, "sku": held.sku}
        return redirect(f"{reverse('curve-cell', args=[version.pk])}?{urlencode(cell)}")
    return redirect("curve-version", version.pk)


@require_http_methods(["GET", "HEAD", "POST"])
def factors(request: HttpRequest) -> HttpResponse:
    """What counts as incremental for the curves of a brand, and the form by which a person says so."""
    me = _me(request)
    if request.method != "POST":
        authority.require_somewhere(user=me, permission="metrics.view")
    options = _brand_options(me, "factors.publish")
    form = FactorForm(request.POST or None, brands=options)
    if request.method == "POST":
        brand = _brand(request, "factors.publish")
        if form.is_valid() and _set_factor(request, form, brand):
            return redirect("curve-factors")
    brands = list(people.brands_for(user=me, permission="metrics.view"))
    scopes: list[Brand | None] = [*([None] if people.may(user=me, permission="metrics.view") else []), *brands]
    in_force = [
        {"brand": brand, "factors": known, "rows": [known[key] for key in sorted(known)]}
        for brand in scopes
        if (known := selectors.incrementality_factors(brand))
    ]
    context = {"in_force": in_force, "form": form, "may_set": bool(options)}
    return render(request, "optimization/factors.html", context, status=400 if form.errors else 200)


def _set_factor(request: HttpRequest, form: FactorForm, brand: Brand | None) -> bool:
    given = {name: value for name, value in form.cleaned_data.items() if name != "brand"}
    try:
        services.set_factor(actor=_me(request), brand=brand, **given)
    except Problem as problem:
        if problem.status != 400:
            raise
        show_problem(form, problem)
        return False
    messages.success(request, "The factor counts from now on, in incremental figures and in solves.")
    return True


def _brand_options(me: User, permission: str) -> list[tuple[str, str]]:
    """Brands to choose from for what needs a permission, all brands first where that may be."""
    own = [(str(one.pk), one.name) for one in people.brands_for(user=me, permission=permission)]
    return [*([("", "All brands")] if people.may(user=me, permission=permission) else []), *own]


def _brand(request: HttpRequest, permission: str) -> Brand | None:
    """The brand that a form names by its id, none being all brands, where the person may do this."""
    named = request.POST.get("brand", "")
    key = brand_id(named) if named else None
    authority.require(user=request.user, permission=permission, brand=key)
    return Brand.objects.get(pk=key) if key else None


def _me(request: HttpRequest) -> User:
    return cast(User, request.user)  # LoginRequiredMiddleware lets nobody else in
