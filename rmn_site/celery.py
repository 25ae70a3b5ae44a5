"""The Celery application. Its messages only wake workers up; what is to be done stands in PostgreSQL."""

import os
from typing import Any

from tenant_schemas_celery.app import CeleryApp
from tenant_schemas_celery.task import TenantTask

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "rmn_site.settings_child")
# Checks load every page's code, 2.5 seconds and 130 MiB that no worker needs: `manage.py check` has them run.
os.environ.setdefault("CELERY_SKIP_CHECKS", "1")


class Task(TenantTask):
    """A task of one tenant, which the message's header names. Without one it fails rather than run in `public`."""

    abstract = True
    # Set by the few tasks that serve all tenants alike and enter each one by themselves.
    serves_no_tenant = False

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if not self.serves_no_tenant:
            from tenants.selectors import current_schema  # models can be loaded only after the application is made

            current_schema()
        return super().__call__(*args, **kwargs)


app = CeleryApp("rmn", task_cls=Task)
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
app.autodiscover_tasks(["jobs"], related_name="worker")
