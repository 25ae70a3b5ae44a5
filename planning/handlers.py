"""Long work of this app."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from accounts.models import User
from jobs.core.registry import Handler, JobContext, register_handler
from planning import services
from planning.models import Scenario
from planning.selectors import MANAGE
from tenants.core.problems import NotFound


def run_solve(context: JobContext) -> Mapping[str, Any]:
    """Solve a scenario."""
    scenario = Scenario.objects.select_related("brand").filter(pk=context.params["scenario"]).first()
    if scenario is None:
        raise NotFound("The scenario was deleted before it was solved.")
    actor = User.objects.filter(pk=context.actor_id).first() if context.actor_id else None

    def tell(stage: str, done: int, total: int) -> None:
        context.raise_if_cancelled()
        context.progress(stage, done, total, "steps")

    answered = services.answer_scenario(
        scenario=scenario, actor=actor, job_id=context.job_id, tell=tell, publish=context.publish
    )
    if answered.solve is None:
        raise AssertionError("an answered scenario has a solve")
    return {
        "scenario": answered.label,
        "status": answered.status,
        "engine": answered.solve.engine,
        "gap": answered.solve.gap,
        "seconds": round(answered.solve.seconds, 3),
    }


def register() -> None:
    """Called once the apps are loaded."""
    register_handler(
        Handler(
            kind=services.SOLVE,
            queue="solve",
            run=run_solve,
            title="Solve a scenario",
            permission=MANAGE,
            timeout_seconds=900,
        )
    )
