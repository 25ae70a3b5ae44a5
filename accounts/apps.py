"""The app of people, roles, tokens and brands."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "accounts"
    verbose_name = "People and brands"

    def ready(self) -> None:
        from accounts import predicates  # models exist only now

        predicates.register_permissions()
