"""Publishing factors: who may, what is refused, and that what was published stays as it is."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import ProgrammingError, transaction
from django.db.models import ProtectedError
from django.test import Client
from rest_framework.test import APIClient

from accounts.core.permissions import Role
from accounts.history import changes
from accounts.models import Brand, User
from metrics import services
from metrics.models import FactorSet, IncrementalityFactor
from metrics.selectors import factors_for
from tenants.core.problems import InvalidInput, NotAllowed, NotFound
from tests import factories
from tests.conftest import api_of, browser_of
from tests.metrics.conftest import FIRST, LAST, Shelf

HALF = services.NewFactor(
    low=Decimal("0.4"), value=Decimal("0.5"), high=Decimal("0.6"), evidence="experiment", method="weekly geo lift"
)
FILE = "retailer,low,value,high,evidence,method,valid_from\namazon_ads,0.4,0.5,0.6,experiment,geo,2026-02-01\n"
PERIOD: dict[str, Any] = {"start": FIRST, "end": LAST}


def publish(actor: User, *factors: services.NewFactor, **more: Any) -> services.Published:
    return services.publish_factors(actor=actor, source="GT-001", factors=list(factors or (HALF,)), **more)


def test_published_factors_make_incremental_figures(published: Shelf, alice: User) -> None:
    publish(alice)
    asked: dict[str, Any] = {"metrics": ["roas", "iroas_low"], "attribution": "incremental", **PERIOD}
    table = services.query_metrics(actor=alice, **asked)
    assert table.totals["roas"][0] == pytest.approx(7.5 * 0.5)
    assert table.totals["iroas_low"][0] == pytest.approx(7.5 * 0.4)
    assert [factor.source for factor in table.provenance.factors] == ["GT-001"]
    notes = services.export_metrics(actor=alice, kind="csv", **asked).content.decode()
    assert "# Factor for everything: 0.5 (0.4 to 0.6 at 80%), randomised experiment: weekly geo lift. GT-001" in notes


def test_the_same_is_published_once_and_a_later_set_counts_first(acme: object, alice: User) -> None:
    first, again = publish(alice), publish(alice)
    assert (first.created, again.created) == (True, False)
    assert again.factor_set == first.factor_set
    later = publish(alice, replace(HALF, value=Decimal("0.45")))
    assert (first.factor_set.version, later.factor_set.version) == (1, 2)
    assert {factor.version for factor in factors_for(brand_ids=[])} == {1, 2}


def test_what_was_published_cannot_be_changed_or_removed(acme: object, alice: User) -> None:
    made = publish(alice).factor_set
    for change in (
        lambda: IncrementalityFactor.objects.update(value=1),
        lambda: IncrementalityFactor.objects.all().delete(),
        lambda: FactorSet.objects.update(note="x"),
        lambda: FactorSet.objects.filter(pk=made.pk).delete(),
    ):
        with (
            pytest.raises((ProgrammingError, ProtectedError), match=r"Cannot (update or )?delete"),
            transaction.atomic(),
        ):
            change()
    assert IncrementalityFactor.objects.get().value == Decimal("0.5")


def test_publishing_is_on_record(acme: object, alice: User) -> None:
    made = publish(alice).factor_set
    change = changes(kind="metrics.FactorSet")[0]
    assert (change.action, change.object_id) == ("created", str(made.pk))


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"low": Decimal("0.55")}, "value"),
        ({"high": Decimal("NaN")}, "high"),
        ({"value": Decimal("0.1234567")}, "value"),
        ({"high": Decimal(11)}, "high"),
        ({"level": Decimal(80)}, "level"),
        ({"evidence": "hope"}, "evidence"),
        ({"method": " "}, "method"),
        ({"outcome": "clicks"}, "outcome"),
        ({"placement": "shelf"}, "placement"),
        ({"retailer": "00000000-0000-0000-0000-000000000000"}, "retailer"),
    ],
)
def test_a_factor_that_breaks_a_rule_is_named(acme: object, alice: User, change: dict[str, Any], where: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        publish(alice, replace(HALF, placement="onsite_home"), replace(HALF, **change))
    assert caught.value.where == f"factor 2, {where}"
    assert not FactorSet.objects.exists()


def test_two_factors_for_the_same_rows_are_refused(acme: object, alice: User) -> None:
    with pytest.raises(InvalidInput, match="An earlier one"):
        publish(alice, HALF, HALF)
    publish(alice, replace(HALF, valid_to=FIRST), replace(HALF, valid_from=LAST))


def test_who_may_publish(published: Shelf, carol: User, chips: Brand, nuts: Brand) -> None:
    with pytest.raises(NotAllowed):
        publish(carol, brand=nuts)
    ann = factories.person("ann", Role.ANALYST, brand=nuts)
    publish(ann, brand=nuts)
    with pytest.raises(NotAllowed):
        publish(ann)
    with pytest.raises(NotFound):
        publish(ann, brand=chips)


def test_a_brands_factor_is_for_its_rows_and_its_people(
    published: Shelf, alice: User, nuts: Brand, carol: User
) -> None:
    publish(alice, brand=nuts)
    asked: dict[str, Any] = {"metrics": ["incremental_sales"], "dimensions": ["brand"], **PERIOD}
    lines = services.query_metrics(actor=alice, **asked).lines
    assert dict(lines.select("brand_label", "incremental_sales").rows()) == {"Chips": 2240, "Nuts": 560}
    peter = factories.person("peter", Role.VIEWER, brand=Brand.objects.get(slug="chips"))
    assert api_of(carol).get("/api/v1/metrics/factors/").json()["count"] == 1
    assert api_of(peter).get("/api/v1/metrics/factors/").json()["count"] == 0


def test_rest_publishes_and_lists(acme: object, api: APIClient) -> None:
    body = {
        "source": "GT-7",
        "factors": [{"low": "0.4", "value": "0.5", "high": "0.6", "evidence": "experiment", "method": "geo"}],
    }
    made = api.post("/api/v1/metrics/factors/", body, format="json")
    assert (made.status_code, made.json()["version"]) == (201, 1)
    assert api.post("/api/v1/metrics/factors/", body, format="json").status_code == 200
    listed = api.get("/api/v1/metrics/factors/").json()["results"]
    assert [row["factors"][0]["value"] for row in listed] == ["0.500000"]
    wrong = api.post("/api/v1/metrics/factors/", {**body, "colour": "red"}, format="json")
    assert wrong.status_code == 400


def test_the_command_publishes_a_file(
    acme: object, alice: User, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    factories.RetailerFactory(slug="amazon_ads")
    file = tmp_path / "factors.csv"
    file.write_text(FILE)
    given = [str(file), "--tenant=acme", f"--as={alice.email}", "--source=GT-2"]
    call_command("publish_factors", *given)
    call_command("publish_factors", *given)
    assert capsys.readouterr().out.splitlines() == [
        "Version 1: published.", "Version 1: published before; nothing changed.",
    ]  # fmt: skip
    row = IncrementalityFactor.objects.get()
    assert (row.retailer.slug, row.valid_from, row.level) == ("amazon_ads", row.valid_from, Decimal("0.8"))
    with pytest.raises(CommandError, match="Nobody here"):
        call_command("publish_factors", str(file), "--tenant=acme", "--as=nobody@example.com", "--source=x")


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("low,value,high,evidence,method,colour\n", "line 1"),
        ("low,value,high,evidence\n", "line 1"),
        (FILE + "nowhere,0.4,0.5,0.6,experiment,geo,\n", "line 3"),
        (FILE + "amazon_ads,much,0.5,0.6,experiment,geo,\n", "line 3"),
        (FILE + "amazon_ads,0.4,0.5,0.6,experiment,geo,soon\n", "line 3"),
        (FILE + "amazon_ads,0.4\n", "line 3"),
    ],
)
def test_a_file_that_cannot_be_read_names_the_line(acme: object, text: str, where: str) -> None:
    factories.RetailerFactory(slug="amazon_ads")
    with pytest.raises(InvalidInput) as caught:
        services.read_factor_file(text)
    assert caught.value.where == where


def test_the_page_shows_and_publishes(
    published: Shelf, browser: Client, alice: User, carol: User, tmp_path: Path
) -> None:
    file = tmp_path / "factors.csv"
    file.write_text(FILE)
    with file.open("rb") as body:
        answer = browser.post("/performance/factors/", {"source": "GT-3", "file": body}, follow=True)
    page = answer.content.decode()
    assert "Version 1 is published" in page
    assert "Version 1: GT-3" in page
    seen = browser_of(carol).get("/performance/factors/").content.decode()
    assert "Version 1: GT-3" in seen
    assert "Publish factors" not in seen
    refused = browser.post("/performance/factors/", {"source": "GT-4"}, follow=True)
    assert "The column" in refused.content.decode()
