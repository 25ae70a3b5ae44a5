from django.apps import AppConfig


class AdaptersRegistryConfig(AppConfig):
    name = "adapters_registry"
    verbose_name = "Adapters"
