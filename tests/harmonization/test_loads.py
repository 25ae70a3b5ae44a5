from datetime import UTC, datetime
from decimal import Decimal

import polars as pl
import pytest

from harmonization import selectors, services
from harmonization.models import Campaign, EventTable, Load, Placement
from jobs.core.registry import JobCancelled
from tenants.core.problems import InvalidInput
from tests.factories import AccountFactory, BrandFactory, ProductFactory, RetailerFactory
from tests.harmonization.conftest import DirectContext, walmart_csv, walmart_row


def events(*accounts):
    view = selectors.published_events(brand_ids=[account.brand_id for account in accounts], with_unbranded=True)
    return view.rows.collect() if view else None


def test_load_is_published(load, walmart):
    result = load(walmart_csv(walmart_row(spend="10.25"), walmart_row("2026-11-03", spend="4.50")), walmart)
    assert (result["rows_in"], result["rows_out"]) == (2, 2)
    assert events(walmart)["spend"].sum() == Decimal("14.75")
    assert Campaign.objects.get().name == "Chips search"
    assert (
        Placement.objects.get().placement == "onsite_search_rest" or Placement.objects.get().raw_name == "Search Ingrid"
    )


def test_headline_names_a_column_of_the_rows(load, walmart):
    load(walmart_csv(), walmart)
    view = selectors.published_events(brand_ids=[walmart.brand_id])
    (headline,) = view.headline.values()
    assert view.rows.collect()[headline["sales"]].sum() == Decimal("40.00")


def test_same_file_again_adds_nothing(load, walmart):
    load(walmart_csv(), walmart)
    again = load(walmart_csv(), walmart, contract="walmart_search_item")
    assert again["already_loaded"]
    assert events(walmart).height == 1
    assert Load.objects.filter(status="published").count() == 1


def test_restated_rows_replace_earlier_ones(load, walmart, alice):
    load(walmart_csv(walmart_row(sales="40.00"), walmart_row("2026-11-03")), walmart)
    load(walmart_csv(walmart_row(sales="44.00")), walmart, "restated.csv")
    rows = events(walmart)
    assert rows.height == 2
    column = next(name for name in rows.columns if name.startswith("att__sales__c14") and "__total__all__all" in name)
    assert sorted(rows[column]) == [Decimal("40.00"), Decimal("44.00")]
    assert Load.objects.latest("created_at").report["superseded"] == 1
    assert selectors.sources_visible(user=alice).get().rows == 2


def test_publisher_that_dies_after_the_delta_commit_leaves_nothing(load, send, walmart, tmp_path):
    load(walmart_csv(), walmart)
    before = EventTable.objects.get().version
    taken = send(walmart_csv(walmart_row("2026-11-05")), walmart, "second.csv")
    staging = tmp_path / "storage" / "dying"
    staging.mkdir()
    context = DirectContext(taken.job, staging)
    context.fail_after_publish = True
    with pytest.raises(ConnectionError):
        services.harmonize_upload(context=context)
    assert EventTable.objects.get().version == before
    assert selectors.events_folder().head > before, "the torso is there, unnamed"
    assert events(walmart).height == 1
    load(walmart_csv(walmart_row("2026-11-06")), walmart, "third.csv")
    assert sorted(map(str, events(walmart)["period_start"])) == ["2026-11-02", "2026-11-06"]


def test_first_publisher_that_dies_leaves_no_table(send, load, walmart, tmp_path):
    taken = send(walmart_csv(), walmart)
    staging = tmp_path / "storage" / "dying"
    staging.mkdir(parents=True)
    context = DirectContext(taken.job, staging)
    context.fail_after_publish = True
    with pytest.raises(ConnectionError):
        services.harmonize_upload(context=context)
    assert events(walmart) is None
    load(walmart_csv(walmart_row("2026-11-06")), walmart, "next.csv")
    assert events(walmart).height == 1


def test_problem_is_told_by_load_and_job_alike(load, walmart):
    with pytest.raises(InvalidInput) as error:
        load(b"a,b,c\n1,2,3\n", walmart)
    failed = Load.objects.get()
    assert failed.status == "failed"
    assert failed.problem["detail"] == error.value.detail
    assert "item.csv" in str(failed.problem) or "header" in failed.problem["where"]


