from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import polars as pl
import pytest
from django.utils import timezone

from harmonization import selectors, services
from harmonization.models import DataFinding, Load, Restatement, TableVersion
from tenants.core.problems import Conflict, InvalidInput
from tests.harmonization.conftest import DirectContext, walmart_csv, walmart_row

DAYS = ["2026-11-02", "2026-11-03", "2026-11-04", "2026-11-05"]


def month(*, spend: str = "10.00", item: str = "501") -> list[str]:
    return [walmart_row(day, spend=spend, item=item) for day in DAYS]


def spend(account, **asked) -> Decimal:
    view = selectors.published_events(brand_ids=[account.brand_id], **asked)
    return view.rows.select(pl.col("spend").sum()).collect().item()


@pytest.fixture
def run(tmp_path):
    """`run(job)`: the restatement that a person asked for."""

    def _run(job):
        staging = tmp_path / "storage" / "restating"
        staging.mkdir(parents=True, exist_ok=True)
        return services.restate_days(context=DirectContext(job, staging))

    return _run


def test_row_that_a_later_export_no_longer_tells_is_gone(load, walmart, alice):
    load(walmart_csv(*month(), walmart_row(item="502", spend="1.00")), walmart)
    load(walmart_csv(*month(spend="11.00")), walmart, "later.csv")
    assert spend(walmart) == Decimal("44.00")
    assert selectors.sources_visible(user=alice).get().rows == 4
    moved = Restatement.objects.get()
    assert (moved.mode, moved.rows, moved.vanished_rows) == ("period", 5, 1)
    assert Decimal(moved.spend["USD"]) == Decimal("41.00")
    assert not DataFinding.objects.exists()


def test_filtered_export_replaces_by_key_and_is_reported(load, walmart):
    load(walmart_csv(*month(), *month(item="502")), walmart)
    load(walmart_csv(*month(spend="11.00")), walmart, "one item.csv")
    assert spend(walmart) == Decimal("84.00")
    finding = DataFinding.objects.get()
    assert (finding.kind, finding.state, finding.rows, finding.money) == (
        "looks_filtered",
        "open",
        4,
        {"USD": "36.00"},
    )
    assert Load.objects.get(upload__file_name="one item.csv").report["looks_filtered"]


def test_person_confirms_that_an_export_is_whole(load, run, walmart, alice):
    load(walmart_csv(*month(), *month(item="502")), walmart)
    load(walmart_csv(*month(spend="11.00")), walmart, "whole.csv")
    later = Load.objects.get(upload__file_name="whole.csv")
    job = services.confirm_whole(actor=alice, load=later)
    assert run(job)["superseded"] == 4
    assert spend(walmart) == Decimal("44.00")
    assert DataFinding.objects.get().state == "resolved"
    assert selectors.sources_visible(user=alice).get().rows == 4
    assert services.confirm_whole(actor=alice, load=later) == job
    assert run(job)["superseded"] == 0


def test_sender_says_that_an_export_is_whole(load, walmart, send, tmp_path, alice):
    load(walmart_csv(*month(), *month(item="502")), walmart)
    taken = send(walmart_csv(*month(spend="11.00")), walmart, "whole.csv", contract="none")
    job = services.start_load(actor=alice, upload=taken.upload, whole=True)
    (tmp_path / "storage" / "w").mkdir()
    services.harmonize_upload(context=DirectContext(job, tmp_path / "storage" / "w"))
    assert spend(walmart) == Decimal("44.00")
    assert not DataFinding.objects.exists()


def test_file_sent_again_as_whole_restates_then(load, send, walmart, tmp_path, alice):
    load(walmart_csv(*month(), *month(item="502")), walmart)
    load(walmart_csv(*month(spend="11.00")), walmart, "whole.csv")
    upload = Load.objects.get(upload__file_name="whole.csv").upload
    job = services.start_load(actor=alice, upload=upload, whole=True)
    (tmp_path / "storage" / "w").mkdir()
    result = services.harmonize_upload(context=DirectContext(job, tmp_path / "storage" / "w"))
    assert (result["already_loaded"], result["superseded"]) == (True, 4)
    assert spend(walmart) == Decimal("44.00")


def test_only_what_is_in_force_can_be_confirmed(load, walmart, alice):
    load(walmart_csv(), walmart)
    first = Load.objects.get()
    first.status = "replaced"
    with pytest.raises(Conflict):
        services.confirm_whole(actor=alice, load=first)
    first.status, first.report = "published", {"restates": "rows"}
    with pytest.raises(InvalidInput):
        services.confirm_whole(actor=alice, load=first)


def test_events_as_of_an_instant(load, walmart):
    before = timezone.now()
    load(walmart_csv(walmart_row(spend="10.00")), walmart)
    between = timezone.now()
    load(walmart_csv(walmart_row(spend="12.00")), walmart, "later.csv")
    assert spend(walmart) == Decimal("12.00")
    assert spend(walmart, as_of=between) == Decimal("10.00")
    assert selectors.published_events(brand_ids=[walmart.brand_id], as_of=before) is None
    TableVersion.objects.filter(published_at__lt=between).update(readable=False)
    with pytest.raises(InvalidInput, match="no longer kept"):
        spend(walmart, as_of=between)


def test_a_reading_that_was_replaced_is_in_force_as_of_then(load, walmart, alice):
    content = walmart_csv(walmart_row(spend="10.00"))
    load(content, walmart)
    between = timezone.now()
    text = selectors.contract_named(name="walmart_search_item").published.text
    services.save_contract(actor=alice, text=text.replace("version: 1\n", "version: 2\n", 1))
    load(content, walmart)
    assert sorted(Load.objects.values_list("status", flat=True)) == ["published", "replaced"]
    assert spend(walmart) == spend(walmart, as_of=between) == Decimal("10.00")
    assert selectors.sources_visible(user=alice).get().rows == 1


def test_going_back_to_an_earlier_text_is_a_load_of_its_own(load, walmart, alice):
    content = walmart_csv(walmart_row(spend="10.00"))
    text = selectors.contract_named(name="walmart_search_item").published.text if load(content, walmart) else ""
    services.save_contract(actor=alice, text=text.replace("version: 1\n", "version: 2\n", 1))
    load(content, walmart)
    services.save_contract(actor=alice, text=text)
    again = load(content, walmart)
    assert not again["already_loaded"]
    assert Load.objects.get(status="published").contract_version.number == 1
    assert spend(walmart) == Decimal("10.00")


def test_late_publication_of_an_early_file_yields_whole_days(send, load, walmart, tmp_path):
    early = send(walmart_csv(*month(), walmart_row(item="502", spend="1.00")), walmart, "early.csv")
    load(walmart_csv(*month(spend="11.00")), walmart, "later.csv")
    staging = tmp_path / "storage" / "late"
    staging.mkdir()
    services.harmonize_upload(context=DirectContext(early.job, staging))
    assert spend(walmart) == Decimal("44.00")
    assert Load.objects.get(upload=early.upload).report["yielded"] == 5
    assert timezone.now() - Restatement.objects.get().created_at < timedelta(minutes=5)
