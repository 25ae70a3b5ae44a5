"""Long work of this app: market search, placebo loops, and fetching new data."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.utils import timezone

from accounts.models import User
from jobs.core.registry import Handler, JobContext, register_handler
from jobs.selectors import MANAGE_SCHEDULES
from measurement import selectors, services
from measurement.core.words import count_of
from measurement.models import Experiment
from measurement.selectors import MANAGE
from tenants.core.problems import NotAllowed, NotFound


def run_design(context: JobContext) -> Mapping[str, Any]:
    """Search for candidates of a design."""
    experiment = _experiment(context)
    designed = services.design_experiment(
        experiment=experiment, job_id=context.job_id, tell=_teller(context), publish=context.publish
    )
    return {"experiment": designed.label, "candidates": len(designed.design.get("candidates", ()))}


def run_analysis(context: JobContext) -> Mapping[str, Any]:
    """Read an experiment."""
    reading = services.analyse_experiment(
        experiment=_experiment(context),
        actor=_actor(context),
        job_id=context.job_id,
        tell=_teller(context),
        publish=context.publish,
    )
    # No figure: whoever may see jobs is not always one who may see experiments.
    return {"experiment": str(reading.experiment_id), "reading": reading.number, "method": reading.method}


def run_refresh(context: JobContext) -> Mapping[str, Any]:
    """Fetch new data, then read the experiment if its time has come."""
    experiment = _experiment(context)
    if experiment.state in (Experiment.State.CANCELLED, Experiment.State.READ):
        services.stop_refreshes(experiment)
        context.log("info", f"{experiment.label} is {experiment.get_state_display()}; nothing was fetched.")
        return {"experiment": experiment.label, "state": experiment.state}
    context.progress("Data", 0, 1, "steps")
    panel = services.refresh_experiment(
        experiment=experiment,
        actor=_actor(context),
        job_id=context.job_id,
        note=lambda words: context.log("warning", words),
    )
    context.progress("Data", 1, 1, "steps")
    experiment = _experiment(context)
    newest = selectors.latest_panel(experiment)
    read = None
    if selectors.readability(experiment, newest, on=selectors.today()).final:
        read = services.analyse_experiment(
            experiment=experiment,
            actor=_actor(context),
            job_id=context.job_id,
            tell=_teller(context),
            publish=context.publish,
        )
        services.stop_refreshes(experiment)
    return {
        "experiment": experiment.label,
        "data": panel.number if panel else None,
        "last_day": str(newest.last_day) if newest and newest.last_day else None,
        "reading": read.number if read else None,
    }


def run_tidy(context: JobContext) -> Mapping[str, Any]:
    """Remove files of data that no experiment needs."""
    days = services.checked_days(context.params.get("days", settings.HISTORY_DAYS))
    done = services.tidy_panels(before=timezone.now() - timedelta(days=days))
    context.log("info", f"{count_of(done.files, 'file')} of {count_of(done.bytes, 'byte')} removed")
    return {"files": done.files, "bytes": done.bytes, "days": days}


def _teller(context: JobContext) -> services.Tell:
    def tell(stage: str, done: int, total: int) -> None:
        context.raise_if_cancelled()
        context.progress(stage, done, total, "steps")

    return tell


def _experiment(context: JobContext) -> Experiment:
    rows = Experiment.objects.select_related("brand", "retailer")
    found = rows.filter(pk=context.params["experiment"]).first()
    if found is None or found.brand_id != context.brand_id:
        raise NotFound("The experiment is gone.")
    return found


def _actor(context: JobContext) -> User:
    """The person in whose name the job runs. A job whose person is gone runs in nobody's name, least the platform's.

    Raises:
        NotAllowed: there is nobody.
    """
    found = User.objects.filter(pk=context.actor_id, is_active=True).first() if context.actor_id else None
    if found is None:
        raise NotAllowed("The person in whose name this job ran is gone.", fix="Ask for it as somebody who is here.")
    return found


def register() -> None:
    """Called once the apps are loaded."""
    for kind, run, title, seconds in (
        (services.DESIGN, run_design, "Search for a design", 1800),
        (services.ANALYSE, run_analysis, "Read an experiment", 1800),
        (services.REFRESH, run_refresh, "Fetch data of an experiment", 1800),
    ):
        register_handler(
            Handler(
                kind=kind, queue="solve", run=run, title=title, permission=MANAGE, timeout_seconds=seconds,
                abandoned=services.note_abandoned,
            )
        )  # fmt: skip
    register_handler(
        Handler(
            kind=services.TIDY,
            queue="default",
            run=run_tidy,
            title="Remove data of experiments that nothing needs",
            permission=MANAGE_SCHEDULES,
        )
    )
