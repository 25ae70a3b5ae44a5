"""The mapping editor: from a file that nobody knows to a published mapping, by service and by page."""

from __future__ import annotations

import pytest
from django.urls import reverse

from accounts.core.permissions import Role
from harmonization import services
from harmonization.core import sampled
from harmonization.core.contract import parse_contract
from harmonization.core.contract_edit import assign, read_choice, read_document, write_document
from harmonization.core.reading import open_source
from harmonization.models import MappingContract, MappingDraft
from jobs.models import Job
from tenants.core.problems import Conflict, InvalidInput, NotAllowed
from tests import factories
from tests.harmonization.conftest import DirectContext

EXPORT = """Report Date,Campaign Name,Campaign Id,Product Sku,Ad Views,Ad Clicks,Ad Cost (USD),Sales 14d,Orders 14d,Bid Ref
11/02/2026,Chips always on,9001,CH-200,"1,200",12,8.40,60.00,3,b-1
11/13/2026,Chips always on,9001,CH-200,900,7,5.10,0.00,0,b-2
11/14/2026,Chips always on,9001,CH-200,1000,9,7.25,21.50,1,b-3
"""  # noqa: E501
HEADERS = EXPORT.splitlines()[0].split(",")


@pytest.fixture
def upload(alice, walmart, storage):
    return services.receive_upload(actor=alice, chunks=[EXPORT.encode()], file_name="new_report.csv", account=walmart)


@pytest.fixture
def draft(alice, upload, tmp_path):
    made = services.propose_contract(actor=alice, upload=upload)
    staging = tmp_path / "storage" / "staging-propose"
    staging.mkdir(parents=True)
    # Without a model: the words of these headers need none, and loading it takes longer than all of these tests.
    services.run_proposal(context=DirectContext(Job.objects.get(pk=made.job_id), staging))
    made.refresh_from_db()
    assert made.state == MappingDraft.State.OPEN, made.problem
    return made


def targets(text: str) -> dict[str, str]:
    contract = parse_contract(text)
    found = {field.headers[0]: field.target for field in contract.fields}
    return found | {spec.headers[0]: spec.metric for spec in contract.attributions}


def test_a_proposal_reads_the_file(draft):
    found = targets(draft.text)
    assert found["Report Date"] == "period_start"
    assert found["Ad Cost (USD)"] == "spend"
    assert found["Ad Clicks"] == "clicks"
    seen = services.preview_draft(draft=draft)
    assert (seen.rows, seen.good + seen.quarantined + seen.skipped) == (3, 3)


def test_asking_again_is_the_same_draft(alice, upload):
    first = services.propose_contract(actor=alice, upload=upload)
    assert services.propose_contract(actor=alice, upload=upload) == first
    assert Job.objects.filter(kind="harmonization.propose").count() == 1


def test_a_choice_moves_a_column(alice, draft):
    given = {"target": "sales", "click_days": "7", "match": "same_sku"}
    changed = services.choose_column(actor=alice, draft=draft, header="Sales 14d", given=given)
    spec = next(spec for spec in parse_contract(changed.text).attributions if spec.metric == "sales")
    assert (spec.headers, spec.click_days, spec.match) == (["Sales 14d"], 7, "same_sku")
    assert changed.decided["Sales 14d"] == "changed"


def test_a_target_has_one_source(alice, draft):
    changed = services.choose_column(actor=alice, draft=draft, header="Ad Views", given={"target": "clicks"})
    found = targets(changed.text)
    assert found["Ad Views"] == "clicks"
    assert "Ad Clicks" not in found


def test_what_spoke_of_a_column_goes_with_it():
    document = {
        "fields": [
            {"target": "period_start", "headers": ["Day"], "date_formats": ["iso"]},
            {"target": "clicks", "headers": ["Clicks"]},
            {"target": "sku_id", "headers": ["Sku"]},
        ],
        "attributions": [{"id": "sales_total", "metric": "sales", "headers": ["{days} d sales"], "match": "total",
                          "click_days": "from_header"}],
        "rules": [
            {"id": "a", "kind": "not_null", "columns": ["clicks", "period_start"]},
            {"id": "b", "kind": "range", "column": "clicks", "min": 0},
            {"id": "c", "kind": "expression", "expression": "clicks <= impressions"},
        ],
        "natural_key": ["period_start", "sku_id"],
        "default_attribution": {"sales": "sales_total"},
    }  # fmt: skip
    headers = ["Day", "Clicks", "Sku", "7 d sales", "14 d sales"]
    left = assign(document, "Clicks", read_choice({}), headers)
    assert left["rules"] == [{"id": "a", "kind": "not_null", "columns": ["period_start"]}]
    split = assign(document, "7 d sales", read_choice({}), headers)
    assert [(one["headers"], one["click_days"]) for one in split["attributions"]] == [(["14 d sales"], 14)]
    assert document["attributions"][0]["headers"] == ["{days} d sales"], "the given document is left alone"


@pytest.mark.parametrize(
    ("given", "where"),
    [
        ({"target": "no_such"}, "target"),
        ({"target": "sales", "match": "all"}, "match"),
        ({"target": "sales", "click_days": "0"}, "click_days"),
        ({"target": "spend", "unit": "pounds"}, "unit"),
        ({"target": "spend", "colour": "red"}, "colour"),
    ],
)
def test_a_choice_that_is_none_is_named(given, where):
    with pytest.raises(InvalidInput) as caught:
        read_choice(given)
    assert caught.value.where == where


