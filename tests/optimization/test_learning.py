"""Learning programmes: weeks proposed, accepted, published and observed; once each, and the same again from the log."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from decimal import Decimal

import numpy as np
import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from accounts.core.permissions import Role
from jobs.draining import run_queued_jobs
from jobs.selectors import schedules_of
from jobs.services import submit_scheduled_job
from optimization import learning_judgements
from optimization.core.learning.log import LearningLog, UnusableLog
from optimization.core.learning.policies import NothingAllowed
from optimization.core.learning.replay import replay
from optimization.core.problem import GlobalConstraint, GlobalKind
from optimization.learning_models import LearningObservation, LearningProgramme, LearningWeek
from optimization.learning_presenters import programme_context
from optimization.models import Solve
from optimization.selectors import learning as selectors
from optimization.selectors.learning_history import allocator_of, learner_of, log_of, newest_week
from optimization.services import learning as services
from tenants.core.problems import Conflict, InvalidInput, NotAllowed, NotFound
from tests import factories
from tests.optimization.programme import BESIDE, monday, publish_week, solved, started


@pytest.fixture(autouse=True)
def _no_cache(fresh_cache: None) -> None:
    """Figures are kept under the version of the data, which starts anew in every test."""


def factors(programme: LearningProgramme, number: int) -> tuple[np.ndarray, np.ndarray]:
    """Median return factor of each line in a week's proposal, and the width of its 80 % interval."""
    lines = programme.weeks.get(number=number).lines
    return (
        np.array([line["factor"] for line in lines]),
        np.array([np.log(line["factor_high"] / line["factor_low"]) for line in lines]),
    )


def run_week(market, programme, alice, number, **published):
    week = services.propose_week(programme=programme, week=monday(number)).week
    services.decide_week(actor=alice, week=week, accept=True)
    publish_week(market, week, **published)
    services.observe_weeks(programme=programme)
    return week


def test_weeks_are_proposed_accepted_observed_and_learnt_from(market, chips, alice):
    programme = started(market, alice)
    for number in range(6):
        run_week(market, programme, alice, number)
    services.propose_week(programme=programme, week=monday(6))
    assert [one.status for one in programme.weeks.order_by("number")] == ["observed"] * 6 + ["proposed"]
    (first, wide), (last, narrow) = factors(programme, 0), factors(programme, 6)
    assert (narrow < wide).all(), "what was seen narrows every interval"
    ids = [line["cell"] for line in programme.weeks.get(number=0).lines]
    order = np.argsort(ids)
    assert np.corrcoef(np.log(last[order]), np.log(np.array(BESIDE)[order_of(ids)][order]))[0, 1] > 0.8
    assert not np.allclose(first, last)
    checked = services.check_replay(programme=programme)
    assert (checked.equal, checked.weeks) == (True, 7)


def order_of(ids: list[str]) -> list[int]:
    """Where each cell stands in the market's table."""
    table = [
        "Amazon|onsite_search_top|SEA-SALT", "Amazon|onsite_search_top|PAPRIKA", "Amazon|onsite_display|SEA-SALT",
        "Walmart|onsite_search_top|SEA-SALT", "Walmart|onsite_search_top|VINEGAR",
    ]  # fmt: skip
    return [table.index(name) for name in ids]


def test_a_proposal_spends_the_budget_to_the_cent_and_says_why(market, alice):
    week = services.propose_week(programme=started(market, alice), week=monday(0)).week
    assert sum(Decimal(line["proposed"]) for line in week.lines) == Decimal("1100.00")
    assert Decimal(week.summary["spend"]) == Decimal("1100.00")
    assert all(line["why"] and line["factor_low"] < line["factor"] < line["factor_high"] for line in week.lines)
    assert week.summary["gap"] <= 1e-9
    assert week.decision["log_density"] is not None
    assert all(0.0 <= chance < 1.0 for chance in week.decision["probe_chance"])


