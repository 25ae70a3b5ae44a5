"""What the frame of a page shows: tenant, brands, navigation, the person. Worked out only where a template asks."""

from __future__ import annotations

from dataclasses import dataclass, field
from uuid import UUID

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from accounts import selectors
from accounts.core.permissions import permissions_of
from accounts.models import User
from demo.selectors import logins_of
from rmn_site.ui.navigation import Link, address_of, links_for


@dataclass(frozen=True)
class BrandLink:
    """A brand that the person may look at, and the address of this page with it chosen."""

    name: str
    url: str
    current: bool


@dataclass(frozen=True)
class Person:
    """Who is signed in."""

    name: str
    email: str
    roles: str


@dataclass(frozen=True)
class Frame:
    """Everything around `main`. Empty parts are not drawn."""

    tenant: str = ""
    person: Person | None = None
    navigation: list[tuple[str, list[Link]]] = field(default_factory=list)
    brands: list[BrandLink] = field(default_factory=list)
    brand: str = "All brands"
    account: list[Link] = field(default_factory=list)
    search_url: str = ""
    alerts_url: str = ""


def frame(request: HttpRequest) -> dict[str, object]:
    """Context processor: `frame` and `demo_logins`, both lazy, so that fragments and the admin pay nothing for them."""
    return {
        "frame": SimpleLazyObject(lambda: build_frame(request)),
        "demo_logins": SimpleLazyObject(lambda: _demo_logins(request)),
    }


def _demo_logins(request: HttpRequest) -> list[dict[str, str]]:
    """Who can log in to the demo; empty unless the product runs as one."""
    tenant = getattr(request, "tenant", None)
    return logins_of(slug=tenant.slug) if tenant else []


def build_frame(request: HttpRequest) -> Frame:
    """The frame for one request."""
    tenant = getattr(request, "tenant", None)
    tenant_name = str(tenant.name) if tenant else ""
    user = getattr(request, "user", None)
    if not isinstance(user, User):
        return Frame(tenant=tenant_name)
    grants = selectors.roles_of(user=user)
    permissions = frozenset(name for role, _ in grants for name in permissions_of(role))
    roles = list(dict.fromkeys(role.label for role, _ in grants))
    brands = _brands(request, user)
    return Frame(
        tenant=tenant_name,
        person=Person(name=str(user), email=user.email, roles=", ".join(roles) or "no role yet"),
        navigation=list(links_for(path=request.path, permissions=permissions)),
        brands=brands,
        brand=next((brand.name for brand in brands if brand.current), "All brands"),
        account=_account_links(request.path),
        search_url=address_of("search"),
        alerts_url=address_of("alert-list"),
    )


def _brands(request: HttpRequest, user: User) -> list[BrandLink]:
    """The state is in the address: `?brand=<id>`; a choice that is not one of the person's brands chooses nothing."""
    visible = list(selectors.brands_for(user=user, permission="brands.view"))
    chosen = _as_uuid(request.GET.get("brand", ""))
    links = []
    for brand in visible:
        query = request.GET.copy()
        query["brand"] = str(brand.pk)
        query.pop("page", None)
        links.append(BrandLink(brand.name, f"?{query.urlencode()}", current=brand.pk == chosen))
    if len(links) > 1:
        query = request.GET.copy()
        query.pop("brand", None)
        query.pop("page", None)
        nothing_chosen = not any(link.current for link in links)
        links.insert(0, BrandLink("All brands", f"?{query.urlencode()}", current=nothing_chosen))
    elif links:
        links = [BrandLink(links[0].name, links[0].url, current=True)]
    return links


def _as_uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _account_links(path: str) -> list[Link]:
    pages = (
        ("Password", "account_change_password", "lock"),
        ("Second factor", "mfa_index", "device-mobile"),
        ("API tokens", "settings-tokens", "key"),
    )
    return [
        Link(label, url, icon, "", current=url == path)
        for label, url_name, icon in pages
        if (url := address_of(url_name))
    ]
