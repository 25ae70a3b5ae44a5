from django.apps import AppConfig


class OptimizationConfig(AppConfig):
    name = "optimization"
    verbose_name = "Optimisation"

    def ready(self) -> None:
        from optimization import handlers, tools

        handlers.register()
        tools.register()
