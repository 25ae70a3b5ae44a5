"""The Celery application. Its messages only wake workers up; what is to be done stands in PostgreSQL."""

import os

from tenant_schemas_celery.app import CeleryApp

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "rmn_site.settings")

app = CeleryApp("rmn")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
