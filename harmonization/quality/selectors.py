"""Reads of findings, comparisons and how fresh each source is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db.models import Case, DecimalField, IntegerField, QuerySet, Value, When
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast, Coalesce

from accounts import selectors as people
from harmonization import selectors
from harmonization.core.freshness import Arrival, Freshness, freshness_of
from harmonization.core.standing import rows_by_load
from harmonization.models import Account, DataFinding, EventTable, Load, Reconciliation
from harmonization.selectors import Person
from tenants.core.problems import InvalidInput, NotFound

VIEW = "quality.view"
#: Filter of the address -> lookup of the finding.
FILTERS = {
    "severity": "severity",
    "kind": "kind",
    "account": "account_id",
    "report": "report",
    "load": "load_id",
    "brand": "account__brand_id",
}


def findings_visible(*, user: Person) -> QuerySet[DataFinding]:
    """Findings about the accounts of one's brands; those about several brands or the tenant for tenant-wide roles."""
    rows = DataFinding.objects.select_related(
        "account__retailer", "account__brand", "load__upload", "load__contract_version__contract", "decided_by"
    )
    if people.may(user=user, permission=VIEW):
        return rows
    return rows.filter(account__brand__in=people.brands_for(user=user, permission=VIEW))


def finding_visible(*, user: Person, finding_id: UUID) -> DataFinding:
    """One finding, or `NotFound` in the words of a nonexistent one."""
    finding = findings_visible(user=user).filter(pk=finding_id).first()
    if finding is None:
        raise NotFound("There is nothing here under that id.")
    return finding


def findings_matching(
    findings: QuerySet[DataFinding], *, filters: Mapping[str, str], currency: str = "USD"
) -> QuerySet[DataFinding]:
    """Findings that fit the filters of an address, the gravest first, then those with most money in `currency`.

    Args:
        filters: `state` (open unless given; `all` for any), and the names of `FILTERS`; empty ones filter nothing.

    Raises:
        InvalidInput: a value that is no id where one is asked for.
    """
    state = filters.get("state") or DataFinding.State.OPEN
    chosen = findings if state == "all" else findings.filter(state=state)
    for name, lookup in FILTERS.items():
        if value := filters.get(name):
            try:
                chosen = chosen.filter(**{lookup: value})
            except (ValidationError, ValueError) as error:
                raise InvalidInput(f"{value!r} is no id.", where=name, fix="Take it from a list.") from error
    return chosen.annotate(grave=_gravity(), at_stake=_money(currency)).order_by(
        "-grave", "-at_stake", "-last_seen", "pk"
    )


def reconciliations_visible(*, user: Person) -> QuerySet[Reconciliation]:
    """Comparisons of the reports of one's accounts, what is flagged first."""
    rows = Reconciliation.objects.select_related("account__retailer", "account__brand")
    if not people.may(user=user, permission=VIEW):
        rows = rows.filter(account__brand__in=people.brands_for(user=user, permission=VIEW))
    weight = Case(
        When(verdict="flagged", then=Value(0)), When(verdict="not_comparable", then=Value(1)),
        When(verdict="explained", then=Value(2)), default=Value(3), output_field=IntegerField(),
    )  # fmt: skip
    return rows.order_by(weight, "account__name", "report_a", "report_b", "currency", "metric")


@dataclass(frozen=True, kw_only=True)
class SourceReport:
    """One report of one account as a source of figures.

    Attributes:
        files: that are published; `rows` of them stand; `quarantined` rows wait.
        critical, warnings: open findings.
        newest: the load that reaches furthest.
    """

    account: Account
    report: str
    contract: str
    freshness: Freshness
    files: int
    rows: int
    quarantined: int
    first_day: date | None
    critical: int
    warnings: int
    newest: Load


