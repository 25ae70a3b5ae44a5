"""The pages of loads, walked through: what waits, replay, an export that looks filtered, a row and its cells."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django_tenants.utils import schema_context

from accounts.models import Brand
from harmonization import selectors, services
from harmonization.models import Load, Retailer, TableVersion
from jobs import services as jobs
from jobs.models import Job
from tests.browser.conftest import acme
from tests.factories import AccountFactory, BrandFactory, RetailerFactory
from tests.harmonization.conftest import walmart_csv, walmart_row

pytestmark = pytest.mark.browser
DAYS = [f"2026-11-{day:02d}" for day in range(2, 16)]


@pytest.fixture(scope="module")
def filled(site: Any) -> Any:
    """Two loads of one account, the second of one item alone, with rows in quarantine."""
    with acme():
        account = AccountFactory(
            brand=BrandFactory(slug="chips"), external_id="wm-1", name="Acme Walmart",
            retailer=RetailerFactory(slug="walmart", name="Walmart", network="walmart_connect"),
        )  # fmt: skip
        both = [walmart_row(day, item=item, spend="12.50") for day in DAYS for item in ("501", "502")]
        bad = [walmart_row(day, item="503", spend=f"-{place}.00") for place, day in enumerate(DAYS, start=1)]
        alone = [walmart_row(day, spend="13.00") for day in DAYS]
        for name, rows in (("november.csv", [*both, *bad]), ("one item.csv", alone)):
            taken = services.take_file(actor=site.alice, chunks=[walmart_csv(*rows)], file_name=name, account=account)
            assert taken.job is not None
            ended(taken.job)
        site.loads = {load.upload.file_name: load for load in Load.objects.select_related("upload")}
        yield site


def ended(job: Job) -> None:
    """Wait for the worker beside the site: whoever runs jobs here as well leaves it one that it is not done with."""
    job = jobs.wait_for_job(job_id=job.pk)
    assert job.state == "succeeded", job.problem


def shoot(page: Any, name: str) -> None:
    """Keep a picture where SHOTS_FOLDER names a folder, for somebody to look at."""
    if folder := os.environ.get("SHOTS_FOLDER"):
        page.page.screenshot(path=str(Path(folder) / f"{name}.png"), full_page=True)


@pytest.mark.parametrize(("width", "dark"), [(1280, False), (390, True)])
def test_pages_hold_together(filled: Any, signed_in: Any, width: int, dark: bool) -> None:
    page = signed_in(width=width, dark=dark)
    november, alone = filled.loads["november.csv"], filled.loads["one item.csv"]
    for name, address, told in (
        ("quarantine", "/data/quarantine/", "spend_not_negative"),
        ("rows", f"/data/loads/{november.pk}/quarantine/", "-3.00"),
        ("row", f"/data/loads/{november.pk}/row/?number=2", "Search Ingrid"),
        ("upload", f"/data/uploads/{alone.upload_id}/", "looks filtered"),
        ("lineage", "/data/lineage/?campaign=9001", "november.csv, row 2"),
        ("imports", "/data/imports/", "Nothing is watched"),
    ):
        page.page.goto(f"{filled.url}{address}")
        assert told in page.page.content(), address
        shoot(page, f"{name}-{width}")
        page.check()


@contextmanager
def at_acme() -> Iterator[None]:
    """acme's data beside an open page: its driver's event loop has a connection of its own, in no tenant's schema."""
    with schema_context("acme"):
        yield
    connection.close()


def test_an_export_is_confirmed_as_whole_then_replayed(filled: Any, signed_in: Any) -> None:
    page = signed_in()
    alone = f"{filled.url}/data/uploads/{filled.loads['one item.csv'].upload_id}/"
    page.page.goto(alone)
    page.page.click("button:has-text('It is the whole report')")
    page.page.wait_for_url("**/jobs/**")
    with at_acme():
        ended(Job.objects.get(kind="harmonization.restate_whole"))
        text = selectors.contract_named(name="walmart_search_item").published.text
        rule = next(line for line in text.splitlines() if "spend_not_negative" in line)
        mended = text.replace(f"{rule}\n", "").replace("version: 1\n", "version: 2\n", 1)
        services.save_contract(actor=filled.alice, text=mended[: mended.index("examples:")])
    page.page.goto(alone)
    assert "This export looks filtered" not in page.page.content()
    assert "gave way to this" in page.page.content()
    shoot(page, "whole")
    page.page.goto(f"{filled.url}/data/quarantine/")
    page.page.click("button:has-text('Replay walmart_search_item')")
    page.page.wait_for_selector("text=1 files are being read anew")
    with at_acme():
        ended(Job.objects.filter(kind="harmonization.load").latest("created_at"))
        now = Load.objects.get(upload_id=filled.loads["november.csv"].upload_id, status="published")
    page.page.goto(f"{filled.url}/data/loads/{now.pk}/quarantine/")
    assert "Rescued" in page.page.content()
    shoot(page, "replayed")
    page.check()


def test_what_is_in_no_figure_is_loaded_again_from_the_finding(filled: Any, signed_in: Any) -> None:
    page = signed_in()
    with at_acme():
        account = AccountFactory(
            brand=Brand.objects.get(slug="chips"), external_id="wm-2", name="Acme at Walmart",
            retailer=Retailer.objects.get(slug="walmart"),
        )  # fmt: skip
        august = [walmart_row(day, spend="10.00") for day in ("2026-08-06", "2026-08-07")]
        for name, rows in (("august.csv", august), ("misread.csv", [walmart_row("08/07/2026", spend="70.00")])):
            taken = services.take_file(actor=filled.alice, chunks=[walmart_csv(*rows)], file_name=name, account=account)
            assert taken.job is not None
            ended(taken.job)
        TableVersion.objects.update(readable=False)
        text = selectors.contract_named(name="walmart_search_item").published.text
        version = next(line for line in text.splitlines() if line.startswith("version: "))
        mended = text.replace('["%m/%d/%y", "%m/%d/%Y"]', '["%d/%m/%Y"]', 1).replace(version, "version: 9", 1)
        services.save_contract(actor=filled.alice, text=mended)
        misread = Load.objects.get(upload__file_name="misread.csv", status="published")
        ended(services.replay_load(actor=filled.alice, load=misread))
        august_load = Load.objects.get(upload__file_name="august.csv", status="published")
    upload = f"{filled.url}/data/uploads/{august_load.upload_id}/"
    page.page.goto(upload)
    assert "1 row of this file is in no figure" in page.page.content()
    shoot(page, "missing")
    page.page.goto(f"{filled.url}/data/quality/?kind=rows_missing")
    shoot(page, "finding")
    page.page.click("button:has-text('Load it again')")
    page.page.wait_for_url("**/jobs/**")
    with at_acme():
        ended(Job.objects.filter(kind="harmonization.load").latest("created_at"))
    page.page.goto(upload)
    assert "in no figure" not in page.page.content()
    shoot(page, "regained")
    page.page.goto(f"{filled.url}/data/quality/?kind=rows_missing")
    assert "Nothing in this selection" in page.page.content()
    page.check()
