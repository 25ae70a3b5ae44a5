"""Pages of quarantine, and the buttons that replay and restate."""

from __future__ import annotations

from typing import cast
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from accounts import selectors as people
from accounts import services as authority
from accounts.models import User
from accounts.rest.downloads import as_download
from harmonization import selectors as data
from harmonization import services
from harmonization.core.table_file import FILE_KINDS
from harmonization.loads import selectors
from harmonization.loads.files import quarantine_file
from harmonization.loads.lineage import asked_lineage, row_origin
from harmonization.loads.presenters import contracts_of, is_fixed, rows_shown, spend_waiting, waiting_load
from harmonization.loads.serializers import LineageAsked
from tenants.core.problems import InvalidInput, Problem

PER_PAGE = 25
SEND = "uploads.create"


@require_safe
def quarantine(request: HttpRequest) -> HttpResponse:
    """What waits in quarantine, by load and by rule."""
    authority.require_somewhere(user=request.user, permission="uploads.view")
    rule, contract = request.GET.get("rule", ""), request.GET.get("contract", "")
    account = _as_uuid(request.GET.get("account", ""))
    everything = list(selectors.quarantined_loads(user=request.user))
    loads = list(selectors.quarantined_loads(user=request.user, account=account, contract=contract, rule=rule))
    page = Paginator(loads, PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "lines": [waiting_load(load) for load in page],
        "rules": selectors.broken_rules(loads),
        "all_rules": [one.rule for one in selectors.broken_rules(everything)],
        "rows_waiting": sum(load.rows_quarantined for load in loads),
        "spend_waiting": spend_waiting(loads),
        "contracts": contracts_of(everything),
        "fixed": contracts_of(everything, fixed=True),
        "accounts": data.accounts_visible(user=request.user),
        "filters": request.GET,
        "is_filtered": bool(rule or contract or request.GET.get("account")),
        "may_replay": people.may_for_some_brand(user=request.user, permission=SEND),
    }
    return render(request, "harmonization/quarantine.html", context)


@require_safe
def load_quarantine(request: HttpRequest, load_id: UUID) -> HttpResponse:
    """The rows that one load kept back, with their cells as they came."""
    load = data.load_visible(user=request.user, load_id=load_id)
    rule = request.GET.get("rule", "")
    count, _ = selectors.quarantine_of(load, rule=rule, limit=0)
    page = Paginator(range(count), PER_PAGE).get_page(request.GET.get("page"))
    _, rows = selectors.quarantine_of(load, rule=rule, offset=max(page.start_index() - 1, 0), limit=PER_PAGE)
    headers, shown = rows_shown(load, rows)
    context = {
        "load": load,
        "rule": rule,
        "rules": selectors.broken_rules([load]),
        "headers": headers,
        "rows": shown,
        "page": page,
        "fixed": is_fixed(load),
        "replayed": selectors.replay_of(load),
        "may_replay": people.may(user=request.user, permission=SEND, brand=load.upload.brand_id),
    }
    return render(request, "harmonization/load_quarantine.html", context)


@require_safe
def quarantine_export(request: HttpRequest, load_id: UUID) -> HttpResponse:
    """The same rows, all of them, as a file."""
    load = data.load_visible(user=request.user, load_id=load_id)
    kind = request.GET.get("export", "csv")
    if kind not in FILE_KINDS:
        raise InvalidInput(f"{kind!r} is not a kind of file.", where="export", fix=f"Use {' or '.join(FILE_KINDS)}.")
    return as_download(quarantine_file(load, kind, rule=request.GET.get("rule", "")))  # type: ignore[arg-type]


@require_POST
def replay(request: HttpRequest, load_id: UUID) -> HttpResponse:
    """Read the file of a load anew under the mapping in force."""
    load = data.load_visible(user=request.user, load_id=load_id)
    try:
        job = services.replay_load(actor=_person(request), load=load)
    except Problem as problem:
        if problem.status != 409:
            raise
        messages.error(request, str(problem))
        return redirect("load-quarantine", load.pk)
    return redirect("job-detail", job.pk)


@require_POST
def replay_all(request: HttpRequest, name: str) -> HttpResponse:
    """Read anew every load of a mapping that waits."""
    authority.require_somewhere(user=request.user, permission=SEND)
    done = services.replay_contract(actor=_person(request), contract=data.contract_named(name=name))
    text = f"{len(done.jobs):,} files are being read anew."
    messages.success(request, text + (f" {done.left:,} have to wait: ask again later." if done.left else ""))
    return redirect("quarantine")


@require_POST
def whole(request: HttpRequest, load_id: UUID) -> HttpResponse:
    """Say that an export is not filtered."""
    load = data.load_visible(user=request.user, load_id=load_id)
    try:
        job = services.confirm_whole(actor=_person(request), load=load)
    except Problem as problem:
        if problem.status == 403:
            raise
        messages.error(request, str(problem))
        return redirect("upload-detail", load.upload_id)
    return redirect("job-detail", job.pk)


@require_safe
def lineage_page(request: HttpRequest) -> HttpResponse:
    """The rows of files behind a figure; the address says which figure."""
    user = authority.require_somewhere(user=request.user, permission="metrics.view")
    asked = LineageAsked(data=request.GET)
    if not asked.is_valid():
        where = next(iter(asked.errors))
        raise InvalidInput(str(asked.errors[where][0]), where=where, fix="Open this page from a figure.")
    found = asked_lineage(user, asked.validated_data)
    context = {
        "found": found,
        "asked": [(name.replace("_", " "), value) for name, value in asked.validated_data.items() if name != "limit"],
        "may_see_files": people.may_for_some_brand(user=request.user, permission="uploads.view"),
    }
    return render(request, "harmonization/lineage.html", context)


@require_safe
def source_row(request: HttpRequest, load_id: UUID) -> HttpResponse:
    """One row as its file has it, and what its cells became."""
    load = data.load_visible(user=request.user, load_id=load_id)
    number = request.GET.get("number", "")
    if not number.isdecimal() or len(number) > 12:
        raise InvalidInput(f"{number!r} is no row.", where="number", fix="Open this page from a row.")
    return render(request, "harmonization/source_row.html", {"origin": row_origin(load, int(number))})


def _person(request: HttpRequest) -> User:
    return cast(User, request.user)  # the login middleware lets nobody else through


def _as_uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
