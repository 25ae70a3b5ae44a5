from importlib import import_module

from django.apps import AppConfig
from django.conf import settings


class JobsConfig(AppConfig):
    name = "jobs"
    verbose_name = "Jobs"

    def ready(self) -> None:
        from jobs.metrics import register_collector

        register_collector()
        if settings.JOB_TEST_HANDLERS:
            import_module(settings.JOB_TEST_HANDLERS)
