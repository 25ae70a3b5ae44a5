"""Jobs in the admin of a tenant: seen there, cancelled and retried through the services, never edited."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.admin import TabularInline

from accounts.models import User
from jobs import services
from jobs.models import Job, JobLog
from tenants.admin import GuardedAdmin, tenant_site
from tenants.core.problems import Problem


class JobLogInline(TabularInline):
    model = JobLog
    extra = 0
    tab = True
    fields = ["time", "attempt", "level", "message", "fields"]
    readonly_fields = fields
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.has_perm("jobs.view"))


@admin.register(Job, site=tenant_site)
class JobAdmin(GuardedAdmin):
    view_permission = "jobs.view"
    can_add = can_change = can_delete = False
    list_display = ["title", "kind", "state", "brand", "actor", "attempt", "created_at", "finished_at"]
    list_filter = ["state", "queue", "kind"]
    list_select_related = ["brand", "actor"]
    search_fields = ["title", "subject", "id"]
    date_hierarchy = "created_at"
    inlines = [JobLogInline]
    actions = ["cancel", "retry"]

    @admin.action(description="Cancel")
    def cancel(self, request: HttpRequest, queryset: QuerySet[Job]) -> None:
        self._each(request, queryset, services.cancel_job, "asked to stop")

    @admin.action(description="Retry")
    def retry(self, request: HttpRequest, queryset: QuerySet[Job]) -> None:
        self._each(request, queryset, services.retry_job, "waiting to run again")

    def _each(self, request: HttpRequest, jobs: QuerySet[Job], act: Callable[..., Job], done: str) -> None:
        for job in jobs:
            try:
                act(job_id=job.pk, actor=cast(User, request.user))
            except Problem as problem:
                self.message_user(request, f"{job}: {problem}", messages.ERROR)
            else:
                self.message_user(request, f"{job}: {done}", messages.SUCCESS)
