"""Home: what it shows to whom."""

import pytest

from accounts.core.permissions import Role
from accounts.models import RoleGrant
from tests.factories import UserFactory
from tests.harmonization.conftest import walmart_csv, walmart_row


@pytest.fixture
def viewer_of_chips(walmart):
    viewer = UserFactory(name="victor")
    RoleGrant.objects.create(user=viewer, role=Role.VIEWER, brand=walmart.brand)
    return viewer


def test_empty_house_shows_first_steps(browser):
    page = browser.get("/").content.decode()
    assert "First steps" in page
    assert "Upload a file" in page
    assert "Needs attention" not in page


def test_figures_and_nothing_wrong(browser, load, walmart):
    load(row(spend="12.50", sales="50.00"), walmart)
    page = browser.get("/").content.decode()
    assert "$12.50" in page
    assert "Nothing needs you" in page


def test_a_file_that_failed_needs_attention(browser, load, walmart):
    load(row(), walmart)
    with pytest.raises(Exception, match="fits these columns"):
        load(b"a,b\n1,2\n", walmart, "strange.csv")
    page = browser.get("/").content.decode()
    assert "strange.csv could not be read" in page


def test_viewer_of_a_brand_sees_its_figures(viewer_of_chips, load, walmart, login):
    load(row(spend="12.50"), walmart)
    page = login(viewer_of_chips).get("/").content.decode()
    assert "$12.50" in page
    assert "New scenario" not in page


def test_a_tenant_that_spends_in_another_currency_only(browser, load, walmart):
    walmart.currency = "EUR"
    walmart.save()
    load(row(spend="12.50"), walmart)
    page = browser.get("/")
    assert page.status_code == 200
    assert "€12.50" in page.content.decode()


def row(**values):
    return walmart_csv(walmart_row(**values))
