"""Factors, overrides, priors, imports and refits over REST, commands, planner and admin: one service behind all."""

from __future__ import annotations

import re
from datetime import date
from io import BytesIO, StringIO
from pathlib import Path
from uuid import uuid4

import numpy as np
import polars as pl
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command

from accounts.core.permissions import Role
from accounts.models import RoleGrant
from jobs.core.schedules import Timing
from jobs.core.tools import tool_named
from jobs.draining import run_queued_jobs
from jobs.models import Job
from jobs.selectors import schedules_of
from jobs.services import create_schedule, submit_scheduled_job
from metrics.models import FactorSet
from optimization import selectors, services
from optimization.models import CurveAdjustment, CurveVersion
from optimization.tools import ListCurvesInput
from tenants.core.problems import InvalidInput, NotAllowed, NotFound
from tests import factories
from tests.conftest import api_of, browser_of

CELL = {"retailer": "Amazon", "placement": "onsite_search_top", "sku": "SEA-SALT"}
DAYS = {"data_start": "2026-01-05", "data_end": "2026-06-28"}


@pytest.fixture
def version(market, chips) -> CurveVersion:
    return services.fit_curves(brand=chips).version


def draws(sku: str = "SEA-SALT", **changes) -> bytes:
    rng = np.random.default_rng(4)
    rows = {**{name: [value] * 60 for name, value in (CELL | {"sku": sku, "family": "log"}).items()}}
    rows |= {"draw": range(60), "a": 800.0 * np.exp(0.1 * rng.normal(size=60)), "k": [120.0] * 60}
    out = BytesIO()
    pl.DataFrame(rows | changes).write_parquet(out)
    return out.getvalue()


def upload(content: bytes) -> SimpleUploadedFile:
    return SimpleUploadedFile("draws.parquet", content)


# REST ----------------------------------------------------------------------------------------------------------------


def test_an_override_over_rest(api, version, chips):
    body = {"brand": str(chips.pk), "kind": "override", "family": "log", "a": 500.0, "k": 90.0, "reason": "A", **CELL}
    made = api.post("/api/v1/curves/adjustments/", body, format="json")
    assert made.status_code == 201, made.json()
    assert (made.json()["by"], made.json()["revoked_at"]) == ("alice", None)
    (listed,) = api.get("/api/v1/curves/adjustments/").json()["results"]
    (changed,) = api.get(f"/api/v1/curves/{version.pk}/").json()["changed"]
    assert (changed["sku"], changed["overridden"]["by"], changed["params"]["a"]) == ("SEA-SALT", "alice", 500.0)
    address = f"/api/v1/curves/adjustments/{listed['id']}/"
    assert api.get(address).json() == listed
    assert api.post(f"{address}revoke/", {}, format="json").status_code == 400
    assert api.post(f"{address}revoke/", {"reason": "B"}, format="json").json()["revoke_reason"] == "B"
    assert api.post(f"{address}revoke/", {"reason": "B"}, format="json").status_code == 409
    wrong = api.post("/api/v1/curves/adjustments/", body | {"k": -1}, format="json")
    assert wrong.status_code == 400
    assert [error["where"] for error in wrong.json()["errors"]] == ["k"]
    assert api.get(f"/api/v1/curves/adjustments/{uuid4()}/").status_code == 404


def test_factors_over_rest(api, version, chips):
    body = {"brand": str(chips.pk), "retailer": "Amazon", "mean": 0.6, "standard_error": 0.1, "reason": "Two tests"}
    made = api.post("/api/v1/curves/factors/", body, format="json")
    assert made.status_code == 201, made.json()
    found = api.get("/api/v1/curves/factors/", {"brand": str(chips.pk)}).json()
    assert found == made.json()
    assert [(one["retailer"], one["mean"], one["source"]) for one in found["factors"]] == [("Amazon", 0.6, "person")]
    assert api.get("/api/v1/curves/factors/").json() == {"sha256": "", "factors": []}
    assert api.get("/api/v1/curves/factors/", {"brand": "chips"}).status_code == 400


