"""Findings: one row per cause, opened, accepted, resolved, opened again."""

from __future__ import annotations

from decimal import Decimal

import pytest

from accounts.core.permissions import Role
from harmonization.core.findings import Found
from harmonization.models import DataFinding
from harmonization.services import acknowledge_finding, record_findings, reopen_finding, resolve_findings
from tenants.core.problems import Conflict, InvalidInput, NotAllowed
from tests.factories import person


def found(subject: str = "campaign 9001", **changes: object) -> Found:
    told = {"severity": "warn", "title": "Spend fell", "rows": 3, "money": {"USD": Decimal("12.50")}}
    return Found(kind="level_shift", subject=subject, **(told | changes))  # type: ignore[arg-type]


@pytest.fixture
def record(walmart):
    """`record(*found)`: a full check of level shifts of Acme's Walmart account."""
    return lambda *ones: record_findings(found=ones, account=walmart, report="item", checked=["level_shift"])


def test_the_same_cause_is_one_row(record):
    assert record(found()).opened == 1
    again = record(found(rows=5, money={"USD": Decimal("20.00")}))
    assert (again.opened, again.seen_again, again.resolved) == (0, 1, 0)
    row = DataFinding.objects.get()
    assert (row.rows, row.money, row.first_seen < row.last_seen) == (5, {"USD": "20.00"}, True)


def test_another_report_is_another_cause(record, walmart):
    record(found())
    record_findings(found=[found()], account=walmart, report="search_term", checked=["level_shift"])
    assert DataFinding.objects.filter(state="open").count() == 2


def test_what_is_no_longer_found_is_resolved_and_comes_back(record):
    record(found("a"), found("b"))
    assert record(found("a")).resolved == 1
    assert DataFinding.objects.get(subject="b").state == "resolved"
    assert record(found("a"), found("b")).opened == 1
    row = DataFinding.objects.get(subject="b")
    assert (row.state, row.reason, row.decided_at) == ("open", "", None)


def test_kinds_that_were_not_checked_stay(record, walmart):
    record(found())
    record_findings(found=[], account=walmart, report="item", checked=["null_rate"])
    record_findings(found=[], account=walmart, report="item")
    assert DataFinding.objects.get().state == "open"


def test_an_accepted_one_stays_accepted_until_it_gets_graver(record, alice):
    record(found())
    acknowledge_finding(actor=alice, finding=DataFinding.objects.get(), reason=" Sale ended. ")
    record(found())
    row = DataFinding.objects.get()
    assert (row.state, row.reason, row.decided_by) == ("acknowledged", "Sale ended.", alice)
    record(found(severity="critical"))
    row = DataFinding.objects.get()
    assert (row.state, row.decided_by) == ("open", None)


def test_a_reason_is_asked_for(record, alice):
    record(found())
    with pytest.raises(InvalidInput):
        acknowledge_finding(actor=alice, finding=DataFinding.objects.get(), reason="  ")
    assert DataFinding.objects.get().state == "open"


def test_what_is_resolved_is_not_decided(record, walmart, alice):
    record(found())
    assert resolve_findings(account=walmart, kinds=["level_shift"], reason="The file was replaced.") == 1
    row = DataFinding.objects.get()
    with pytest.raises(Conflict):
        acknowledge_finding(actor=alice, finding=row, reason="fine")
    with pytest.raises(Conflict):
        reopen_finding(actor=alice, finding=row)


def test_an_acceptance_can_be_taken_back(record, alice):
    record(found())
    acknowledge_finding(actor=alice, finding=DataFinding.objects.get(), reason="fine")
    reopen_finding(actor=alice, finding=DataFinding.objects.get())
    assert DataFinding.objects.get().state == "open"


def test_an_analyst_decides_nothing(record, walmart):
    record(found())
    ann = person("ann", Role.ANALYST)
    with pytest.raises(NotAllowed):
        acknowledge_finding(actor=ann, finding=DataFinding.objects.get(), reason="fine")
    assert DataFinding.objects.get().state == "open"


def test_decisions_are_in_the_history(record, alice):
    record(found())
    acknowledge_finding(actor=alice, finding=DataFinding.objects.get(), reason="fine")
    record(found(rows=9))
    states = list(DataFinding.objects.get().events.order_by("pgh_id").values_list("state", flat=True))
    assert states == ["open", "acknowledged"]  # meeting it again is no change
