"""Jobs and schedules as JSON."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from accounts.rest.strict import StrictSerializer
from jobs.core.schedules import LONGEST_SECONDS, Timing
from jobs.core.states import State
from jobs.models import Job, JobLog, JobProgress

LEVELS = ["info", "warning", "error"]
STATES = [state.value for state in State]


class StageOut(serializers.Serializer[Any]):
    name = serializers.CharField()
    status = serializers.ChoiceField(choices=["running", "done", "stopped"])
    done = serializers.IntegerField()
    total = serializers.IntegerField(allow_null=True)
    unit = serializers.CharField()
    seconds = serializers.FloatField()


class ProgressOut(serializers.ModelSerializer[JobProgress]):
    stages = StageOut(many=True)

    class Meta:
        model = JobProgress
        fields = ["stages", "rate", "eta_seconds", "updated_at"]
        read_only_fields = fields


class ProblemOut(serializers.Serializer[Any]):
    code = serializers.CharField()
    title = serializers.CharField()
    detail = serializers.CharField()
    where = serializers.CharField(required=False)
    fix = serializers.CharField(required=False)
    # The documents call it so; the base class has a property of that name, which reading does not use.
    errors = serializers.ListField(child=serializers.DictField(), required=False)  # type: ignore[assignment]


class JobOut(serializers.ModelSerializer[Job]):
    actor = serializers.CharField(source="actor.email", default=None, allow_null=True, read_only=True)
    state = serializers.ChoiceField(choices=STATES, read_only=True)
    progress = ProgressOut(read_only=True, allow_null=True, default=None)
    problem = ProblemOut(read_only=True, allow_null=True)
    result = serializers.DictField(read_only=True, allow_null=True)
    params = serializers.DictField(read_only=True)

    class Meta:
        model = Job
        fields = [
            "id",
            "kind",
            "queue",
            "title",
            "subject",
            "brand",
            "actor",
            "state",
            "attempt",
            "max_attempts",
            "params",
            "progress",
            "result",
            "problem",
            "created_at",
            "started_at",
            "finished_at",
            "cancel_requested_at",
        ]
        read_only_fields = fields


class JobLogOut(serializers.ModelSerializer[JobLog]):
    class Meta:
        model = JobLog
        fields = ["id", "attempt", "time", "level", "message", "fields"]
        read_only_fields = fields


class JobsAsked(StrictSerializer):
    """Filters of the list; `page` and `page_size` are the paginator's."""

    state = serializers.MultipleChoiceField(choices=STATES, required=False)
    kind = serializers.CharField(required=False)
    queue = serializers.CharField(required=False)
    subject = serializers.CharField(required=False)
    brand = serializers.UUIDField(required=False)
    page = serializers.CharField(required=False, help_text="page of the list, from 1")
    page_size = serializers.CharField(required=False, help_text="rows a page, at most 500")


class LogsAsked(StrictSerializer):
    level = serializers.MultipleChoiceField(choices=LEVELS, required=False)
    after = serializers.IntegerField(required=False, min_value=0, help_text="only lines behind this id")
    page = serializers.CharField(required=False, help_text="page of the list, from 1")
    page_size = serializers.CharField(required=False, help_text="rows a page, at most 500")


class ScheduleOut(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    title = serializers.CharField()
    kind = serializers.CharField()
    params = serializers.DictField()
    every_seconds = serializers.IntegerField(source="timing.every_seconds", allow_null=True)
    crontab = serializers.CharField(source="timing.crontab")
    brand = serializers.UUIDField(source="brand_id", allow_null=True)
    actor = serializers.UUIDField(source="actor_id")
    enabled = serializers.BooleanField()
    last_run_at = serializers.DateTimeField(allow_null=True)


class _Timed(StrictSerializer):
    every_seconds = serializers.IntegerField(
        required=False, allow_null=True, max_value=LONGEST_SECONDS, help_text="at least 60"
    )
    crontab = serializers.CharField(required=False, allow_blank=True, help_text="minute hour day month weekday, in UTC")


class ScheduleIn(_Timed):
    kind = serializers.CharField(max_length=64)
    title = serializers.CharField(max_length=200, required=False, allow_blank=True)
    params = serializers.DictField(required=False)
    brand = serializers.UUIDField(required=False, allow_null=True)
    enabled = serializers.BooleanField(required=False, default=True)


class ScheduleChange(_Timed):
    title = serializers.CharField(max_length=200, required=False)
    params = serializers.DictField(required=False)
    enabled = serializers.BooleanField(required=False)


def timing_from(values: dict[str, Any]) -> Timing | None:
    """Take the timing out of parsed values; None where they name none."""
    every, line = values.pop("every_seconds", None), values.pop("crontab", "")
    return Timing(every_seconds=every, crontab=line) if every is not None or line else None