def test_a_file_over_rest(api, version):
    answer = api.get(f"/api/v1/curves/{version.pk}/file/", {"retailer": "Walmart"})
    assert answer.status_code == 200
    assert answer.content.decode("utf-8-sig").count("\r\nWalmart,") == 2


def test_an_import_over_rest_is_one_version(api, version, chips):
    body = {"brand": str(chips.pk), "source": "PyMC-Marketing", **DAYS}
    made = api.post("/api/v1/curves/imports/", body | {"file": upload(draws())}, format="multipart")
    again = api.post("/api/v1/curves/imports/", body | {"file": upload(draws())}, format="multipart")
    assert (made.status_code, again.status_code) == (201, 200), made.json()
    assert made.json()["id"] == again.json()["id"]
    assert (made.json()["method"], made.json()["number"]) == ("imported", 2)
    kept = CurveVersion.objects.get(pk=made.json()["id"])
    assert kept.curves[0]["params"]["k"] == pytest.approx(120.0)
    curves = selectors.posterior_draws(kept)["Amazon|onsite_search_top|SEA-SALT"]
    assert len(curves) == 60
    wrong = api.post("/api/v1/curves/imports/", body | {"file": upload(draws(sku="SALT"))}, format="multipart")
    assert wrong.status_code == 400
    assert wrong.json()["errors"][0]["where"] == "row 1, column sku"
    assert CurveVersion.objects.count() == 2


@pytest.mark.parametrize(
    ("given", "where"),
    [
        ({"source": " "}, "source"), ({"data_end": date(2025, 1, 1)}, "data_end"), ({"currency": "usd"}, "currency"),
    ],
)  # fmt: skip
def test_what_must_be_said_of_an_import(version, chips, alice, given, where):
    right = {"source": "PyMC", "data_start": date(2026, 1, 5), "data_end": date(2026, 6, 28)}
    with pytest.raises(InvalidInput) as told:
        services.import_curves(actor=alice, brand=chips, content=draws(), **right | given)
    assert told.value.where == where


def test_fitting_after_an_import_and_importing_after_a_fit_lead_back(version, chips, alice):
    def imported():
        return services.import_curves(
            actor=alice, brand=chips, content=draws(), source="PyMC", data_start=date(2026, 1, 5),
            data_end=date(2026, 6, 28),
        )  # fmt: skip

    made = [imported(), services.fit_curves(brand=chips), imported(), imported()]
    assert [(one.version.number, one.created) for one in made] == [(2, True), (3, True), (4, True), (4, False)]
    assert selectors.latest_curves(brand=chips) == made[2].version


def test_a_scenario_is_solved_with_imported_curves(version, chips, alice):
    made = services.import_curves(
        actor=alice,
        brand=chips,
        content=draws(),
        source="PyMC",
        data_start=date(2026, 1, 5),
        data_end=date(2026, 6, 28),
    ).version
    assert selectors.latest_curves(brand=chips) == made
    assert len(selectors.curves_in_use(made).records) == 1


# Commands ------------------------------------------------------------------------------------------------------------


def call(name: str, *given: str, brand: bool = True, as_alice: bool = True) -> str:
    out = StringIO()
    scope = [*(["--brand", "chips"] if brand else []), *(["--as", "alice@example.com"] if as_alice else [])]
    call_command(name, *given, "--tenant", "acme", *scope, stdout=out)
    return out.getvalue()


def test_commands_of_overrides(version, chips, alice):
    scope = [f"--{name}={value}" for name, value in CELL.items()]
    assert "counts from now on" in call(
        "adjust_curves", "override", "--family=log", "--a=500", "--k=90", "--reason=The May test", *scope
    )
    held = CurveAdjustment.objects.get()
    assert (held.created_by, held.a) == (alice, 500.0)
    with pytest.raises(CommandError, match="not more than zero"):
        call("adjust_curves", "override", "--family=log", "--a=500", "--k=0", "--reason=No", *scope)
    assert "is revoked" in call("revoke_adjustment", str(held.pk), "--reason=A typo", brand=False)
    with pytest.raises(CommandError, match="Nobody here"):
        call_command("revoke_adjustment", str(held.pk), "--reason=x", "--tenant=acme", "--as=eve@example.com")


