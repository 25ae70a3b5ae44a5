"""Programmes that run by themselves, each on one schedule at most."""

from __future__ import annotations

from django.db import transaction

from accounts.models import User
from accounts.services import require
from jobs import services as schedules
from jobs.core.schedules import Schedule, Timing
from jobs.selectors import MANAGE_SCHEDULES, schedules_of
from optimization.learning_models import LearningProgramme
from optimization.selectors.learning import programme_locked
from tenants.core.problems import Conflict

MANAGE, LEARN = "scenarios.manage", "optimization.learn"
#: Monday at five in the morning, UTC: last week's reports are in, the next week's budget is still to be set.
USUAL_TIMING = Timing(crontab="0 5 * * 1")


def schedule_programme(
    *, actor: User, programme: LearningProgramme, on: bool = True, timing: Timing | None = None
) -> Schedule | None:
    """Let it run every week by itself, in the name of `actor`, or no more; proposals still wait for a person.

    Args:
        on: False leaves the schedule there, switched off; None comes back where there was none.
        timing: `USUAL_TIMING` for a new schedule without one.

    Raises:
        Conflict: the programme is not active.
        NotAllowed, NotFound: the actor may not manage schedules, or no programmes, of its brand.
    """
    for permission in (MANAGE_SCHEDULES, MANAGE):
        require(user=actor, permission=permission, brand=programme.brand)
    with transaction.atomic():
        programme = programme_locked(programme)  # two at once find each other's schedule
        if on:
            refuse_unless_active(programme)
        held = schedule_of(programme)
        for one in _all_of(programme):
            # Earlier releases made one more whenever two people asked at once: each would run the week again.
            if held is not None and one.id != held.id:
                schedules.delete_schedule(schedule_id=one.id, actor=actor)
        if held is not None:
            return schedules.update_schedule(schedule_id=held.id, actor=actor, timing=timing, enabled=on)
        if not on:
            return None
        return schedules.create_schedule(
            kind=LEARN,
            params={"programme": str(programme.pk), "week": None},
            actor=actor,
            timing=timing or USUAL_TIMING,
            brand=programme.brand,
            title=f"Propose a week, {programme.label} {programme.name}",
        )


def schedule_of(programme: LearningProgramme) -> Schedule | None:
    """The schedule by which a programme runs, one that is on before one that is off; None where there is none."""
    return next(iter(sorted(_all_of(programme), key=lambda one: (not one.enabled, one.id))), None)


def stop_schedules(programme: LearningProgramme) -> None:
    """Switch off what would run a programme that has ended."""
    for one in _all_of(programme):
        if one.enabled:
            schedules.stop_schedule(schedule_id=one.id)


def refuse_unless_active(programme: LearningProgramme) -> None:
    """Raises `Conflict` where a programme rests or has ended."""
    if programme.status != LearningProgramme.Status.ACTIVE:
        raise Conflict(f"{programme.label} is {programme.status}.", fix="Resume it, or start another.")


def _all_of(programme: LearningProgramme) -> list[Schedule]:
    return [one for one in schedules_of(kind=LEARN) if one.params.get("programme") == str(programme.pk)]
