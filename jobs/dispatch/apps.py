from django.apps import AppConfig


class DispatchConfig(AppConfig):
    name = "jobs.dispatch"
    label = "dispatch"
    verbose_name = "Dispatch"
