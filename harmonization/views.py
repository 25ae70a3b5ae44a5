"""Pages of data: sources and uploads, mappings, catalogue."""

from __future__ import annotations

import difflib
from typing import Any, cast
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import selectors as people
from accounts import services as authority
from accounts.models import User
from harmonization import selectors, services
from harmonization.forms import ContractForm, UploadForm
from harmonization.loads.presenters import load_history
from harmonization.models import Load, Upload
from harmonization.presenters import load_facts, upload_state
from harmonization.quality.presenters import source_lines
from harmonization.quality.selectors import source_reports
from harmonization.services.checks import today_at_its_latest
from tenants.core.problems import Problem

PER_PAGE = 25


@require_http_methods(["GET", "POST"])
def uploads(request: HttpRequest) -> HttpResponse:
    """Every file that arrived, and the form to send one."""
    authority.require_somewhere(user=request.user, permission="uploads.view")
    may_upload = people.may_for_some_brand(user=request.user, permission="uploads.create")
    if request.method == "POST" and not may_upload:
        authority.require(user=request.user, permission="uploads.create")
    services.ensure_shipped_contracts()
    sent = (request.POST, request.FILES) if request.method == "POST" else ()
    form = UploadForm(*sent, user=_person(request)) if may_upload else None
    problem = None
    if request.method == "POST" and form is not None and form.is_valid():
        try:
            return _take(request, form.cleaned_data)
        except Problem as error:
            problem = error
            if error.where in form.fields:
                form.add_error(error.where, error.detail)
    page = Paginator(selectors.uploads_visible(user=request.user), PER_PAGE).get_page(request.GET.get("page"))
    rows = [(upload, upload_state(upload)) for upload in page]
    today = today_at_its_latest()
    lines = source_lines(source_reports(user=request.user, today=today), today=today)
    without = selectors.accounts_visible(user=request.user).exclude(pk__in=[line.source.account.pk for line in lines])
    context = {
        "form": form,
        "page": page,
        "rows": rows,
        "problem": problem,
        "sources": lines,
        "without_figures": without,
    }
    return render(request, "harmonization/uploads.html", context, status=problem.status if problem else 200)


def _take(request: HttpRequest, data: dict[str, Any]) -> HttpResponse:
    taken = services.take_file(
        actor=_person(request),
        chunks=data["file"].chunks(),
        file_name=data["file"].name,
        account=data["account"],
        kind=data["kind"],
        contract=data["contract"],
        parameters=data["parameters"],
    )
    if taken.job is not None:
        return redirect("job-detail", taken.job.pk)
    told = ", ".join(f"{count:,} {name.replace('_', ' ')}" for name, count in (taken.imported or {}).items())
    messages.success(request, f"{taken.upload.file_name}: {told}." if told else f"{taken.upload.file_name} is kept.")
    return redirect("catalogue" if taken.upload.kind == Upload.Kind.CATALOGUE else "upload-list")


def _person(request: HttpRequest) -> User:
    # The login middleware lets nobody else through.
    return cast(User, request.user)


@require_safe
def upload(request: HttpRequest, upload_id: UUID) -> HttpResponse:
    """One file: what it held, how it was read, what waits in quarantine."""
    found = selectors.upload_visible(user=request.user, upload_id=upload_id)
    loads = list(selectors.loads_visible(user=request.user).filter(upload=found))
    newest = next((load for load in loads if load.status == Load.Status.PUBLISHED), loads[0] if loads else None)
    context = {
        "upload": found,
        "state": upload_state(found),
        "loads": loads,
        "load": newest,
        "facts": load_facts(newest) if newest and newest.report else None,
        **load_history(newest),
        "may_propose": found.kind == Upload.Kind.REPORT
        and people.may(user=request.user, permission="mappings.manage", brand=found.brand_id),
        "may_harmonize": found.kind == Upload.Kind.REPORT
        and people.may(user=request.user, permission="uploads.create", brand=found.brand_id),
    }
    return render(request, "harmonization/upload.html", context)


@require_POST
def harmonize(request: HttpRequest, upload_id: UUID) -> HttpResponse:
    """Read a file anew, by the contracts in force now."""
    found = selectors.upload_visible(user=request.user, upload_id=upload_id)
    job = services.start_load(
        actor=_person(request),
        upload=found,
        contract=request.POST.get("contract") or "auto",
        accept_drift=request.POST.get("accept_drift") == "1",
        parameters=selectors.answers_of(load=found.loads.first()),
    )
    return redirect("job-detail", job.pk)


@require_safe
def mappings(request: HttpRequest) -> HttpResponse:
    """How each report is read."""
    authority.require_somewhere(user=request.user, permission="mappings.view")
    services.ensure_shipped_contracts()
    rows = [
        (row, services.check_contract(text=row.published.text) if row.published else None, row.version_count)
        for row in selectors.contracts().annotate(version_count=Count("versions"))
    ]
    may_edit = people.may(user=request.user, permission="mappings.manage")
    return render(request, "harmonization/mappings.html", {"rows": rows, "may_edit": may_edit})


@require_http_methods(["GET", "POST"])
def mapping(request: HttpRequest, name: str) -> HttpResponse:
    """One contract: its columns, its YAML, its versions. Saving publishes a new version."""
    authority.require_somewhere(user=request.user, permission="mappings.view")
    found = selectors.contract_named(name=name)
    published = found.published
    text = published.text if published else ""
    may_edit = people.may(user=request.user, permission="mappings.manage")
    form = ContractForm(request.POST or None, initial={"text": text})
    problem, checked, changes = None, None, []
    if request.method == "POST" and form.is_valid():
        sent = form.cleaned_data["text"].replace("\r\n", "\n")
        changes = _diff(text, sent)
        try:
            checked = services.check_contract(text=sent)
            if request.POST.get("act") == "save":
                version = services.save_contract(actor=_person(request), text=sent, note=form.cleaned_data["note"])
                messages.success(request, f"{version} is published.")
                return redirect("mapping-detail", version.contract.name)
        except Problem as error:
            problem = error
    context = {
        "mapping": found,
        "contract": services.check_contract(text=text) if text else None,
        "versions": found.versions.select_related("created_by"),
        "form": form,
        "problem": problem,
        "checked": checked,
        "changes": changes,
        "may_edit": may_edit,
        "show_text": request.method == "POST",
    }
    return render(request, "harmonization/mapping.html", context, status=problem.status if problem else 200)


def _diff(before: str, after: str) -> list[tuple[str, str]]:
    """Changed lines with a little around them, each with its class."""
    marks = {"+": "p", "-": "m", "@": "h", " ": ""}
    lines = list(difflib.unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=2))[2:]
    return [(marks.get(line[:1], ""), line[1:] if line[:1] in "+- " else line) for line in lines]
