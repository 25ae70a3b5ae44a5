"""Findings, comparisons and sources through pages, REST and commands."""

from __future__ import annotations

import csv
import io
import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from accounts.core.permissions import Role
from harmonization.models import Account, DataFinding
from tests.conftest import api_of, browser_of
from tests.factories import AccountFactory, BrandFactory, person
from tests.harmonization.conftest import walmart_csv, walmart_row
from tests.harmonization.quality.conftest import days, with_gap


@pytest.fixture
def gap(check) -> DataFinding:
    """Three days are missing at Walmart."""
    check(with_gap())
    return DataFinding.objects.get()


@pytest.fixture
def pretzels(walmart) -> Account:
    """Another brand's account."""
    return AccountFactory(
        brand=BrandFactory(slug="pretzels"), retailer=walmart.retailer, external_id="wm-2", name="Pretzels Walmart"
    )


def said(answer) -> str:
    return " ".join(answer.content.decode().split())


def test_the_page_lists_findings_with_what_is_at_stake(gap, browser):
    page = said(browser.get("/data/quality/"))
    assert "3 days without figures: 2 Sep 2026 to 4 Sep 2026" in page
    assert "$35" in page  # 34.50, in whole dollars
    assert "Acme Walmart" in page
    assert "Open file" in page


def test_filters_are_in_the_address(gap, browser):
    assert "3 days without" in said(browser.get("/data/quality/?severity=critical&kind=missing_days"))
    assert "No finding fits" in said(browser.get("/data/quality/?severity=info"))
    assert "No finding fits" in said(browser.get("/data/quality/?state=resolved"))
    assert browser.get("/data/quality/?account=nonsense").status_code == 400


def test_nothing_wrong_says_so(alice, browser):
    assert "Nothing looks wrong" in said(browser.get("/data/quality/"))


def test_accepting_on_the_page(gap, browser):
    address = f"/data/quality/{gap.pk}/"
    assert "Why it may stand" in said(browser.get(address))
    refused = browser.post(f"{address}decide/", {"reason": " "})
    assert refused.status_code == 400
    assert "Give a reason" in said(refused)
    browser.post(f"{address}decide/", {"reason": "The shop was closed."})
    assert DataFinding.objects.get().state == "acknowledged"
    assert "The shop was closed." in said(browser.get(address))
    assert "Nothing looks wrong" in said(browser.get("/data/quality/"))
    browser.post(f"{address}decide/", {"act": "reopen"})
    assert DataFinding.objects.get().state == "open"


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_exports_are_what_is_filtered(gap, browser, kind):
    answer = browser.get(f"/data/quality/export/?export={kind}&kind=missing_days")
    assert answer["Content-Disposition"].endswith(f'.{kind}"')
    if kind == "csv":
        (line,) = csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig")))
        assert (line["Kind"], line["Money at stake"], line["Currency"]) == ("Missing days", "34.50", "USD")
    nothing = browser.get("/data/quality/export/?kind=truncated").content.decode("utf-8-sig")
    assert len(nothing.splitlines()) == 1


def test_a_formula_in_a_title_stays_text(gap, browser):
    DataFinding.objects.update(title="=HYPERLINK(1)")
    assert "'=HYPERLINK(1)" in browser.get("/data/quality/export/").content.decode()


def test_a_person_of_one_brand_sees_that_brand(gap, check, pretzels):
    check(with_gap(), "pretzels.csv", pretzels)
    carol = person("carol", Role.ANALYST, brand=pretzels.brand)
    (row,) = api_of(carol).get("/api/v1/quality/findings/").json()["results"]
    assert row["account"] == str(pretzels.pk)
    page = said(browser_of(carol).get("/data/quality/"))
    assert "Pretzels Walmart" in page
    assert "Acme Walmart" not in page
    assert browser_of(carol).get(f"/data/quality/{gap.pk}/").status_code == 404


def test_rest_of_findings(gap, api):
    listed = api.get("/api/v1/quality/findings/", {"kind": "missing_days"}).json()
    assert [row["id"] for row in listed["results"]] == [str(gap.pk)]
    assert api.get("/api/v1/quality/findings/", {"kind": "truncated"}).json()["count"] == 0
    assert api.get("/api/v1/quality/findings/", {"knd": "x"}).status_code == 400
    accepted = api.post(f"/api/v1/quality/findings/{gap.pk}/acknowledge/", {"reason": "Closed."}, format="json").json()
    assert (accepted["state"], accepted["decided_by"]) == ("acknowledged", "alice@example.com")
    assert api.post(f"/api/v1/quality/findings/{gap.pk}/acknowledge/", {}, format="json").status_code == 400
    again = api.post(f"/api/v1/quality/findings/{gap.pk}/reopen/", format="json").json()
    assert again["state"] == "open"


def test_rest_of_checks(gap, api, walmart):
    started = api.post("/api/v1/quality/checks/", {"account": str(walmart.pk)}, format="json")
    assert started.status_code == 202
    assert api.post("/api/v1/quality/checks/", {"acount": "x"}, format="json").status_code == 400


def test_rest_of_sources(check, api, walmart):
    check(walmart_csv(*days(10), walmart_row("2026-08-20", spend="-1.00")))
    (source,) = api.get("/api/v1/sources/").json()
    assert (source["account"], source["report"], source["contract"]) == (
        str(walmart.pk), "search_item", "walmart_search_item",
    )  # fmt: skip
    assert (source["files"], source["rows"], source["quarantined"], source["last_day"]) == (1, 10, 1, "2026-08-12")
    assert source["findings"] == {"critical": 1, "warn": 0}


def test_rows_that_were_replaced_do_not_stand(check, api):
    check(walmart_csv(*days(10)))
    check(walmart_csv(*days(10, 5)), "later.csv")
    (source,) = api.get("/api/v1/sources/").json()
    assert (source["files"], source["rows"], source["last_day"]) == (2, 15, "2026-08-17")


def test_the_sources_page(check, browser, walmart, pretzels):
    check(with_gap())
    page = said(browser.get("/data/uploads/"))
    assert "1 critical" in page
    assert "Pretzels Walmart" in page
    assert "no figures" in page


def test_reports_compared_on_the_page(check, browser):
    check(walmart_csv(*days(5)))
    assert "No account has two reports" in said(browser.get("/data/quality/?view=reports"))


def told(command: str, *arguments: str) -> tuple[str, int]:
    out, status = StringIO(), 0
    try:
        call_command(command, "--tenant", "acme", "--as", "alice@example.com", *arguments, stdout=out)
    except SystemExit as end:
        status = int(end.code or 0)
    return out.getvalue(), status


def test_the_command_lists_and_checks(gap, alice):
    text, status = told("quality")
    assert "34.50 USD" in text
    assert status == 1
    DataFinding.objects.all().delete()
    listed, _ = told("quality", "--check", "--json")
    assert [row["kind"] for row in json.loads(listed)] == ["missing_days"]
    with pytest.raises(CommandError, match="Nobody here"):
        call_command("quality", "--tenant", "acme", "--as", "nobody@example.com")


def test_the_command_compares(gap, alice):
    text, status = told("reconcile")
    assert (text.strip(), status) == ("0 comparisons", 0)
    with pytest.raises(CommandError, match="No account"):
        call_command("reconcile", "--tenant", "acme", "--as", "alice@example.com", "--account", "x")
