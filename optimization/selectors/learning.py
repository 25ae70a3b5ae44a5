"""Reads of learning programmes, as a person may see them."""

from __future__ import annotations

from uuid import UUID

from django.db.models import Prefetch, QuerySet

from accounts import selectors as people
from accounts.services import require_somewhere
from jobs.models import Job
from optimization.learning_models import LearningProgramme, LearningWeek
from optimization.selectors import VIEW_SOLVES as VIEW
from optimization.selectors import Person
from tenants.core.problems import NotFound


def programmes_visible(*, user: Person) -> QuerySet[LearningProgramme]:
    """Programmes of the brands a person may see, those of all brands for tenant-wide roles; without their problems."""
    rows = LearningProgramme.objects.select_related("brand", "created_by").defer("problem", "prior")
    if people.may(user=user, permission=VIEW):
        return rows
    return rows.filter(brand__in=people.brands_for(user=user, permission=VIEW))


def programmes_listed(*, user: Person) -> QuerySet[LearningProgramme]:
    """As `programmes_visible`, for a door that lists them, each with its `newest` week.

    Raises:
        NotAllowed: there is no brand whose programmes this person may see.
    """
    require_somewhere(user=user, permission=VIEW)
    newest = LearningWeek.objects.order_by("programme_id", "-sequence").distinct("programme_id")
    light = newest.defer("decision", "lines")
    return programmes_visible(user=user).prefetch_related(Prefetch("weeks", light, to_attr="newest"))


def programme_visible(*, user: Person, programme_id: UUID) -> LearningProgramme:
    """One programme, or `NotFound` in the words of a nonexistent one."""
    rows = programmes_visible(user=user).defer(None).select_related("solve", "solve__curve_version")
    found = rows.filter(pk=programme_id).first()
    if found is None:
        raise NotFound("There is nothing here under that id.")
    return found


def programme_locked(programme: LearningProgramme) -> LearningProgramme:
    """A programme as it is now; until the transaction ends, nobody else changes it."""
    return (
        LearningProgramme.objects.select_for_update(of=("self",))
        .select_related("brand", "solve", "solve__curve_version")
        .get(pk=programme.pk)
    )


def week_visible(*, user: Person, week_id: UUID) -> LearningWeek:
    """One proposal, or `NotFound` in the words of a nonexistent one."""
    rows = LearningWeek.objects.select_related("programme", "programme__brand")
    found = rows.filter(pk=week_id, programme__in=programmes_visible(user=user)).first()
    if found is None:
        raise NotFound("There is nothing here under that id.")
    return found


def newest_job(programme: LearningProgramme) -> Job | None:
    """The job that was asked for last."""
    return Job.objects.filter(subject=f"programme:{programme.pk}").order_by("-created_at").first()
