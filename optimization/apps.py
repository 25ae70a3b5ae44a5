from django.apps import AppConfig

from jobs.core.registry import announce_handlers
from jobs.core.tools import announce_tools


class OptimizationConfig(AppConfig):
    name = "optimization"
    verbose_name = "Optimisation"

    def ready(self) -> None:
        announce_handlers(self.name)
        announce_tools(self.name)