def test_a_week_is_proposed_once(market, alice):
    programme = started(market, alice)
    first, again = (services.propose_week(programme=programme, week=monday(0)) for _ in range(2))
    assert (first.created, again.created) == (True, False)
    assert first.week.pk == again.week.pk
    services.propose_week(programme=programme, week=monday(2))
    with pytest.raises(Conflict, match="past"):
        services.propose_week(programme=programme, week=monday(1))
    with pytest.raises(InvalidInput, match="no Monday"):
        services.propose_week(programme=programme, week=monday(3) + timedelta(days=1))


def test_a_week_too_far_ahead_is_refused_and_a_skipped_one_holds_up_nothing(market, alice):
    programme = started(market, alice)
    with pytest.raises(InvalidInput, match="too far ahead"):
        services.propose_week(programme=programme, week=monday(700))
    ahead = services.propose_week(programme=programme, week=monday(3)).week
    with pytest.raises(Conflict, match="skip the later one"):
        services.propose_week(programme=programme, week=monday(0))
    services.decide_week(actor=alice, week=ahead, accept=False)
    made = services.propose_week(programme=programme, week=monday(0)).week
    assert newest_week(programme) == programme_context(programme)["week"] == made
    (listed,) = selectors.programmes_listed(user=alice)
    assert listed.newest == [made]
    assert services.check_replay(programme=programme).equal


def test_a_programme_of_many_years_takes_in_its_latest_weeks(market, alice):
    programme = started(market, alice, first_week=monday(-200))
    seen = services.observe_weeks(programme=programme)
    assert [one.monday for one in seen] == [monday(week) for week in range(-10, -2)], "two are still restated"


def test_the_page_reads_the_lines_of_the_newest_week_alone(market, alice):
    programme = started(market, alice)
    for number in range(3):
        services.propose_week(programme=programme, week=monday(number))
    with CaptureQueriesContext(connection) as asked:
        shown = programme_context(programme)
    (read,) = [query["sql"] for query in asked if '"lines"' in query["sql"]]
    assert shown["week"].pk.hex in read.replace("-", ""), "of one week, by its id"
    for week in programme.weeks.all():
        LearningWeek.objects.filter(pk=week.pk).update(
            summary={name: value for name, value in week.summary.items() if name != "spread_tenths"}
        )
    assert programme_context(programme)["spread"] == shown["spread"], "as the lines themselves say"


def test_figures_are_taken_in_once_and_only_when_final(market, alice):
    programme = started(market, alice)
    week = services.propose_week(programme=programme, week=monday(0)).week
    assert services.observe_weeks(programme=programme) == []
    publish_week(market, week, restatement_days=14)
    assert services.observe_weeks(programme=programme) == [], "they may still be restated"
    publish_week(market, services.propose_week(programme=programme, week=monday(1)).week, restatement_days=0)
    assert [one.number for one in services.observe_weeks(programme=programme)] == [0, 1]
    assert services.observe_weeks(programme=programme) == []
    assert {one.status for one in programme.weeks.all()} == {"skipped"}, "nobody accepted them in time"


def test_restated_sales_move_the_beliefs_and_leave_what_was_proposed(market, alice):
    programme = started(market, alice)
    for number in range(3):
        run_week(market, programme, alice, number)
    before = services.propose_week(programme=programme, week=monday(3)).week
    believed = learner_of(programme, allocator_of(programme)).posterior(4, np.zeros((5, 3)))
    # As if the network had counted a tenth of the sales at first.
    rows = {one.number: one for one in programme.observations.all()}
    old = rows[1]
    LearningObservation.objects.filter(pk=old.pk).update(sales=[0.1 * one for one in old.sales])
    told = services.observe_weeks(programme=programme)
    assert [(one.number, one.version) for one in told] == [(1, 2)]
    assert told[0].sales == old.sales
    again = learner_of(programme, allocator_of(programme)).posterior(4, np.zeros((5, 3)))
    assert again.mean == pytest.approx(believed.mean, abs=1e-12), "the last word on each week is what counts"
    before.refresh_from_db()
    assert before.known == {"0": 1, "1": 1, "2": 1}
    assert services.propose_week(programme=programme, week=monday(4)).week.known == {"0": 1, "1": 2, "2": 1}