def test_open_columns_keep_it_from_being_published(alice, draft):
    draft.columns = [{**column, "confidence": 0.3} for column in draft.columns]
    draft.save()
    with pytest.raises(Conflict) as caught:
        services.publish_draft(actor=alice, draft=draft)
    assert len(caught.value.errors) == len(HEADERS)
    services.accept_column(actor=alice, draft=draft)
    version, job = services.publish_draft(actor=alice, draft=draft)
    assert version.contract.published == version
    assert job.kind == "harmonization.load"


def test_two_windows_do_not_write_over_each_other(alice, draft):
    services.choose_column(actor=alice, draft=draft, header="Bid Ref", given={}, revision=0)
    with pytest.raises(Conflict):
        services.choose_column(actor=alice, draft=draft, header="Bid Ref", given={"target": "keyword"}, revision=0)


def test_a_proposal_never_takes_the_name_of_another_mapping(alice, draft):
    name = read_document(draft.text)["name"]
    services.accept_column(actor=alice, draft=draft)
    services.publish_draft(actor=alice, draft=draft)
    again = services.propose_contract(actor=alice, upload=draft.upload)
    assert again != draft
    assert MappingContract.objects.filter(name=name).exists()


def test_only_engineers_propose_and_publish(draft, upload):
    victor = factories.person("victor", Role.VIEWER)
    with pytest.raises(NotAllowed):
        services.propose_contract(actor=victor, upload=upload)
    with pytest.raises(NotAllowed):
        services.publish_draft(actor=victor, draft=draft)


def test_only_those_who_may_change_a_draft_try_it(alice, draft):
    carol = factories.person("carol", Role.ANALYST)
    with pytest.raises(NotAllowed):
        services.try_draft(actor=carol, draft=draft)
    tried = services.try_draft(actor=alice, draft=draft)
    assert (tried["failed"], tried["preview"].rows) == ([], 3)


def test_a_change_reads_nothing_of_the_file_anew(alice, draft, fresh_cache, monkeypatch):
    opened = []
    monkeypatch.setattr(sampled, "open_source", lambda *a, **b: opened.append(b) or open_source(*a, **b))
    cold = services.preview_draft(draft=draft)
    assert len(opened) == 1
    assert services.preview_draft(draft=draft) == cold
    changed = services.choose_column(actor=alice, draft=draft, header="Ad Clicks", given={})
    assert "clicks" not in services.preview_draft(draft=changed).columns
    assert len(opened) == 1
    # Read otherwise, it is another table.
    document = read_document(changed.text)
    document["source"]["delimiter"] = ","
    text = write_document(document, like=changed.text)
    services.preview_draft(draft=services.set_draft_text(actor=alice, draft=changed, text=text))
    assert len(opened) == 2


def test_the_page_shows_columns_and_preview(client, alice, draft):
    client.force_login(alice)
    page = client.get(reverse("mapping-draft", args=[draft.pk]), headers={"host": "acme.localhost"})
    text = page.content.decode()
    assert page.status_code == 200
    assert "Ad Cost (USD)" in text
    assert "Canonical preview" in text


def test_a_refused_act_says_so_and_changes_nothing(client, alice, draft):
    client.force_login(alice)
    page = client.post(
        reverse("mapping-draft-act", args=[draft.pk]),
        {"act": "choose", "header": "Bid Ref", "target": "nonsense"},
        headers={"host": "acme.localhost"},
    )
    assert page.status_code == 400
    assert "nonsense" in page.content.decode()
    before = draft.text
    draft.refresh_from_db()
    assert draft.text == before


@pytest.mark.parametrize(
    "text", ["source: abc\n", "parameters: [a]\n", "fields: [a]\n", "fields: 5\n", "attributions: [{headers: 5}]\n"]
)
def test_text_that_cannot_be_edited_is_not_kept(alice, draft, text):
    with pytest.raises(InvalidInput) as caught:
        services.set_draft_text(actor=alice, draft=draft, text=text)
    assert caught.value.where in text


def test_a_proposal_does_not_replace_the_mapping_of_another(alice, draft):
    document = read_document(draft.text)
    services.save_contract(actor=alice, text=write_document({**document, "title": "Somebody else's"}))
    services.accept_column(actor=alice, draft=draft)
    with pytest.raises(Conflict) as caught:
        services.publish_draft(actor=alice, draft=draft)
    assert caught.value.where == "name"


def test_a_draft_that_was_given_up_does_not_come_back(alice, upload, tmp_path, monkeypatch):
    monkeypatch.setattr("harmonization.handlers.packaged_embedder", lambda cache: None, raising=False)
    made = services.propose_contract(actor=alice, upload=upload)
    services.discard_draft(actor=alice, draft=made)
    staging = tmp_path / "storage" / "staging-late"
    staging.mkdir(parents=True)
    services.run_proposal(context=DirectContext(Job.objects.get(pk=made.job_id), staging))
    made.refresh_from_db()
    assert made.state == MappingDraft.State.DISCARDED
    with pytest.raises(Conflict):
        services.discard_draft(actor=alice, draft=made)


def test_a_nul_in_a_form_is_refused(client, alice, draft):
    client.force_login(alice)
    page = client.post(
        reverse("mapping-draft-act", args=[draft.pk]),
        {"act": "accept", "header": "a\0b"},
        headers={"host": "acme.localhost"},
    )
    assert page.status_code == 400
