"""Navigation and frame as one person sees them."""

from types import SimpleNamespace

import pytest
from django.contrib.auth.models import AnonymousUser
from django.http import HttpResponse
from django.test import RequestFactory
from django.urls import path

from accounts import selectors
from accounts.core.permissions import PERMISSIONS, Role
from accounts.models import Brand, User
from rmn_site.ui import context
from rmn_site.ui.navigation import NAVIGATION, Group, Item, links_for


def page(request):
    return HttpResponse()


urlpatterns = [
    path("", page, name="home"),
    path("jobs/", page, name="job-list"),
    path("jobs/archive/", page, name="job-archive"),
    path("uploads/", page, name="upload-list"),
    path("accounts/mfa/", page, name="mfa_index"),
]

GROUPS = (
    Group("", (Item("Home", "home", "home", key="h"), Item("Nowhere yet", "not-there", "home"))),
    Group(
        "Data",
        (Item("Jobs", "job-list", "list-check", permission="jobs.view"), Item("Archive", "job-archive", "archive")),
    ),
    Group("Empty", (Item("Nowhere", "not-there-either", "home"),)),
)
pytestmark = pytest.mark.urls(__name__)


def seen(at, *permissions):
    return [
        (label, [(link.label, link.current) for link in links])
        for label, links in links_for(path=at, permissions=set(permissions), groups=GROUPS)
    ]


def test_pages_without_an_address_are_not_shown():
    assert seen("/", "jobs.view") == [("", [("Home", True)]), ("Data", [("Jobs", False), ("Archive", False)])]


def test_pages_without_permission_are_not_shown():
    assert seen("/") == [("", [("Home", True)]), ("Data", [("Archive", False)])]


def test_longest_address_that_fits_is_current():
    assert seen("/jobs/17/", "jobs.view")[1] == ("Data", [("Jobs", True), ("Archive", False)])
    assert seen("/jobs/archive/3", "jobs.view")[1] == ("Data", [("Jobs", False), ("Archive", True)])


def test_home_is_current_only_at_home():
    assert seen("/elsewhere/")[0] == ("", [("Home", False)])


def test_every_permission_named_exists_and_no_key_is_taken_twice():
    items = [item for group in NAVIGATION for item in group.items]
    assert {item.permission for item in items if item.permission} <= set(PERMISSIONS)
    keys = [item.key for item in items if item.key]
    assert len(keys) == len(set(keys))


@pytest.fixture
def alice(monkeypatch):
    """A planner of two brands, without a database."""
    chips, nuts = Brand(name="Chips", slug="chips"), Brand(name="Nuts", slug="nuts")
    monkeypatch.setattr(selectors, "roles_of", lambda *, user: [(Role.PLANNER, chips), (Role.PLANNER, nuts)])
    monkeypatch.setattr(selectors, "brands_for", lambda *, user, permission: [chips, nuts])
    return SimpleNamespace(user=User(email="alice@acme.example", name="Alice"), chips=chips, nuts=nuts)


def frame_at(address, user):
    request = RequestFactory().get(address)
    request.user, request.tenant = user, SimpleNamespace(name="Acme Snacks")
    return context.build_frame(request)


def test_frame_of_a_person(alice):
    frame = frame_at("/uploads/", alice.user)
    assert frame.tenant == "Acme Snacks"
    assert frame.person == context.Person("Alice", "alice@acme.example", "planner")
    assert [link.label for _, links in frame.navigation for link in links] == ["Home", "Sources and uploads", "Jobs"]
    assert [link.label for link in frame.account] == ["Second factor"]


def test_brand_is_chosen_in_the_address_and_keeps_the_rest(alice):
    frame = frame_at(f"/uploads/?sort=name&page=2&brand={alice.nuts.pk}", alice.user)
    assert frame.brand == "Nuts"
    assert [(brand.name, brand.current) for brand in frame.brands] == [
        ("All brands", False),
        ("Chips", False),
        ("Nuts", True),
    ]
    assert frame.brands[0].url == "?sort=name"
    assert frame.brands[1].url == f"?sort=name&brand={alice.chips.pk}"


@pytest.mark.parametrize("brand", ["no-id", "0199c0de-7a11-7000-8000-000000000001"])
def test_brand_that_is_not_ones_own_chooses_nothing(alice, brand):
    frame = frame_at(f"/uploads/?brand={brand}", alice.user)
    assert frame.brand == "All brands"
    assert [link.current for link in frame.brands] == [True, False, False]


def test_one_brand_is_no_choice(alice, monkeypatch):
    monkeypatch.setattr(selectors, "brands_for", lambda *, user, permission: [alice.chips])
    frame = frame_at("/uploads/", alice.user)
    assert (frame.brand, len(frame.brands)) == ("Chips", 1)


def test_frame_of_a_stranger_shows_the_tenant_alone():
    assert frame_at("/", AnonymousUser()) == context.Frame(tenant="Acme Snacks")


def test_frame_asks_for_nothing_until_a_template_does(monkeypatch):
    asked = []
    monkeypatch.setattr(context, "build_frame", lambda request: asked.append(request) or context.Frame(tenant="Acme"))
    made = context.frame(RequestFactory().get("/"))["frame"]
    assert asked == []
    assert made.tenant == "Acme"
    assert len(asked) == 1
