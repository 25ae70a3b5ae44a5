"""The page of the editor. Each act is a form of its own; with scripts only what changes is fetched anew."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, cast
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from accounts import selectors as people
from accounts.models import User
from harmonization import selectors as data
from harmonization import services
from harmonization.core.contract_edit import read_document, read_frame
from harmonization.editor import selectors
from harmonization.editor.presenters import changes, options, rows_of
from harmonization.models import MappingDraft
from harmonization.quality.selectors import finding_visible
from tenants.core.problems import Conflict, InvalidInput, Problem

MANAGE = "mappings.manage"
CHOICE = ("target", "click_days", "view_days", "match", "channel", "ntb", "unit", "date_formats")
FRAME = ("name", "title", "network", "report", "timezone", "currency", "restatement_days", "click_window")


@require_POST
def propose(request: HttpRequest, upload_id: UUID) -> HttpResponse:
    """Have a mapping proposed for an upload, and go to its editor."""
    upload = data.upload_visible(user=request.user, upload_id=upload_id)
    return redirect("mapping-draft", services.propose_contract(actor=_person(request), upload=upload).pk)


@require_POST
def edit(request: HttpRequest, name: str) -> HttpResponse:
    """Open the editor on a published contract, tried on an upload where one is named, or as a finding proposes."""
    contract = data.contract_named(name=name)
    if wanted := request.POST.get("finding"):
        finding = finding_visible(user=request.user, finding_id=_uuid(wanted))
        return redirect("mapping-draft", services.map_finding(actor=_person(request), finding=finding).pk)
    upload = data.uploads_visible(user=request.user).filter(loads__contract_version__contract=contract).first()
    if chosen := request.POST.get("upload"):
        upload = data.upload_visible(user=request.user, upload_id=_uuid(chosen))
    return redirect("mapping-draft", services.open_draft(actor=_person(request), contract=contract, upload=upload).pk)


@require_safe
@never_cache
def draft(request: HttpRequest, draft_id: UUID) -> HttpResponse:
    """One draft; asked by htmx, only the part that changes."""
    found = selectors.draft_visible(user=request.user, draft_id=draft_id)
    return _show(request, found)


@require_POST
def act(request: HttpRequest, draft_id: UUID) -> HttpResponse:
    """Do what the form's `act` says, and show the draft as it is then."""
    found = selectors.draft_visible(user=request.user, draft_id=draft_id)
    wanted = request.POST.get("act", "")
    try:
        if wanted == "publish":
            version, job = services.publish_draft(
                actor=_person(request),
                draft=found,
                note=request.POST.get("note", "")[:200],
                revision=_revision(request),
            )
            messages.success(request, f"{version} is published.")
            return _go(request, "job-detail", job.pk) if job else _go(request, "mapping-detail", version.contract.name)
        if wanted == "discard":
            services.discard_draft(actor=_person(request), draft=found)
            messages.success(request, "The draft is discarded.")
            return _go(request, "mapping-list")
        if wanted == "test":
            return _show(request, found, tried=services.try_draft(actor=_person(request), draft=found), tab="tests")
        if wanted not in _ACTS:
            raise InvalidInput(f"There is nothing to do called {wanted!r}.", where="act")
        found = _ACTS[wanted](request, found)
    except Problem as problem:
        return _show(request, found, problem=problem, sent=request.POST.get("text"), tab=_tab(wanted))
    if request.headers.get("HX-Request") != "true":
        return redirect("mapping-draft", found.pk)
    return _show(request, found, tab=_tab(wanted))


def _choose(request: HttpRequest, draft: MappingDraft) -> MappingDraft:
    given: dict[str, Any] = {name: request.POST[name] for name in CHOICE if name in request.POST}
    if picked := request.POST.get("alternative"):
        given = _parsed(picked)
    return services.choose_column(
        actor=_person(request), draft=draft, header=request.POST.get("header", ""), given=given,
        revision=_revision(request),
    )  # fmt: skip


def _accept(request: HttpRequest, draft: MappingDraft) -> MappingDraft:
    return services.accept_column(
        actor=_person(request), draft=draft, header=request.POST.get("header") or None, revision=_revision(request)
    )


def _leave_out(request: HttpRequest, draft: MappingDraft) -> MappingDraft:
    return services.choose_column(
        actor=_person(request), draft=draft, header=request.POST.get("header", ""), given={},
        revision=_revision(request),
    )  # fmt: skip