def test_command_of_a_factor(version, chips, alice):
    assert "Version 1 counts" in call(
        "set_factor", "0.6", "--standard-error=0.1", "--reason=Tests", "--retailer=Amazon"
    )
    assert FactorSet.objects.get().published_by == alice


def test_command_of_an_import(version, chips, tmp_path: Path):
    file = tmp_path / "draws.parquet"
    file.write_bytes(draws())
    days = ("--data-start=2026-01-05", "--data-end=2026-06-28")
    assert "1 cells: made" in call("import_curves", str(file), "--source=PyMC", *days, as_alice=False)
    file.write_bytes(draws(k=[-1.0] * 60))
    with pytest.raises(CommandError, match="row 1, column k"):
        call("import_curves", str(file), "--source=PyMC", *days, as_alice=False)


# Refits --------------------------------------------------------------------------------------------------------------


def test_refits_are_scheduled_seen_and_switched_off(market, chips, alice):
    assert "crontab 30 5 * * 1 UTC, on" in call("schedule_refits")
    schedule = services.refits_of(brand=chips)
    job = submit_scheduled_job(schedule_id=schedule.id)
    run_queued_jobs()
    job.refresh_from_db()
    assert (job.state, job.title) == ("succeeded", "Refit response curves, Chips"), job.problem
    assert CurveVersion.objects.get().created_by == alice
    assert services.fit_curves(brand=chips).created is False, "the same data are the same version"
    services.schedule_refits(actor=alice, brand=chips, on=False)
    assert services.refits_of(brand=chips).enabled is False
    services.schedule_refits(actor=alice, brand=chips)
    assert services.refits_of(brand=chips).id == schedule.id
    assert services.refits_of(brand=None) is None
    assert services.schedule_refits(actor=alice, on=False) is None


def test_of_several_refits_of_one_scope_one_stays(market, chips, alice):
    twins = [
        create_schedule(
            kind="optimization.fit", params={"brand": str(chips.pk), "weeks": 52}, actor=alice,
            timing=Timing(crontab="30 5 * * 1"), brand=chips,
        )
        for _ in range(3)
    ]  # fmt: skip
    other = create_schedule(
        kind="optimization.fit", params={"brand": None, "weeks": 52}, actor=alice, timing=Timing(crontab="0 4 * * 1")
    )
    kept = services.schedule_refits(actor=alice, brand=chips)
    assert kept.id in {one.id for one in twins}
    assert {one.id for one in schedules_of(kind="optimization.fit")} == {kept.id, other.id}


def test_who_may_schedule_refits(market, chips):
    with pytest.raises(NotAllowed):
        services.schedule_refits(actor=factories.person("carol", Role.ANALYST, brand=chips), brand=chips)
    nuts = factories.BrandFactory(slug="nuts")
    with pytest.raises(NotFound):
        services.schedule_refits(actor=factories.person("dave", Role.OWNER, brand=nuts), brand=chips)


# Pages of those ------------------------------------------------------------------------------------------------------


def test_the_page_switches_refits(browser, market, chips):
    assert browser.post("/curves/refits/", {"brand": str(chips.pk), "on": "1"}).status_code == 302
    assert services.refits_of(brand=chips).enabled
    assert "every week" in browser.get("/curves/").content.decode()
    browser.post("/curves/refits/", {"brand": str(chips.pk), "on": "0"})
    assert not services.refits_of(brand=chips).enabled


def test_a_fit_may_be_the_first_of_weekly_ones(browser, market, chips):
    browser.post("/curves/fit/", {"brand": str(chips.pk)})
    assert services.refits_of(brand=chips) is None
    browser.post("/curves/fit/", {"brand": str(chips.pk), "weekly": "1"})
    services.schedule_refits(actor=Job.objects.first().actor, brand=chips, on=False)
    browser.post("/curves/fit/", {"brand": str(chips.pk), "weekly": "1"})
    assert services.refits_of(brand=chips).enabled is False, "what was switched off stays off"


