"""Figures of too few orders leave by no door, and cannot be subtracted back from totals."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from rest_framework.test import APIClient

from accounts.models import Brand, User
from governance.models import PolicyRule
from harmonization.models import Account
from jobs.core.tools import tool_named
from metrics import services
from metrics.core.query import query
from metrics.core.request import read_request
from metrics.core.suppression import register_suppressor, remove_suppressor, suppressed, withhold_small_cells
from metrics.core.table import MetricTable
from tests.metrics.conftest import FIRST, LAST, Shelf, days
from tests.metrics.frames import Published

PERIOD: dict[str, Any] = {"start": FIRST, "end": LAST}


def ask(events: Published, metrics: str, by: str = "campaign", k: int = 5, **more: Any) -> MetricTable:
    given: dict[str, Any] = {"start": date(2026, 2, 1), "end": date(2026, 2, 28)} | more
    request = read_request(metrics=metrics.split(), dimensions=by.split(), **given).withholding(k)
    return withhold_small_cells(query(events, request))


def lines(table: MetricTable) -> dict[str, dict[str, Any]]:
    return {line["campaign_label"]: line for line in table.lines.iter_rows(named=True)}


EVENTS = Published().add(orders="3", sales="30").add(orders="50", sales="500", campaign_name="big")


def test_a_line_of_few_orders_shows_none_of_its_buyers() -> None:
    found = lines(ask(EVENTS, "spend sales orders roas clicks"))
    small = found["core"]
    assert (small["sales"], small["orders"], small["roas"]) == (None, None, None)
    assert (small["withheld.orders"], small["withheld.sales"], small["withheld.roas"]) == ("<5", "withheld", "withheld")
    assert (small["spend"], small["clicks"]) == (Decimal("10"), 5)
    assert (found["big"]["orders"], found["big"]["withheld.orders"]) == (Decimal("50"), None)


def test_it_is_withheld_whether_or_not_orders_are_asked_for() -> None:
    assert lines(ask(EVENTS, "roas"))["core"]["roas"] is None


def test_the_totals_do_not_give_it_away() -> None:
    table = ask(EVENTS, "spend sales orders roas")
    totals = table.totals.row(0, named=True)
    assert (totals["sales"], totals["orders"]) == (Decimal("500"), Decimal("50"))
    assert totals["spend"] == Decimal("20")
    # The return is of what is shown: the spend of withheld sales is not under it.
    assert totals["roas"] == 50
    assert "small_cells" in {notice.code for notice in table.notices}


def test_lines_beyond_the_limit_are_withheld_too() -> None:
    table = ask(EVENTS, "orders spend", sort="-orders", limit=1)
    assert table.rest["orders"][0] is None
    assert table.totals["orders"][0] == Decimal("50")


def test_no_orders_and_enough_orders_are_shown() -> None:
    events = Published().add(orders="0").add(orders="5", campaign_name="five")
    found = lines(ask(events, "orders"))
    assert (found["core"]["orders"], found["five"]["orders"]) == (Decimal("0"), Decimal("5"))


def test_figures_compared_with_are_withheld_by_their_own_orders() -> None:
    events = Published().add(orders="50").add(day=date(2026, 1, 5), orders="2", sales="20")
    line = lines(ask(events, "sales", compare="previous"))["core"]
    assert (line["sales"], line["previous.sales"]) == (Decimal("40"), None)


def test_without_a_rule_nothing_is_withheld() -> None:
    table = ask(EVENTS, "orders", k=0)
    assert not [name for name in table.lines.columns if name.startswith(("withheld.", "cell."))]


@pytest.fixture
def few(shelf: Shelf, chips: Brand, at: Callable[..., Account]) -> Shelf:
    """One campaign of 3 orders and one of 56, and a policy that shows no fewer than 10."""
    shelf.publish(
        at(chips, "amazon_ads"),
        "advertised_product",
        rows=[*days(last=FIRST, campaign_name="Tiny"), *days(campaign_name="Big", sku_id="B002")],
    )
    PolicyRule.objects.create(network="amazon_ads", rule_id="cells", scope="metrics", statement="x", min_cell_k=10)
    return shelf


def test_every_door_withholds(
    few: Shelf, alice: User, api: APIClient, browser: Client, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: dict[str, Any] = {"metrics": ["orders"], "dimensions": ["campaign"], **PERIOD}
    query_of = f"metrics=orders&dimensions=campaign&start={FIRST}&end={LAST}"
    answers = [api.get(f"/api/v1/metrics/query/?{query_of}").json()]
    call_command("query_metrics", "--tenant=acme", "--metrics=orders", "--by=campaign", f"--start={FIRST}",
                 f"--end={LAST}", "--json")  # fmt: skip
    answers.append(json.loads(capsys.readouterr().out))
    for answer in answers:
        tiny = next(line for line in answer["lines"] if line["labels"]["campaign"] == "Tiny")
        assert (tiny["values"]["orders"], tiny["withheld"]) == (None, {"orders": "<10"})
    tool = tool_named("query_metrics")
    told = tool.run(tool.input_model.model_validate(asked), user=alice)
    assert {"orders": "<10"} in [line.withheld for line in told.lines]
    file = services.export_metrics(actor=alice, kind="csv", **asked).content.decode()
    assert "USD,<10," in file
    page = browser.get(f"/performance/?by=campaign&cols=orders&start={FIRST}&end={LAST}").content.decode()
    assert "&lt;10" in page


@pytest.fixture
def rounding() -> Iterator[list[MetricTable]]:
    """A suppressor that notes what it was given, as one for complementary cells would."""
    seen: list[MetricTable] = []

    def suppress(table: MetricTable) -> MetricTable:
        seen.append(table)
        return replace(table, notices=())

    register_suppressor(suppress)
    register_suppressor(suppress)
    yield seen
    remove_suppressor(suppress)


def test_a_registered_suppressor_sees_every_table_once(rounding: list[MetricTable], few: Shelf, alice: User) -> None:
    assert suppressed(ask(EVENTS, "orders")).notices == ()
    assert len(rounding) == 1
    services.query_metrics(actor=alice, metrics=["orders"], **PERIOD)
    services.export_metrics(actor=alice, kind="csv", metrics=["orders"], **PERIOD)
    assert len(rounding) == 3
