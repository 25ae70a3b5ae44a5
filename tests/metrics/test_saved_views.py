"""Saved views: a name for the state of the page, one's own or shared."""

from __future__ import annotations

from uuid import uuid4

import pytest
from django.test import Client
from rest_framework.test import APIClient

from accounts.core.permissions import Role
from accounts.models import Brand, User
from metrics import services
from metrics.models import SavedView
from metrics.selectors import views_visible
from tenants.core.problems import Conflict, InvalidInput, NotAllowed, NotFound
from tests import factories
from tests.conftest import api_of, browser_of
from tests.metrics.conftest import Shelf


def names(user: User) -> set[str]:
    return {view.name for view in views_visible(user=user)}


def test_a_view_keeps_the_state_and_nothing_else(acme: object, alice: User) -> None:
    view = services.save_view(
        actor=alice, name="  My  view ", query="?by=campaign&attribution=common_window&window=7&page=3&export=csv"
    )
    assert (view.name, view.query) == ("My view", "by=campaign&attribution=common_window&window=7")


def test_saving_under_the_same_name_replaces(acme: object, alice: User) -> None:
    first = services.save_view(actor=alice, name="Mine", query="by=sku")
    assert services.save_view(actor=alice, name="Mine", query="by=campaign").pk == first.pk
    assert SavedView.objects.get().query == "by=campaign"


@pytest.mark.parametrize("query", ["by=colour", "attribution=luck", "window=0", "cols=x", "brand=x", "start=soon"])
def test_what_the_page_would_refuse_is_not_saved(acme: object, alice: User, query: str) -> None:
    with pytest.raises(InvalidInput):
        services.save_view(actor=alice, name="Mine", query=query)
    assert not SavedView.objects.exists()


def test_own_views_are_ones_own_and_shared_ones_everybodys(published: Shelf, alice: User, carol: User) -> None:
    services.save_view(actor=alice, name="Private", query="")
    services.save_view(actor=alice, name="Shared", query="by=sku", shared=True)
    assert names(alice) == {"Private", "Shared"}
    assert names(carol) == {"Shared"}


def test_a_shared_view_of_a_brand_is_for_those_who_may_see_it(
    published: Shelf, alice: User, carol: User, chips: Brand, nuts: Brand
) -> None:
    services.save_view(actor=alice, name="Chips", query=f"brand={chips.pk}", shared=True)
    services.save_view(actor=alice, name="Nuts", query=f"brand={nuts.pk}", shared=True)
    assert names(carol) == {"Nuts"}
    with pytest.raises(NotFound):
        services.save_view(actor=carol, name="Chips", query=f"brand={chips.pk}")


@pytest.mark.parametrize("query", ["campaign=Secret+launch", "sku=B001&network=amazon_ads", "search_term=chips"])
def test_a_view_for_everybody_names_nothing_of_a_brand(
    published: Shelf, alice: User, chips: Brand, carol: User, query: str
) -> None:
    with pytest.raises(InvalidInput) as caught:
        services.save_view(actor=alice, name="Ours", query=query, shared=True)
    assert caught.value.where == "shared"
    view = services.save_view(actor=alice, name="Ours", query=query)
    with pytest.raises(InvalidInput):
        services.change_view(actor=alice, view_id=view.pk, shared=True)
    services.change_view(actor=alice, view_id=view.pk, shared=True, query=f"{query}&brand={chips.pk}")
    with pytest.raises(InvalidInput):
        services.change_view(actor=alice, view_id=view.pk, query=query)
    assert names(carol) == set()
    services.change_view(actor=alice, view_id=view.pk, query="network=amazon_ads&retailer=shop&by=sku")
    assert names(carol) == {"Ours"}


def test_two_brands_are_not_shared_with_everybody(published: Shelf, alice: User, chips: Brand, nuts: Brand) -> None:
    with pytest.raises(InvalidInput):
        services.save_view(actor=alice, name="Both", query=f"brand={chips.pk}&brand={nuts.pk}", shared=True)


