"""The planner's tools of experiments: what they make is whole, and what they tell is the newest."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Brand, User
from jobs.core.tools import tool_named
from jobs.models import Job
from measurement import services
from measurement.models import Experiment
from tenants.core.problems import InvalidInput, Problem
from tests.jobs.attempts import work_off
from tests.measurement.conftest import END, START, as_csv, fresh, geo_rows, treated_of


def ask(tool: str, user: User, **given: Any) -> Any:
    one = tool_named(tool)
    return one.run(one.input_model(**given), user=user)


def test_a_switchback_is_designed_over_the_weeks_asked_for(chips: Brand, alice: User, storage: Any, today: Any) -> None:
    for weeks, periods in ((3, 21), (None, 28)):
        told = ask("design_experiment", alice, kind="switchback", scope="brand=chips", kpi="sales", weeks=weeks)
        work_off(Job.objects.get(pk=told.job))
        one = Experiment.objects.get(pk=told.experiment_id)
        assert one.design["candidates"][0]["duration"] == periods


def test_a_design_that_cannot_begin_leaves_no_draft(chips: Brand, alice: User, storage: Any, today: Any) -> None:
    with pytest.raises(Problem):
        ask("design_experiment", alice, kind="sku_holdout", scope="brand=chips", kpi="sales")
    assert Experiment.objects.count() == 0


@pytest.mark.parametrize("part", ["sku", "audience", "channel"])
def test_a_scope_that_an_experiment_cannot_have_is_refused(
    part: str, chips: Brand, alice: User, storage: Any, today: Any
) -> None:
    scope = f"brand=chips/{part}=one"
    with pytest.raises(InvalidInput, match=f"no {part}"):
        ask("design_experiment", alice, kind="switchback", scope=scope, kpi="sales", weeks=4)
    with pytest.raises(InvalidInput, match=f"no {part}"):
        ask("list_experiments", alice, scope=scope)
    assert Experiment.objects.count() == 0


def test_an_interim_look_is_told_as_one_and_gives_way_to_the_result(
    running: Any, send: Any, alice: User, today: Any
) -> None:
    one = running(looks="group_sequential", settings={"design": "pairs", "durations": [28], "look_at": [14]})
    send(one, as_csv(geo_rows(START + timedelta(14), treated=treated_of(one))))
    today(START + timedelta(15))
    services.analyse_experiment(experiment=fresh(one))
    early = ask("analyze_experiment", alice, experiment_id=one.label)
    assert (early.status, early.interim, bool(early.reasons)) == ("read", True, True)
    send(one, as_csv(geo_rows(END, treated=treated_of(one))))
    today(END + timedelta(1))
    services.advance(fresh(one))
    due = ask("analyze_experiment", alice, experiment_id=one.label)
    assert (due.status, due.lift) == ("being_read", None)
    work_off(Job.objects.get(pk=due.job))
    last = ask("analyze_experiment", alice, experiment_id=one.label)
    assert (last.status, last.interim, last.reasons) == ("read", False, [])


def test_a_list_of_many_asks_the_database_no_more_than_one_of_one(
    readable: Any, alice: User, django_assert_num_queries: Any
) -> None:
    one = readable()
    services.analyse_experiment(experiment=one, actor=alice)
    ask("list_experiments", alice)
    with CaptureQueriesContext(connection) as few:
        ask("list_experiments", alice)
    for _ in range(4):
        services.duplicate_experiment(actor=alice, experiment=fresh(one))
    with django_assert_num_queries(len(few)):
        told = ask("list_experiments", alice)
    assert told.count == 5
    assert told.experiments[-1].lift is not None
