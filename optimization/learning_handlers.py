"""The job of a learning programme: take in what is final, then propose the next week."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from jobs.core.registry import Handler, JobContext, register_handler
from optimization.learning_models import LearningProgramme
from optimization.services import learning as services
from tenants.core.problems import NotFound


def run_learn(context: JobContext) -> Mapping[str, Any]:
    """Observe, then propose; done once by whatever attempt, for each step finds what is there."""
    rows = LearningProgramme.objects.select_related("brand", "solve")
    programme = rows.filter(pk=context.params["programme"]).first()
    if programme is None or programme.brand_id != context.brand_id:
        raise NotFound("The programme is gone.")
    if programme.status != LearningProgramme.Status.ACTIVE:
        context.log("info", f"{programme.label} is {programme.status}; nothing was done.")
        return {"programme": str(programme.pk), "status": programme.status}
    context.progress("Weekly figures", 0, 1, "steps")
    observed = services.observe_weeks(programme=programme, publish=context.publish)
    for one in observed:
        what = "is final" if one.version == 1 else f"was restated, version {one.version}"
        context.log("info", f"The week of {one.monday} {what}: {sum(one.told)} of {len(one.told)} lines told.")
    context.raise_if_cancelled()
    context.progress("Proposal", 0, 1, "steps")
    week = context.params.get("week")
    made = services.propose_week(
        programme=programme,
        week=date.fromisoformat(week) if week else None,
        job_id=context.job_id,
        publish=context.publish,
    )
    if made.week.summary["fallback"]:
        context.log("warning", f"The draw could not be allocated: decided {made.week.summary['fallback']}.")
    context.progress("Proposal", 1, 1, "steps")
    return {
        "programme": str(programme.pk),
        "week": str(made.week.monday),
        "made_now": made.created,
        "observed": len(observed),
    }


def register() -> None:
    """Called by the app's handlers."""
    register_handler(
        Handler(
            kind=services.LEARN,
            queue="solve",
            run=run_learn,
            title="Propose a week",
            permission=services.MANAGE,
            timeout_seconds=1800,
        )
    )