def _frame(request: HttpRequest, draft: MappingDraft) -> MappingDraft:
    given = {name: request.POST[name] for name in FRAME if name in request.POST}
    return services.set_draft_frame(actor=_person(request), draft=draft, given=given, revision=_revision(request))


def _try_on(request: HttpRequest, draft: MappingDraft) -> MappingDraft:
    upload = data.upload_visible(user=request.user, upload_id=_uuid(request.POST.get("upload", "")))
    return services.try_on(actor=_person(request), draft=draft, upload=upload)


def _text(request: HttpRequest, draft: MappingDraft) -> MappingDraft:
    text = request.POST.get("text", "").replace("\r\n", "\n")
    return services.set_draft_text(actor=_person(request), draft=draft, text=text, revision=_revision(request))


_ACTS: dict[str, Callable[[HttpRequest, MappingDraft], MappingDraft]] = {
    "choose": _choose,
    "accept": _accept,
    "leave-out": _leave_out,
    "frame": _frame,
    "text": _text,
    "try-on": _try_on,
}


def _tab(wanted: str) -> str:
    return {"text": "yaml", "test": "tests", "frame": "report"}.get(wanted, "columns")


def _show(
    request: HttpRequest,
    draft: MappingDraft,
    *,
    problem: Problem | None = None,
    tried: dict[str, Any] | None = None,
    sent: str | None = None,
    tab: str = "columns",
) -> HttpResponse:
    contract, invalid, shown, unfit = None, None, None, None
    if draft.text:
        try:
            contract = services.check_contract(text=draft.text)
        except Problem as error:
            invalid = error
    if contract is not None and draft.upload is not None:
        try:
            shown = services.preview_draft(draft=draft)
        except Problem as error:
            unfit = error
    published = draft.contract.published.text if draft.contract and draft.contract.published else ""
    diff, added, gone = changes(published, draft.text)
    rows = rows_of(draft, contract)
    context = {
        "draft": draft,
        "contract": contract,
        "rows": rows,
        "count": {
            state: sum(row.state == state for row in rows) for state in ("ok", "changed", "ask", "ignored", "out")
        },
        "options": options(),
        "particulars": _particulars(draft),
        "preview": shown,
        "invalid": invalid,
        "unfit": unfit,
        "problem": problem,
        "tried": tried,
        "diff": diff,
        "added": added,
        "gone": gone,
        "text": draft.text if sent is None else sent,
        "tab": tab,
        "uploads": data.uploads_visible(user=request.user).filter(kind="report")[:20] if draft.contract else [],
        "may_edit": draft.is_open
        and people.may(
            user=request.user, permission=MANAGE, brand=draft.upload.brand_id if draft.upload is not None else None
        ),
        "may_publish": people.may(user=request.user, permission=MANAGE),
    }
    fragment = request.headers.get("HX-Request") == "true"
    # A refused act is shown with the draft as it stands; htmx takes the fragment whatever the status.
    status = 200 if problem is None or fragment else problem.status
    return render(
        request, "harmonization/_draft.html" if fragment else "harmonization/draft.html", context, status=status
    )


def _particulars(draft: MappingDraft) -> dict[str, str]:
    try:
        return read_frame(read_document(draft.text)) if draft.text else {}
    except Problem:
        return {}


def _go(request: HttpRequest, name: str, *arguments: Any) -> HttpResponse:
    """To another page: htmx follows a redirect inside the fragment, so it is told by a header."""
    answer = redirect(name, *arguments)
    if request.headers.get("HX-Request") == "true":
        moved = HttpResponse(status=200)
        moved["HX-Redirect"] = answer["Location"]
        return moved
    return answer


def _revision(request: HttpRequest) -> int | None:
    text = request.POST.get("revision", "")
    if not text:
        return None
    if not text.isdecimal() or len(text) > 9:
        raise Conflict("The page is too old to change this mapping.", where="revision", fix="Reload the page.")
    return int(text)


def _parsed(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise InvalidInput("That alternative cannot be read.", where="alternative", fix="Choose one of the list.")
    return value


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise InvalidInput(f"{text!r} is no id of an upload.", where="upload", fix="Choose one of the list.") from None


def _person(request: HttpRequest) -> User:
    # The login middleware lets nobody else through.
    return cast(User, request.user)
