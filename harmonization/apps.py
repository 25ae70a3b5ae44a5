from django.apps import AppConfig

from jobs.core.registry import announce_handlers


class HarmonizationConfig(AppConfig):
    name = "harmonization"
    verbose_name = "Data"

    def ready(self) -> None:
        announce_handlers(self.name)
