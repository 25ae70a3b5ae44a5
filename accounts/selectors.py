"""Reads about people, roles and brands."""

from __future__ import annotations

from uuid import UUID

from django.contrib.auth.models import AnonymousUser
from django.db.models import Q, QuerySet

from accounts.core.permissions import Role, permissions_of, roles_with
from accounts.models import ApiToken, Brand, RoleGrant, User


def may(*, user: User | AnonymousUser, permission: str, brand: Brand | UUID | None = None) -> bool:
    """Whether a person has a permission: for `brand`, or, with none given, for the whole tenant.

    A role for one brand never answers for the whole tenant. Use `may_for_some_brand` to decide what to offer.
    """
    roles = [role.value for role in roles_with(permission)]
    if not isinstance(user, User) or not user.is_active:
        return False
    brand_id = brand.pk if isinstance(brand, Brand) else brand
    everywhere = Q(brand__isnull=True)
    where = everywhere if brand_id is None else everywhere | Q(brand_id=brand_id)
    return RoleGrant.objects.filter(where, user=user, role__in=roles).exists()


def may_for_some_brand(*, user: User | AnonymousUser, permission: str) -> bool:
    """Whether there is anything at all that this person has the permission for."""
    roles = [role.value for role in roles_with(permission)]
    return isinstance(user, User) and user.is_active and RoleGrant.objects.filter(user=user, role__in=roles).exists()


def brands_for(*, user: User | AnonymousUser, permission: str) -> QuerySet[Brand]:
    """Brands for which a person has a permission."""
    if not isinstance(user, User) or not user.is_active:
        return Brand.objects.none()
    grants = RoleGrant.objects.filter(user=user, role__in=[role.value for role in roles_with(permission)])
    if grants.filter(brand__isnull=True).exists():
        return Brand.objects.all()
    return Brand.objects.filter(pk__in=grants.values("brand_id"))


def roles_of(*, user: User) -> list[tuple[Role, Brand | None]]:
    """The roles a person holds, with the brand each is limited to."""
    return [(Role(grant.role), grant.brand) for grant in RoleGrant.objects.filter(user=user).select_related("brand")]


def people() -> QuerySet[User]:
    """Everybody of the tenant with their roles, in three queries however many they are."""
    return User.objects.prefetch_related("grants__brand").order_by("email")


def tokens_for(*, user: User) -> QuerySet[ApiToken]:
    """A person's own tokens; an owner of the tenant sees everybody's, without their text, which nobody has."""
    tokens: QuerySet[ApiToken] = ApiToken.objects.select_related("user").order_by("-created")
    return tokens if may(user=user, permission="users.manage") else tokens.filter(user=user)


def permissions_for(*, user: User) -> dict[str, list[str]]:
    """What a person may do: `permission -> ["*"]` for the whole tenant, or the slugs of the brands it is limited to."""
    held: dict[str, set[str]] = {}
    for role, brand in roles_of(user=user):
        for permission in permissions_of(role):
            held.setdefault(permission, set()).add(brand.slug if brand else "*")
    return {name: ["*"] if "*" in where else sorted(where) for name, where in sorted(held.items())}
