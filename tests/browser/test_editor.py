"""An export that no mapping knows becomes a published one in the browser: few clicks, little to decide, quick."""

from __future__ import annotations

import csv
import os
import re
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from harmonization.models import Account, Load, Retailer
from jobs.models import Job
from tests.browser.conftest import acme

pytestmark = pytest.mark.browser

#: A report of no network that ships, with what a data engineer meets: a title above the headers, words of its own,
#: thousands in quotes, a currency in the header, day first, a column that means nothing to anybody, a footer.
HEADERS = [
    "Report Date", "Campaign Name", "Campaign Ref", "Product SKU", "Ad Slot", "Ad Views", "Ad Clicks",
    "Media Cost (EUR)", "Attributed Sales 14d (EUR)", "Attributed Orders 14d", "Same SKU Sales 14d (EUR)",
    "Cost per Click (EUR)", "Bid Multiplier Ref",
]  # fmt: skip


@pytest.fixture(scope="module")
def export(tmp_path_factory):
    """The file and its truth: spend and sales as Decimal, fixed before anything is formatted."""
    path = tmp_path_factory.mktemp("unseen") / "fresh_market_daily.csv"
    spend = sales = Decimal(0)
    rows = []
    for number in range(60):
        day = date(2026, 10, 1) + timedelta(days=number % 20)
        views, clicks = 1000 + 37 * number, 10 + number % 9
        cost, sold = Decimal(clicks) * Decimal("0.35"), Decimal(3 * (number % 7)) + Decimal("0.99")
        spend, sales = spend + cost, sales + sold
        rows.append([
            day.strftime("%d/%m/%Y"), f"Always on {number % 3}", f"{7000 + number % 3}", f"FM-{100 + number // 20}",
            ["Search", "Home page", "Product page"][number % 3], f"{views:,}", clicks, f"{cost:.2f}", f"{sold:.2f}",
            number % 7, f"{sold / 2:.2f}", "0.35", f"b-{88121 + number}",
        ])  # fmt: skip
    with path.open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file)
        out.writerow(["Fresh Market retail media, daily report"])
        out.writerow([])
        out.writerow(HEADERS)
        out.writerows(rows)
    return path, spend, sales


class Counted:
    """A page whose clicks are counted, with the seconds that the server took to answer what they asked."""

    def __init__(self, page, site):
        self.page, self.site, self.clicks, self.seconds = page, site, 0, 0.0
        page.on("requestfinished", self._finished)

    def _finished(self, request):
        if request.url.startswith(self.site.url) and "/static/" not in request.url:
            timing = request.timing
            self.seconds += max(0.0, timing["responseStart"] - timing["requestStart"]) / 1000

    def click(self, selector):
        self.clicks += 1
        self.page.click(selector)


def test_an_unseen_export_becomes_a_published_mapping(site, export, signed_in):
    path, spend, sales = export
    with acme():
        retailer, _ = Retailer.objects.get_or_create(slug="fresh", name="Fresh Market", network="fresh_market")
        Account.objects.get_or_create(retailer=retailer, external_id="fm", name="Fresh account", currency="EUR")
    watch = signed_in()
    page = watch.page
    page.goto(f"{site.url}/data/uploads/")
    act = Counted(page, site)
    act.clicks += 1  # the file is chosen
    page.set_input_files("input[type=file]", str(path))
    act.clicks += 1  # and its account
    label = page.locator("select[name=account] option:has-text('Fresh account')").inner_text()
    page.select_option("select[name=account]", label=label)
    act.click("button:has-text('Upload and harmonise')")
    page.wait_for_selector("text=No mapping contract fits", timeout=120_000)
    act.click("a:has-text('The file')")
    act.click("button:has-text('Propose a mapping')")
    page.wait_for_selector("text=Canonical preview", timeout=180_000)
    watch.check()
    _shot(page, "proposed")
    decided = page.locator("tr.sel").count()
    assert decided <= 4, page.locator("tr.sel").all_inner_texts()
    while page.locator("tr.sel").count():
        left = page.locator("tr.sel").count()
        act.click("tr.sel >> nth=0 >> button.btn-primary")
        page.locator("tr.sel").nth(left - 1).wait_for(state="detached", timeout=60_000)
    watch.check()
    act.click("button:has-text('Publish and harmonise')")
    page.wait_for_url(re.compile(r"/jobs/"), timeout=60_000)
    page.wait_for_selector("text=succeeded", timeout=120_000)
    _shot(page, "published")
    watch.check()
    with acme():
        load = Load.objects.get(upload__file_name=path.name, status="published")
        job = Job.objects.get(kind="harmonization.propose")
    assert (load.rows_in, load.rows_out) == (60, 60), load.report["skipped_by_reason"]
    assert Decimal(str(load.report["totals"][0]["spend"])) == spend
    assert load.report["totals"][0]["currency"] == "EUR"
    sold = [one["value"] for one in load.report["attributed"] if one["metric"] == "sales" and one["match"] == "total"]
    assert [Decimal(str(value)) for value in sold] == [sales]
    seconds = act.seconds + (job.finished_at - job.started_at).total_seconds()
    print(f"clicks {act.clicks}, columns decided {decided}, server {seconds:.1f} s")  # noqa: T201
    assert act.clicks <= 12


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_the_editor_is_clean(site, export, signed_in, width, dark):
    watch = signed_in(width=width, dark=dark)
    page = watch.page
    page.goto(f"{site.url}/data/mappings/amazon_sp_search_term/")
    page.click("button:has-text('Open in the editor')")
    page.wait_for_selector("#draft")
    for tab in ("Report", "YAML and changes", "Tests", "Columns"):
        page.click(f"[role=tab]:has-text('{tab}')")
        watch.check()
    _shot(page, f"contract-{width}-{'dark' if dark else 'light'}")


def _shot(page, name):
    """A picture for whoever asks for pictures."""
    if folder := os.environ.get("SCREENSHOTS"):
        # The caret as it is: hiding it would be an inline style, which the page's policy reports as a fault.
        page.screenshot(path=str(Path(folder) / f"editor-{name}.png"), full_page=True, caret="initial")
