"""What can be done with people, roles, tokens and brands."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import TypeVar
from uuid import UUID

import pghistory
import structlog
from django.contrib.auth.models import AnonymousUser
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import DEFAULT_DB_ALIAS, IntegrityError, models, transaction
from django.db.models.deletion import Collector
from django.utils.text import slugify
from django_tenants.utils import schema_context

from accounts import selectors
from accounts.core.grants import Grant, owns_tenant
from accounts.core.permissions import Role
from accounts.models import ApiToken, Brand, RoleGrant, User
from tenants import services as tenant_services
from tenants.core.problems import Conflict, InvalidInput, NotAllowed, NotAuthenticated, NotFound
from tenants.models import PUBLIC_SCHEMA, Tenant

log = structlog.get_logger(__name__)

Row = TypeVar("Row")
Person = User | AnonymousUser
TOKEN_DAYS_LIMIT = 366
NOTHING_HERE = "There is nothing here under that id."


def require(*, user: Person, permission: str, brand: Brand | UUID | None = None) -> User:
    """The user, if they have a permission (for `brand`, or for the whole tenant when none is given).

    Raises:
        NotAuthenticated: nobody is logged in.
        NotFound: there is no such brand, or this person has no role there at all, so they may not know of it.
        NotAllowed: the person may see the brand, but their roles do not carry the permission.
    """
    if not isinstance(user, User):
        raise NotAuthenticated("This needs a login or a token.", fix="Log in, or send a token of this tenant.")
    if selectors.may(user=user, permission=permission, brand=brand):
        # A role for the whole tenant covers every brand, but an id alone does not make one.
        if isinstance(brand, UUID) and not Brand.objects.filter(pk=brand).exists():
            raise NotFound(NOTHING_HERE)
        return user
    if brand is not None and not selectors.may(user=user, permission="brands.view", brand=brand):
        raise NotFound(NOTHING_HERE)
    raise NotAllowed(
        f"None of your roles carries {permission!r}.", fix="Ask an owner of this tenant to grant you a role that does."
    )


def require_somewhere(*, user: Person, permission: str) -> User:
    """The user, if they have a permission for some brand at least: for doors that show what is of those brands.

    Raises:
        NotAuthenticated: nobody is logged in.
        NotAllowed: no role of theirs carries it anywhere.
    """
    if isinstance(user, User) and selectors.may_for_some_brand(user=user, permission=permission):
        return user
    return require(user=user, permission=permission)


@contextmanager
def recorded_as(*, source: str, user: User | UUID | None = None) -> Iterator[None]:
    """Name who changes rows in this block, for the row history. Requests are named by middleware; this is for jobs
    (`source="job <id>"`) and commands (`source="command <name>"`)."""
    who = user.pk if isinstance(user, User) else user
    # A request that got here named its person already, and is not to be made nameless.
    with pghistory.context(source=source, **({"user": str(who)} if who else {})):
        yield


# People -------------------------------------------------------------------------------------------------------------


def open_tenant(
    *,
    slug: str,
    name: str,
    owner_email: str,
    owner_password: str | None = None,
    owner_name: str = "",
    domains: Sequence[str] = (),
    base_currency: str = "USD",
) -> tuple[Tenant, User]:
    """Create a tenant together with its first owner: both exist afterwards, or neither.

    Raises:
        InvalidInput, Conflict: as `tenants.services.create_tenant` and `seed_user` do.
    """
    tenant_services.prepare_template()
    with transaction.atomic():
        tenant = tenant_services.create_tenant(slug=slug, name=name, domains=domains, base_currency=base_currency)
        with schema_context(slug):
            owner = seed_user(
                email=owner_email, password=owner_password, name=owner_name, grants=[Grant(Role.OWNER)], source="setup"
            )
    return tenant, owner


def seed_user(
    *, email: str, password: str | None = None, name: str = "", grants: Sequence[Grant] = (), source: str
) -> User:
    """Save a person on nobody's behalf: for commands and demo data. Everybody else invites through `invite_user`.

    Raises:
        InvalidInput: the e-mail address or the password is not acceptable, or a brand does not exist.
        Conflict: somebody has this address already.
    """
    with recorded_as(source=source):
        return _add_user(email=email, password=password, name=name, grants=grants)


def _add_user(*, email: str, password: str | None, name: str, grants: Sequence[Grant]) -> User:
    email = _email(email)
    if password is not None:
        check_password(password, email=email, name=name)
    with transaction.atomic():
        user = _insert(
            lambda: User.objects.create_user(email, password, name=name.strip()),
            Conflict(f"Somebody has the address {email} already.", where="email", fix="Change that person instead."),
        )
        _write_grants(user, grants)
    return user


def seed_operator(*, email: str, password: str) -> User:
    """An operator of the platform; made once, and left as they are when they exist."""
    email = _email(email)
    with schema_context(PUBLIC_SCHEMA), recorded_as(source="setup"):
        found = User.objects.filter(email__iexact=email).first()
        if found is not None:
            return found
        check_password(password, email=email)
        return User.objects.create_superuser(email, password)


def invite_user(*, actor: Person, email: str, name: str = "", grants: Sequence[Grant]) -> User:
    """Add a person with roles and no password: they set one through the link of `selectors.password_link`.

    Raises:
        NotAllowed: the actor is no owner of the tenant.
        InvalidInput: no grant, a malformed address, or a brand that does not exist.
        Conflict: somebody has this address already.
    """
    owner = require(user=actor, permission="users.manage")
    if not grants:
        raise InvalidInput("A person needs at least one role.", where="grants", fix="Choose a role.")
    with pghistory.context(user=str(owner.pk)):
        return _add_user(email=email, password=None, name=name, grants=grants)


def update_user(
    *,
    actor: Person,
    user_id: UUID,
    name: str | None = None,
    is_active: bool | None = None,
    grants: Sequence[Grant] | None = None,
) -> User:
    """Change a person's name, roles, or whether they can log in. What is None stays as it is.

    Raises:
        NotAllowed: the actor is no owner of the tenant.
        NotFound: there is no such person.
        Conflict: nobody would be left who owns the tenant.
    """
    require(user=actor, permission="users.manage")
    with transaction.atomic():
        user = _locked_user(user_id)
        if name is not None:
            user.name = name.strip()
        if is_active is not None:
            user.is_active = is_active
        user.save(update_fields=["name", "is_active"])
        if grants is not None:
            if not grants:
                raise InvalidInput(
                    "A person needs at least one role.", where="grants", fix="Choose a role, or deactivate the person."
                )
            _write_grants(user, grants)
        _keep_an_owner()
    return user


def deactivate_user(*, actor: Person, user_id: UUID) -> User:
    """Refuse a person's logins, open sessions and tokens from now on; what they did stays on record.

    Raises: as `update_user`.
    """
    return update_user(actor=actor, user_id=user_id, is_active=False)


def check_password(password: str, *, email: str = "", name: str = "") -> None:
    """Hold a password against the rules of `AUTH_PASSWORD_VALIDATORS`.

    Raises:
        InvalidInput: says every rule it breaks.
    """
    try:
        validate_password(password, User(email=email, name=name))
    except ValidationError as error:
        raise InvalidInput(
            " ".join(error.messages), where="password", fix="Choose a longer password that is no common word."
        ) from error


def _locked_user(user_id: UUID) -> User:
    # All owners are locked, in one order, so that two owners cannot remove each other at the same time.
    owners = list(
        User.objects.filter(grants__role=Role.OWNER, grants__brand=None).order_by("pk").select_for_update(of=("self",))
    )
    found = next((user for user in owners if user.pk == user_id), None)
    found = found or User.objects.select_for_update().filter(pk=user_id).first()
    if found is None:
        raise NotFound(NOTHING_HERE)
    return found


def _keep_an_owner() -> None:
    if not User.objects.filter(is_active=True, grants__role=Role.OWNER, grants__brand=None).exists():
        raise Conflict(
            "This is the last owner of the tenant.", fix="Make somebody else an owner of all brands first, then repeat."
        )


def _write_grants(user: User, grants: Sequence[Grant]) -> None:
    wanted = set(grants)
    brand_ids = {grant.brand_id for grant in wanted if grant.brand_id is not None}
    if Brand.objects.filter(pk__in=brand_ids).count() != len(brand_ids):
        raise InvalidInput("There is no such brand.", where="grants.brand", fix="Take an id of /api/v1/brands/.")
    held = {Grant(Role(grant.role), grant.brand_id): grant for grant in user.grants.all()}
    for grant in held.keys() - wanted:
        held[grant].delete()
    for grant in wanted - held.keys():
        RoleGrant.objects.create(user=user, role=grant.role, brand_id=grant.brand_id)
    log.info(
        "roles_changed", user=str(user.pk), owner=owns_tenant(wanted), roles=sorted({g.role.value for g in wanted})
    )


# Brands -------------------------------------------------------------------------------------------------------------


def create_brand(*, actor: Person, name: str, slug: str = "") -> Brand:
    """Add a brand; its slug is made of the name when none is given.

    Raises:
        NotAllowed: the actor is no owner of the tenant.
        InvalidInput: the name is empty or too long, or nothing of it can stand in a slug.
        Conflict: the name or the slug is taken.
    """
    require(user=actor, permission="brands.manage")
    return seed_brand(name=name, slug=slug)


def seed_brand(*, name: str, slug: str = "") -> Brand:
    """Save a brand on nobody's behalf: for commands and demo data. Raises as `create_brand`."""
    brand = Brand(name=name.strip(), slug=slug or slugify(name)[:64])
    return _save_brand(brand)


