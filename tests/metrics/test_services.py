"""Whose figures, and which door."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import openpyxl
import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.core.permissions import Role
from accounts.models import Brand, User
from harmonization.models import Account, Listing
from jobs.core.tools import tool_named
from metrics import services
from metrics.core.export import neutralised
from metrics.parameters import instant_of
from tenants.core.problems import InvalidInput, NotAllowed, NotAuthenticated, NotFound
from tenants.models import Tenant
from tests import factories
from tests.conftest import api_of
from tests.metrics.conftest import FIRST, LAST, Shelf, days, statements
from tests.metrics.frames import CLICK_7, SAME_7

PERIOD: dict[str, Any] = {"start": FIRST, "end": LAST}
QUERY = f"start={FIRST}&end={LAST}&metrics=spend,roas"


def spend_of(user: User, **more: Any) -> dict[Any, Any]:
    given = {"metrics": ["spend"], "dimensions": ["brand"], **PERIOD} | more
    table = services.query_metrics(actor=user, **given)
    return dict(table.lines.select("brand_label", "spend").rows())


def test_alice_sees_every_brand(published: Shelf, alice: User) -> None:
    assert spend_of(alice) == {"Chips": Decimal("420"), "Nuts": Decimal("28")}


def test_carol_sees_only_her_brand(published: Shelf, carol: User) -> None:
    assert spend_of(carol) == {"Nuts": Decimal("28")}


def test_a_brand_is_found_in_any_spelling_of_its_id(published: Shelf, alice: User, nuts: Brand) -> None:
    assert spend_of(alice, filters={"brand": [nuts.pk.hex.upper()]}) == {"Nuts": Decimal("28")}


def test_a_foreign_brand_is_as_one_that_does_not_exist(published: Shelf, carol: User, chips: Brand) -> None:
    factories.RoleGrant.objects.filter(user=carol).update(role=Role.ANALYST)

    def refused(service: Callable[..., Any], brand: UUID) -> dict[str, Any]:
        with pytest.raises(NotFound) as caught:
            service(actor=carol, metrics=["spend"], filters={"brand": [str(brand)]}, **PERIOD)
        return caught.value.as_dict()

    for service in (services.query_metrics, partial(services.export_metrics, kind="csv")):
        assert refused(service, chips.pk) == refused(service, uuid4())


def test_a_shared_account_is_split_by_the_brand_of_the_product(
    shelf: Shelf, alice: User, carol: User, chips: Brand, nuts: Brand
) -> None:
    """The search-term report of an account of two brands names no product, so its rows are nobody's."""
    shared = factories.AccountFactory(brand=None, name="both", retailer=factories.RetailerFactory(slug="amazon_ads"))
    for brand, sku in ((chips, "B001"), (nuts, "B002")):
        product = factories.ProductFactory(brand=brand, sku=f"own {sku}")
        Listing.objects.create(product=product, retailer=shared.retailer, retailer_sku=sku)
    shelf.publish(shared, "advertised_product", rows=[*days(), *days(sku_id="B002", spend=Decimal("1"))])
    shelf.publish(shared, "search_term", rank=20, rows=days(sku_id=None, search_term="snack"))
    assert spend_of(alice) == {"Chips": Decimal("280"), "Nuts": Decimal("28")}
    assert spend_of(carol) == {"Nuts": Decimal("28")}
    assert spend_of(alice, filters={"brand": [str(nuts.pk)]}) == {"Nuts": Decimal("28")}
    by_term: dict[str, Any] = {"metrics": ["spend"], "dimensions": ["search_term"], **PERIOD}
    assert services.query_metrics(actor=alice, **by_term).lines["search_term"].to_list() == ["snack"]
    assert services.query_metrics(actor=carol, **by_term).lines["search_term"].to_list() == [None]


def test_nobody_is_sent_to_log_in(published: Shelf) -> None:
    with pytest.raises(NotAuthenticated):
        services.query_metrics(actor=AnonymousUser(), metrics=["spend"], **PERIOD)


def test_ad_ops_of_a_retailer_see_no_figures(published: Shelf) -> None:
    dave = factories.person("dave", Role.RETAILER_ADOPS)
    with pytest.raises(NotAllowed):
        services.query_metrics(actor=dave, metrics=["spend"], **PERIOD)


