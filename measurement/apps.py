from django.apps import AppConfig

from jobs.core.registry import announce_handlers, register_subject
from jobs.core.tools import announce_tools


class MeasurementConfig(AppConfig):
    name = "measurement"
    verbose_name = "Measurement"

    def ready(self) -> None:
        from measurement import selectors
        from tenants.services.storage import count_storage

        announce_handlers(self.name)
        count_storage("data of experiments", selectors.panel_bytes)
        announce_tools(self.name)
        register_subject(kind="experiment", url_name="experiment-detail", label="The experiment")
