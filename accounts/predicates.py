"""Every permission of `core/permissions.py` as a rule, so that `user.has_perm("scenarios.manage", scenario)` works."""

from __future__ import annotations

from typing import Any

import rules

from accounts import selectors
from accounts.core.permissions import PERMISSIONS
from accounts.models import Brand


def register_permissions() -> None:
    """Add a rule for each permission. Called once, when the apps are ready."""
    for permission in PERMISSIONS:
        if not rules.perm_exists(permission):
            rules.add_perm(permission, _predicate(permission))


def _predicate(permission: str) -> Any:
    @rules.predicate(name=f"may {permission}")
    def carries(user: Any, subject: Any = None) -> bool:
        return selectors.may(user=user, permission=permission, brand=_brand_of(subject))

    return carries


def _brand_of(subject: Any) -> Any:
    """The brand a thing belongs to; None, which asks for the whole tenant, for what belongs to no brand."""
    if isinstance(subject, Brand):
        return subject
    return getattr(subject, "brand_id", None)