def test_viewers_take_nothing_out(published: Shelf, carol: User, nuts: Brand) -> None:
    for filters in ({}, {"brand": [str(nuts.pk)]}):
        with pytest.raises(NotAllowed):
            services.export_metrics(actor=carol, kind="csv", metrics=["spend"], filters=filters, **PERIOD)


def test_only_brands_that_may_be_exported_are(published: Shelf, carol: User, chips: Brand) -> None:
    factories.RoleGrant.objects.create(user=carol, role=Role.ANALYST, brand=chips)
    file = services.export_metrics(actor=carol, kind="csv", metrics=["spend"], dimensions=["brand"], **PERIOD)
    text = file.content.decode("utf-8-sig")
    assert "Chips" in text
    assert "Nuts" not in text


def test_an_export_has_the_lines_and_the_total_of_the_query(published: Shelf, alice: User) -> None:
    asked: dict[str, Any] = {"metrics": ["spend", "roas"], "dimensions": ["network"], **PERIOD}
    file = services.export_metrics(actor=alice, kind="csv", **asked)
    rows = [line.split(",") for line in file.content.decode("utf-8-sig").splitlines()]
    assert rows[:4] == [
        ["Row", "Network", "Currency", "Spend", "ROAS", "May be restated until"],
        ["line", "amazon_ads", "USD", "308", f"{2240 / 308}", "2026-03-15"],
        ["line", "walmart_connect", "USD", "140", "8.0", "2026-03-15"],
        ["total", "", "USD", "448", "7.5", "2026-03-15"],
    ]
    assert file.name == f"performance-{FIRST}-{LAST}.csv"


def test_the_disclosure_goes_with_the_file(published: Shelf, alice: User) -> None:
    asked: dict[str, Any] = {"metrics": ["sales"], "dimensions": ["network"], **PERIOD}
    text = services.export_metrics(actor=alice, kind="csv", **asked).content.decode("utf-8-sig")
    book = openpyxl.load_workbook(io.BytesIO(services.export_metrics(actor=alice, kind="xlsx", **asked).content))
    notes = dict(book["How this is counted"].iter_rows(values_only=True))
    assert notes["Attribution of sales, Walmart Connect"] == "sales, 14-day click, total"
    assert notes["Brands"] == "Chips, Nuts"
    for name in ("Attribution", "Viewability", "Invalid traffic", "Incrementality", "Data as of"):
        assert notes[name]
        assert f"# {name}: " in text


def test_no_cell_becomes_a_formula(published: Shelf, alice: User) -> None:
    asked: dict[str, Any] = {"metrics": ["spend"], "dimensions": ["search_term", "campaign"], **PERIOD}
    text = services.export_metrics(actor=alice, kind="csv", **asked).content.decode("utf-8-sig")
    assert "'=cmd()" in text
    assert "'=1+1" in text
    assert ",=" not in text
    book = openpyxl.load_workbook(io.BytesIO(services.export_metrics(actor=alice, kind="xlsx", **asked).content))
    cells = [cell for row in book["Performance"].iter_rows() for cell in row]
    assert "=cmd()" in [cell.value for cell in cells]
    assert not [cell for cell in cells if cell.data_type == "f"]


@pytest.mark.parametrize("text", ["=1", "+1", "-1", "@a", "\t=1", " =1", "＝1", "\ufeff=1"])
def test_text_that_starts_a_formula_is_text(text: str) -> None:
    assert neutralised(text) == f"'{text}"


def test_negative_figures_stay_figures(shelf: Shelf, alice: User, chips: Brand, at: Callable[..., Account]) -> None:
    shelf.publish(at(chips, "amazon_ads"), "advertised_product", rows=days(last=FIRST, spend=Decimal("-3.5")))
    asked: dict[str, Any] = {"metrics": ["spend"], "dimensions": ["network"], **PERIOD}
    assert "line,amazon_ads,USD,-3.50" in services.export_metrics(actor=alice, kind="csv", **asked).content.decode()
    book = openpyxl.load_workbook(io.BytesIO(services.export_metrics(actor=alice, kind="xlsx", **asked).content))
    assert book["Performance"]["D2"].value == -3.5


def test_an_unknown_kind_of_file_names_those_there_are(alice: User) -> None:
    with pytest.raises(InvalidInput, match="pdf") as caught:
        services.export_metrics(actor=alice, kind="pdf", metrics=["spend"], **PERIOD)
    assert "csv, xlsx" in caught.value.fix


