"""Named views of the Performance page: its state lies in its address, so a view is a name for a query."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from django.db import transaction
from django.http import QueryDict

from accounts import selectors as people
from accounts import services as authority
from accounts.models import Brand, User
from metrics import selectors
from metrics.core.ids import brand_id
from metrics.models import SavedView
from metrics.page_state import PARAMETERS, check_state
from tenants.core.problems import Conflict, InvalidInput, NotAllowed, NotFound, TooLarge

MOST_VIEWS: Final = 100
_LONGEST: Final = 2000


def save_view(*, actor: User, name: str, query: str, shared: bool = False) -> SavedView:
    """Give the state of the page a name; an own view of that name is replaced.

    Args:
        query: of the page's address. Without start and end, the view moves along with the data.
        shared: everybody who may see its brand sees it in the list; needs views.share.

    Raises:
        NotAuthenticated, NotAllowed: no role carries metrics.view, or views.share for what is shared.
        InvalidInput: the name is empty or too long, or the query is no state of the page.
        NotFound: it is narrowed to a brand this person may not know of.
        TooLarge: the person has too many views.
    """
    authority.require_somewhere(user=actor, permission="metrics.view")
    title, kept = _name(name), _query(query)
    brand = _brand_of(actor, kept)
    _require_sharing(actor, brand, shared=shared)
    with transaction.atomic():
        views = SavedView.objects.select_for_update().filter(owner=actor)
        if title not in {view.name for view in views} and len(views) >= MOST_VIEWS:
            raise TooLarge(f"You have {MOST_VIEWS} views.", where="name", fix="Delete one that is not needed.")
        view, _ = SavedView.objects.update_or_create(
            owner=actor, name=title, defaults={"query": kept, "shared": shared, "brand": brand}
        )
    return view


def change_view(
    *, actor: User, view_id: UUID, name: str | None = None, query: str | None = None, shared: bool | None = None
) -> SavedView:
    """Rename, share or replace a view of one's own, or for owners of the tenant anybody's.

    Raises:
        NotFound, NotAllowed: there is none this person may know of, or it is somebody else's.
        Conflict: its owner has another view of that name.
        InvalidInput: as for `save_view`.
    """
    with transaction.atomic():
        view = _changeable(actor, view_id)
        if name is not None:
            view.name = _name(name)
            if SavedView.objects.filter(owner=view.owner, name=view.name).exclude(pk=view.pk).exists():
                raise Conflict(f"There is a view called {view.name!r}.", where="name", fix="Choose another name.")
        if query is not None:
            view.query = _query(query)
            view.brand = _brand_of(actor, view.query)
        if shared is not None:
            view.shared = shared
        _require_sharing(actor, view.brand, shared=view.shared)
        view.save()
    return view


def delete_view(*, actor: User, view_id: UUID) -> None:
    """Take a view away, as for `change_view`."""
    with transaction.atomic():
        _changeable(actor, view_id).delete()


def _changeable(actor: User, view_id: UUID) -> SavedView:
    view = selectors.view_visible(user=actor, view_id=view_id)
    if view.owner_id != actor.pk and not people.may(user=actor, permission="users.manage"):
        raise NotAllowed("This view is somebody else's.", fix="Save it under a name of your own.")
    return SavedView.objects.select_for_update().get(pk=view.pk)


def _name(text: str) -> str:
    name = " ".join(text.split())
    if not 1 <= len(name) <= 80:
        raise InvalidInput("A view needs a name of 1 to 80 characters.", where="name", fix="Say what it shows.")
    return name


def _query(text: str) -> str:
    """The state in a query and nothing else, in one spelling."""
    if len(text) > _LONGEST:
        raise InvalidInput(
            f"The query has more than {_LONGEST:,} characters.", where="query", fix="Choose fewer filters."
        )
    given = QueryDict(text.removeprefix("?"), mutable=True)
    for name in list(given):
        if name not in PARAMETERS:
            del given[name]
    check_state(given)
    return given.urlencode()


def _brand_of(actor: User, query: str) -> Brand | None:
    named = QueryDict(query).getlist("brand")
    visible = {str(brand.pk): brand for brand in people.brands_for(user=actor, permission="metrics.view")}
    plain = [str(brand_id(text)) for text in named if text]
    if any(key not in visible for key in plain):
        raise NotFound("There is nothing here under that id.")
    return visible[plain[0]] if len(plain) == 1 else None


def _require_sharing(actor: User, brand: Brand | None, *, shared: bool) -> None:
    if not shared:
        return
    if brand is not None:
        authority.require(user=actor, permission="views.share", brand=brand)
    else:
        authority.require_somewhere(user=actor, permission="views.share")
