"""`/api/v1/jobs/` and `/api/v1/schedules/`: parse, ask the service, serialise.

Jobs are submitted where the thing they work on is asked for (an upload, a fit); here they are followed and stopped.
"""

from __future__ import annotations

from typing import Any, cast
from uuid import UUID

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.models import User
from accounts.rest.pagination import Pages
from accounts.rest.strict import StrictSerializer
from jobs import selectors, services
from jobs.core.schedules import Timing
from jobs.serializers import (
    JobLogOut,
    JobOut,
    JobsAsked,
    LogsAsked,
    ScheduleChange,
    ScheduleIn,
    ScheduleOut,
    timing_from,
)

PROBLEM = dict.fromkeys((400, 401, 403, 404, 409, 429), OpenApiTypes.OBJECT)
_PAGING = ("page", "page_size")


class View(APIView):
    """A view whose lists come in pages."""

    def person(self) -> User:
        return cast(User, self.request.user)

    def parsed(self, serializer: type[StrictSerializer], data: Any = None) -> dict[str, Any]:
        checked = serializer(data=self.request.data if data is None else data)
        checked.is_valid(raise_exception=True)
        return cast(dict[str, Any], checked.validated_data)

    def asked(self, serializer: type[StrictSerializer]) -> dict[str, Any]:
        """The query's filters, without those that were left out."""
        values = self.parsed(serializer, self.request.query_params)
        return {name: value for name, value in values.items() if value not in ("", None, set()) and name not in _PAGING}

    def paged(self, request: Request, rows: Any, serializer: Any) -> Response:
        pages: BasePagination = Pages()
        page: Any = pages.paginate_queryset(rows, request, view=self)
        return pages.get_paginated_response(serializer(page, many=True).data)


class Jobs(View):
    @extend_schema(operation_id="jobs_list", parameters=[JobsAsked], responses={200: JobOut(many=True), **PROBLEM})
    def get(self, request: Request) -> Response:
        """Jobs I may see, newest first."""
        jobs = selectors.jobs_listed(user=self.person())
        asked = self.asked(JobsAsked)
        states = asked.pop("state", None)
        if states:
            jobs = jobs.filter(state__in=states)
        return self.paged(request, jobs.filter(**asked), JobOut)


class OneJob(View):
    @extend_schema(operation_id="jobs_read", responses={200: JobOut, **PROBLEM})
    def get(self, request: Request, job_id: UUID) -> Response:
        """One job with its progress, result or problem."""
        return Response(JobOut(selectors.job_visible(user=self.person(), job_id=job_id)).data)


class JobLogs(View):
    @extend_schema(operation_id="jobs_logs", parameters=[LogsAsked], responses={200: JobLogOut(many=True), **PROBLEM})
    def get(self, request: Request, job_id: UUID) -> Response:
        """The log of one job, oldest line first."""
        job = selectors.job_visible(user=self.person(), job_id=job_id)
        asked = self.asked(LogsAsked)
        lines = selectors.job_logs(job=job, levels=sorted(asked.get("level", ())), after=asked.get("after", 0))
        return self.paged(request, lines, JobLogOut)


class CancelJob(View):
    @extend_schema(operation_id="jobs_cancel", request=None, responses={200: JobOut, **PROBLEM})
    def post(self, request: Request, job_id: UUID) -> Response:
        """Stop a job: at once if it waits, within seconds if it runs."""
        return Response(JobOut(services.cancel_job(job_id=job_id, actor=self.person())).data)


class RetryJob(View):
    @extend_schema(operation_id="jobs_retry", request=None, responses={200: JobOut, **PROBLEM})
    def post(self, request: Request, job_id: UUID) -> Response:
        """Let a failed, dead or cancelled job run again."""
        return Response(JobOut(services.retry_job(job_id=job_id, actor=self.person())).data)


class Schedules(View):
    @extend_schema(operation_id="schedules_list", responses={200: ScheduleOut(many=True), **PROBLEM})
    def get(self, request: Request) -> Response:
        """Schedules I may manage."""
        return self.paged(request, selectors.schedules_listed(user=self.person()), ScheduleOut)

    @extend_schema(operation_id="schedules_create", request=ScheduleIn, responses={201: ScheduleOut, **PROBLEM})
    def post(self, request: Request) -> Response:
        """Let a job be submitted by itself, in my name."""
        values = self.parsed(ScheduleIn)
        made = services.create_schedule(
            actor=self.person(), timing=timing_from(values) or Timing(), params=values.pop("params", {}), **values
        )
        return Response(ScheduleOut(made).data, status=status.HTTP_201_CREATED)


class OneSchedule(View):
    @extend_schema(operation_id="schedules_read", responses={200: ScheduleOut, **PROBLEM})
    def get(self, request: Request, schedule_id: UUID) -> Response:
        """One schedule."""
        return Response(ScheduleOut(selectors.schedule_visible(user=self.person(), schedule_id=schedule_id)).data)

    @extend_schema(operation_id="schedules_update", request=ScheduleChange, responses={200: ScheduleOut, **PROBLEM})
    def patch(self, request: Request, schedule_id: UUID) -> Response:
        """Change a schedule; from now on it runs in my name."""
        selectors.schedule_visible(user=self.person(), schedule_id=schedule_id)
        values = self.parsed(ScheduleChange)
        timing = timing_from(values)
        changed = services.update_schedule(actor=self.person(), schedule_id=schedule_id, timing=timing, **values)
        return Response(ScheduleOut(changed).data)

    @extend_schema(operation_id="schedules_delete", responses={204: None, **PROBLEM})
    def delete(self, request: Request, schedule_id: UUID) -> Response:
        """Remove a schedule; jobs it submitted stay."""
        services.delete_schedule(actor=self.person(), schedule_id=schedule_id)
        return Response(status=status.HTTP_204_NO_CONTENT)
