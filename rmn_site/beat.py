"""Beat's scheduler: schedules stand in the public schema and name their tenant in a header."""

from __future__ import annotations

from typing import Any

import structlog
from django.db.models import QuerySet
from django_celery_beat.schedulers import DatabaseScheduler
from tenant_schemas_celery.scheduler import TenantAwareSchedulerMixin

from tenants.models import Tenant

log = structlog.get_logger(__name__)


class TenantDatabaseScheduler(TenantAwareSchedulerMixin, DatabaseScheduler):
    """A periodic task runs in the tenant of its header `_schema_name`; one without is refused."""

    @classmethod
    def get_queryset(cls) -> QuerySet[Tenant]:
        """Tenants whose schedules count: those of a suspended one rest."""
        return Tenant.objects.filter(status=Tenant.Status.ACTIVE)

    def apply_entry(self, entry: Any, producer: Any = None) -> None:
        headers = entry.options.get("headers") or {}
        if not {"_schema_name", "_all_tenants_only"} & headers.keys():
            log.error("schedule_without_tenant", name=entry.name, task=entry.task)
            return
        super().apply_entry(entry, producer=producer)
