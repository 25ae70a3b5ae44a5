"""Rows that come back when the load that had replaced them is replaced itself."""

from __future__ import annotations

import random
from decimal import Decimal

import polars as pl
import pytest
from django.utils import timezone

from harmonization import selectors, services
from harmonization.loads.lineage import row_origin
from harmonization.loads.selectors import history_of
from harmonization.models import DataFinding, Load, Restatement, TableVersion
from harmonization.services.returns import ROWS_MISSING, ROWS_RETURNED
from jobs.draining import run_queued_jobs
from tests.factories import AccountFactory
from tests.harmonization.conftest import DirectContext, walmart_csv, walmart_row

AUGUST = ["2026-08-05", "2026-08-06", "2026-08-07"]
#: Read by month and day the 7th of August, by day and month the 8th of July.
TWOFOLD = "08/07/2026"
MONTH_FIRST, DAY_FIRST = '["%m/%d/%y", "%m/%d/%Y"]', '["%d/%m/%y", "%d/%m/%Y"]'


@pytest.fixture
def read_by(alice):
    """`read_by(formats)`: from now on files are read under a mapping with these formats of dates."""
    numbers = iter(range(2, 100))

    def _read_by(formats: str) -> None:
        services.ensure_shipped_contracts()
        text = selectors.contract_named(name="walmart_search_item").published.text
        now = next(one for one in (MONTH_FIRST, DAY_FIRST) if one in text)
        version = next(line for line in text.splitlines() if line.startswith("version: "))
        text = text.replace(now, formats, 1).replace(version, f"version: {next(numbers)}", 1)
        services.save_contract(actor=alice, text=text)

    return _read_by


@pytest.fixture
def run(tmp_path):
    """`run(job)`: a load that a person asked for; `dying` before its transaction ends."""
    count = iter(range(1000))

    def _run(job, *, dying: bool = False):
        staging = tmp_path / "storage" / f"again-{next(count)}"
        staging.mkdir(parents=True)
        context = DirectContext(job, staging)
        context.fail_after_publish = dying
        return services.harmonize_upload(context=context)

    return _run


def august(spend: str = "10.00") -> bytes:
    return walmart_csv(*(walmart_row(day, spend=spend) for day in AUGUST))


def twofold(spend: str = "70.00") -> bytes:
    return walmart_csv(walmart_row(TWOFOLD, spend=spend))


def told(account, **asked) -> dict[str, Decimal]:
    """Spend by day, and no row twice."""
    rows = selectors.published_events(brand_ids=[account.brand_id], **asked).rows
    found = rows.select("period_start", "spend", "load_id", "source_row").collect()
    assert not found.select("load_id", "source_row").is_duplicated().any()
    assert not found["period_start"].is_duplicated().any()
    return {str(day): amount for day, amount in found.select("period_start", "spend").sort("period_start").iter_rows()}


def of(name: str) -> Load:
    return Load.objects.get(upload__file_name=name, status="published")


TEN, SEVENTY = Decimal("10.00"), Decimal("70.00")
BOTH = {"2026-07-08": SEVENTY} | dict.fromkeys(AUGUST, TEN)


def test_day_taken_by_a_misread_file_comes_back(load, walmart, alice, read_by):
    load(august(), walmart, "august.csv")
    load(twofold(), walmart, "twofold.csv")
    misread, between = of("twofold.csv"), timezone.now()
    assert told(walmart) == dict.fromkeys(AUGUST, TEN) | {"2026-08-07": SEVENTY}
    read_by(DAY_FIRST)
    result = load(twofold(), walmart, "twofold.csv")
    assert result["rows_returned"] == 1
    assert told(walmart) == BOTH
    assert told(walmart, as_of=between) == dict.fromkeys(AUGUST, TEN) | {"2026-08-07": SEVENTY}
    entry = Restatement.objects.get(later=misread, mode="period")
    assert (entry.ended_by, entry.returned_rows, Decimal(entry.returned_spend["USD"])) == (of("twofold.csv"), 1, TEN)
    assert history_of(of("august.csv")).standing == 3
    assert history_of(of("twofold.csv")).gave_back == [entry]
    assert selectors.sources_visible(user=alice).get().rows == 4
    assert row_origin(of("august.csv"), 4).state == "in force"
    finding = DataFinding.objects.get(kind=ROWS_RETURNED)
    assert (finding.severity, finding.rows, finding.money) == ("info", 1, {"USD": "10.00"})
    assert str(finding.first_day) == "2026-08-07"
    assert not DataFinding.objects.filter(load=misread, state="open").exists()


def test_ordinary_replay_takes_the_same_rows_again(load, walmart, alice, read_by):
    load(august(), walmart, "august.csv")
    load(twofold(), walmart, "twofold.csv")
    for _ in range(2):
        read_by(MONTH_FIRST)
        assert load(twofold(), walmart, "twofold.csv")["rows_returned"] == 0
        assert told(walmart) == dict.fromkeys(AUGUST, TEN) | {"2026-08-07": SEVENTY}
        assert history_of(of("august.csv")).standing == 2
        assert selectors.sources_visible(user=alice).get().rows == 3
        assert of("twofold.csv").report["superseded"] == 1
    read_by(DAY_FIRST)
    assert load(twofold(), walmart, "twofold.csv")["rows_returned"] == 1
    assert told(walmart) == BOTH
    assert selectors.sources_visible(user=alice).get().rows == 4
    assert not DataFinding.objects.filter(kind=ROWS_MISSING).exists()


