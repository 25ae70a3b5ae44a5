"""Checks of published figures: after a load and on demand, stored as findings and comparisons."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from accounts.core.permissions import Role
from harmonization import services
from harmonization.models import DataFinding, Load, Reconciliation
from harmonization.services import check_account, checks, start_check
from jobs.draining import run_queued_jobs
from jobs.models import Job
from tenants.core.problems import NotAllowed
from tests.factories import person
from tests.harmonization.conftest import walmart_csv, walmart_row
from tests.harmonization.quality.conftest import FIRST, days, with_gap


def test_usual_figures_are_no_finding(check):
    checked = check(walmart_csv(*days(40)))
    assert (checked.reports, checked.opened) == (1, 0)
    assert not DataFinding.objects.exists()


def test_missing_days_are_a_finding_until_they_come(check, walmart):
    check(with_gap())
    row = DataFinding.objects.get()
    assert (row.kind, row.report, row.account, row.state) == ("missing_days", "search_item", walmart, "open")
    assert row.load == Load.objects.get()
    assert row.money == {"USD": "34.50"}  # three days of what the 28 before cost on average
    checked = check(walmart_csv(*days(3, 30)), "gap.csv")
    assert (checked.opened, checked.resolved) == (0, 1)
    assert DataFinding.objects.get().state == "resolved"


def test_rows_in_quarantine_are_a_finding(check):
    check(walmart_csv(*days(30), walmart_row("2026-09-05", spend="-5.00")))
    row = DataFinding.objects.get()
    assert (row.kind, row.severity, row.rows, row.money) == ("quarantined_rows", "warn", 1, {"USD": "5.00"})
    assert row.evidence["rules"] == {"spend_not_negative": 1}


def test_a_later_load_leaves_older_findings_alone(check):
    check(with_gap())
    check(walmart_csv(*days(20, 250)), "later.csv")
    older = DataFinding.objects.get(kind="missing_days", first_day=FIRST + timedelta(days=30))
    assert older.state == "open"


def test_a_check_that_fails_after_a_load_becomes_a_job_that_people_see(check, walmart, monkeypatch):
    with monkeypatch.context() as broken:
        broken.setattr(checks, "check_account", lambda **_: 1 / 0)
        assert check(with_gap()) is None
    assert Load.objects.get().status == Load.Status.PUBLISHED
    job = Job.objects.get(kind=checks.CHECK_KIND)
    assert "again" in job.title
    assert run_queued_jobs(job_id=job.pk) == 1
    assert DataFinding.objects.get().kind == "missing_days"


def test_a_full_check_looks_at_everything(check, walmart, alice):
    check(with_gap())
    DataFinding.objects.all().delete()
    job = start_check(actor=alice)
    assert run_queued_jobs(job_id=job.pk) == 1
    job = Job.objects.get(pk=job.pk)
    assert (job.state, job.result["accounts"], job.result["opened"]) == ("succeeded", 1, 1)
    assert DataFinding.objects.get().kind == "missing_days"


def test_a_check_of_one_account_belongs_to_its_brand(check, walmart, alice):
    check(walmart_csv(*days(10)))
    job = start_check(actor=alice, account=walmart)
    assert job.brand == walmart.brand
    with pytest.raises(NotAllowed):
        start_check(actor=person("ann", Role.ANALYST), account=walmart)


def test_a_failing_check_fails_no_load(send, walmart, alice, monkeypatch):
    def fail(**_: object) -> None:
        raise RuntimeError("the check is broken")

    monkeypatch.setattr(services.checks, "check_account", fail)
    taken = send(walmart_csv(*days(3)), walmart)
    run_queued_jobs(job_id=taken.job.pk)
    assert Job.objects.get(pk=taken.job.pk).state == "succeeded"
    assert Load.objects.get().status == "published"


def test_every_load_is_checked(send, walmart, alice):
    taken = send(with_gap(), walmart)
    run_queued_jobs(job_id=taken.job.pk)
    assert DataFinding.objects.get().kind == "missing_days"


def test_reports_of_one_account_are_compared(load, walmart, alice):
    load(walmart_csv(*days(20)), walmart, contract="walmart_search_item")
    published = services.contracts.shipped_contracts()["walmart_search_item"].text
    other = services.save_contract(
        actor=alice,
        text=published.replace("name: walmart_search_item", "name: walmart_campaign").replace(
            "report: search_item", "report: campaign"
        ),
    )
    load(walmart_csv(*days(20, sales="50.00")), walmart, "campaign.csv", contract=other.contract.name)
    checked = check_account(account=walmart)
    assert (checked.reports, checked.flagged) == (2, 1)
    rows = {row.metric: row for row in Reconciliation.objects.all()}
    assert rows["spend"].verdict == "agrees"
    assert (rows["sales"].verdict, rows["sales"].difference) == ("flagged", Decimal(-200))
    finding = DataFinding.objects.get(kind="reconciliation")
    assert finding.money == {"USD": "200.00"}
    assert check_account(account=walmart).compared == len(rows) == Reconciliation.objects.count()


def test_a_contract_says_how_far_reports_may_differ(load, walmart, alice):
    load(walmart_csv(*days(20)), walmart, contract="walmart_search_item")
    rule = "  - {id: like_items, kind: reconciles_with, report: search_item, columns: [sales_total], tolerance: 0.25}\n"
    text = services.contracts.shipped_contracts()["walmart_search_item"].text
    other = services.save_contract(
        actor=alice,
        text=text.replace("name: walmart_search_item", "name: walmart_campaign")
        .replace("report: search_item", "report: campaign")
        .replace("\nrules:\n", f"\nrules:\n{rule}"),
    )
    load(walmart_csv(*days(20, sales="50.00")), walmart, "campaign.csv", contract=other.contract.name)
    assert check_account(account=walmart).flagged == 0
    assert Reconciliation.objects.get(metric="sales").explanation == "tolerance"