@pytest.mark.parametrize("letter", ["\u00e9", "\U0001f35f"])
def test_a_query_is_as_long_as_an_address_is_written(acme: object, api: APIClient, letter: str) -> None:
    body = {"name": "Mine", "query": "campaign=" + letter * 900}
    told = api.post("/api/v1/metrics/views/", body, format="json")
    assert (told.status_code, told.json()["where"]) == (400, "query")
    assert not SavedView.objects.exists()


def test_viewers_keep_views_and_share_none(published: Shelf, carol: User) -> None:
    services.save_view(actor=carol, name="Mine", query="")
    with pytest.raises(NotAllowed):
        services.save_view(actor=carol, name="Ours", query="", shared=True)
    with pytest.raises(NotAllowed):
        services.save_view(actor=factories.person("rita", Role.RETAILER_ADOPS), name="Hers", query="")


def test_only_its_owner_and_the_tenants_owners_change_a_view(published: Shelf, alice: User, carol: User) -> None:
    ann = factories.person("ann", Role.ANALYST)
    view = services.save_view(actor=ann, name="Ann's", query="", shared=True)
    with pytest.raises(NotAllowed):
        services.change_view(actor=carol, view_id=view.pk, name="Carol's")
    with pytest.raises(NotAllowed):
        services.delete_view(actor=carol, view_id=view.pk)
    services.change_view(actor=alice, view_id=view.pk, shared=False)
    with pytest.raises(NotFound):
        services.delete_view(actor=carol, view_id=view.pk)
    with pytest.raises(NotFound):
        services.delete_view(actor=alice, view_id=uuid4())


def test_a_view_is_not_renamed_to_another_of_its_owner(acme: object, alice: User) -> None:
    services.save_view(actor=alice, name="One", query="")
    two = services.save_view(actor=alice, name="Two", query="")
    with pytest.raises(Conflict):
        services.change_view(actor=alice, view_id=two.pk, name="One")


def test_rest_keeps_views(acme: object, api: APIClient, alice: User) -> None:
    made = api.post("/api/v1/metrics/views/", {"name": "Mine", "query": "by=sku"}, format="json")
    assert (made.status_code, made.json()["owner"]) == (201, alice.email)
    address = f"/api/v1/metrics/views/{made.json()['id']}/"
    assert api.patch(address, {"name": "Ours", "shared": True}, format="json").json()["shared"] is True
    assert [row["name"] for row in api.get("/api/v1/metrics/views/").json()["results"]] == ["Ours"]
    assert api.patch(address, {"owner": "x"}, format="json").status_code == 400
    assert api.delete(address).status_code == 204
    assert api.get(address).status_code == 404


def test_the_page_saves_lists_opens_and_deletes(published: Shelf, browser: Client, carol: User) -> None:
    answer = browser.post("/performance/views/", {"name": "By SKU", "query": "by=sku&compare=none", "shared": "1"})
    assert answer["Location"] == "/performance/?by=sku&compare=none"
    page = browser.get("/performance/").content.decode()
    assert 'href="/performance/?by=sku&amp;compare=none"' in page
    assert "By SKU" in browser_of(carol).get("/performance/").content.decode()
    view = SavedView.objects.get()
    assert f"/performance/views/{view.pk}/delete/" not in browser_of(carol).get("/performance/").content.decode()
    browser.post(f"/performance/views/{view.pk}/delete/")
    assert not SavedView.objects.exists()
    told = browser.post("/performance/views/", {"name": "", "query": ""}, follow=True).content.decode()
    assert "A view needs a name" in told
    assert browser.post("/performance/views/", {"name": "a\0b", "query": ""}).status_code == 400


def test_a_view_of_somebody_else_is_as_one_that_does_not_exist(published: Shelf, alice: User, carol: User) -> None:
    view = services.save_view(actor=alice, name="Private", query="")
    client = api_of(carol)
    assert client.get(f"/api/v1/metrics/views/{view.pk}/").status_code == 404
    assert client.get(f"/api/v1/metrics/views/{uuid4()}/").status_code == 404