@pytest.mark.parametrize("first", ["second.csv", "third.csv"])
def test_day_that_went_through_several_hands(load, run, walmart, alice, read_by, first):
    load(august(), walmart, "august.csv")
    load(twofold(), walmart, "second.csv")
    load(twofold("71.00"), walmart, "third.csv")
    assert told(walmart)["2026-08-07"] == Decimal("71.00")
    read_by(DAY_FIRST)
    run(services.replay_load(actor=alice, load=of(first)))
    expected = "71.00" if first == "second.csv" else "70.00"
    assert told(walmart)["2026-08-07"] == Decimal(expected)
    (last,) = {"second.csv", "third.csv"} - {first}
    run(services.replay_load(actor=alice, load=of(last)))
    assert told(walmart) == BOTH | {"2026-07-08": Decimal("71.00")}
    assert selectors.sources_visible(user=alice).get().rows == 4


def test_day_that_yielded_when_it_was_published_late_comes_back(load, send, run, walmart, alice, read_by):
    early = send(august(), walmart, "august.csv")
    load(twofold(), walmart, "twofold.csv")
    run(early.job)
    assert told(walmart)["2026-08-07"] == SEVENTY
    read_by(DAY_FIRST)
    run(services.replay_load(actor=alice, load=of("twofold.csv")))
    assert told(walmart) == BOTH


def test_publisher_that_dies_gives_nothing_back_and_then_once(load, run, walmart, alice, read_by):
    load(august(), walmart, "august.csv")
    load(twofold(), walmart, "twofold.csv")
    read_by(DAY_FIRST)
    job = services.replay_load(actor=alice, load=of("twofold.csv"))
    with pytest.raises(ConnectionError):
        run(job, dying=True)
    assert told(walmart) == dict.fromkeys(AUGUST, TEN) | {"2026-08-07": SEVENTY}
    assert not Restatement.objects.exclude(ended_at=None).exists()
    run(job)
    assert told(walmart) == BOTH


def test_history_is_told_on_page_and_by_rest(load, walmart, browser, api, read_by):
    load(august(), walmart, "august.csv")
    load(twofold(), walmart, "twofold.csv")
    read_by(DAY_FIRST)
    load(twofold(), walmart, "twofold.csv")
    assert "gave back" in browser.get(f"/data/uploads/{of('august.csv').upload_id}/").content.decode()
    assert "in force again" in browser.get(f"/data/uploads/{of('twofold.csv').upload_id}/").content.decode()
    history = api.get(f"/api/v1/loads/{of('twofold.csv').pk}/history/").json()
    (gave,) = history["gave_back"]
    assert (gave["earlier_file"], gave["returned_rows"], gave["ended_by"]) == (
        "august.csv", 1, str(of("twofold.csv").pk)
    )  # fmt: skip
    assert history["missing"] == {"rows": 0, "spend": {}, "first": None, "last": None}


def test_page_offers_to_load_again_what_is_missing(load, run, walmart, alice, browser, api, read_by):
    load(august(), walmart, "august.csv")
    load(twofold(), walmart, "twofold.csv")
    TableVersion.objects.update(readable=False)
    read_by(DAY_FIRST)
    run(services.replay_load(actor=alice, load=of("twofold.csv")))
    told_of = api.get(f"/api/v1/loads/{of('august.csv').pk}/history/").json()["missing"]
    assert told_of == {"rows": 1, "spend": {"USD": "10.000000"}, "first": "2026-08-07", "last": "2026-08-07"}
    upload = of("august.csv").upload_id
    finding = DataFinding.objects.get(kind=ROWS_MISSING)
    for address in (f"/data/uploads/{upload}/", "/data/quality/", f"/data/quality/{finding.pk}/"):
        page = browser.get(address).content.decode()
        assert "Load it again" in page
        assert f"/data/uploads/{upload}/harmonize/" in page
    answer = browser.post(f"/data/uploads/{upload}/harmonize/", {"contract": "walmart_search_item"})
    assert answer.status_code == 302
    run_queued_jobs()
    assert told(walmart) == BOTH
    assert "Load it again" not in browser.get(f"/data/uploads/{upload}/").content.decode()


