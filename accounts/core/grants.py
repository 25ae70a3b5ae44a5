"""What is asked for when roles are given to a person."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from accounts.core.permissions import Role
from tenants.core.problems import InvalidInput


@dataclass(frozen=True, slots=True)
class Grant:
    """A role for the whole tenant, or for one brand."""

    role: Role
    brand_id: UUID | None = None


def role_named(name: str) -> Role:
    """The role of that name.

    Raises:
        InvalidInput: there is none.
    """
    try:
        return Role(name)
    except ValueError as error:
        known = ", ".join(role.value for role in Role)
        raise InvalidInput(f"There is no role {name!r}.", where="role", fix=f"Use one of {known}.") from error


def owns_tenant(grants: Iterable[Grant]) -> bool:
    """Whether these grants make their holder an owner of the whole tenant, not only of a brand."""
    return Grant(Role.OWNER) in set(grants)