def test_a_touched_log_is_found_out(market, alice):
    programme = started(market, alice)
    for number in range(2):
        run_week(market, programme, alice, number)
    services.propose_week(programme=programme, week=monday(2))
    one = programme.observations.get(number=1)
    LearningObservation.objects.filter(pk=one.pk).update(sales=[3.0 * amount for amount in one.sales])
    found = services.check_replay(programme=programme)
    assert not found.equal
    assert "Week 2" in found.detail


def test_a_log_is_judged_once_for_each_of_its_states(market, alice, fresh_cache, monkeypatch):
    programme = started(market, alice, settings={"temperature": 0.3, "reserve": 0.0})
    for number in range(2):
        run_week(market, programme, alice, number)
    asked = []
    for name in ("replay", "estimate_revenue"):
        truly = getattr(services, name)
        monkeypatch.setattr(
            services, name, lambda *one, name=name, truly=truly, **two: asked.append(name) or truly(*one, **two)
        )
    for _ in range(2):
        assert services.check_replay(programme=programme).weeks == 2
        one, other = (services.estimate_programme(programme=programme, temperature=heat) for heat in (0.2, 0.25))
        assert one != other
    assert sorted(asked) == ["estimate_revenue"] * 2 + ["replay"]
    run_week(market, programme, alice, 2)
    assert services.check_replay(programme=programme).weeks == 3
    assert asked.count("replay") == 2
    # Another release has not decided again yet, so it does not say that it decides alike.
    monkeypatch.setattr(learning_judgements, "code_digest", lambda: "another release")
    assert services.check_replay(programme=programme).weeks == 3
    assert asked.count("replay") == 3


def test_the_log_is_a_file_that_decides_again(market, alice):
    programme = started(market, alice)
    for number in range(2):
        run_week(market, programme, alice, number)
    file = services.export_log(user=alice, programme=programme)
    assert file.name == "LP-0001.jsonl"
    log = LearningLog.from_lines(file.content.decode().splitlines())
    assert len(replay(log, allocator_of(programme))) == 2
    viewer = factories.person("carol", Role.VIEWER, brand=market.brand)
    with pytest.raises(NotAllowed):
        services.export_log(user=viewer, programme=programme)


def test_other_settings_are_judged_by_the_log(market, alice):
    programme = started(market, alice, settings={"temperature": 0.3, "reserve": 0.0})
    with pytest.raises(UnusableLog, match="Fewer than two"):
        services.estimate_programme(programme=programme, temperature=0.2)
    for number in range(4):
        run_week(market, programme, alice, number)
    found = services.estimate_programme(programme=programme, temperature=0.2)
    assert found.weeks == 4
    assert found.revenue == pytest.approx(found.logged, rel=0.5)
    with pytest.raises(UnusableLog, match="cannot be judged"):
        services.estimate_programme(programme=programme, temperature=0.9)


def test_an_empty_shelf_gets_nothing_that_week(market, alice):
    programme = started(market, alice)
    market.empty_shelf("B002")
    week = services.propose_week(programme=programme, week=monday(0)).week
    paprika = next(line for line in week.lines if line["cell"].endswith("PAPRIKA"))
    assert (paprika["proposed"], paprika["out_of_stock"], paprika["probed"]) == ("0.00", True, False)
    assert week.problem_sha256 != programme.problem_sha256
    assert week.summary["out_of_stock"] == [paprika["cell"]]
    assert services.check_replay(programme=programme).equal


def test_limits_of_the_solved_problem_hold_every_week(market, alice):
    limit = GlobalConstraint(GlobalKind.MIN_ROAS, 2.0)
    programme = started(market, alice, solve=solved(market, global_constraints=[limit]))
    for number in range(2):
        week = run_week(market, programme, alice, number)
        drawn = sum(
            line["drawn"] / line["factor"] * line["expected_sales"] for line in week.lines if float(line["proposed"])
        )
        assert drawn >= 1.9 * float(week.summary["spend"])
    assert services.check_replay(programme=programme).equal


