from django.apps import AppConfig

from jobs.core.registry import announce_handlers, register_subject
from jobs.core.tools import announce_tools


class PlanningConfig(AppConfig):
    name = "planning"
    verbose_name = "Planning"

    def ready(self) -> None:
        # Models of apps can be imported once all apps are loaded.
        from measurement.selectors.reserves import announce_reserves

        announce_reserves(self.name)
        announce_handlers(self.name)
        announce_tools(self.name)
        register_subject(kind="scenario", url_name="scenario-detail", label="The scenario")
