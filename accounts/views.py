"""Settings pages: users and roles, brands, tokens, history."""

from __future__ import annotations

from datetime import datetime
from typing import Any, cast
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from accounts import history, selectors, services
from accounts.core.grants import Grant
from accounts.core.permissions import Role
from accounts.forms import BrandForm, GrantForm, InviteForm, NameForm, TokenForm, refuse
from accounts.models import RoleGrant, User
from accounts.password_links import password_link, send_invitation
from tenants.core.problems import InvalidInput, NotFound, Problem

PAGE = 50


def _me(request: HttpRequest) -> User:
    return cast(User, request.user)


def no_such_page(request: HttpRequest) -> HttpResponse:
    """Stands in for a page of a library that the product leaves out."""
    raise NotFound("There is nothing at this address.")


def users(request: HttpRequest) -> HttpResponse:
    """Everybody of the tenant; owners invite here."""
    services.require(user=_me(request), permission="users.view")
    may_manage = selectors.may(user=_me(request), permission="users.manage")
    if request.method == "POST":
        services.require(user=_me(request), permission="users.manage")
    form = InviteForm(request.POST or None)
    link, invited = "", None
    if request.method == "POST" and form.is_valid():
        asked = form.cleaned_data
        try:
            invited = services.invite_user(
                actor=_me(request), email=asked["email"], name=asked["name"], grants=[form.grant()]
            )
        except Problem as problem:
            refuse(form, problem)
        else:
            link, form = send_invitation(invited, request), InviteForm()
    page = Paginator(selectors.people(), PAGE).get_page(request.GET.get("page"))
    context = {"page": page, "form": form if may_manage else None, "link": link, "invited": invited}
    return render(request, "accounts/users.html", context)


def user(request: HttpRequest, user_id: UUID) -> HttpResponse:
    """One person: name, roles, access."""
    services.require(user=_me(request), permission="users.view")
    person = selectors.people().filter(pk=user_id).first()
    if person is None:
        raise NotFound(services.NOTHING_HERE)
    form, link, refused = GrantForm(), "", None
    if request.method == "POST":
        services.require(user=_me(request), permission="users.manage")
        try:
            if request.POST.get("action") == "link":
                link = password_link(person, request)
            else:
                _change(request, person)
                messages.success(request, f"{person} is changed.")
                return redirect("settings-user", user_id=user_id)
        except Problem as problem:
            refused = problem
    context = {
        "person": person,
        "form": form,
        "names": NameForm(initial={"name": person.name}),
        "may_manage": selectors.may(user=_me(request), permission="users.manage"),
        "link": link,
        "refused": refused,
    }
    return render(request, "accounts/user.html", context, status=refused.status if refused else 200)


def _change(request: HttpRequest, person: User) -> None:
    """Carry out what a button of a person's page asks for."""
    held = {str(row.pk): Grant(Role(row.role), row.brand_id) for row in RoleGrant.objects.filter(user=person)}
    wanted: dict[str, Any] = {}
    match request.POST.get("action"):
        case "rename":
            wanted["name"] = _cleaned(NameForm(request.POST))["name"]
        case "deactivate" | "reactivate" as action:
            wanted["is_active"] = action == "reactivate"
        case "grant":
            form = GrantForm(request.POST)
            _cleaned(form)
            wanted["grants"] = [*held.values(), form.grant()]
        case "withdraw":
            withdrawn = request.POST.get("grant")
            wanted["grants"] = [grant for key, grant in held.items() if key != withdrawn]
    services.update_user(actor=_me(request), user_id=person.pk, **wanted)


def _cleaned(form: Form) -> dict[str, Any]:
    if not form.is_valid():
        field, errors = next(iter(form.errors.items()))
        raise InvalidInput(str(errors[0]), where=field)
    return form.cleaned_data


def brands(request: HttpRequest) -> HttpResponse:
    """Brands one has a role for; owners add, rename and remove."""
    refused = None
    if request.method == "POST":
        try:
            _change_brand(request)
        except Problem as problem:
            refused = problem
        else:
            messages.success(request, "Saved.")
            return redirect("settings-brands")
    context = {
        "brands": selectors.brands_for(user=_me(request), permission="brands.view"),
        "form": BrandForm(),
        "may_manage": selectors.may(user=_me(request), permission="brands.manage"),
        "refused": refused,
    }
    return render(request, "accounts/brands.html", context, status=refused.status if refused else 200)


def _change_brand(request: HttpRequest) -> None:
    """Carry out what a button of the brands' page asks for."""
    match request.POST.get("action"):
        case "create":
            services.create_brand(actor=_me(request), name=_cleaned(BrandForm(request.POST))["name"])
        case "rename":
            name = _cleaned(BrandForm(request.POST))["name"]
            services.update_brand(actor=_me(request), brand_id=_uuid(request.POST.get("brand", "")), name=name)
        case "delete":
            services.delete_brand(actor=_me(request), brand_id=_uuid(request.POST.get("brand", "")))


@never_cache
def tokens(request: HttpRequest) -> HttpResponse:
    """One's API tokens; an owner sees everybody's. The text of a new one is in this answer and nowhere else."""
    form = TokenForm(request.POST or None)
    text, made = "", None
    if request.method == "POST" and form.is_valid():
        try:
            made, text = services.create_token(actor=_me(request), **form.cleaned_data)
        except Problem as problem:
            refuse(form, problem)
        else:
            form = TokenForm()
    page = Paginator(selectors.tokens_for(user=_me(request)), PAGE).get_page(request.GET.get("page"))
    context = {"page": page, "form": form, "text": text, "made": made, "now": timezone.now()}
    return render(request, "accounts/tokens.html", context)


@require_POST
def revoke_token(request: HttpRequest, token_id: UUID) -> HttpResponse:
    """End a token."""
    services.revoke_token(actor=_me(request), token_id=token_id)
    messages.success(request, "The token is revoked: requests with it are refused from now on.")
    return redirect("settings-tokens")


@require_safe
def changes(request: HttpRequest) -> HttpResponse:
    """Who changed what."""
    services.require(user=_me(request), permission="history.view")
    kinds = history.nouns()
    kind = request.GET.get("kind", "")
    before = _moment(request.GET.get("before", ""))
    found = history.changes(kind=kind if kind in dict(kinds) else "", before=before, limit=PAGE)
    context = {
        "changes": found,
        "kinds": kinds,
        "kind": kind,
        "older": found[-1].at.isoformat() if len(found) == PAGE else "",
    }
    return render(request, "accounts/history.html", context)


def _moment(text: str) -> datetime | None:
    try:
        return parse_datetime(text)
    except ValueError:
        return None


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise NotFound(services.NOTHING_HERE) from error
