"""Logging in: password, second factor, lock-out, and what a stranger learns from it."""

from __future__ import annotations

import re
import time
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, generate_totp_secret, hotp_value
from django.contrib.auth.hashers import MD5PasswordHasher
from django.contrib.sessions.models import Session
from django.core import mail
from django.db import connection
from django.test import Client

from accounts.core.permissions import Role
from accounts.models import User
from accounts.services import recorded_as
from tenants.models import Tenant
from tests.conftest import inside
from tests.factories import PASSWORD, person

LOGIN = "/accounts/login/"
INSIDE = "/settings/tokens/"


@pytest.fixture(autouse=True)
def _fresh(fresh_cache: None) -> None:
    """Rate limits of earlier tests are gone."""


@pytest.fixture
def visitor(acme: Tenant) -> Client:
    return Client(HTTP_HOST="acme.localhost")


def log_in(client: Client, email: str, password: str = PASSWORD, **extra: Any) -> Any:
    return client.post(LOGIN, {"login": email, "password": password, "next": INSIDE}, **extra)


def is_in(client: Client) -> bool:
    return client.get(INSIDE).status_code == 200


def test_email_and_password_let_in(alice: User, visitor: Client) -> None:
    assert log_in(visitor, "Alice@Example.com")["Location"] == INSIDE
    assert is_in(visitor)


def test_nobody_signs_up(visitor: Client) -> None:
    data = {"email": "x@example.com", "password1": PASSWORD, "password2": PASSWORD}
    visitor.post("/accounts/signup/", data)
    assert not User.objects.exists()


@pytest.mark.parametrize("path", [INSIDE, "/settings/users/", "/admin/", "/api/v1/docs"])
def test_pages_lead_to_the_login(visitor: Client, path: str) -> None:
    answer = visitor.get(path, follow=True)
    assert answer.redirect_chain[-1][0].startswith(LOGIN)


@pytest.mark.parametrize("path", ["/api/v1/me", "/api/v1/users/", "/api/v1/schema"])
def test_the_api_answers_401(visitor: Client, path: str) -> None:
    answer = visitor.get(path)
    assert (answer.status_code, answer["Content-Type"]) == (401, "application/problem+json")
    assert answer.json()["fix"]


def test_the_session_key_changes_at_login(alice: User, visitor: Client) -> None:
    session = visitor.session
    session["seen"] = "before"
    session.save()
    before = session.session_key
    visitor.cookies["sessionid"] = before
    log_in(visitor, alice.email)
    assert is_in(visitor)
    assert visitor.session.session_key != before
    assert not Session.objects.filter(session_key=before).exists()


def test_logging_out_needs_a_post_and_ends_the_session(alice: User, visitor: Client) -> None:
    log_in(visitor, alice.email)
    visitor.get("/accounts/logout/")
    assert is_in(visitor)
    key = visitor.session.session_key
    visitor.post("/accounts/logout/")
    assert not is_in(visitor)
    assert not Session.objects.filter(session_key=key).exists()


def test_an_outside_next_is_ignored(alice: User, visitor: Client) -> None:
    answer = visitor.post(LOGIN, {"login": alice.email, "password": PASSWORD, "next": "https://evil.example/"})
    assert "evil" not in answer["Location"]


def without_tokens(page: bytes) -> str:
    text = re.sub(r'(csrf-token" content|csrfmiddlewaretoken" value)="[^"]+"', "", page.decode())
    return re.sub(r"[\w.]+@example\.com", "ADDRESS", text)