def test_a_limit_out_of_reach_is_said_and_nothing_is_stored(market, alice):
    solve = solved(market)
    problem = solve.problem | {"global_constraints": [{"kind": "min_roas", "value": 900.0, "scope": []}]}
    problem["cells"] = [{**cell, "min_spend": 50.0} for cell in problem["cells"]]
    Solve.objects.filter(pk=solve.pk).update(problem=problem)
    solve.refresh_from_db()
    programme = started(market, alice, solve=solve)
    with pytest.raises(NothingAllowed, match="limits on return"):
        services.propose_week(programme=programme, week=monday(0))
    assert not LearningWeek.objects.exists()


def test_who_may_what(market, chips, alice):
    programme = started(market, alice)
    week = services.propose_week(programme=programme, week=monday(0)).week
    carol = factories.person("carol", Role.PLANNER, brand=chips)
    erin = factories.person("erin", Role.APPROVER, brand=chips)
    dave = factories.person("dave", Role.OWNER, brand=factories.BrandFactory(slug="nuts"))
    with pytest.raises(NotAllowed):
        services.decide_week(actor=carol, week=week, accept=True)
    with pytest.raises(NotAllowed):
        services.set_programme_status(actor=erin, programme=programme, status="paused")
    for act in (
        lambda: services.decide_week(actor=dave, week=week, accept=True),
        lambda: services.request_run(actor=dave, programme=programme),
        lambda: services.start_programme(actor=dave, solve=programme.solve, name="x", first_week=monday(0)),
        lambda: selectors.programme_visible(user=dave, programme_id=programme.pk),
        lambda: selectors.week_visible(user=dave, week_id=week.pk),
    ):
        with pytest.raises(NotFound):
            act()
    assert list(selectors.programmes_listed(user=dave)) == []
    accepted = services.decide_week(actor=erin, week=week, accept=True)
    assert (accepted.status, accepted.decided_by) == ("accepted", erin)
    assert services.decide_week(actor=erin, week=week, accept=True).status == "accepted"
    with pytest.raises(Conflict, match="is accepted"):
        services.decide_week(actor=erin, week=week, accept=False)


def test_paused_rests_and_ended_stays_ended(market, alice):
    programme = started(market, alice)
    services.set_programme_status(actor=alice, programme=programme, status="paused")
    programme.refresh_from_db()
    for act in (
        lambda: services.propose_week(programme=programme, week=monday(0)),
        lambda: services.request_run(actor=alice, programme=programme),
        lambda: services.schedule_programme(actor=alice, programme=programme),
    ):
        with pytest.raises(Conflict, match="is paused"):
            act()
    services.set_programme_status(actor=alice, programme=programme, status="active")
    services.set_programme_status(actor=alice, programme=programme, status="ended")
    with pytest.raises(Conflict, match="has ended"):
        services.set_programme_status(actor=alice, programme=programme, status="active")


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"first_week": monday(0) + timedelta(days=1)}, "first_week"),
        ({"first_week": date(1, 1, 1)}, "first_week"),
        ({"first_week": date(9999, 12, 27)}, "first_week"),
        ({"name": "  "}, "name"),
        ({"weekly_budget": Decimal(0)}, "weekly_budget"),
        ({"weekly_budget": Decimal("0.001")}, "weekly_budget"),
        ({"weekly_budget": Decimal("1e13")}, "weekly_budget"),
        ({"weekly_budget": Decimal("1e400")}, "weekly_budget"),
        ({"weekly_budget": Decimal("sNaN")}, "weekly_budget"),
        ({"problem_weeks": 0.0}, "problem_weeks"),
        ({"settings": {"temperature": 0.9}}, "settings.temperature"),
        ({"settings": {"heat": 0.1}}, "settings.heat"),
        ({"settings": {"reserve": float("nan")}}, "settings.reserve"),
    ],
)
def test_a_wrong_start_names_the_place(market, alice, changes, where):
    with pytest.raises(InvalidInput) as caught:
        started(market, alice, **changes)
    assert caught.value.where == where
    assert not LearningProgramme.objects.exists()


