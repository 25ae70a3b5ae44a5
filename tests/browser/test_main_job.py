"""The main job as a person does it: sign in, upload, watch, compare, plan."""

import csv
import re
from decimal import Decimal

import pytest

from accounts.models import Brand
from harmonization.models import Account, Retailer
from tests.browser.conftest import Watched, acme

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def filled(site, chromium_browser):
    """The house after alice uploaded a catalogue and an export by the page; each test looks at what that made."""
    with acme(), (site.exports / "catalogue.csv").open(encoding="utf-8-sig", newline="") as file:
        for name in {row["brand"] for row in csv.DictReader(file)}:
            Brand.objects.get_or_create(name=name, defaults={"slug": re.sub(r"\W+", "-", name.lower())})
    watch = Watched(chromium_browser)
    page = watch.page
    watch.sign_in(site, site.alice)
    watch.check()
    send(page, site, site.exports / "catalogue.csv", kind="catalogue")
    assert page.url.endswith("/data/catalogue/"), page.locator("main").inner_text()
    watch.check()
    with acme():
        walmart = Retailer.objects.get(network="walmart_connect")
        Account.objects.create(retailer=walmart, external_id="w", name="Walmart account")
    entry = next(
        one for one in site.truth["files"] if one["contract"] == "walmart_search_item" and one["set"] == "demo"
    )
    send(page, site, site.exports / entry["file"], account="Walmart account")
    assert "/jobs/" in page.url, page.locator("main").inner_text()
    page.wait_for_selector("text=succeeded", timeout=60_000)
    watch.check()
    watch.close()
    return entry


def send(page, site, path, *, kind="report", account=None):
    page.goto(f"{site.url}/data/uploads/")
    page.set_input_files("input[type=file]", str(path))
    page.select_option("select[name=kind]", kind)
    if account:
        label = page.locator(f"select[name=account] option:has-text('{account}')").inner_text()
        page.select_option("select[name=account]", label=label)
    with page.expect_navigation():
        page.click("button:has-text('Upload and harmonise')")


def test_figures_are_those_of_the_file(site, filled, signed_in):
    watch = signed_in()
    page = watch.page
    page.goto(f"{site.url}/performance/?start={filled['first_day']}&end={filled['last_day']}")
    footer = page.locator("tfoot").first.inner_text()
    spend = Decimal(re.search(r"\$([\d,]+\.\d\d)", footer).group(1).replace(",", ""))
    assert spend == Decimal(filled["totals"][0]["spend"])
    with page.expect_download() as download:
        page.click("a:has-text('CSV')")
    assert download.value.suggested_filename.endswith(".csv")
    watch.check()


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_every_page_is_clean(site, filled, signed_in, width, dark):
    watch = signed_in(width=width, dark=dark)
    for link in site_pages(watch.page):
        watch.page.goto(link)
        watch.page.wait_for_load_state()
        assert watch.page.locator("h1").count() == 1, link
        watch.check()


def site_pages(page):
    links = page.eval_on_selector_all(".rmn-nav a", "all => all.map(a => a.href)")
    return [link for link in links if "/admin/" not in link and "/api/" not in link]


def test_empty_file_says_so_beside_the_form(site, filled, signed_in, tmp_path):
    empty = tmp_path / "empty.csv"
    empty.write_bytes(b"")
    watch = signed_in()
    send(watch.page, site, empty, account="Walmart account")
    watch.page.wait_for_selector("text=is empty")
    assert watch.page.locator("text=Export it again").count() == 1


def test_viewer_of_another_brand_sees_no_figures(site, filled, signed_in):
    watch = signed_in(site.viewer)
    watch.page.goto(f"{site.url}/performance/")
    assert "$" not in watch.page.locator("main").inner_text()
