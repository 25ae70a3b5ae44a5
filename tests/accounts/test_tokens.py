"""API tokens: several, named, expiring, revocable, hashed, shown once."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from django.contrib.auth.models import AnonymousUser
from django.db import connection
from django.utils import timezone
from rest_framework.test import APIClient

from accounts import services
from accounts.core.permissions import Role
from accounts.models import ApiToken, User
from tenants.core.problems import Conflict, InvalidInput, NotAuthenticated, NotFound
from tests.conftest import api_of
from tests.factories import person

ME = "/api/v1/me"


def with_token(text: str) -> APIClient:
    client = APIClient(HTTP_HOST="acme.localhost")
    client.credentials(HTTP_AUTHORIZATION=f"Token {text}", HTTP_HOST="acme.localhost")
    return client


def test_only_the_hash_is_kept(alice: User) -> None:
    _, text = services.create_token(actor=alice, name="nightly")
    assert with_token(text).get(ME).status_code == 200
    with connection.cursor() as cursor:
        cursor.execute("SELECT t::text FROM accounts_apitoken t")
        stored = " ".join(row[0] for row in cursor.fetchall())
    assert text not in stored
    assert text.removeprefix("rmn_")[16:] not in stored


def test_the_list_shows_use_and_never_the_text(alice: User) -> None:
    api = api_of(alice)
    made = api.post("/api/v1/tokens/", {"name": "nightly", "days": 7}).json()
    with_token(made["token"]).get(ME)
    listed = api.get("/api/v1/tokens/")
    assert made["token"] not in listed.content.decode()
    row = next(row for row in listed.json()["results"] if row["name"] == "nightly")
    assert row["last_used_at"] is not None
    assert row["expired"] is False


def test_revoked_means_at_once(alice: User) -> None:
    token, text = services.create_token(actor=alice, name="nightly")
    kept = with_token(services.create_token(actor=alice, name="other")[1])
    services.revoke_token(actor=alice, token_id=token.public_id)
    assert with_token(text).get(ME).status_code == 401
    assert kept.get(ME).status_code == 200


def test_expired_is_refused_and_stays_in_the_list(alice: User) -> None:
    token, text = services.create_token(actor=alice, name="nightly")
    ApiToken.objects.filter(pk=token.pk).update(expiry=timezone.now() - timedelta(seconds=1))
    assert with_token(text).get(ME).status_code == 401
    rows = api_of(alice).get("/api/v1/tokens/").json()["results"]
    assert {row["name"]: row["expired"] for row in rows}["nightly"] is True


def test_a_deactivated_persons_token_is_refused(alice: User) -> None:
    carol = person("carol", Role.VIEWER)
    _, text = services.create_token(actor=carol, name="nightly")
    services.deactivate_user(actor=alice, user_id=carol.pk)
    assert with_token(text).get(ME).status_code == 401


def test_every_bad_token_gets_the_same_answer(alice: User) -> None:
    token, expired = services.create_token(actor=alice, name="nightly")
    ApiToken.objects.filter(pk=token.pk).update(expiry=timezone.now() - timedelta(seconds=1))
    bodies = set()
    for text in (expired, "rmn_" + "0" * 64, expired[:-1] + "x", "x", "ÿ", "rmn_" + "0" * 5000):
        answer = with_token(text).get(ME)
        assert answer.status_code == 401
        body = answer.json()
        body.pop("request_id")
        bodies.add(str(sorted(body.items())))
    assert len(bodies) == 1


def test_a_person_revokes_their_own_and_an_owner_anybodys(alice: User) -> None:
    carol, dave = person("carol", Role.VIEWER), person("dave", Role.COMPLIANCE)
    token, _ = services.create_token(actor=carol, name="nightly")
    with pytest.raises(NotFound):
        services.revoke_token(actor=dave, token_id=token.public_id)
    assert [row["name"] for row in api_of(dave).get("/api/v1/tokens/").json()["results"]] != ["nightly"]
    services.revoke_token(actor=alice, token_id=token.public_id)
    with pytest.raises(NotFound):
        services.revoke_token(actor=alice, token_id=token.public_id)


def test_bad_input_makes_no_token(alice: User) -> None:
    services.create_token(actor=alice, name="nightly")
    with pytest.raises(Conflict):
        services.create_token(actor=alice, name="nightly")
    for name, days in (("", 1), ("x" * 81, 1), ("x", 0), ("x", 367)):
        with pytest.raises(InvalidInput):
            services.create_token(actor=alice, name=name, days=days)
    with pytest.raises(NotAuthenticated):
        services.create_token(actor=AnonymousUser(), name="x")
    with pytest.raises(NotFound):
        services.revoke_token(actor=alice, token_id=uuid.uuid4())
    assert ApiToken.objects.count() == 1
