"""A process that is lost before or after its answer is written: done again the scenario has one answer, the same."""

from __future__ import annotations

import pytest

from optimization.core.instance import parse_problem
from optimization.core.solve import solve_budget
from optimization.models import Solve
from planning import services
from planning.models import Scenario
from tenants.core.problems import Conflict
from tests.jobs.attempts import LostAfter, LostBefore, lose, moments, work_off


def _fresh(one: Scenario) -> Scenario:
    return Scenario.objects.select_related("brand", "solve").get(pk=one.pk)


@moments
def test_a_solve(draft, alice, lost):
    one = draft()
    job = services.solve_scenario(actor=alice, scenario=one)
    lose(job, lost)
    assert _fresh(one).status == ("solved" if lost is LostAfter else "solving")
    # The solve is kept by its question, apart from the scenario that waits for it.
    assert Solve.objects.count() == 1
    if lost is LostBefore:
        with pytest.raises(Conflict, match="is being solved"):
            services.update_scenario(actor=alice, scenario=_fresh(one), given={"total_budget": "1.00"})
    told, _ = work_off(job)
    held = _fresh(one)
    assert (told["status"], held.status, Solve.objects.get()) == ("solved", "solved", held.solve)
    again = solve_budget(parse_problem(held.solve.problem), current=held.solve.current)
    assert [(line.cell, line.proposed) for line in again.lines] == [
        (line["cell"], line["proposed"]) for line in held.solve.solution["lines"]
    ]
