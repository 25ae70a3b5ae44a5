"""The Performance page: what it shows, to whom, and that its address holds its state."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import pytest
from django.db import connection
from django.http import QueryDict
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.core.permissions import Role
from accounts.models import Brand, User
from harmonization.models import Account, FxRate
from metrics import services
from metrics.core.performance import TABS
from metrics.page_state import read_state
from tests.conftest import browser_of
from tests.factories import person
from tests.metrics.conftest import FIRST, LAST, Shelf, days, statements
from tests.metrics.frames import CLICK_7, SAME_7

PAGE = "/performance/"


def page_of(client: Client, query: str = "", status: int = 200) -> str:
    answer = client.get(f"{PAGE}?{query}")
    assert answer.status_code == status
    return unescape(answer.content.decode())


def links(page: str) -> list[str]:
    return re.findall(r'href="(\?[^"]*)"', page)


def cells(page: str) -> list[list[str]]:
    """Text of the table's cells, row by row."""
    table = page[page.index("<tbody>", page.index('id="by-scope"')) : page.index("</tfoot>")]
    rows = table.split("<tr")[1:]
    strip = re.compile(r"<[^>]*>|\s+")
    return [
        [strip.sub(" ", cell).strip() for cell in re.findall(r"<t[hd][ >][^>]*>?(.*?)</t[hd]>", row)] for row in rows
    ]


def test_without_figures_it_says_why_and_what_to_do(browser: Client) -> None:
    page = page_of(browser)
    assert "No figures yet" in page
    assert page[page.index("<main") :].count("btn-primary") == 1


def test_it_shows_figures_lines_and_where_they_come_from(published: Shelf, browser: Client) -> None:
    page = page_of(browser)
    assert "$448" in page
    assert "7.50" in page
    assert "Networks do not count alike" in page
    assert "They are not added" in page
    assert "Data as of" in page
    spec = json.loads(re.search(r'id="course-spec"[^>]*>(.*?)</script>', page).group(1))  # type: ignore[union-attr]
    sales = next(line for line in spec["option"]["series"] if line["name"].startswith("Sales"))
    assert len(sales["data"]) == 84


def test_the_total_is_the_sum_of_the_lines_shown(published: Shelf, browser: Client) -> None:
    rows = cells(page_of(browser, "by=campaign"))
    shown = [Decimal(row[1].strip("$").replace(",", "")) for row in rows]
    assert shown[-1] == sum(shown[:-1])
    assert [row[0].split()[0] for row in rows] == ["Core", "=1+1", "Nuts", "Total"]


@pytest.mark.parametrize("tab", list(TABS))
def test_every_tab_adds_up_to_the_same_total(published: Shelf, browser: Client, tab: str) -> None:
    assert cells(page_of(browser, f"by={tab}"))[-1][1] == "$448.00"


def test_carol_sees_only_her_brand(published: Shelf, carol: User) -> None:
    page = page_of(browser_of(carol))
    assert cells(page)[-1][1] == "$28.00"
    assert "Walmart" not in page
    assert "export=csv" not in page
    assert browser_of(carol).get("/performance/export/?export=csv").status_code == 403


def test_a_foreign_brand_is_as_one_that_does_not_exist(published: Shelf, carol: User, chips: Brand) -> None:
    def body(brand: Any) -> str:
        page = page_of(browser_of(carol), f"brand={brand}", 404).replace(str(brand), "")
        return re.sub(r'content="[^"]*"|value="[^"]*"|<span class="mono">[^<]*</span>|data-text="[^"]*"', "", page)

    assert body(chips.pk) == body(uuid4())


def test_a_file_has_the_lines_of_the_page(published: Shelf, browser: Client) -> None:
    page = page_of(browser, "by=campaign&sort=spend&network=amazon_ads")
    door = next(link for link in re.findall(r'href="(/performance/export/[^"]*)"', page) if "export=csv" in link)
    lines = browser.get(door).content.decode("utf-8-sig").splitlines()
    names = [line.split(",")[4] for line in lines if line.startswith("line,")]
    assert names == ["Nuts", "Core"]
    assert [row[0].split()[0] for row in cells(page)][:-1] == names


