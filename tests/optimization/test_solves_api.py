"""Curves and solves over REST: who may, what comes back, and that the same problem is solved once."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from accounts.core.permissions import Role
from jobs.draining import run_queued_jobs
from jobs.models import Job
from optimization import services
from optimization.models import CurveVersion, Solve
from tests import factories
from tests.conftest import api_of


def problem(**changes: Any) -> dict[str, Any]:
    cells = [
        {
            "id": name,
            "path": {"channel": "onsite search", "rmn": "Amazon", "placement": "top", "audience": "all", "sku": name},
            "response": {"family": "log", "params": {"a": a, "k": 50.0}},
        }
        for name, a in (("x", 100.0), ("y", 300.0))
    ]
    return {"schema": "rmn-budget-instance/1", "name": "two lines", "total_budget": 200.0, "cells": cells} | changes


def test_curves_are_fitted_listed_and_shown(api, market, chips):
    answer = api.post("/api/v1/curves/", {"brand": str(chips.pk), "weeks": 8}, format="json")
    assert answer.status_code == 202
    run_queued_jobs()
    assert Job.objects.get(pk=answer.json()["job_id"]).state == "succeeded"
    (listed,) = api.get("/api/v1/curves/").json()["results"]
    assert listed["number"] == 1
    assert "curves" not in listed
    shown = api.get(f"/api/v1/curves/{listed['id']}/").json()
    assert {"retailer", "placement", "sku", "family", "params", "observed_spend"} <= set(shown["curves"][0])


def test_a_repeated_request_is_one_job(api, market, chips):
    body, key = {"brand": str(chips.pk)}, {"HTTP_IDEMPOTENCY_KEY": "fit-1"}
    first, again = (api.post("/api/v1/curves/", body, format="json", **key).json() for _ in range(2))
    assert first == again
    assert Job.objects.count() == 1


@pytest.mark.parametrize("body", [{"weeks": 3}, {"weeks": 1000}, {"weaks": 8}, {"brand": "chips"}])
def test_a_wrong_fit_is_refused(api, market, body):
    assert api.post("/api/v1/curves/", body, format="json").status_code == 400
    assert not Job.objects.exists()


def test_a_problem_is_solved_once(api, acme):
    first = api.post("/api/v1/solves/", {"problem": problem()}, format="json")
    again = api.post("/api/v1/solves/", {"problem": problem(name="the same by another name")}, format="json")
    assert first.status_code == again.status_code == 201
    assert first.json()["id"] == again.json()["id"]
    assert Solve.objects.count() == 1
    solution = first.json()["solution"]
    assert solution["total_spend"] == pytest.approx(200)
    assert solution["spend"]["y"] > solution["spend"]["x"]
    assert first.json()["gap"] <= 1e-9


def test_another_current_spend_is_another_question(api, acme):
    for current in ({"x": 100.0, "y": 100.0}, {"x": 50.0, "y": 150.0}):
        api.post("/api/v1/solves/", {"problem": problem(current=current)}, format="json")
    assert Solve.objects.count() == 2


def test_infeasible_is_an_answer(api, acme):
    bounds = [{"path": ["onsite search"], "min_spend": 900.0, "max_spend": None}]
    answer = api.post("/api/v1/solves/", {"problem": problem(node_bounds=bounds)}, format="json").json()
    assert answer["status"] == "infeasible"
    assert answer["solution"]["shortfall"] == pytest.approx(700)


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"total_budget": "much"}, "total_budget"),
        ({"budget": 5}, "file"),
        ({"cells": []}, "cells"),
        ({"schema": "other/1"}, "schema"),
    ],
)
def test_a_wrong_problem_names_the_place(api, acme, change, where):
    answer = api.post("/api/v1/solves/", {"problem": problem(**change)}, format="json")
    assert answer.status_code == 400
    assert answer.json()["where"] == where
    assert not Solve.objects.exists()


def test_brands_keep_their_curves_and_solves(api, market, chips):
    dave = factories.person("dave", Role.PLANNER, brand=factories.BrandFactory(slug="nuts"))
    version = services.fit_curves(brand=chips).version
    solve = api.post("/api/v1/solves/", {"brand": str(chips.pk), "problem": problem()}, format="json").json()
    theirs = api_of(dave)
    assert theirs.get("/api/v1/curves/").json()["results"] == []
    assert theirs.get("/api/v1/solves/").json()["results"] == []
    assert theirs.get(f"/api/v1/curves/{version.pk}/").status_code == 404
    assert theirs.get(f"/api/v1/solves/{solve['id']}/").status_code == 404
    for body in ({"brand": str(chips.pk), "problem": problem()}, {"brand": str(uuid4()), "problem": problem()}):
        assert theirs.post("/api/v1/solves/", body, format="json").status_code == 404
    assert theirs.post("/api/v1/solves/", {"problem": problem()}, format="json").status_code == 403
    assert theirs.post("/api/v1/curves/", {"brand": str(chips.pk)}, format="json").status_code == 404
    assert (CurveVersion.objects.count(), Solve.objects.count()) == (1, 1)


def test_a_viewer_reads_no_curves(market, chips):
    carol = factories.person("carol", Role.VIEWER, brand=chips)
    assert api_of(carol).get("/api/v1/curves/").status_code == 403
    assert api_of(None).get("/api/v1/curves/").status_code == 401
