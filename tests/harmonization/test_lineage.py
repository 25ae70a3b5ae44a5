from __future__ import annotations

import json
from datetime import date
from decimal import Decimal

import pytest
from django.core.management import call_command
from django.utils import timezone

from accounts.core.permissions import Role
from harmonization.loads.lineage import lineage, row_origin
from harmonization.models import Load
from tenants.core.problems import InvalidInput, NotFound
from tests.conftest import api_of, browser_of
from tests.factories import BrandFactory, person
from tests.harmonization.conftest import walmart_csv, walmart_row


@pytest.fixture
def loaded(load, walmart) -> Load:
    rows = [walmart_row(spend="10.00"), walmart_row("2026-11-03", spend="4.00"), walmart_row(item="502", spend="-1.00")]
    load(walmart_csv(*rows), walmart)
    return Load.objects.get()


def test_rows_behind_a_figure_add_up_to_it(loaded, walmart, alice):
    found = lineage(user=alice, filters={"account": [str(walmart.pk)]})
    assert (found.count, found.files, found.spend) == (2, 1, {"USD": Decimal("14.00")})
    assert [(row.file_name, row.source_row, row.spend) for row in found.rows] == [
        ("item.csv", 2, Decimal("10.00")),
        ("item.csv", 3, Decimal("4.00")),
    ]
    assert lineage(user=alice, start=date(2026, 11, 3)).spend == {"USD": Decimal("4.00")}
    assert lineage(user=alice, filters={"campaign": ["9001"]}).count == 2
    assert lineage(user=alice, filters={"campaign": ["9002"]}).count == 0
    key = found.rows[1].event_key
    assert [row.source_row for row in lineage(user=alice, filters={"event_key": [key]}).rows] == [3]


def test_what_cannot_be_asked(loaded, alice):
    with pytest.raises(InvalidInput, match="colour"):
        lineage(user=alice, filters={"colour": ["red"]})
    with pytest.raises(InvalidInput):
        lineage(user=alice, limit=0)


def test_row_with_its_cells_and_values(loaded):
    origin = row_origin(loaded, 2)
    assert (origin.state, origin.rules) == ("in force", [])
    cells = {cell.header: cell for cell in origin.cells}
    assert (cells["adSpend"].cell, cells["adSpend"].target, cells["adSpend"].value) == ("10.00", "spend", "10.000000")
    assert (cells["placement"].cell, cells["campaignId"].value) == ("Search Ingrid", "9001")
    assert dict(origin.derived)["account_id"] == "wm-1"


def test_row_in_quarantine_and_row_that_is_not_there(loaded):
    origin = row_origin(loaded, 4)
    assert (origin.state, origin.rules) == ("quarantined", ["spend_not_negative"])
    assert next(cell for cell in origin.cells if cell.header == "adSpend").value is None
    with pytest.raises(NotFound, match="no row"):
        row_origin(loaded, 99)


def test_row_that_gave_way_is_still_told(loaded, load, walmart, alice):
    between = timezone.now()
    load(walmart_csv(walmart_row(spend="12.00"), walmart_row("2026-11-03", spend="5.00")), walmart, "later.csv")
    assert row_origin(loaded, 2).state == "gave way"
    assert lineage(user=alice).spend == {"USD": Decimal("17.00")}
    assert lineage(user=alice, as_of=between).spend == {"USD": Decimal("14.00")}


def test_page_and_rest(loaded, browser, api, walmart):
    page = browser.get("/data/lineage/", {"campaign": "9001", "start": "2026-11-03"}).content.decode()
    assert "item.csv, row 3" in page
    assert "Search Ingrid" in browser.get(f"/data/loads/{loaded.pk}/row/", {"number": 3}).content.decode()
    assert browser.get("/data/lineage/", {"start": "soon"}).status_code == 400
    assert browser.get(f"/data/loads/{loaded.pk}/row/", {"number": "x"}).status_code == 400
    body = api.get("/api/v1/lineage/", {"account": str(walmart.pk), "limit": 1}).json()
    assert (body["count"], len(body["rows"]), body["spend"]) == (2, 1, {"USD": "14.000000"})
    row = api.get(f"/api/v1/loads/{loaded.pk}/row/", {"number": 4}).json()
    assert (row["state"], row["rules"]) == ("quarantined", ["spend_not_negative"])


def test_other_brand_and_viewer(loaded):
    carol = person("carol", Role.ANALYST, brand=BrandFactory(slug="pretzels"))
    assert lineage(user=carol).count == 0
    assert api_of(carol).get(f"/api/v1/loads/{loaded.pk}/row/", {"number": 2}).status_code == 404
    viewer = person("vera", Role.VIEWER)
    page = browser_of(viewer).get("/data/lineage/").content.decode()
    assert "item.csv, row 2" in page
    assert f"/data/loads/{loaded.pk}/" not in page, "a viewer sees figures, and no files"


def test_command(loaded, alice, capsys):
    call_command("lineage", "--tenant", "acme", "--as", alice.email, "--json", "--filter", "campaign=9001")
    assert json.loads(capsys.readouterr().out)["count"] == 2
    call_command("lineage", "--tenant", "acme", "--as", alice.email, "--json", f"--load={loaded.pk}", "--row=2")
    assert json.loads(capsys.readouterr().out)["state"] == "in force"