@pytest.mark.parametrize(
    "query",
    [
        "start=2026-02-09&end=2026-02-22&compare=year&by=sku&metric=roas&sort=-orders",
        "network=amazon_ads&network=walmart_connect&by=campaign&sort=name",
        "by=placement&placement=onsite_search_top",
    ],
)
def test_every_link_keeps_the_state_of_the_address(published: Shelf, browser: Client, query: str) -> None:
    """A link changes what it is for, and nothing else."""
    given = parse_qs(query)
    page = page_of(browser, query)
    tabs = page[page.index('aria-label="Group by"') :].split("</nav>")[0]
    here = read_state(QueryDict(query), latest=LAST)
    for link, tab in zip(links(tabs), TABS.values(), strict=True):
        assert {**parse_qs(urlsplit(link).query), "by": given["by"]} == given
        assert read_state(QueryDict(link[1:]), latest=LAST) == replace(here, tab=tab)


def test_the_form_carries_what_it_does_not_ask_for(published: Shelf, browser: Client) -> None:
    page = page_of(browser, "by=sku&metric=roas&sort=-orders&sku=B001")
    form = page[page.index('<form class="cb"') :].split("</form>")[0]
    hidden = dict(re.findall(r'type="hidden" name="([^"]*)" value="([^"]*)"', form))
    assert hidden == {"by": "sku", "metric": "roas", "sort": "-orders", "sku": "B001"}


def test_the_usual_period_ends_with_the_data() -> None:
    state = read_state(QueryDict(""), latest=LAST)
    assert (state.start, state.end, state.compare) == (LAST - timedelta(days=83), LAST, "previous")


def test_a_line_leads_to_itself(published: Shelf, browser: Client) -> None:
    page = page_of(browser, "by=network&metric=spend")
    narrowed = next(link for link in links(page) if "network=walmart_connect" in link)
    assert cells(page_of(browser, narrowed[1:]))[-1][1] == "$140.00"


@pytest.mark.parametrize(
    "query", ["by=colour", "metric=luck", "sort=luck", "start=soon", "compare=never", "brand=x", "end=0001-01-01"]
)
def test_a_wrong_address_says_what_is_wrong(published: Shelf, browser: Client, query: str) -> None:
    assert query.partition("=")[2] in page_of(browser, query, 400)


def test_currencies_are_a_link_away_and_never_added(
    shelf: Shelf, browser: Client, chips: Brand, at: Callable[..., Account]
) -> None:
    shelf.publish(at(chips, "amazon_ads"), "advertised_product", rows=days())
    shelf.publish(at(chips, "walmart_connect", "GBP"), "item", rows=days(currency="GBP", spend=Decimal("7")))
    page = page_of(browser)
    assert cells(page)[-1][1] == "$280.00"
    assert "This page is in USD" in page
    assert "currency=USD" in re.search(r'href="(/performance/export/[^"]*)"', page).group(1)  # type: ignore[union-attr]
    british = next(link for link in links(page) if "currency=GBP" in link)
    assert cells(page_of(browser, british[1:]))[-1][1] == "£196.00"


def test_days_that_may_change_are_marked(
    shelf: Shelf, browser: Client, chips: Brand, at: Callable[..., Account]
) -> None:
    today = timezone.now().date()
    rows = days(today - timedelta(days=27), today - timedelta(days=1))
    shelf.publish(at(chips, "amazon_ads"), "advertised_product", rows=rows, restatement_days=3)
    page = page_of(browser)
    assert "restating until" in page
    spec = json.loads(re.search(r'id="course-spec"[^>]*>(.*?)</script>', page).group(1))  # type: ignore[union-attr]
    area = next(line["markArea"] for line in spec["option"]["series"] if "markArea" in line)
    assert area["data"][0][0]["xAxis"] == str(today - timedelta(days=3))


def test_missing_days_stand_beside_the_network(
    shelf: Shelf, browser: Client, chips: Brand, at: Callable[..., Account]
) -> None:
    rows = [row for row in days() if row["period_start"] != date(2026, 2, 10)]
    shelf.publish(at(chips, "amazon_ads"), "advertised_product", rows=rows)
    assert cells(page_of(browser))[0][-1] == "1 day missing"


