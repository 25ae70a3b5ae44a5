"""Schedules as rows of django-celery-beat in the public schema.

A row belongs to a tenant three times over: by the prefix of its name, by the header that makes the scheduler enter the
tenant, and by the payload that the task compares with where it finds itself.
"""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

from celery.schedules import ParseException
from celery.schedules import crontab as parse_crontab
from django.core.serializers.json import DjangoJSONEncoder
from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask

from jobs.core.schedules import Schedule, Timing
from tenants.core.problems import InvalidInput, NotFound
from tenants.selectors import current_schema

SUBMIT_SCHEDULED = "jobs.submit_scheduled"


def all_of_tenant() -> list[Schedule]:
    """Schedules of the running tenant, by title."""
    rows = PeriodicTask.objects.select_related("interval", "crontab").filter(
        task=SUBMIT_SCHEDULED, name__startswith=_name("")
    )
    return sorted((_as_schedule(row) for row in rows), key=lambda schedule: (schedule.title, schedule.id))


def find(*, schedule_id: UUID) -> Schedule:
    """One schedule of the running tenant.

    Raises:
        NotFound: there is none.
    """
    return _as_schedule(_row(schedule_id))


def save(schedule: Schedule) -> None:
    """Create the row of a schedule, or change it."""
    row = PeriodicTask.objects.filter(name=_name(schedule.id)).first() or PeriodicTask(name=_name(schedule.id))
    row.task = SUBMIT_SCHEDULED
    row.queue = "default"
    row.interval, row.crontab = _interval(schedule.timing), _crontab(schedule.timing)
    row.headers = json.dumps({"_schema_name": current_schema()})
    row.kwargs = json.dumps(_payload(schedule), cls=DjangoJSONEncoder)
    row.description = schedule.title
    row.enabled = schedule.enabled
    row.save()


def remove(*, schedule_id: UUID) -> None:
    """Delete the row of a schedule.

    Raises:
        NotFound: there is none.
    """
    _row(schedule_id).delete()


def _name(schedule_id: UUID | str) -> str:
    return f"{current_schema()}/{schedule_id}"


def _row(schedule_id: UUID) -> PeriodicTask:
    row = PeriodicTask.objects.select_related("interval", "crontab").filter(name=_name(schedule_id)).first()
    if row is None:
        raise NotFound("There is nothing here under that id.")
    return row


def _payload(schedule: Schedule) -> dict[str, Any]:
    return {
        "tenant": current_schema(),
        "schedule": schedule.id,
        "title": schedule.title,
        "kind": schedule.kind,
        "params": schedule.params,
        "brand": schedule.brand_id,
        "actor": schedule.actor_id,
    }


def _as_schedule(row: PeriodicTask) -> Schedule:
    payload = json.loads(row.kwargs)
    return Schedule(
        id=UUID(payload["schedule"]),
        title=payload["title"],
        kind=payload["kind"],
        params=payload["params"],
        timing=_timing(row),
        brand_id=UUID(payload["brand"]) if payload["brand"] else None,
        actor_id=UUID(payload["actor"]),
        enabled=row.enabled,
        last_run_at=row.last_run_at,
    )


def _timing(row: PeriodicTask) -> Timing:
    if row.crontab is None:
        return Timing(every_seconds=int(row.interval.schedule.run_every.total_seconds()))
    fields = row.crontab
    parts = (fields.minute, fields.hour, fields.day_of_month, fields.month_of_year, fields.day_of_week)
    return Timing(crontab=" ".join(parts))


def _interval(timing: Timing) -> IntervalSchedule | None:
    if timing.every_seconds is None:
        return None
    return IntervalSchedule.objects.get_or_create(every=timing.every_seconds, period=IntervalSchedule.SECONDS)[0]


def _crontab(timing: Timing) -> CrontabSchedule | None:
    if not timing.crontab:
        return None
    minute, hour, day_of_month, month, day_of_week = timing.crontab.split()
    try:
        parse_crontab(minute, hour, day_of_week, day_of_month, month)
    except (ParseException, ValueError) as error:
        raise InvalidInput(
            f"{timing.crontab!r} is no crontab line: {error}.",
            where="crontab",
            fix='Give minute, hour, day of month, month and day of week, such as "15 6 * * *".',
        ) from error
    fields = {
        "minute": minute,
        "hour": hour,
        "day_of_month": day_of_month,
        "month_of_year": month,
        "day_of_week": day_of_week,
        "timezone": "UTC",
    }
    # Not get_or_create: nothing keeps such rows unique, and two alike are no harm.
    return CrontabSchedule.objects.filter(**fields).first() or CrontabSchedule.objects.create(**fields)
