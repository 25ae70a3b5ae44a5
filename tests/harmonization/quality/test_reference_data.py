"""Audiences, policies and exchange rates from files: all of one or nothing, every finding with its row."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest
import xlsxwriter

from accounts.core.permissions import Role
from governance.models import PolicyRule
from harmonization import selectors
from harmonization.core.catalogue_file import read_catalogue
from harmonization.core.fx_file import read_rates
from harmonization.models import Audience, FxRate, Load, ProductIdentifier, Upload
from tenants.core.problems import Conflict, InvalidInput, NotAllowed
from tests.factories import BrandFactory, person
from tests.harmonization.conftest import walmart_csv, walmart_row

AUDIENCES = (
    b"audience_id,name,type,min_cell,ntb,consent_basis\nA1,Snackers,crm,100,new,opt-in\nA2,Lookers,lookalike,,,\n"
)
POLICIES = (
    b"network,rule_id,scope,severity,statement,min_cell_k,allowed_windows,creative_limits,effective_from,source\n"
    b"walmart_connect,small-cells,metrics,block,No group below fifty.,50,14|30,title_chars=50,2026-01-01,Terms 4.2\n"
)
ECB = b"Date,USD,GBP,TRY,\n2026-11-20,1.0850,0.8320,N/A,\n2026-11-19,1.0800,0.8300,35.1,\n"


def details(error: pytest.ExceptionInfo[InvalidInput]) -> list[tuple[str, str]]:
    return [(one["where"], one["detail"]) for one in error.value.errors]


def test_audiences_are_taken_and_changed(send, walmart):
    assert send(AUDIENCES, walmart, "a.csv", kind="audiences").imported == {
        "rows": 2, "audiences_created": 2, "audiences_updated": 0,
    }  # fmt: skip
    one = Audience.objects.get(external_id="A1")
    assert (one.kind, one.min_cell, one.ntb, one.consent_basis) == ("crm", 100, "new", "opt-in")
    assert Audience.objects.get(external_id="A2").min_cell == 50
    send(AUDIENCES.replace(b"Snackers", b"Snack lovers"), walmart, "b.csv", kind="audiences")
    assert Audience.objects.get(external_id="A1").name == "Snack lovers"


def test_wrong_audiences_leave_nothing(send, walmart):
    wrong = b"audience_id,name,type,min_cell\nA1,Snackers,crm,100\nA1,,mailing,1\n"
    with pytest.raises(InvalidInput) as error:
        send(wrong, walmart, "a.csv", kind="audiences")
    assert [where for where, _ in details(error)] == [
        "row 3, name", "row 3, type", "row 3, min_cell", "row 3, audience_id",
    ]  # fmt: skip
    assert not Audience.objects.exists()
    assert not Upload.objects.exists()


def test_audiences_need_an_account(send):
    with pytest.raises(InvalidInput, match="Audiences need the account"):
        send(AUDIENCES, None, "a.csv", kind="audiences")


def test_policies_reach_governance(send, alice):
    assert send(POLICIES, None, "p.csv", kind="policies").imported == {"rows": 1, "rules_added": 1, "rules_changed": 0}
    rule = PolicyRule.objects.get()
    assert (rule.severity, rule.min_cell_k, rule.effective_from) == ("block", 50, date(2026, 1, 1))
    assert rule.parameters == {"allowed_windows": [14, 30], "title_chars": 50}
    changed = send(POLICIES.replace(b"block", b"warn"), None, "q.csv", kind="policies").imported
    assert changed["rules_changed"] == 1
    assert PolicyRule.objects.get().severity == "warn"


def test_wrong_policies_name_the_row(send):
    wrong = POLICIES.replace(b"14|30", b"14 days").replace(b"block", b"forbid").replace(b"2026-01-01", b"01/01/26")
    with pytest.raises(InvalidInput) as error:
        send(wrong, None, "p.csv", kind="policies")
    assert [where for where, _ in details(error)] == [
        "row 2, severity", "row 2, effective_from", "row 2, allowed_windows",
    ]  # fmt: skip


def test_engineers_set_no_policies(send):
    with pytest.raises(NotAllowed):
        send(POLICIES, None, "p.csv", kind="policies", actor=person("dana", Role.DATA_ENGINEER))
    assert not PolicyRule.objects.exists()


def test_the_banks_table_becomes_rates_to_the_base_currency(send, acme):
    assert send(ECB, None, "ecb.csv", kind="fx_rates").imported == {"rows": 5, "currencies": 3}
    euro, pound = (FxRate.objects.get(day=date(2026, 11, 20), currency=code) for code in ("EUR", "GBP"))
    assert (euro.rate, euro.base) == (Decimal("1.085"), "USD")
    assert pound.rate == (Decimal("1.0850") / Decimal("0.8320")).quantize(Decimal("1e-12"))
    send(ECB.replace(b"1.0850", b"1.0900"), None, "again.csv", kind="fx_rates")
    assert FxRate.objects.get(day=date(2026, 11, 20), currency="EUR").rate == Decimal("1.09")


def test_long_rates_and_what_is_wrong_with_them(tmp_path: Path):
    path = tmp_path / "r.csv"
    path.write_text("date,currency,rate,base\n2026-11-20,GBP,1.30,\n2026-11-20,INR,0.0119,USD\n")
    assert [(one.currency, one.rate) for one in read_rates(path, base="USD")] == [
        ("GBP", Decimal("1.30")), ("INR", Decimal("0.0119")),
    ]  # fmt: skip
    path.write_text(
        "date,currency,rate,base\n20/11/26,GBP,1,\n2026-11-20,POUND,1,\n2026-11-20,GBP,0,\n2026-11-20,GBP,1,EUR\n"
    )
    with pytest.raises(InvalidInput) as error:
        read_rates(path, base="USD")
    assert [where for where, _ in details(error)] == ["row 2, date", "row 3, currency", "row 4, rate", "row 5, base"]


def test_loads_are_converted_at_their_own_day(send, load, walmart):
    walmart.currency = "GBP"
    walmart.save()
    send(b"date,currency,rate\n2026-11-02,GBP,1.30\n2026-11-03,GBP,1.40\n", None, "r.csv", kind="fx_rates")
    load(walmart_csv(walmart_row("2026-11-02"), walmart_row("2026-11-03"), walmart_row("2026-10-01")), walmart)
    rows = selectors.events_folder().scan(Load.objects.get().delta_version).sort("period_start").collect()
    spend = dict(zip(rows["period_start"], rows.select(pl.col("spend_base").cast(pl.String)).to_series(), strict=True))
    assert spend == {
        date(2026, 10, 1): None, date(2026, 11, 2): "13.000000", date(2026, 11, 3): "14.000000",
    }  # fmt: skip


def test_the_same_file_of_another_kind_is_refused(send):
    send(ECB, None, "ecb.csv", kind="fx_rates")
    with pytest.raises(Conflict, match="exchange rates"):
        send(ECB, None, "ecb.csv", kind="policies")
    assert selectors.stored_file(Upload.objects.get()).exists()


def workbook(path: Path, *rows: list[object]) -> Path:
    book = xlsxwriter.Workbook(path)
    sheet = book.add_worksheet()
    for number, row in enumerate(rows):
        sheet.write_row(number, 0, row)
    book.close()
    return path


COLUMNS = ["sku", "brand", "product_name", "retailer", "retailer_sku", "price", "cost", "margin", "upc", "buy_box"]


def test_a_catalogue_as_a_workbook(tmp_path: Path):
    path = workbook(
        tmp_path / "c.xlsx", COLUMNS, ["S1", "Chips", "Salt", "Walmart", 501, 4, 3, "", "850007120016", "yes"]
    )
    (row,) = read_catalogue(path)
    assert (row.retailer_sku, row.price, row.cost, row.margin) == ("501", 4, 3, Decimal("0.25"))
    assert (row.identifiers, row.has_buy_box) == ((("upc", "850007120016"),), True)


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({5: 2, 6: 3}, "row 2, cost"),
        ({7: "0.35"}, "row 2, margin"),
        ({8: "850007120017"}, "row 2, upc"),
        ({9: "maybe"}, "row 2, buy_box"),
    ],
)
def test_what_is_wrong_with_a_catalogue(tmp_path: Path, changes, where):
    row = ["S1", "Chips", "Salt", "Walmart", 501, 4, 3, "", "850007120016", "yes"]
    for place, cell in changes.items():
        row[place] = cell
    with pytest.raises(InvalidInput) as error:
        read_catalogue(workbook(tmp_path / "c.xlsx", COLUMNS, row))
    assert [each for each, _ in details(error)] == [where]


def test_further_ids_of_a_product_are_kept_once(send, acme):
    BrandFactory(slug="chips", name="Chips")
    text = b"sku,brand,product_name,retailer,retailer_sku,upc,mpn\nS1,Chips,Salt,Walmart,501,850007120016,M-1|M-2\n"
    send(text, None, "c.csv", kind="catalogue")
    send(text + b"\n", None, "d.csv", kind="catalogue")
    assert sorted(ProductIdentifier.objects.values_list("kind", "value")) == [
        ("mpn", "M-1"), ("mpn", "M-2"), ("upc", "850007120016"),
    ]  # fmt: skip