def test_many_lines_are_shown_with_the_rest_as_one(
    shelf: Shelf, browser: Client, chips: Brand, at: Callable[..., Account]
) -> None:
    rows = [{"sku_id": f"B{number:03d}", "spend": Decimal(number + 1)} for number in range(203)]
    shelf.publish(at(chips, "amazon_ads"), "advertised_product", rows=rows)
    shown = cells(page_of(browser, "by=sku"))
    assert len(shown) == 202
    assert shown[-2][:2] == ["3 more, together", "$6.00"]


@pytest.mark.parametrize(
    "query",
    [
        "compare=none",
        "compare=year&metric=orders&sort=-ctr",
        "start=2025-06-01&end=2026-03-01&metric=roas",
        "start=2026-02-10&end=2026-02-10",
        "by=sku&search_term=%3Dcmd()",
    ],
)
def test_every_kind_of_view_is_drawn(published: Shelf, browser: Client, query: str) -> None:
    page = page_of(browser, query)
    spec = json.loads(re.search(r'id="course-spec"[^>]*>(.*?)</script>', page).group(1))  # type: ignore[union-attr]
    assert spec["alt"]
    assert cells(page)[-1][0] == "Total"


def test_long_periods_are_drawn_by_week(published: Shelf, browser: Client) -> None:
    page = page_of(browser, "start=2025-06-01&end=2026-03-01&compare=none&metric=spend")
    spec = json.loads(re.search(r'id="course-spec"[^>]*>(.*?)</script>', page).group(1))  # type: ignore[union-attr]
    assert "weekly" in page
    weeks = dict(zip(spec["option"]["xAxis"]["data"], spec["option"]["series"][0]["data"], strict=True))
    assert {week: spend for week, spend in weeks.items() if spend} == {
        f"{FIRST + timedelta(weeks=number)}": 112.0 for number in range(4)
    }


def test_a_selection_without_rows_says_so(published: Shelf, browser: Client) -> None:
    page = page_of(browser, "network=nobody")
    assert "Nothing in this selection" in page


def test_definitions_are_told(browser: Client) -> None:
    answer = browser.get("/performance/definitions/")
    assert "sales / spend" in answer.content.decode()


def test_no_style_and_no_script_stand_in_the_page(published: Shelf, browser: Client) -> None:
    page = page_of(browser)
    assert " style=" not in page
    assert not re.findall(r"<script(?![^>]*(?:src=|application/json))", page)


def test_the_page_asks_the_database_little(published: Shelf, browser: Client) -> None:
    page_of(browser)
    with CaptureQueriesContext(connection) as asked:
        page_of(browser)
    assert len(statements(asked)) == 25


def test_nobody_is_sent_to_log_in(published: Shelf) -> None:
    answer = browser_of(None).get(PAGE)
    assert answer.status_code == 302
    assert "login" in answer["Location"]


SAME_SKU = {CLICK_7: Decimal("40"), SAME_7: Decimal("30")}


def test_the_switch_makes_roas_fall_with_the_reason(
    shelf: Shelf, browser: Client, chips: Brand, at: Callable[..., Account]
) -> None:
    shelf.publish(at(chips, "amazon_ads"), "advertised_product", rows=days(**SAME_SKU))
    page = page_of(browser, "attribution=common_window")
    assert 'attribution=common_window" aria-current="true"' in page
    assert "ROAS falls from 4.00 to 3.00." in page
    assert "100% of the difference comes from sales of other products" in page
    assert "7-day click instead of 14" in page
    assert 'class="num on"' in page
    reported = page_of(browser)
    assert "ROAS falls" not in reported
    assert cells(reported)[-1][1] == cells(page)[-1][1]


