from django.apps import AppConfig

from jobs.core.registry import announce_handlers, register_subject


class HarmonizationConfig(AppConfig):
    name = "harmonization"
    verbose_name = "Data"

    def ready(self) -> None:
        announce_handlers(self.name)
        register_subject(kind="upload", url_name="upload-detail", label="The file")