def test_a_fit_is_not_refused_for_a_schedule_that_somebody_may_not_make(market, chips):
    bob = factories.person("bob", Role.PLANNER, brand=chips)
    RoleGrant.objects.create(user=bob, role=Role.DATA_ENGINEER, brand=factories.BrandFactory(slug="nuts"))
    assert browser_of(bob).post("/curves/fit/", {"brand": str(chips.pk), "weekly": "1"}).status_code == 302
    assert Job.objects.get().kind == services.FIT
    assert services.refits_of(brand=chips) is None


def test_the_page_imports(browser, version, chips):
    body = {"brand": str(chips.pk), "source": "PyMC", **DAYS}
    answer = browser.post("/curves/import/", body | {"file": upload(draws())})
    made = selectors.latest_curves(brand=chips)
    assert (answer.status_code, answer["Location"]) == (302, f"/curves/{made.pk}/")
    page = browser.get(answer["Location"]).content.decode()
    assert "not checked" in page
    wrong = browser.post("/curves/import/", body | {"file": upload(draws(sku="SALT"))})
    assert wrong.status_code == 400
    assert "row 1, column sku" in wrong.content.decode()
    assert browser.post("/curves/import/", {"brand": str(chips.pk)}).status_code == 400


# Planner and admin ---------------------------------------------------------------------------------------------------


def test_the_form_of_an_override_begins_with_digits_that_a_person_would_type(browser, version):
    page = browser.get(f"/curves/{version.pk}/cell/?retailer=Amazon&placement=onsite_search_top&sku={CELL['sku']}")
    shown = re.findall(r'name="[ak]"[^>]*value="([^"]*)"', page.content.decode())
    assert len(shown) == 2
    assert all(len(text.replace(".", "").strip("0")) <= 5 for text in shown), shown


def test_the_planner_hears_of_overrides_factors_and_checks(version, chips, alice):
    services.adjust_curves(
        actor=alice, kind="override", brand=chips, family="log", a=500.0, k=90.0, reason="The May test", **CELL
    )
    services.set_factor(actor=alice, brand=chips, retailer="Amazon", mean=0.6, standard_error=0.1, reason="Tests")
    told = tool_named("list_response_curves").run(ListCurvesInput(retailer="Amazon", sku="SEA-SALT"), user=alice)
    found = {one.placement: one for one in told.curves}
    assert (found["onsite_search_top"].overridden_by, found["onsite_search_top"].a) == ("alice", 500.0)
    assert found["onsite_display"].overridden_by == ""
    assert {one.factor for one in told.curves} == {0.6}
    assert told.unseen_weeks_error is None
    assert "16 are needed" in told.warnings[0]


def test_the_admin_adds_and_revokes_through_the_services(browser, version, chips, alice):
    address = "/admin/optimization/curveadjustment/"
    typed = {"brand": str(chips.pk), "kind": "override", "family": "log", "a": "500", "k": "90", "reason": "A", **CELL}
    wrong = browser.post(f"{address}add/", typed | {"sku": "SALT"})
    assert wrong.status_code == 200
    assert "No curve has the sku" in wrong.content.decode()
    assert browser.post(f"{address}add/", typed).status_code == 302
    held = CurveAdjustment.objects.get()
    assert held.created_by == alice
    assert browser.get(f"{address}{held.pk}/change/").status_code == 200
    browser.post(address, {"action": "revoke", "_selected_action": [str(held.pk)]})
    held.refresh_from_db()
    assert held.revoked_by == alice
    reader = browser_of(factories.person("erin", Role.COMPLIANCE))
    assert reader.get(address).status_code == 200
    assert reader.get(f"{address}add/").status_code == 403


def test_a_stranger_finds_nothing(version, chips, alice):
    held = services.adjust_curves(
        actor=alice, kind="override", brand=chips, family="log", a=500.0, k=90.0, reason="A", **CELL
    )
    stranger = api_of(factories.person("dave", Role.ANALYST, brand=factories.BrandFactory(slug="nuts")))
    for address in (f"adjustments/{held.pk}/", f"{version.pk}/file/", f"{version.pk}/"):
        assert stranger.get(f"/api/v1/curves/{address}").status_code == 404, address
    assert stranger.get("/api/v1/curves/adjustments/").json()["results"] == []
    assert not Job.objects.exists()