def test_files_that_were_deleted_are_missed_and_loaded_again(load, run, walmart, alice, read_by, tmp_path):
    load(august(), walmart, "august.csv")
    load(twofold(), walmart, "twofold.csv")
    vacuum = services.start_vacuum(actor=alice, days=0)
    (tmp_path / "storage" / "vacuum").mkdir()
    assert services.vacuum_events(context=DirectContext(vacuum, tmp_path / "storage" / "vacuum"))["files"] == 1
    read_by(DAY_FIRST)
    run(services.replay_load(actor=alice, load=of("twofold.csv")))
    assert "2026-08-07" not in told(walmart)
    finding = DataFinding.objects.get(kind=ROWS_MISSING)
    assert (finding.severity, finding.state, finding.rows, finding.money) == ("critical", "open", 1, {"USD": "10.00"})
    assert (str(finding.first_day), str(finding.last_day)) == ("2026-08-07", "2026-08-07")
    # Under the version that it was read under, too: nothing about its mapping has to change first.
    read_by(MONTH_FIRST)
    Load.objects.filter(pk=of("august.csv").pk).update(
        contract_version=selectors.contract_named(name="walmart_search_item").published
    )
    again = load(august(), walmart, "august.csv")
    assert not again["already_loaded"]
    assert told(walmart) == BOTH
    finding.refresh_from_db()
    assert finding.state == "resolved"
    assert load(august(), walmart, "august.csv")["already_loaded"]
    assert selectors.sources_visible(user=alice).get().rows == 4


def test_what_another_file_tells_by_now_is_not_missing(load, run, walmart, alice, read_by):
    load(august(), walmart, "august.csv")
    load(twofold(), walmart, "twofold.csv")
    TableVersion.objects.update(readable=False)
    read_by(DAY_FIRST)
    run(services.replay_load(actor=alice, load=of("twofold.csv")))
    finding = DataFinding.objects.get(kind=ROWS_MISSING)
    load(august("11.00"), walmart, "whole.csv")
    finding.refresh_from_db()
    assert finding.state == "resolved"
    assert load(august(), walmart, "august.csv")["already_loaded"] is False or told(walmart) == {
        "2026-07-08": SEVENTY
    } | dict.fromkeys(AUGUST, Decimal("11.00"))


def test_rows_set_aside_are_kept_as_long_as_they_can_come_back(load, run, walmart, alice, read_by, tmp_path):
    load(august(), walmart, "august.csv")
    load(twofold(), walmart, "twofold.csv")
    read_by(MONTH_FIRST)
    load(twofold(), walmart, "twofold.csv")
    aside = selectors.events_folder().folder / Restatement.objects.exclude(asides=[]).get().asides[0]
    for turn in range(2):
        staging = tmp_path / "storage" / f"vacuum-{turn}"
        staging.mkdir()
        services.vacuum_events(context=DirectContext(services.start_vacuum(actor=alice, days=0), staging))
        assert aside.exists() is (turn == 0)
        if turn == 0:
            read_by(DAY_FIRST)
            load(twofold(), walmart, "twofold.csv")
            assert told(walmart) == BOTH


def test_filtered_export_published_before_an_earlier_file_is_reported(load, send, run, walmart):
    rows = [walmart_row(day, item=item) for day in AUGUST for item in ("501", "502")]
    early = send(walmart_csv(*rows), walmart, "early.csv")
    load(walmart_csv(*(walmart_row(day, spend="11.00") for day in AUGUST)), walmart, "one item.csv")
    run(early.job)
    assert of("one item.csv").report["looks_filtered"]
    finding = DataFinding.objects.get(kind="looks_filtered")
    assert (finding.load, finding.rows) == (of("one item.csv"), 3)


@pytest.mark.parametrize("seed", [1, 13, 17])
def test_figures_are_those_of_the_readings_in_force(load, run, walmart, alice, read_by, seed):
    """Whatever was loaded, read otherwise and read back: as if every file had been read once, as it is read now."""
    chance = random.Random(seed)
    days = ["07/07/2026", "07/08/2026", "08/07/2026", "08/08/2026"]
    files = {
        f"{place}.csv": walmart_csv(
            *(
                walmart_row(day, item=item, spend=f"{place + 1}{len(item)}.{days.index(day)}0")
                for day in sorted(chance.sample(days, chance.randint(1, 4)))
                for item in ("501", "502", "503")[: chance.randint(1, 3)]
            )
        )
        for place in range(4)
    }
    reading = {}
    for name, content in files.items():
        load(content, walmart, name)
        reading[name] = MONTH_FIRST
    for _ in range(5):
        name = chance.choice(sorted(files))
        reading[name] = DAY_FIRST if reading[name] == MONTH_FIRST else MONTH_FIRST
        read_by(reading[name])
        run(services.replay_load(actor=alice, load=of(name)))
    once = AccountFactory(brand=walmart.brand, retailer=walmart.retailer, external_id="wm-2", name="Read once")
    for name, content in files.items():
        read_by(reading[name])
        load(content, once, f"once {name}")

    def rows(account):
        view = selectors.published_events(brand_ids=[walmart.brand_id]).rows
        mine = view.filter(pl.col("rmn_account_id") == str(account.pk))
        return sorted(mine.select("period_start", "sku_id", "spend").collect().iter_rows())

    assert rows(walmart) == rows(once)
    sources = {one.pk: one.rows for one in selectors.sources_visible(user=alice)}
    assert sources[walmart.pk] == len(rows(walmart))
    assert not DataFinding.objects.filter(kind=ROWS_MISSING).exists()