def source_reports(*, user: Person, today: date) -> list[SourceReport]:
    """Every report of the accounts that a person may see, by account and report; one query for each kind of row."""
    accounts = selectors.accounts_visible(user=user)
    loads = (
        Load.objects.filter(status=Load.Status.PUBLISHED, upload__account__in=accounts)
        .select_related("upload__account__retailer", "upload__account__brand", "contract_version__contract")
        .defer("problem", "report", "contract_version__text")
        .annotate(report_name=KeyTextTransform("report", "report"), restates_for=KeyTextTransform(
            "restatement_days", "report"
        ))
        .order_by("upload__account__name", "upload__created_at")
    )  # fmt: skip
    by_source: dict[tuple[UUID, str], list[Load]] = {}
    for load in loads:
        assert load.upload.account is not None, "a report has an account: the database checks it"
        by_source.setdefault((load.upload.account.pk, load.report_name or ""), []).append(load)
    standing = _standing_rows()
    findings: dict[tuple[UUID | None, str, str], int] = {}
    open_ones = findings_visible(user=user).filter(state=DataFinding.State.OPEN).order_by()
    for account_id, report, severity in open_ones.values_list("account_id", "report", "severity"):
        key = (account_id, report, severity)
        findings[key] = findings.get(key, 0) + 1

    def name(item: tuple[tuple[UUID, str], list[Load]]) -> tuple[str, str]:
        return str(item[1][0].upload.account), item[0][1]

    return [
        _source(loads, report, standing, findings, today) for (_, report), loads in sorted(by_source.items(), key=name)
    ]


def _source(
    loads: list[Load],
    report: str,
    standing: Mapping[str, int],
    findings: Mapping[tuple[UUID | None, str, str], int],
    today: date,
) -> SourceReport:
    arrivals = [
        Arrival(at=load.upload.created_at, first_day=load.period_start, last_day=load.period_end)
        for load in loads
        if load.period_start is not None and load.period_end is not None
    ]
    newest = max(loads, key=lambda load: (load.period_end or date.min, load.upload.created_at))
    account = newest.upload.account
    assert account is not None, "a report has an account: the database checks it"
    return SourceReport(
        account=account,
        report=report,
        contract=newest.contract_version.contract.name if newest.contract_version else "",
        freshness=freshness_of(arrivals, restatement_days=int(newest.restates_for or 0), today=today),  # type: ignore[attr-defined]
        files=len({load.upload_id for load in loads}),
        rows=sum(standing.get(str(load.pk), 0) for load in loads),
        quarantined=sum(load.rows_quarantined for load in loads),
        first_day=min((one.first_day for one in arrivals), default=None),
        critical=findings.get((account.pk, report, "critical"), 0),
        warnings=findings.get((account.pk, report, "warn"), 0),
        newest=newest,
    )


def _standing_rows() -> dict[str, int]:
    version = EventTable.objects.filter(name=selectors.EVENTS).values_list("version", flat=True).first()
    return {} if version is None else rows_by_load(selectors.events_folder().folder, version)


def money_at_stake(findings: QuerySet[DataFinding]) -> dict[str, Decimal]:
    """Money at stake of findings by currency. Two findings may be about the same money, so it is an upper bound."""
    total: dict[str, Decimal] = {}
    for money in findings.order_by().values_list("money", flat=True):
        for currency, amount in money.items():
            total[currency] = total.get(currency, Decimal(0)) + Decimal(amount)
    return dict(sorted(total.items(), key=lambda pair: -pair[1]))


def _gravity() -> Case:
    return Case(
        When(severity="critical", then=Value(2)), When(severity="warn", then=Value(1)), default=Value(0),
        output_field=IntegerField(),
    )  # fmt: skip


def _money(currency: str) -> Coalesce:
    amount = DecimalField(max_digits=38, decimal_places=6)
    return Coalesce(Cast(KeyTextTransform(currency, "money"), amount), Value(Decimal(0)), output_field=amount)


def open_findings(*, user: Person) -> QuerySet[DataFinding]:
    """What asks for attention."""
    return findings_visible(user=user).filter(state=DataFinding.State.OPEN)
