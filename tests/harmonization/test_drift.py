from __future__ import annotations

from uuid import uuid4

import pytest

from harmonization import selectors, services
from harmonization.models import DataFinding, DriftRule, Load, MappingContract, MappingDraft
from harmonization.services.drift import DriftBlocked
from jobs.draining import run_queued_jobs
from tenants.core.problems import InvalidInput
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


def wider(load, walmart, column: str, value: str) -> DataFinding:
    """The finding of a file that has one column more than the one before it."""
    load(walmart_csv(*month()), walmart)
    rows = [f"{WALMART_HEADER},{column}", *(f"{row},{value}" for row in month(first=2))]
    load("\n".join(rows).encode(), walmart, "february.csv")
    return DataFinding.objects.get(kind="drift_added")


def test_new_column_is_proposed_and_taken_over(load, walmart, alice, browser):
    finding = wider(load, walmart, "View-through conversions", "3")
    told = finding.evidence["suggestion"]
    assert told["target"] == told["choice"]["target"] == "view_through_conversions"
    assert "It reads like view through conversions" in finding.detail
    page = browser.get("/data/quality/").content.decode()
    assert "Map the column</button>" in page
    answer = browser.post("/data/mappings/walmart_search_item/edit/", {"finding": str(finding.pk)})
    draft = MappingDraft.objects.get()
    assert answer["Location"] == f"/data/drafts/{draft.pk}/"
    assert "View-through conversions" in draft.text
    (column,) = [one for one in draft.columns if one["source"] == "View-through conversions"]
    assert (column["target"], column["confidence"]) == (told["target"], told["confidence"])
    services.accept_column(actor=alice, draft=draft)
    version, _ = services.publish_draft(actor=alice, draft=draft)
    assert "View-through conversions" in version.text


def test_new_column_that_another_has_already_is_only_told(load, walmart, browser):
    finding = wider(load, walmart, "Ad impressions", "7")
    assert "suggestion" not in finding.evidence
    assert "Map the column</button>" not in browser.get(f"/data/quality/{finding.pk}/").content.decode()
    with pytest.raises(InvalidInput, match="proposes no column"):
        services.map_finding(actor=finding.load.upload.created_by, finding=finding)


def test_proposal_of_a_finding_over_rest(load, walmart, api):
    finding = wider(load, walmart, "View-through conversions", "3")
    made = api.post("/api/v1/mappings/walmart_search_item/edit/", {"finding": str(finding.pk)}, format="json")
    assert made.status_code == 201
    assert "View-through conversions" in made.json()["text"]
    other = api.post("/api/v1/mappings/walmart_search_item/edit/", {"finding": str(uuid4())}, format="json")
    assert other.status_code == 404
