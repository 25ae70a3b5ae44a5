"""Who may do what: one table from permission to roles, read by services, pages, the API and the admin alike."""

from __future__ import annotations

from enum import StrEnum
from types import MappingProxyType


class Role(StrEnum):
    """The roles a person can hold in a tenant, for all brands or for one."""

    OWNER = "owner"
    PLANNER = "planner"
    APPROVER = "approver"
    ANALYST = "analyst"
    DATA_ENGINEER = "data_engineer"
    COMPLIANCE = "compliance"
    RETAILER_ADOPS = "retailer_adops"
    VIEWER = "viewer"

    @property
    def label(self) -> str:
        """As shown to people."""
        return {"retailer_adops": "retailer ad-ops"}.get(self.value, self.value.replace("_", " "))


_EVERYBODY = frozenset(Role)
# Ad-ops people of a retailer review creatives; what a brand spends and earns elsewhere is not theirs to see.
_BRAND_SIDE = _EVERYBODY - {Role.RETAILER_ADOPS}
_PLANNING = frozenset({Role.OWNER, Role.PLANNER})
_DATA = frozenset({Role.OWNER, Role.DATA_ENGINEER})

PERMISSIONS: MappingProxyType[str, frozenset[Role]] = MappingProxyType(
    {
        "admin.open": frozenset({Role.OWNER, Role.DATA_ENGINEER, Role.COMPLIANCE}),
        "brands.view": _EVERYBODY,
        "brands.manage": frozenset({Role.OWNER}),
        "users.view": frozenset({Role.OWNER, Role.COMPLIANCE}),
        "users.manage": frozenset({Role.OWNER}),
        "history.view": frozenset({Role.OWNER, Role.COMPLIANCE}),
        "jobs.view": _BRAND_SIDE,
        "jobs.cancel": frozenset({Role.OWNER, Role.PLANNER, Role.DATA_ENGINEER}),
        "schedules.manage": _DATA,
        "policies.view": _EVERYBODY,
        "policies.manage": frozenset({Role.OWNER, Role.COMPLIANCE}),
        "catalogue.view": _BRAND_SIDE,
        "catalogue.manage": _DATA,
        "mappings.view": _BRAND_SIDE - {Role.VIEWER},
        "mappings.manage": _DATA,
        "quality.view": _BRAND_SIDE - {Role.VIEWER},
        "quality.manage": _DATA,
        "uploads.view": _BRAND_SIDE - {Role.VIEWER},
        "uploads.create": frozenset({Role.OWNER, Role.DATA_ENGINEER, Role.PLANNER}),
        "metrics.view": _BRAND_SIDE,
        "metrics.export": _BRAND_SIDE - {Role.VIEWER},
        "factors.publish": frozenset({Role.OWNER, Role.ANALYST}),
        "views.share": _BRAND_SIDE - {Role.VIEWER},
        "curves.view": _BRAND_SIDE - {Role.VIEWER},
        "curves.fit": frozenset({Role.OWNER, Role.PLANNER, Role.ANALYST}),
        "scenarios.view": _BRAND_SIDE,
        "scenarios.manage": frozenset({Role.OWNER, Role.PLANNER, Role.ANALYST}),
        "experiments.view": _BRAND_SIDE,
        "experiments.manage": frozenset({Role.OWNER, Role.PLANNER, Role.ANALYST}),
        "plans.prepare": _PLANNING,
        "plans.approve": frozenset({Role.OWNER, Role.APPROVER}),
    }
)


def roles_with(permission: str) -> frozenset[Role]:
    """Roles that carry a permission.

    Raises:
        KeyError: there is no such permission; asking for one is a mistake in the code, never a refusal.
    """
    return PERMISSIONS[permission]


def permissions_of(role: Role) -> frozenset[str]:
    """Everything one role may do."""
    return frozenset(name for name, roles in PERMISSIONS.items() if role in roles)
