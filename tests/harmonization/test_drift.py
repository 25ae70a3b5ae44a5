from __future__ import annotations

import pytest

from harmonization import selectors, services
from harmonization.models import DataFinding, DriftRule, Load, MappingContract
from harmonization.services.drift import DriftBlocked
from jobs.draining import run_queued_jobs
from tests.harmonization.conftest import WALMART_HEADER, DirectContext, walmart_csv, walmart_row


def month(factor: int = 1, *, first: int = 1) -> list[str]:
    """A row a day, of spend that moves a little."""
    return [
        walmart_row(f"2026-{first:02d}-{day:02d}", spend=f"{(3 + day * 0.37) * factor:.2f}") for day in range(1, 29)
    ]


def test_added_column_is_a_finding(load, walmart):
    load(walmart_csv(*month()), walmart)
    wider = [WALMART_HEADER + ",viewableShown", *(f"{row},7" for row in month(first=2))]
    load("\n".join(wider).encode(), walmart, "february.csv")
    (told,) = Load.objects.get(upload__file_name="february.csv").report["drift"]
    assert (told["drift"], told["header"], told["action"]) == ("added", "viewableShown", "propose")
    finding = DataFinding.objects.get(kind="drift_added")
    assert (finding.severity, finding.account) == ("info", walmart)


def test_other_unit_blocks_until_accepted(load, send, walmart, alice, browser):
    load(walmart_csv(*month()), walmart)
    taken = send(walmart_csv(*month(100, first=2)), walmart, "cents.csv")
    run_queued_jobs()
    taken.job.refresh_from_db()
    assert (taken.job.state, taken.job.problem["code"]) == ("failed", "drift-blocked")
    assert DataFinding.objects.get(kind="drift_unit_changed").severity == "critical"
    assert Load.objects.filter(status="published").count() == 1
    page = browser.get(f"/data/uploads/{taken.upload.pk}/").content.decode()
    assert "The change is right" in page
    assert browser.post(f"/data/uploads/{taken.upload.pk}/harmonize/", {"accept_drift": "1"}).status_code == 302
    run_queued_jobs()
    assert Load.objects.filter(status="published").count() == 2
    assert DataFinding.objects.get(kind="drift_unit_changed").state == "resolved"


def test_rule_of_the_mapping_goes_before_the_general_one(load, walmart):
    load(walmart_csv(*month()), walmart)
    DriftRule.objects.create(drift="unit_changed", action="block")
    mapping = MappingContract.objects.get(name="walmart_search_item")
    DriftRule.objects.create(contract=mapping, drift="unit_changed", action="warn")
    assert not load(walmart_csv(*month(100, first=2)), walmart, "cents.csv")["already_loaded"]


def test_new_reading_of_the_same_file_does_not_drift(load, walmart, alice):
    content = walmart_csv(*month())
    load(content, walmart)
    text = selectors.contract_named(name="walmart_search_item").published.text
    services.save_contract(actor=alice, text=text.replace("version: 1\n", "version: 2\n", 1))
    load(content, walmart)
    assert Load.objects.get(status="published").report["drift"] == []


def test_late_publication_is_compared_with_what_arrived_before_it(load, send, walmart, tmp_path):
    early = send(walmart_csv(*month(100)), walmart, "cents.csv")
    load(walmart_csv(*month(first=2)), walmart, "later.csv")
    staging = tmp_path / "storage" / "late"
    staging.mkdir()
    services.harmonize_upload(context=DirectContext(early.job, staging))
    with pytest.raises(DriftBlocked):
        load(walmart_csv(*month(100, first=3)), walmart, "cents again.csv")