def update_brand(*, actor: Person, brand_id: UUID, name: str) -> Brand:
    """Rename a brand. Its slug stays, because links and files carry it.

    Raises:
        NotFound: there is no such brand, or the actor may not know of it.
        NotAllowed: the actor does not own it.
        Conflict: the name is taken.
    """
    require(user=actor, permission="brands.manage", brand=brand_id)
    with transaction.atomic():
        brand = Brand.objects.select_for_update().filter(pk=brand_id).first()
        if brand is None:
            raise NotFound(NOTHING_HERE)
        brand.name = name.strip()
        return _save_brand(brand)


def delete_brand(*, actor: Person, brand_id: UUID) -> None:
    """Remove a brand that nothing belongs to yet, with the roles limited to it.

    Raises:
        NotFound, NotAllowed: as `update_brand`.
        Conflict: accounts, uploads or plans belong to it.
    """
    require(user=actor, permission="brands.manage", brand=brand_id)
    with transaction.atomic():
        brand = Brand.objects.select_for_update().filter(pk=brand_id).first()
        if brand is None:
            raise NotFound(NOTHING_HERE)
        kinds = _belongings(brand)
        if kinds:
            raise Conflict(
                f"{brand.name} cannot be removed: {', '.join(kinds)} belong to it.", fix="Keep the brand, or rename it."
            )
        brand.delete()