def test_rest_answers_lines_totals_and_provenance(published: Shelf, api: APIClient) -> None:
    answer = api.get(f"/api/v1/metrics/query/?{QUERY}&dimensions=network&compare=previous")
    assert answer.status_code == 200
    body = answer.json()
    assert [line["values"]["spend"] for line in body["lines"]] == ["308", "140"]
    assert body["totals"][0]["values"] == {"spend": "448", "roas": 7.5}
    assert body["totals"][0]["previous"] == {"spend": None, "roas": None}
    assert {item["report"] for item in body["left_out"]} == {"search_term"}
    assert body["comparison"] == {"start": "2026-01-05", "end": "2026-02-01"}
    assert body["restating"][0]["until"] == str(LAST + timedelta(days=14))


def test_rest_refuses_a_foreign_brand_as_one_that_does_not_exist(published: Shelf, carol: User, chips: Brand) -> None:
    client = api_of(carol)
    foreign, invented = (client.get(f"/api/v1/metrics/query/?{QUERY}&brand={brand}") for brand in (chips.pk, uuid4()))
    assert foreign.status_code == invented.status_code == 404
    ignored = {"request_id"}
    assert {k: v for k, v in foreign.json().items() if k not in ignored} == {
        k: v for k, v in invented.json().items() if k not in ignored
    }


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ("colour=red", "colour"),
        ("start=soon", "start"),
        ("limit=many", "limit"),
        ("brand=x", "brand"),
        ("compare=none&compare=year", "compare"),
        ("attribution=luck", "attribution"),
        ("window=soon", "window"),
        ("money=dollars", "money"),
        ("as_of=soon", "as_of"),
        ("as_of=2090-01-01", "as_of"),
    ],
)
def test_rest_names_the_parameter_that_is_wrong(api: APIClient, change: str, where: str) -> None:
    query = QUERY.replace(f"start={FIRST}&", "") if where == "start" else QUERY
    answer = api.get(f"/api/v1/metrics/query/?{query}&{change}")
    assert answer.status_code == 400
    assert answer.json()["where"] == where
    assert answer.json()["fix"]


def test_rest_gives_files(published: Shelf, api: APIClient) -> None:
    answer = api.get(f"/api/v1/metrics/export/?{QUERY}&dimensions=network&export=xlsx")
    assert answer.status_code == 200
    assert answer["Content-Disposition"] == f'attachment; filename="performance-{FIRST}-{LAST}.xlsx"'
    assert answer.content[:2] == b"PK"


def test_rest_tells_the_definitions(api: APIClient) -> None:
    body = api.get("/api/v1/metrics/definitions/").json()
    roas = next(metric for metric in body["metrics"] if metric["name"] == "roas")
    assert (roas["formula"], roas["unit"], roas["additive"], roas["attributed"]) == (
        "sales / spend", "multiple", False, True,
    )  # fmt: skip


def test_the_command_prints_the_same_figures(published: Shelf, capsys: pytest.CaptureFixture[str]) -> None:
    given = ["--tenant", "acme", "--metrics", "spend,roas", "--by", "network", f"--start={FIRST}", f"--end={LAST}"]
    call_command("query_metrics", *given, "--json")
    body = json.loads(capsys.readouterr().out)
    assert [line["values"]["spend"] for line in body["lines"]] == ["308", "140"]
    call_command("query_metrics", *given, "--filter", "network=walmart_connect")
    assert "walmart_connect  USD         140  8.0000" in capsys.readouterr().out


def test_the_command_says_what_is_wrong(acme: Tenant) -> None:
    with pytest.raises(CommandError, match="There is no metric 'profit'"):
        call_command("query_metrics", "--tenant", "acme", "--metrics", "profit")


def test_the_planner_gets_the_same_figures_with_the_notices(published: Shelf, alice: User) -> None:
    tool = tool_named("query_metrics")
    given = tool.input_model.model_validate({"metrics": ["spend"], "dimensions": ["network"], **PERIOD})
    found = tool.run(given, user=alice)
    assert [line.values["spend"] for line in found.lines] == ["308", "140"]
    assert any("They are not added" in notice for notice in found.notices)


def test_no_events_is_no_error(alice: User) -> None:
    table = services.query_metrics(actor=alice, metrics=["spend"], **PERIOD)
    assert [notice.code for notice in table.notices] == ["no_data"]


