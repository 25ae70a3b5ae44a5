"""`migrate_schemas` visits only the tenant schemas that lack a migration."""

from __future__ import annotations

from typing import Any

from django_tenants.migration_executors import get_executor
from django_tenants.migration_executors.base import MigrationExecutor

from tenants import schemas
from tenants.models import PUBLIC_SCHEMA


def executor_for(codename: str | None = None) -> type[MigrationExecutor]:
    """The executor of that name, made to leave out schemas that are up to date.

    A run that names an app, fakes or plans is left as it is: being up to date is no reason to skip those.
    """
    chosen: type[MigrationExecutor] = get_executor(codename=codename)

    # Not a subclass in the module: django-tenants finds executors by `__subclasses__` and would see it twice.
    def run_migrations(self: Any, tenants: list[str] | None = None) -> None:
        names = list(tenants or [])
        special = any(self.options.get(name) for name in ("app_label", "fake", "plan", "check_unapplied", "prune"))
        if not special:
            behind = set(schemas.schemas_behind([name for name in names if name != PUBLIC_SCHEMA]))
            names = [name for name in names if name == PUBLIC_SCHEMA or name in behind]
        chosen(self.args, self.options).run_migrations(tenants=names)

    return type("OnlyBehind", (), {"__init__": _keep, "run_migrations": run_migrations})  # type: ignore[return-value]


def _keep(self: Any, args: Any, options: dict[str, Any]) -> None:
    self.args, self.options = args, options