def _belongings(brand: Brand) -> list[str]:
    """What would go with a brand besides the roles limited to it, whether its own rule is to protect or to cascade."""
    collector = Collector(using=DEFAULT_DB_ALIAS, origin=brand)
    try:
        collector.collect([brand])
    except models.ProtectedError as error:
        found = {type(row) for row in error.protected_objects}
    else:
        found = set(collector.data) | {rows.model for rows in collector.fast_deletes if rows.exists()}
    return sorted(str(model._meta.verbose_name_plural) for model in found - {Brand, RoleGrant})


def _save_brand(brand: Brand) -> Brand:
    try:
        brand.full_clean(validate_unique=False, validate_constraints=False)
    except ValidationError as error:
        field, messages = next(iter(error.message_dict.items()))
        raise InvalidInput(" ".join(messages), where=field, fix="Give the brand a short name.") from error

    def save() -> Brand:
        brand.save()
        return brand

    return _insert(
        save, Conflict(f"A brand is called {brand.name!r} already.", where="name", fix="Choose another name.")
    )


# Tokens -------------------------------------------------------------------------------------------------------------


def create_token(*, actor: Person, name: str, days: int = 90) -> tuple[ApiToken, str]:
    """A token of the actor's own, and its text, which is shown once and kept nowhere.

    Args:
        days: after which it expires, 1 to 366.

    Raises:
        InvalidInput: the name is empty or too long, or the days are out of range.
        Conflict: the actor has a token of that name.
    """
    if not isinstance(actor, User):
        raise NotAuthenticated("This needs a login or a token.", fix="Log in, or send a token of this tenant.")
    name = name.strip()
    if not 1 <= len(name) <= 80:
        raise InvalidInput("A token needs a name of 1 to 80 characters.", where="name", fix="Say what will use it.")
    if not 1 <= days <= TOKEN_DAYS_LIMIT:
        raise InvalidInput(
            f"A token lives 1 to {TOKEN_DAYS_LIMIT} days, not {days}.", where="days", fix="Choose a shorter life."
        )
    token, text = _insert(
        lambda: ApiToken.objects.create(user=actor, name=name, expiry=timedelta(days=days)),
        Conflict(f"You have a token called {name!r}.", where="name", fix="Choose another name, or revoke that one."),
    )
    log.info("token_created", user=str(actor.pk), token=str(token.public_id))
    return token, text


def revoke_token(*, actor: Person, token_id: UUID) -> None:
    """End a token at once: one's own, or, for an owner of the tenant, anybody's.

    Raises:
        NotFound: there is no such token that the actor may revoke.
    """
    if not isinstance(actor, User):
        raise NotAuthenticated("This needs a login or a token.", fix="Log in, or send a token of this tenant.")
    tokens = ApiToken.objects.filter(public_id=token_id)
    if not selectors.may(user=actor, permission="users.manage"):
        tokens = tokens.filter(user=actor)
    if not tokens.delete()[0]:
        raise NotFound(NOTHING_HERE)
    log.info("token_revoked", by=str(actor.pk), token=str(token_id))


# Shared by the above --------------------------------------------------------------------------------------------------


def _email(text: str) -> str:
    email = text.strip().lower()
    try:
        validate_email(email)
    except ValidationError as error:
        raise InvalidInput(f"{text!r} is not an e-mail address.", where="email", fix="Write name@domain.") from error
    return email


def _insert(save: Callable[[], Row], taken: Conflict) -> Row:
    """Save, and answer with `taken` when a uniqueness rule of the database refuses."""
    try:
        with transaction.atomic():
            return save()
    except IntegrityError as error:
        raise taken from error