def test_a_query_asks_the_database_little(published: Shelf, alice: User) -> None:
    with CaptureQueriesContext(connection) as asked:
        services.query_metrics(actor=alice, metrics=["spend"], **PERIOD)
    assert len(statements(asked)) == 7


def test_every_door_tells_figures_as_they_stood(
    shelf: Shelf, alice: User, chips: Brand, at: Callable[..., Account], api: APIClient, browser: Client,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    account = at(chips, "amazon_ads")
    shelf.publish(account, "advertised_product", rows=days(last=FIRST))
    between = timezone.now()
    shelf.publish(account, "advertised_product", rows=days(first=FIRST + timedelta(days=1)))

    def spend(as_of: datetime | None) -> Decimal:
        table = services.query_metrics(actor=alice, metrics=["spend"], as_of=as_of, **PERIOD)
        return Decimal(table.totals["spend"][0])

    assert (spend(between), spend(None)) == (Decimal("10"), Decimal("280"))
    stamp = between.isoformat()
    answer = api.get("/api/v1/metrics/query/", {"metrics": "spend", "as_of": stamp, **PERIOD})
    assert [row["values"]["spend"] for row in answer.json()["totals"]] == ["10"]
    page = browser.get("/performance/", {"as_of": stamp, **PERIOD}).content.decode()
    assert "as they stood on" in page
    assert "$10.00" in page
    call_command("query_metrics", "--tenant=acme", "--metrics=spend", f"--as-of={stamp}", f"--start={FIRST}",
                 f"--end={LAST}", "--json")  # fmt: skip
    assert json.loads(capsys.readouterr().out)["totals"][0]["values"]["spend"] == "10"
    file = services.export_metrics(actor=alice, kind="csv", metrics=["spend"], as_of=between, **PERIOD)
    assert "total,USD,10," in file.content.decode()


def test_every_door_takes_the_attribution(
    shelf: Shelf, alice: User, chips: Brand, at: Callable[..., Account], api: APIClient,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    rows = days(**{CLICK_7: Decimal("40"), SAME_7: Decimal("30")})
    shelf.publish(at(chips, "amazon_ads"), "advertised_product", rows=rows)
    asked: dict[str, Any] = {"metrics": ["roas", "spend"], "attribution": "common_window", "window": 7, **PERIOD}
    assert services.query_metrics(actor=alice, **asked).totals["roas"][0] == 3.0
    body = api.get("/api/v1/metrics/query/", {**asked, "metrics": "roas,spend"}).json()
    assert body["totals"][0]["values"]["roas"] == 3.0
    assert body["common_rule"] == {"click_days": 7, "match": "same_sku", "label": "7-day click, same SKU"}
    assert body["coverage"][0]["exact"] == 1.0
    assert body["lines"][0]["finality"] == {"restating_until": str(LAST + timedelta(days=14)), "missing_days": 0}
    tool = tool_named("query_metrics")
    told = tool.run(tool.input_model.model_validate(asked), user=alice)
    assert told.totals[0].values["roas"] == 3.0
    call_command("query_metrics", "--tenant=acme", "--metrics=roas", "--attribution=common_window", "--window=7",
                 f"--start={FIRST}", f"--end={LAST}", "--json")  # fmt: skip
    assert json.loads(capsys.readouterr().out)["totals"][0]["values"]["roas"] == 3.0
    text = services.export_metrics(actor=alice, kind="csv", **asked).content.decode()
    assert "# Attribution: Common window: 7-day click, same SKU for all networks" in text


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("", None),
        ("2026-03-01", datetime(2026, 3, 1, 23, 59, 59, 999999, tzinfo=UTC)),
        ("2026-03-01T09:00:00Z", datetime(2026, 3, 1, 9, tzinfo=UTC)),
        ("2026-03-01T09:00:00+02:00", datetime(2026, 3, 1, 7, tzinfo=UTC)),
        # A plus sign in an address arrives as a space.
        ("2026-03-01T09:00:00 02:00", datetime(2026, 3, 1, 7, tzinfo=UTC)),
        ("2026-03-01 09:00", datetime(2026, 3, 1, 9, tzinfo=UTC)),
    ],
)
def test_instants_are_read_in_utc(text: str, instant: datetime | None) -> None:
    assert instant_of(text) == instant
