"""Rates: a burst of one tenant is refused politely and is nothing to another."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from accounts.core.permissions import Role
from accounts.models import User
from tenants.models import Tenant
from tests.conftest import api_of, inside
from tests.factories import PASSWORD, person

ME = "/api/v1/me"


@pytest.fixture(autouse=True)
def _fresh(fresh_cache: None) -> None:
    """No counters of earlier tests."""


@pytest.fixture
def limited(acme: Tenant) -> Tenant:
    """acme, with six requests a minute."""
    Tenant.objects.filter(pk=acme.pk).update(api_rate_per_minute=6)
    return acme


def test_a_burst_is_429_with_retry_after_and_others_are_unaffected(
    limited: Tenant, alice: User, bob: User, birch: Tenant
) -> None:
    carol = person("carol", Role.VIEWER)
    clients = [api_of(alice), api_of(carol)]
    answers = [client.get(ME).status_code for _ in range(3) for client in clients]
    assert answers == [200] * 6
    refused = clients[0].get(ME)
    assert (refused.status_code, refused["Content-Type"]) == (429, "application/problem+json")
    assert 1 <= int(refused["Retry-After"]) <= 60
    assert refused["Retry-After"] in refused.json()["fix"]
    with inside(birch):
        other = api_of(bob, "birch.localhost")
    assert other.get(ME).status_code == 200


def test_one_person_leaves_half_for_the_rest(limited: Tenant, alice: User) -> None:
    greedy, modest = api_of(alice), api_of(person("carol", Role.VIEWER))
    assert [greedy.get(ME).status_code for _ in range(5)] == [200, 200, 200, 429, 429]
    assert modest.get(ME).status_code == 200


def test_the_default_rate_holds_where_the_tenant_has_none(alice: User, settings: Any) -> None:
    settings.API_RATE_PER_MINUTE = 4
    client = api_of(alice)
    assert [client.get(ME).status_code for _ in range(3)] == [200, 200, 429]


def test_strangers_are_counted_too(limited: Tenant) -> None:
    stranger = api_of(None)
    answers = [stranger.get(ME).status_code for _ in range(8)]
    assert answers[0] == 401
    assert set(answers) <= {401, 429}


def test_a_silent_counter_refuses_nobody(alice: User, settings: Any) -> None:
    client = api_of(alice)
    settings.CACHES = {"default": {**settings.CACHES["default"], "LOCATION": "unix:///nowhere.sock"}}
    assert client.get(ME).status_code == 200
    page = Client(HTTP_HOST="acme.localhost")
    answer = page.post("/accounts/login/", {"login": alice.email, "password": PASSWORD, "next": "/settings/tokens/"})
    assert answer.status_code == 302
    assert page.get("/settings/tokens/").status_code == 200


def test_readiness_tells_that_the_queue_is_away(db: None, settings: Any) -> None:
    settings.REDIS_URL = "unix:///nowhere.sock"
    answer = Client(HTTP_HOST="acme.localhost").get("/health/ready")
    assert (answer.status_code, answer.json()["status"]) == (200, "degraded")
