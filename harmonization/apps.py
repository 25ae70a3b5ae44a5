from django.apps import AppConfig

from jobs.core.registry import announce_handlers, register_subject


class HarmonizationConfig(AppConfig):
    name = "harmonization"
    verbose_name = "Data"

    def ready(self) -> None:
        from harmonization import selectors
        from tenants.services.storage import count_storage

        announce_handlers(self.name)
        count_storage("uploads", selectors.upload_bytes)
        count_storage("events", selectors.event_bytes)
        register_subject(kind="upload", url_name="upload-detail", label="The file")
