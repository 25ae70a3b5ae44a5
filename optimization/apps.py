from django.apps import AppConfig

from jobs.core.registry import announce_handlers, register_subject
from jobs.core.tools import announce_tools


class OptimizationConfig(AppConfig):
    name = "optimization"
    verbose_name = "Optimisation"

    def ready(self) -> None:
        announce_handlers(self.name)
        announce_tools(self.name)
        register_subject(kind="programme", url_name="learning-detail", label="The programme")
