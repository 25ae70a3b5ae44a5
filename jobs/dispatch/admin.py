"""What waits, runs or lies dead, over all tenants, in the admin of the platform's operators."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from unfold.admin import ModelAdmin

from jobs.dispatch.models import Dispatch
from tenants.admin import platform_site


@admin.register(Dispatch, site=platform_site)
class DispatchAdmin(ModelAdmin):
    """Read only: a row is one half of a job, whose other half stands in the tenant's schema."""

    list_display = ["job_id", "tenant", "kind", "queue", "state", "attempts", "worker", "lease_until", "created_at"]
    list_filter = ["state", "queue", "tenant"]
    list_select_related = ["tenant"]
    search_fields = ["job_id", "kind", "worker", "reason"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
