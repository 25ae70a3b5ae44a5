"""How full the storage of a tenant is. Each app that keeps files tells its own part; all share one quota."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from tenants.core.problems import QuotaExceeded
from tenants.selectors import current_tenant

MIB: Final = 1024 * 1024
#: Bytes that the running tenant keeps of one kind.
Part = Callable[[], int]
_PARTS: dict[str, Part] = {}


def count_storage(name: str, part: Part) -> None:
    """Called by an app in `AppConfig.ready()`: `part` tells the bytes of its files, of the running tenant."""
    _PARTS[name] = part


def storage_used() -> dict[str, int]:
    """Bytes of the running tenant, by what they are."""
    return {name: part() for name, part in _PARTS.items()}


def require_room() -> None:
    """Asked before a file is kept.

    Raises:
        QuotaExceeded: the tenant's storage is full; says what fills it.
    """
    quota = current_tenant().storage_quota_mb * MIB
    used = storage_used()
    if sum(used.values()) < quota:
        return
    told = ", ".join(f"{name} {size / MIB:,.0f} MiB" for name, size in used.items() if size)
    raise QuotaExceeded(
        f"The files and events of this tenant use all of its {quota // MIB:,} MiB" + (f": {told}." if told else "."),
        fix="Delete old versions of events (`vacuum_events`) and data of experiments that nothing needs "
        "(`experiments tidy`), or ask the platform's operators for more.",
    )
