"""What can be done with people, roles, tokens and brands."""

from __future__ import annotations

from uuid import UUID

from django.contrib.auth.models import AnonymousUser

from accounts import selectors
from accounts.models import Brand, User
from tenants.core.problems import NotAllowed, NotAuthenticated, NotFound


def require(*, user: User | AnonymousUser, permission: str, brand: Brand | UUID | None = None) -> User:
    """The user, if they have a permission (for `brand`, or for the whole tenant when none is given).

    Raises:
        NotAuthenticated: nobody is logged in.
        NotFound: the brand exists but this person has no role there at all, so they may not know of it.
        NotAllowed: the person may see the brand, but their roles do not carry the permission.
    """
    if not isinstance(user, User):
        raise NotAuthenticated("This needs a login or a token.", fix="Log in, or send a token of this tenant.")
    if selectors.may(user=user, permission=permission, brand=brand):
        return user
    if brand is not None and not selectors.may(user=user, permission="brands.view", brand=brand):
        raise NotFound("There is nothing here under that id.")
    raise NotAllowed(
        f"None of your roles carries {permission!r}.", fix="Ask an owner of this tenant to grant you a role that does."
    )
