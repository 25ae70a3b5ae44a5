"""Pages of data quality: findings, one finding, reports compared."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, cast
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from accounts import selectors as people
from accounts import services as authority
from accounts.models import User
from accounts.rest.downloads import as_download
from harmonization import selectors as data
from harmonization import services
from harmonization.core.findings import SEVERITIES
from harmonization.core.table_file import FILE_KINDS, write_table
from harmonization.models import DataFinding
from harmonization.quality import selectors
from harmonization.quality.presenters import compared_reports, evidence_facts, finding_row, kind_name
from tenants.core.problems import InvalidInput, Problem
from tenants.selectors import current_tenant

PER_PAGE = 25
MANAGE = "quality.manage"
#: Rows of an export: beyond it a file is no longer something to look through.
MOST_EXPORTED = 20_000


@require_safe
def quality(request: HttpRequest) -> HttpResponse:
    """What looks wrong, the gravest first; or, with `?view=reports`, how the reports of each account compare."""
    authority.require_somewhere(user=request.user, permission=selectors.VIEW)
    reports = request.GET.get("view") == "reports"
    visible = selectors.findings_visible(user=request.user)
    open_ones = visible.filter(state=DataFinding.State.OPEN)
    week = timezone.now() - timedelta(days=7)
    context: dict[str, Any] = {
        "view": "reports" if reports else "findings",
        "counts": {name: open_ones.filter(severity=name).count() for name in SEVERITIES},
        "open_count": open_ones.count(),
        "money": selectors.money_at_stake(open_ones),
        "resolved_count": visible.filter(state=DataFinding.State.RESOLVED, decided_at__gte=week).count(),
        "may_check": people.may_for_some_brand(user=request.user, permission=MANAGE),
    }
    context |= _reports(request) if reports else _findings(request)
    return render(request, "harmonization/quality.html", context)


def _findings(request: HttpRequest) -> dict[str, Any]:
    kinds = selectors.findings_visible(user=request.user).order_by().values_list("kind", flat=True).distinct()
    page = Paginator(_matching(request), PER_PAGE).get_page(request.GET.get("page"))
    may_map = people.may(user=request.user, permission="mappings.manage")
    return {
        "page": page,
        "rows": [finding_row(finding, may_load=_may_load(request, finding), may_map=may_map) for finding in page],
        "filters": request.GET,
        "states": [("open", "Open"), ("acknowledged", "Accepted"), ("resolved", "Resolved"), ("all", "All")],
        "state": request.GET.get("state") or "open",
        "severities": DataFinding.Severity.choices,
        "kinds": sorted((kind, kind_name(kind)) for kind in kinds),
        "accounts": data.accounts_visible(user=request.user, permission=selectors.VIEW),
        "is_filtered": any(request.GET.get(name) for name in selectors.FILTERS),
    }


def _reports(request: HttpRequest) -> dict[str, Any]:
    rows = selectors.reconciliations_visible(user=request.user)
    page = Paginator(compared_reports(rows), PER_PAGE).get_page(request.GET.get("page"))
    return {"page": page, "groups": page.object_list, "flagged": rows.filter(verdict="flagged").count()}


def _matching(request: HttpRequest) -> Any:
    return selectors.findings_matching(
        selectors.findings_visible(user=request.user),
        filters={name: str(value) for name, value in request.GET.items()},
        currency=current_tenant().base_currency,
    )


@require_safe
def export(request: HttpRequest) -> HttpResponse:
    """The findings of the page, all of them, as a file."""
    authority.require_somewhere(user=request.user, permission=selectors.VIEW)
    kind = request.GET.get("export", "csv")
    if kind not in FILE_KINDS:
        raise InvalidInput(f"{kind!r} is no kind of file.", where="export", fix="Ask for csv or xlsx.")
    header = [
        "Severity", "Kind", "Finding", "Detail", "Account", "Report", "First day", "Last day", "Rows", "Money at stake",
        "Currency", "State", "Reason", "Decided by", "First seen (UTC)", "Last seen (UTC)",
    ]  # fmt: skip
    file = write_table(
        kind,  # type: ignore[arg-type]
        name=f"findings-{timezone.now():%Y-%m-%d}",
        header=header,
        rows=[line for finding in _matching(request)[:MOST_EXPORTED] for line in _lines(finding)],
    )
    return as_download(file)


def _lines(finding: DataFinding) -> list[list[Any]]:
    """One line for each currency with money at stake, so that a column holds one unit."""
    row = finding_row(finding)
    money: list[tuple[Any, Any]] = [*row.money] or [(None, None)]
    return [
        [
            finding.severity, row.kind, finding.title, finding.detail, row.scope, finding.report, finding.first_day,
            finding.last_day, finding.rows, amount, currency, finding.state, finding.reason,
            finding.decided_by.email if finding.decided_by else None, finding.first_seen, finding.last_seen,
        ]
        for amount, currency in money
    ]  # fmt: skip


@require_safe
def finding(request: HttpRequest, finding_id: UUID) -> HttpResponse:
    """One finding: what shows it, what is at stake, what was decided."""
    found = selectors.finding_visible(user=request.user, finding_id=finding_id)
    return _finding_page(request, found)


@require_POST
def decide(request: HttpRequest, finding_id: UUID) -> HttpResponse:
    """Accept a finding with a reason, or open it again."""
    found = selectors.finding_visible(user=request.user, finding_id=finding_id)
    try:
        if request.POST.get("act") == "reopen":
            services.reopen_finding(actor=_person(request), finding=found)
            messages.success(request, "The finding is open again.")
        else:
            services.acknowledge_finding(actor=_person(request), finding=found, reason=request.POST.get("reason", ""))
            messages.success(request, "Accepted. It stays on record with your reason.")
    except Problem as problem:
        if problem.status in (403, 404):
            raise
        return _finding_page(request, found, problem)
    return redirect("finding-detail", found.pk)


def _finding_page(request: HttpRequest, found: DataFinding, problem: Problem | None = None) -> HttpResponse:
    brand = found.account.brand_id if found.account else None
    context = {
        "row": finding_row(
            found,
            may_load=_may_load(request, found),
            may_map=people.may(user=request.user, permission="mappings.manage"),
        ),
        "finding": found,
        "facts": evidence_facts(found),
        "spend": found.evidence.get("spend") or [],
        "events": found.events.order_by("pgh_id").select_related("pgh_context"),  # type: ignore[attr-defined]
        "may_decide": people.may(user=request.user, permission=MANAGE, brand=brand),
        "problem": problem,
    }
    return render(request, "harmonization/finding.html", context, status=problem.status if problem else 200)


def _may_load(request: HttpRequest, finding: DataFinding) -> bool:
    return finding.account is not None and people.may(
        user=request.user, permission="uploads.create", brand=finding.account.brand_id
    )


@require_POST
def check(request: HttpRequest) -> HttpResponse:
    """Check the whole history of an account, or of all."""
    account = None
    if wanted := request.POST.get("account"):
        try:
            account = data.account_visible(user=request.user, account_id=UUID(wanted), permission=selectors.VIEW)
        except ValueError as error:
            raise InvalidInput(f"{wanted!r} is no id.", where="account", fix="Choose an account.") from error
    job = services.start_check(actor=_person(request), account=account)
    return redirect("job-detail", job.pk)


def _person(request: HttpRequest) -> User:
    # The login middleware lets nobody else through.
    return cast(User, request.user)
