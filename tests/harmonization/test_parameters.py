"""What a file does not tell is said when it is sent, through every door, and belongs to what makes a load itself."""

from __future__ import annotations

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from harmonization import selectors
from harmonization.core.load_context import parse_answers
from harmonization.models import Load
from jobs.models import Job
from tenants.core.problems import InvalidInput
from tests.factories import AccountFactory, BrandFactory, RetailerFactory

pytestmark = pytest.mark.usefixtures("storage", "fresh_cache")
CRITEO = b"date,campaignId,lineItemId,impressions,clicks,spend,attributedSales\n2026-11-02,900,9001,500,10,7.50,33.30\n"
CAMPAIGNS = (
    b"State,Campaigns,Type,Impressions,Clicks,Spend(USD),Orders,Sales(USD)\nENABLED,Chips,SP,1204,20,12.40,7,61.00\n"
)
DAYS = {"first_day": "2026-11-02", "last_day": "2026-11-15"}


@pytest.fixture
def account(acme: object):
    return AccountFactory(brand=BrandFactory(slug="chips"), retailer=RetailerFactory(slug="mart", network="criteo"))


def windows(load_id: str) -> list[int]:
    report = Load.objects.get(pk=load_id).report
    return [figure["click_days"] for figure in report["attributed"]]


def test_other_answers_are_another_reading(load, account) -> None:
    first = load(CRITEO, account, "criteo.csv", contract="criteo_performance")
    second = load(CRITEO, account, "criteo.csv", contract="criteo_performance", parameters={"click_window": "7D"})
    assert (windows(first["load_id"]), windows(second["load_id"])) == ([30], [7])
    assert second["already_loaded"] is False
    assert Load.objects.get(pk=first["load_id"]).status == Load.Status.REPLACED
    assert selectors.answers_of(load=Load.objects.get(pk=second["load_id"])) == {"click_window": "7D"}


def test_the_same_answers_are_the_same_job(send, account) -> None:
    jobs = [send(CRITEO, account, "criteo.csv", parameters=answers).job.pk for answers in (DAYS, dict(DAYS))]
    assert jobs[0] == jobs[1]


def test_a_list_of_campaigns_needs_its_days(load, account) -> None:
    with pytest.raises(InvalidInput, match="which days"):
        load(CAMPAIGNS, account, "campaigns.csv")
    assert load(CAMPAIGNS, account, "campaigns.csv", parameters=DAYS)["period"] == ["2026-11-02", "2026-11-15"]


def test_answers_come_over_rest(api, account) -> None:
    file = SimpleUploadedFile("campaigns.csv", CAMPAIGNS)
    sent = {"file": file, "account": str(account.pk), "parameters": "first_day=2026-11-02, last_day=2026-11-15"}
    answer = api.post("/api/v1/uploads/", sent, format="multipart")
    assert answer.status_code == 201, answer.json()
    assert Job.objects.get(pk=answer.json()["job_id"]).params["parameters"] == DAYS
    again = {"contract": "auto", "parameters": "first_day"}
    refused = api.post(f"/api/v1/uploads/{answer.json()['upload']['id']}/harmonize/", again, format="json")
    assert (refused.status_code, "NAME=VALUE" in refused.content.decode()) == (400, True)


@pytest.mark.parametrize("text", ["first_day", "=2026-11-02", "a=1, a=2", "a="])
def test_answers_that_are_none_are_named(text: str) -> None:
    with pytest.raises(InvalidInput, match=r"NAME=VALUE|twice"):
        parse_answers(text)