@pytest.mark.parametrize("total", [0.001, 1e15])
def test_a_problem_of_no_or_of_all_money_is_refused(market, alice, total):
    solve = solved(market)
    Solve.objects.filter(pk=solve.pk).update(problem=solve.problem | {"total_budget": total})
    solve.refresh_from_db()
    with pytest.raises(InvalidInput) as caught:
        started(market, alice, solve=solve)
    assert caught.value.where == "weekly_budget"


def test_a_problem_that_no_report_speaks_of_is_refused(market, alice):
    solve = solved(market)
    problem = solve.problem
    problem["cells"][0]["id"] = "somewhere"
    Solve.objects.filter(pk=solve.pk).update(problem=problem)
    solve.refresh_from_db()
    with pytest.raises(InvalidInput, match="which line of the reports"):
        started(market, alice, solve=solve)


def test_the_job_observes_and_proposes_and_does_it_once(market, alice):
    programme = started(market, alice)
    week = services.propose_week(programme=programme, week=monday(0)).week
    publish_week(market, week)
    jobs = [services.request_run(actor=alice, programme=programme, week=monday(1)) for _ in range(2)]
    run_queued_jobs()
    for job in jobs:
        job.refresh_from_db()
        assert job.state == "succeeded", job.problem
    assert [job.result["made_now"] for job in jobs] == [True, False]
    assert [job.result["observed"] for job in jobs] == [1, 0]
    assert programme.weeks.count() == 2


def test_a_worker_lost_between_the_steps_leaves_the_first_done_and_the_second_undone(market, alice):
    programme = started(market, alice)
    publish_week(market, services.propose_week(programme=programme, week=monday(0)).week)

    class LostError(Exception):
        pass

    @contextmanager
    def lost() -> Iterator[None]:
        yield
        raise LostError  # what the block wrote is rolled back, as when another attempt took over

    with pytest.raises(LostError):
        services.observe_weeks(programme=programme, publish=_atomic(lost))
    assert not LearningObservation.objects.exists()
    assert programme.weeks.get().status == "proposed"
    assert len(services.observe_weeks(programme=programme)) == 1
    with pytest.raises(LostError):
        services.propose_week(programme=programme, week=monday(1), publish=_atomic(lost))
    assert (programme.weeks.count(), programme.observations.count()) == (1, 1)
    done = services.propose_week(programme=programme, week=monday(1))
    assert (done.created, done.week.sequence) == (True, 3)
    assert services.check_replay(programme=programme).equal


def _atomic(inner):
    """A transaction that ends as the inner block ends, as that of a job's attempt does."""

    @contextmanager
    def publish() -> Iterator[None]:
        with transaction.atomic(), inner():
            yield

    return publish


def test_the_schedule_submits_the_job_in_the_name_of_its_person(market, alice):
    programme = started(market, alice)
    schedule = services.schedule_programme(actor=alice, programme=programme)
    assert (schedule.kind, str(schedule.timing)) == ("optimization.learn", "crontab 0 5 * * 1 UTC")
    job = submit_scheduled_job(schedule_id=schedule.id)
    run_queued_jobs()
    job.refresh_from_db()
    assert job.state == "succeeded", job.problem
    assert programme.weeks.count() == 1


def test_a_programme_has_one_schedule_which_ends_with_it(market, chips, alice):
    programme = started(market, alice)
    assert services.schedule_programme(actor=alice, programme=programme, on=False) is None
    first, again = (services.schedule_programme(actor=alice, programme=programme) for _ in range(2))
    other = services.schedule_programme(actor=alice, programme=started(market, alice))
    assert first.id == again.id != other.id
    assert not services.schedule_programme(actor=alice, programme=programme, on=False).enabled
    assert services.schedule_programme(actor=alice, programme=programme).enabled
    # Who may end a programme need not be one who manages schedules.
    carol = factories.person("carol", Role.PLANNER, brand=chips)
    with pytest.raises(NotAllowed):
        services.schedule_programme(actor=carol, programme=programme)
    services.set_programme_status(actor=carol, programme=programme, status="ended")
    assert {one.id: one.enabled for one in schedules_of(kind="optimization.learn")} == {
        first.id: False,
        other.id: True,
    }


def test_log_of_a_programme_without_weeks_is_a_head(market, alice):
    assert log_of(started(market, alice)).events == ()
