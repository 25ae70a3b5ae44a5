from django.apps import AppConfig

from jobs.core.registry import announce_handlers, register_subject


class MeasurementConfig(AppConfig):
    name = "measurement"
    verbose_name = "Measurement"

    def ready(self) -> None:
        announce_handlers(self.name)
        register_subject(kind="experiment", url_name="experiment-detail", label="The experiment")