def test_known_and_unknown_accounts_get_one_answer(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    hashed: list[str] = []
    encode = MD5PasswordHasher.encode
    monkeypatch.setattr(MD5PasswordHasher, "encode", lambda self, *a: hashed.append(a[0]) or encode(self, *a))
    answers = []
    for email in (alice.email, "nobody@example.com"):
        hashed.clear()
        answer = log_in(Client(HTTP_HOST="acme.localhost"), email, "wrong")
        # Hashing is what takes the time of an answer: it happens as often for an address nobody has.
        answers.append((answer.status_code, without_tokens(answer.content), hashed.count("wrong")))
    assert answers[0] == answers[1]
    assert answers[0][2] == 1


def test_resetting_a_password_says_the_same_of_everybody(alice: User) -> None:
    answers = []
    for email in (alice.email, "nobody@example.com"):
        answer = Client(HTTP_HOST="acme.localhost").post("/accounts/password/reset/", {"email": email}, follow=True)
        answers.append((answer.status_code, answer.redirect_chain, without_tokens(answer.content)))
    assert answers[0] == answers[1]


def fail(email: str, times: int = 5, **extra: Any) -> Any:
    for _ in range(times):
        answer = log_in(Client(HTTP_HOST="acme.localhost"), email, "wrong", **extra)
    return answer


@pytest.mark.parametrize("email", ["alice@example.com", "nobody@example.com"])
def test_five_failures_lock_known_and_unknown_alike(alice: User, visitor: Client, email: str) -> None:
    assert fail(email, times=4).status_code == 200
    locked = fail(email.upper(), times=1)
    assert locked.status_code == 429
    assert b"Sign-in is paused" in locked.content
    assert log_in(visitor, email).status_code == 429
    assert not is_in(visitor)


def test_the_lock_is_for_one_address_from_one_place(alice: User, birch: Tenant, visitor: Client) -> None:
    carol = person("carol", Role.VIEWER)
    fail(alice.email)
    assert log_in(Client(HTTP_HOST="acme.localhost"), carol.email).status_code == 302
    assert log_in(visitor, alice.email, REMOTE_ADDR="10.9.8.7").status_code == 302
    with inside(birch):
        person("alice", Role.OWNER)
    assert log_in(Client(HTTP_HOST="birch.localhost"), alice.email).status_code == 302


def test_a_forged_forwarded_address_does_not_help(alice: User) -> None:
    for number in range(5):
        answer = log_in(
            Client(HTTP_HOST="acme.localhost"), alice.email, "wrong", HTTP_X_FORWARDED_FOR=f"10.0.0.{number}"
        )
    assert answer.status_code == 429


def test_resetting_the_password_ends_the_lock(alice: User, visitor: Client) -> None:
    fail(alice.email)
    visitor.post("/accounts/password/reset/", {"email": alice.email})
    link = re.search(r"http://[^/]+(/accounts/password/reset/key/\S+)", str(mail.outbox[-1].body))
    assert link
    form = visitor.get(link[1], follow=True)
    new = "another horse battery staple"
    visitor.post(form.redirect_chain[-1][0], {"password1": new, "password2": new})
    assert log_in(Client(HTTP_HOST="acme.localhost"), alice.email, new).status_code == 302


@pytest.fixture
def secret(alice: User) -> str:
    """alice's second factor."""
    secret = generate_totp_secret()
    TOTP.activate(alice, secret)
    return secret


def code_now(secret: str) -> str:
    return format_hotp_value(hotp_value(secret, int(time.time()) // 30))


def test_the_second_factor_is_asked_for(alice: User, visitor: Client, secret: str) -> None:
    assert log_in(visitor, alice.email)["Location"].startswith("/accounts/2fa/authenticate/")
    assert not is_in(visitor)
    assert visitor.post("/accounts/2fa/authenticate/", {"code": code_now(secret)}).status_code == 302
    assert is_in(visitor)


def test_a_code_works_once(alice: User, visitor: Client, secret: str) -> None:
    code = code_now(secret)
    for client, accepted in ((visitor, True), (Client(HTTP_HOST="acme.localhost"), False)):
        log_in(client, alice.email)
        client.post("/accounts/2fa/authenticate/", {"code": code})
        assert is_in(client) is accepted


def test_guessing_codes_is_stopped(alice: User, visitor: Client, secret: str) -> None:
    log_in(visitor, alice.email)
    for number in range(10):
        visitor.post("/accounts/2fa/authenticate/", {"code": f"{number:06d}"})
    visitor.post("/accounts/2fa/authenticate/", {"code": code_now(secret)})
    assert not is_in(visitor)


def test_a_recovery_code_works_once(alice: User, visitor: Client, secret: str) -> None:
    code = RecoveryCodes.activate(alice).get_unused_codes()[0]
    log_in(visitor, alice.email)
    visitor.post("/accounts/2fa/authenticate/", {"code": code})
    assert is_in(visitor)
    again = Client(HTTP_HOST="acme.localhost")
    log_in(again, alice.email)
    again.post("/accounts/2fa/authenticate/", {"code": code})
    assert not is_in(again)


def test_the_admin_is_no_way_around_the_second_factor(alice: User, visitor: Client, secret: str) -> None:
    answer = visitor.post("/admin/login/", {"username": alice.email, "password": PASSWORD})
    assert answer["Location"].startswith(LOGIN)
    assert not is_in(visitor)


def test_ending_access_ends_open_sessions(alice: User, visitor: Client) -> None:
    carol = person("carol", Role.VIEWER)
    log_in(visitor, carol.email)
    assert is_in(visitor)
    with recorded_as(source="test"):
        User.objects.filter(pk=carol.pk).update(is_active=False)
    assert not is_in(visitor)
    assert log_in(visitor, carol.email).status_code != 302 or not is_in(visitor)


def test_an_invited_person_sets_a_password_and_is_in(browser: Client, visitor: Client, birch: Tenant) -> None:
    page = browser.post(
        "/settings/users/", {"email": "carol@example.com", "role": "planner", "brand": "", "name": "Carol"}
    )
    link = re.search(r"http://acme\.localhost(/accounts/password/reset/key/[^<\"]+)", page.content.decode())
    assert link
    assert link[0] in str(mail.outbox[-1].body)
    form = visitor.get(link[1], follow=True)
    visitor.post(form.redirect_chain[-1][0], {"password1": PASSWORD, "password2": PASSWORD})
    assert log_in(visitor, "carol@example.com").status_code == 302
    assert is_in(visitor)
    assert b"Invite a person" not in visitor.get(INSIDE).content
    # In another tenant, and a second time, the link opens nothing.
    for host in ("birch.localhost", "acme.localhost"):
        page = Client(HTTP_HOST=host).get(link[1], follow=True)
        assert b'name="password1"' not in page.content
    connection.set_tenant(birch)
    assert not User.objects.filter(email="carol@example.com").exists()


def test_a_second_factor_is_set_up_on_its_page(alice: User, visitor: Client) -> None:
    log_in(visitor, alice.email)
    page = visitor.get("/accounts/2fa/totp/activate/", follow=True)
    if "reauthenticate" in page.request["PATH_INFO"]:
        data = {"password": PASSWORD, "next": "/accounts/2fa/totp/activate/"}
        page = visitor.post(page.request["PATH_INFO"], data, follow=True)
    secret = page.context["form"].secret
    visitor.post("/accounts/2fa/totp/activate/", {"code": code_now(secret)})
    again = Client(HTTP_HOST="acme.localhost")
    assert log_in(again, alice.email)["Location"].startswith("/accounts/2fa/authenticate/")


@pytest.mark.parametrize("path", ["/accounts/email/", "/accounts/confirm-email/"])
def test_people_do_not_change_the_address_they_were_invited_by(alice: User, visitor: Client, path: str) -> None:
    log_in(visitor, alice.email)
    assert visitor.get(path).status_code == 404
    visitor.post(path, {"email": "boss@example.com", "action_add": ""})
    alice.refresh_from_db()
    assert alice.email == "alice@example.com"
    assert not EmailAddress.objects.filter(email="boss@example.com").exists()
