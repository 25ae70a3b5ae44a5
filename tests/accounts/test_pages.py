"""Settings pages: each is one more door to the services."""

from __future__ import annotations

import uuid

import pytest
from django.test import Client
from django.urls import reverse

from accounts.core.permissions import Role
from accounts.models import ApiToken, Brand, RoleGrant, User
from tests.conftest import browser_of
from tests.factories import BrandFactory, person

PAGES = ["settings-users", "settings-brands", "settings-tokens", "settings-history"]


@pytest.fixture(autouse=True)
def _fresh(fresh_cache: None) -> None:
    """Rate limits of earlier tests are gone."""


@pytest.mark.parametrize("name", PAGES)
def test_pages_open_with_the_strict_policy(browser: Client, name: str) -> None:
    page = browser.get(reverse(name))
    assert page.status_code == 200
    policy = page["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "default-src 'none'" in policy
    assert page["X-Frame-Options"] == "DENY"
    for inline in (b"<style", b"style=", b"onclick=", b"<script>"):
        assert inline not in page.content


@pytest.mark.parametrize("role", list(Role))
def test_each_role_sees_its_pages(alice: User, role: Role) -> None:
    client = browser_of(person("somebody", role))
    for name, permission in (("settings-users", "users.view"), ("settings-history", "history.view")):
        allowed = role in {Role.OWNER, Role.COMPLIANCE}
        assert client.get(reverse(name)).status_code == (200 if allowed else 403), permission
    for name in ("settings-brands", "settings-tokens"):
        assert client.get(reverse(name)).status_code == 200
    assert client.get(reverse("settings-security")).url == reverse("mfa_index")


def test_roles_are_given_and_withdrawn(browser: Client, alice: User) -> None:
    carol, crisps = person("carol", Role.VIEWER), BrandFactory(slug="crisps")
    page = reverse("settings-user", args=[carol.pk])
    browser.post(page, {"action": "grant", "role": "planner", "brand": str(crisps.pk)})
    assert set(carol.grants.values_list("role", "brand")) == {("viewer", None), ("planner", crisps.pk)}
    browser.post(page, {"action": "withdraw", "grant": str(carol.grants.get(role="viewer").pk)})
    assert [grant.role for grant in carol.grants.all()] == ["planner"]
    browser.post(page, {"action": "rename", "name": "Caroline"})
    browser.post(page, {"action": "deactivate"})
    carol.refresh_from_db()
    assert (carol.name, carol.is_active) == ("Caroline", False)
    browser.post(page, {"action": "reactivate"})
    carol.refresh_from_db()
    assert carol.is_active


def test_a_refusal_is_shown_and_changes_nothing(browser: Client, alice: User) -> None:
    page = reverse("settings-user", args=[alice.pk])
    for data in ({"action": "deactivate"}, {"action": "withdraw", "grant": str(alice.grants.get().pk)}):
        answer = browser.post(page, data)
        assert answer.status_code in {400, 409}
        assert b"Nothing was changed" in answer.content
    assert browser.post(page, {"action": "grant", "role": "emperor"}).status_code == 400
    assert alice.grants.get().role == Role.OWNER


def test_compliance_looks_and_touches_nothing(alice: User) -> None:
    client = browser_of(person("dave", Role.COMPLIANCE))
    page = reverse("settings-user", args=[alice.pk])
    assert b"Give this role" not in client.get(page).content
    assert client.post(page, {"action": "deactivate"}).status_code == 403
    client.post(reverse("settings-users"), {"email": "x@example.com", "role": "owner"})
    assert not User.objects.filter(email="x@example.com").exists()


def test_brands_are_added_renamed_and_removed(browser: Client) -> None:
    page = reverse("settings-brands")
    browser.post(page, {"action": "create", "name": "Crisps"})
    brand = Brand.objects.get()
    assert b"is called" in browser.post(page, {"action": "create", "name": "Crisps"}).content
    browser.post(page, {"action": "rename", "brand": str(brand.pk), "name": "Chips"})
    brand.refresh_from_db()
    assert brand.name == "Chips"
    assert browser.post(page, {"action": "delete", "brand": "nonsense"}).status_code == 404
    browser.post(page, {"action": "delete", "brand": str(brand.pk)})
    assert not Brand.objects.exists()


def test_a_tokens_text_is_shown_once(browser: Client) -> None:
    page = reverse("settings-tokens")
    answer = browser.post(page, {"name": "nightly", "days": "30"})
    assert b"rmn_" in answer.content
    assert "no-store" in answer["Cache-Control"]
    token = ApiToken.objects.get()
    text = answer.context["text"]
    assert text.encode() not in browser.get(page).content
    assert b"You have a token" in browser.post(page, {"name": "nightly", "days": "30"}).content
    assert browser.get(reverse("settings-token-revoke", args=[token.public_id])).status_code == 405
    browser.post(reverse("settings-token-revoke", args=[token.public_id]))
    assert not ApiToken.objects.exists()


def test_unknown_ids_are_404(browser: Client) -> None:
    assert browser.get(reverse("settings-user", args=[uuid.uuid4()])).status_code == 404
    assert browser.post(reverse("settings-token-revoke", args=[uuid.uuid4()])).status_code == 404


def test_forms_need_their_csrf_token(alice: User) -> None:
    client = Client(HTTP_HOST="acme.localhost", enforce_csrf_checks=True)
    client.force_login(alice, backend="allauth.account.auth_backends.AuthenticationBackend")
    assert client.post(reverse("settings-brands"), {"action": "create", "name": "X"}).status_code == 403
    assert not Brand.objects.exists()
    assert RoleGrant.objects.count() == 1


def test_markup_in_names_stays_text(browser: Client, alice: User) -> None:
    BrandFactory(slug="evil", name="<script>alert(1)</script>")
    for name in ("settings-brands", "settings-history"):
        assert b"<script>alert" not in browser.get(reverse(name)).content


@pytest.mark.parametrize("address", ["/scenarios/?brand=%00", "/jobs/?kind=%00", "/data/catalogue/?q=a%00b"])
def test_a_nul_in_the_address_is_refused_before_the_database_is_asked(browser: Client, address: str) -> None:
    page = browser.get(address)
    assert page.status_code == 400
    assert "Remove %00" in page.content.decode()
