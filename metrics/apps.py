from django.apps import AppConfig

from jobs.core.tools import announce_tools


class MetricsConfig(AppConfig):
    name = "metrics"
    verbose_name = "Metrics"

    def ready(self) -> None:
        announce_tools(self.name)
