"""The app of people, roles, tokens and brands."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "accounts"
    verbose_name = "People and brands"

    def ready(self) -> None:
        # Models exist only now.
        from accounts import lockout, openapi, predicates

        predicates.register_permissions()
        lockout.connect()
        openapi.describe_authentication()
