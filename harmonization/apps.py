from django.apps import AppConfig


class HarmonizationConfig(AppConfig):
    name = "harmonization"
    verbose_name = "Data"

    def ready(self) -> None:
        from harmonization import handlers

        handlers.register()
