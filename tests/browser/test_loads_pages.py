"""The pages of loads, walked through: what waits, replay, an export that looks filtered, a row and its cells."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from harmonization import services
from harmonization.models import Load
from jobs.draining import run_queued_jobs
from tenants.models import Tenant
from tests.factories import AccountFactory, BrandFactory, RetailerFactory
from tests.harmonization.conftest import walmart_csv, walmart_row

pytestmark = pytest.mark.browser
DAYS = [f"2026-11-{day:02d}" for day in range(2, 16)]


@pytest.fixture(scope="module")
def filled(site: Any) -> Any:
    """Two loads of one account, the second of one item alone, with rows in quarantine."""
    connection.set_tenant(Tenant.objects.get(schema_name="acme"))
    account = AccountFactory(
        brand=BrandFactory(slug="chips"), external_id="wm-1", name="Acme Walmart",
        retailer=RetailerFactory(slug="walmart", name="Walmart", network="walmart_connect"),
    )  # fmt: skip
    both = [walmart_row(day, item=item, spend="12.50") for day in DAYS for item in ("501", "502")]
    bad = [walmart_row(day, item="503", spend=f"-{place}.00") for place, day in enumerate(DAYS, start=1)]
    alone = [walmart_row(day, spend="13.00") for day in DAYS]
    for name, rows in (("november.csv", [*both, *bad]), ("one item.csv", alone)):
        services.take_file(actor=site.alice, chunks=[walmart_csv(*rows)], file_name=name, account=account)
        run_queued_jobs()
    site.loads = {load.upload.file_name: load for load in Load.objects.select_related("upload")}
    yield site
    connection.set_schema_to_public()


def shoot(page: Any, name: str) -> None:
    """Keep a picture where SHOTS_FOLDER names a folder, for somebody to look at."""
    if folder := os.environ.get("SHOTS_FOLDER"):
        page.page.screenshot(path=str(Path(folder) / f"{name}.png"), full_page=True)


@pytest.mark.parametrize(("width", "dark"), [(1280, False), (390, True)])
def test_pages_hold_together(filled: Any, watched: Any, width: int, dark: bool) -> None:
    page = watched(width=width, dark=dark)
    page.sign_in(filled, filled.alice)
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