def test_quarantine_is_kept_and_adds_up(load, walmart):
    result = load(walmart_csv(walmart_row(), walmart_row("2026-11-03", spend="-5.00")), walmart)
    assert result["rows_in"] == result["rows_out"] + result["rows_quarantined"] + result["rows_skipped"]
    kept = Load.objects.get()
    assert kept.rows_quarantined == 1
    assert len(selectors.quarantined_rows(kept, limit=10)) == 1


def test_rows_belong_to_the_brand_of_their_product(load, alice):
    chips, pretzels = BrandFactory(slug="chips"), BrandFactory(slug="pretzels")
    retailer = RetailerFactory(slug="walmart", network="walmart_connect")
    shared = AccountFactory(brand=None, retailer=retailer, name="Acme", external_id="wm-2")
    for brand, item in ((chips, "501"), (pretzels, "502")):
        ProductFactory(brand=brand).listings.create(retailer=retailer, retailer_sku=item)
    load(walmart_csv(*(walmart_row(item=item) for item in ("501", "502", "503"))), shared)
    skus = lambda **scope: sorted(selectors.published_events(**scope).rows.select("sku_id").collect()["sku_id"])  # noqa: E731
    assert skus(brand_ids=[chips.pk]) == ["501"]
    assert skus(brand_ids=[pretzels.pk]) == ["502"]
    assert skus(brand_ids=[chips.pk, pretzels.pk], with_unbranded=True) == ["501", "502", "503"]


def test_a_file_cannot_claim_a_brand(load, walmart):
    other = BrandFactory(slug="pretzels")
    load(walmart_csv(), walmart)
    view = selectors.published_events(brand_ids=[other.pk])
    assert view.rows.select(pl.len()).collect().item() == 0


def test_a_file_read_anew_under_other_keys_is_not_counted_twice(load, walmart, alice):
    content = walmart_csv(walmart_row(spend="10.00"), walmart_row("2026-11-03", spend="5.00"))
    load(content, walmart)
    text = selectors.contract_named(name="walmart_search_item").published.text
    changed = text.replace("sku_id, placement_raw, device]", "sku_id, placement_raw]")
    assert changed != text
    services.save_contract(actor=alice, text=changed.replace("version: 1\n", "version: 2\n", 1))
    again = load(content, walmart)
    assert not again["already_loaded"]
    assert events(walmart)["spend"].sum() == Decimal("15.00")


def test_the_file_that_arrived_last_is_right_whichever_is_published_last(send, load, walmart, alice, tmp_path):
    early = send(walmart_csv(walmart_row(spend="10.00"), walmart_row("2026-11-03", spend="5.00")), walmart, "early.csv")
    load(walmart_csv(walmart_row(spend="9.00")), walmart, "restated.csv")
    staging = tmp_path / "storage" / "late"
    staging.mkdir()
    services.harmonize_upload(context=DirectContext(early.job, staging))
    assert events(walmart)["spend"].sum() == Decimal("14.00")
    assert Load.objects.get(upload=early.upload).report["yielded"] == 1
    assert selectors.sources_visible(user=alice).get().rows == 2


def test_a_cancelled_load_does_not_look_as_if_it_ran(send, walmart, tmp_path):
    taken = send(walmart_csv(), walmart)
    staging = tmp_path / "storage" / "cancelled"
    staging.mkdir(parents=True)

    class Cancelled(DirectContext):
        def raise_if_cancelled(self) -> None:
            raise JobCancelled

    with pytest.raises(JobCancelled):
        services.harmonize_upload(context=Cancelled(taken.job, staging))
    assert Load.objects.get().status == "failed"
    assert "cancelled" in Load.objects.get().problem["detail"]


@pytest.mark.parametrize(("day", "kept"), [("2026-11-23", 1), ("2026-11-24", 0)])
def test_a_day_that_has_begun_in_sydney_is_not_in_the_future(load, walmart, monkeypatch, day, kept):
    evening = datetime(2026, 11, 22, 21, 0, tzinfo=UTC)
    monkeypatch.setattr("harmonization.services.load_context.timezone.now", lambda: evening)
    result = load(walmart_csv(walmart_row("2026-11-02"), walmart_row(day)), walmart)
    assert result["rows_out"] == 1 + kept