def test_the_rule_is_chosen_in_the_page_and_its_file_follows(
    shelf: Shelf, browser: Client, chips: Brand, at: Callable[..., Account]
) -> None:
    shelf.publish(at(chips, "amazon_ads"), "advertised_product", rows=days(**SAME_SKU))
    page = page_of(browser, "attribution=common_window&window=7&match=total")
    assert "ROAS stays at 4.00." in page
    form = page[page.index('aria-label="Rule of the common window"') :].split("</form>")[0]
    assert '<option value="7" selected>' in form
    assert '<option value="total" selected>' in form
    door = next(link for link in re.findall(r'href="(/performance/export/[^"]*)"', page) if "export=csv" in link)
    assert "7-day click, advertised and other products" in browser.get(door).content.decode()


def test_incremental_shows_the_interval_and_what_is_untested(published: Shelf, browser: Client, alice: User) -> None:
    untested = page_of(browser, "attribution=incremental")
    assert "it is taken as 1" in untested
    assert cells(untested)[0].count("untested") == 1
    amazon = Account.objects.filter(retailer__slug="amazon_ads").first()
    assert amazon is not None
    factor = services.NewFactor(
        low=Decimal("0.4"), value=Decimal("0.5"), high=Decimal("0.6"), evidence="experiment", method="geo",
        retailer=amazon.retailer_id,
    )  # fmt: skip
    services.publish_factors(actor=alice, source="GT-1", factors=[factor])
    page = page_of(browser, "attribution=incremental")
    assert "ROAS falls from 7.50 to 5.00." in page
    spec = json.loads(re.search(r'id="course-spec"[^>]*>(.*?)</script>', page).group(1))  # type: ignore[union-attr]
    assert "@band" in [line.get("renderItem") for line in spec["option"]["series"]]
    assert "Incremental: GT-1" in page
    assert [row for row in cells(page) if "untested" in row and "Walmart" in row[0]]


def test_columns_are_chosen_and_kept(published: Shelf, browser: Client) -> None:
    page = page_of(browser, "cols=orders&cols=ctr&by=campaign")
    head = page[page.index('id="by-scope"') :].split("<thead>")[1].split("</thead>")[0]
    assert re.findall(r">([A-Z][\w ]+)(?:<svg|</th>)", head) == [
        "Campaign", "Spend", "Change", "Orders", "CTR", "Finality",
    ]  # fmt: skip
    assert "There is no column" in page_of(browser, "cols=luck", 400)


def test_currencies_become_one_where_there_are_rates(
    shelf: Shelf, browser: Client, chips: Brand, at: Callable[..., Account]
) -> None:
    shelf.publish(at(chips, "amazon_ads"), "advertised_product", rows=days())
    shelf.publish(at(chips, "walmart_connect", "GBP"), "item", rows=days(currency="GBP", spend=Decimal("7")))
    for number in range(0, 28, 7):
        FxRate.objects.create(
            day=FIRST + timedelta(days=number), currency="GBP", base="USD", rate=Decimal("1.5"), source="test"
        )
    page = page_of(browser, "money=base")
    assert cells(page)[-1][1] == "$574.00"
    assert "Money is converted to USD" in page
    FxRate.objects.all().delete()
    assert "have no rate to USD" in page_of(browser, "money=base")


def test_figures_as_they_stood(shelf: Shelf, browser: Client, chips: Brand, at: Callable[..., Account]) -> None:
    assert "No figures yet" in page_of(browser, "as_of=2020-01-01")
    assert "has not come yet" in page_of(browser, "as_of=2090-01-01", 400)


def test_the_rows_behind_the_figures_are_a_link_away(published: Shelf, browser: Client) -> None:
    page = page_of(browser, "network=walmart_connect&start=2026-02-02&end=2026-03-01")
    link = next(link for link in re.findall(r'href="(/data/lineage/[^"]*)"', page))
    assert parse_qs(urlsplit(link).query) == {
        "start": ["2026-02-02"], "end": ["2026-03-01"], "network": ["walmart_connect"], "report": ["item"],
    }  # fmt: skip
    assert browser.get(link).status_code == 200
    viewer = browser_of(person("vera", Role.VIEWER))
    assert "/data/lineage/" not in page_of(viewer, "start=2026-02-02&end=2026-03-01"), "figures, and no files"
