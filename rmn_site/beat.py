"""Beat's scheduler: schedules stand in the public schema and name their tenant in a header."""

from tenant_schemas_celery.scheduler import TenantAwareSchedulerMixin

from django_celery_beat.schedulers import DatabaseScheduler


class TenantDatabaseScheduler(TenantAwareSchedulerMixin, DatabaseScheduler):
    """A periodic task with header `_schema_name` runs in that tenant; one without stays in the public schema."""
