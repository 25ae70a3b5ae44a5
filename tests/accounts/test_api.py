"""`/api/v1/` me, brands, users, tokens: who may, what is read, what a stranger learns."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from rest_framework.test import APIClient

from accounts.core.permissions import PERMISSIONS, Role
from accounts.models import ApiToken, Brand, RoleGrant, User
from tenants.models import Tenant
from tests.conftest import api_of, inside
from tests.factories import BrandFactory, person

OTHERS = [role for role in Role if role is not Role.OWNER]


@pytest.fixture(autouse=True)
def _fresh(fresh_cache: None) -> None:
    """Rate limits of earlier tests are gone."""


def body_of(answer: Any) -> dict[str, Any]:
    """A problem without what is different in every answer."""
    return {name: value for name, value in answer.json().items() if name not in {"request_id", "instance"}}


def state() -> tuple[Any, ...]:
    """Everything the requests of these tests could change."""
    return (
        list(User.objects.order_by("pk").values_list("pk", "email", "name", "is_active", "is_staff", "is_superuser")),
        list(RoleGrant.objects.order_by("pk").values_list("user", "role", "brand")),
        list(Brand.objects.order_by("pk").values_list("pk", "slug", "name")),
        list(ApiToken.objects.order_by("pk").values_list("pk", "name", "user")),
    )


def test_me(api: APIClient, alice: User) -> None:
    me = api.get("/api/v1/me").json()
    assert me["user"]["email"] == alice.email
    assert me["user"]["grants"] == [{"role": "owner", "brand": None}]
    assert me["tenant"] == {"slug": "acme", "name": "Acme Snacks", "base_currency": "USD"}
    assert set(me["permissions"]) == {name for name, roles in PERMISSIONS.items() if Role.OWNER in roles}


def test_brands_travel_through_the_api(api: APIClient) -> None:
    made = api.post("/api/v1/brands/", {"name": "Alpine Crisps"})
    assert (made.status_code, made.json()["slug"]) == (201, "alpine-crisps")
    address = f"/api/v1/brands/{made.json()['id']}/"
    assert api.patch(address, {"name": "Alps"}).json()["name"] == "Alps"
    assert api.get("/api/v1/brands/").json()["results"] == [api.get(address).json()]
    assert api.delete(address).status_code == 204
    assert api.get(address).status_code == 404


def test_people_travel_through_the_api(api: APIClient) -> None:
    brand = BrandFactory(slug="crisps")
    made = api.post(
        "/api/v1/users/",
        {"email": "carol@example.com", "name": "Carol", "grants": [{"role": "planner", "brand": str(brand.pk)}]},
    )
    assert made.status_code == 201
    assert "/accounts/password/reset/key/" in made.json()["password_link"]
    address = f"/api/v1/users/{made.json()['id']}/"
    changed = api.patch(address, {"grants": [{"role": "viewer"}], "name": "C."}).json()
    assert (changed["grants"], changed["name"]) == ([{"role": "viewer", "brand": None}], "C.")
    assert "password_link" in api.post(f"{address}password-link/").json()
    assert api.delete(address).status_code == 204
    assert api.get(address).json()["is_active"] is False


def test_the_last_owner_cannot_leave_by_the_api(api: APIClient, alice: User) -> None:
    answer = api.patch(f"/api/v1/users/{alice.pk}/", {"grants": [{"role": "viewer"}]})
    assert (answer.status_code, answer.json()["code"]) == (409, "conflict")


@pytest.mark.parametrize("role", OTHERS)
def test_writing_is_for_owners(alice: User, role: Role) -> None:
    brand = BrandFactory(slug="crisps")
    client = api_of(person("somebody", role))
    before = state()
    for verb, path, body in (
        ("post", "brands/", {"name": "X"}),
        ("patch", f"brands/{brand.pk}/", {"name": "X"}),
        ("delete", f"brands/{brand.pk}/", None),
        ("post", "users/", {"email": "x@example.com", "grants": [{"role": "owner"}]}),
        ("patch", f"users/{alice.pk}/", {"name": "X"}),
        ("delete", f"users/{alice.pk}/", None),
        ("post", f"users/{alice.pk}/password-link/", None),
    ):
        assert getattr(client, verb)(f"/api/v1/{path}", body).status_code == 403, (verb, path)
    assert state() == before


@pytest.mark.parametrize("role", OTHERS)
def test_reading_people_and_history_is_for_owners_and_compliance(alice: User, role: Role) -> None:
    client = api_of(person("somebody", role))
    expected = 200 if role is Role.COMPLIANCE else 403
    for path in ("users/", f"users/{alice.pk}/", "history/"):
        assert client.get(f"/api/v1/{path}").status_code == expected


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("brands/", {"name": "X", "id": str(uuid.uuid4())}),
        ("brands/", {"name": "X", "created_at": "2020-01-01T00:00:00Z"}),
        ("users/", {"email": "x@example.com", "grants": [{"role": "viewer"}], "is_superuser": True}),
        ("users/", {"email": "x@example.com", "grants": [{"role": "viewer"}], "is_staff": True}),
        ("users/", {"email": "x@example.com", "grants": [{"role": "viewer"}], "password": "x"}),
        ("users/", {"email": "x@example.com", "grants": [{"role": "viewer", "user": str(uuid.uuid4())}]}),
        ("tokens/", {"name": "x", "user": str(uuid.uuid4())}),
        ("tokens/", {"name": "x", "digest": "0"}),
        ("tokens/", {"name": "x", "expiry": None}),
    ],
)
def test_fields_nobody_may_set_are_refused(api: APIClient, path: str, body: dict[str, Any]) -> None:
    before = state()
    answer = api.post(f"/api/v1/{path}", body)
    assert answer.status_code == 400
    assert state() == before


@pytest.mark.parametrize("field", ["is_superuser", "is_staff", "email", "password", "id", "last_login"])
def test_a_change_cannot_set_them_either(api: APIClient, alice: User, field: str) -> None:
    before = state()
    answer = api.patch(f"/api/v1/users/{alice.pk}/", {field: True})
    assert (answer.status_code, answer.json()["where"]) == (400, field)
    assert state() == before


def test_foreign_and_nonexistent_ids_get_one_answer(api: APIClient, bob: User, birch: Tenant) -> None:
    with inside(birch):
        foreign_brand = BrandFactory(slug="birch-juice").pk
        foreign_token = ApiToken.objects.create(user=bob, name="x")[0].public_id
        before = state()
    for kind, foreign, verbs in (
        ("brands", foreign_brand, ("get", "patch", "delete")),
        ("users", bob.pk, ("get", "patch", "delete")),
        ("tokens", foreign_token, ("delete",)),
    ):
        for verb in verbs:
            body = {"name": "X"} if verb == "patch" else None
            answers = [getattr(api, verb)(f"/api/v1/{kind}/{id_}/", body) for id_ in (foreign, uuid.uuid4())]
            assert [answer.status_code for answer in answers] == [404, 404]
            assert body_of(answers[0]) == body_of(answers[1])
    invited = [
        api.post("/api/v1/users/", {"email": "x@example.com", "grants": [{"role": "viewer", "brand": str(id_)}]})
        for id_ in (foreign_brand, uuid.uuid4())
    ]
    assert [answer.status_code for answer in invited] == [400, 400]
    assert body_of(invited[0]) == body_of(invited[1])
    with inside(birch):
        assert state() == before


def test_a_brand_one_has_no_role_for_does_not_exist(alice: User) -> None:
    crisps, nuts = BrandFactory(slug="crisps"), BrandFactory(slug="nuts")
    duke = api_of(person("duke", Role.OWNER, brand=crisps))
    assert [row["slug"] for row in duke.get("/api/v1/brands/").json()["results"]] == ["crisps"]
    for verb in ("get", "patch", "delete"):
        hidden = getattr(duke, verb)(f"/api/v1/brands/{nuts.pk}/", {"name": "X"} if verb == "patch" else None)
        absent = getattr(duke, verb)(f"/api/v1/brands/{uuid.uuid4()}/", {"name": "X"} if verb == "patch" else None)
        assert hidden.status_code == absent.status_code == 404
        assert body_of(hidden) == body_of(absent)
    assert duke.patch(f"/api/v1/brands/{crisps.pk}/", {"name": "Mine"}).status_code == 200


@pytest.mark.parametrize("path", ["nothing/", "brands/1/", "brands/../me", "users/%00/"])
def test_an_address_that_is_none_is_a_document_too(api: APIClient, path: str) -> None:
    answer = api.get(f"/api/v1/{path}")
    assert (answer.status_code, answer["Content-Type"]) == (404, "application/problem+json")


@pytest.mark.parametrize("body", [b"{", b"[]", b'"x"', b"null", b"\xff\xfe", b'{"name": {"a": 1}}', b'{"name": null}'])
def test_malformed_bodies_are_400(api: APIClient, body: bytes) -> None:
    answer = api.generic("POST", "/api/v1/brands/", body, content_type="application/json")
    assert (answer.status_code, answer["Content-Type"]) == (400, "application/problem+json")
    assert not Brand.objects.exists()


def test_a_text_with_a_zero_byte_is_400(api: APIClient) -> None:
    assert api.post("/api/v1/brands/", {"name": "a\x00b"}).status_code == 400


def test_a_session_writes_only_with_its_csrf_token(alice: User) -> None:
    client = APIClient(HTTP_HOST="acme.localhost", enforce_csrf_checks=True)
    client.force_login(alice, backend="allauth.account.auth_backends.AuthenticationBackend")
    assert client.get("/api/v1/me").status_code == 200
    answer = client.post("/api/v1/brands/", {"name": "X"})
    assert (answer.status_code, answer["Content-Type"]) == (403, "application/problem+json")
    assert not Brand.objects.exists()


def test_lists_come_in_pages_with_a_constant_number_of_queries(
    api: APIClient, django_assert_max_num_queries: Any
) -> None:
    for number in range(30):
        person(f"p{number:02d}", Role.VIEWER)
    with django_assert_max_num_queries(24):
        page = api.get("/api/v1/users/?page_size=20").json()
    assert (page["count"], len(page["results"])) == (31, 20)


def test_the_schema_names_every_route_and_both_ways_in(api: APIClient) -> None:
    document = api.get("/api/v1/schema", headers={"accept": "application/vnd.oai.openapi+json"}).json()
    assert {"/api/v1/me", "/api/v1/brands/", "/api/v1/users/{user_id}/", "/api/v1/history/"} <= set(document["paths"])
    assert set(document["components"]["securitySchemes"]) >= {"token", "session"}
