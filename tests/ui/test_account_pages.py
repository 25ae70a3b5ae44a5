"""The pages of allauth as people reach them: in the frame or beside it, and never unstyled."""

import pytest
from allauth.mfa.totp.internal import auth
from django.urls import reverse

pytestmark = pytest.mark.django_db

FOR_STRANGERS = [
    "account_login",
    "account_reset_password",
    "account_reset_password_done",
    "account_signup",
    "account_inactive",
]
FOR_PEOPLE = ["account_change_password", "account_logout", "account_reauthenticate", "mfa_index"]


@pytest.mark.parametrize("name", FOR_STRANGERS)
def test_pages_before_signing_in(login, acme, name):
    response = login(None).get(reverse(name))
    text = response.content.decode()
    assert response.status_code == 200
    assert "css/tokens.css" in text
    assert "rmn-nav" not in text
    assert text.count("<h1") == 1


@pytest.mark.parametrize("name", FOR_PEOPLE)
def test_pages_of_an_account(browser, name):
    response = browser.get(reverse(name))
    text = response.content.decode()
    assert response.status_code == 200
    assert "css/tokens.css" in text
    assert text.count("<h1") == 1


def test_sign_in_names_the_tenant_and_shows_no_demo_logins(login, acme):
    text = login(None).get(reverse("account_login")).content.decode()
    assert f"Sign in to {acme.name}" in text
    assert "Demo accounts" not in text


def test_wrong_password_is_said_on_the_form(login, acme):
    response = login(None).post(reverse("account_login"), {"login": "alice@acme.example", "password": "wrong"})
    assert 'role="alert"' in response.content.decode()


def test_frame_of_alice(browser, alice):
    text = browser.get(reverse("mfa_index")).content.decode()
    assert alice.email in text
    assert f'action="{reverse("account_logout")}"' in text


PASSWORD = {"password": "a long enough secret"}


COUNTER = 7


def code_for(secret):
    """What an authenticator app would show."""
    return auth.format_hotp_value(auth.hotp_value(secret, COUNTER))


def test_second_factor_from_setting_up_to_signing_in(login, alice, monkeypatch):
    monkeypatch.setattr(auth, "yield_hotp_counters_from_time", lambda: iter([COUNTER]))
    alice.set_password(PASSWORD["password"])
    alice.save()
    client = login(None)
    signing_in = {"login": alice.email, **PASSWORD}
    client.post(reverse("account_login"), signing_in)

    asked = client.get(reverse("mfa_activate_totp"), follow=True)
    assert "Confirm that it is you" in asked.content.decode()
    page = client.post(asked.request["PATH_INFO"] + "?" + asked.request["QUERY_STRING"], PASSWORD, follow=True)
    secret = page.context["form"].secret
    assert 'class="qr" src="data:image/svg+xml' in page.content.decode()
    refused = client.post(reverse("mfa_activate_totp"), {"code": "000000x"})
    assert 'aria-invalid="true"' in refused.content.decode()
    shown = client.post(reverse("mfa_activate_totp"), {"code": code_for(secret)}, follow=True).content.decode()
    assert shown.count("<li>") >= 10
    assert "Recovery codes" in shown
    assert "active" in client.get(reverse("mfa_index")).content.decode()

    client.post(reverse("account_logout"))
    asked = client.post(reverse("account_login"), signing_in, follow=True).content.decode()
    assert "Second factor" in asked
    assert 'autocomplete="one-time-code"' in asked


def test_too_many_wrong_passwords_say_when_to_try_again(login, alice):
    client = login(None)
    wrong = {"login": alice.email, "password": "wrong"}
    answers = [client.post(reverse("account_login"), wrong) for _ in range(6)]
    text = answers[-1].content.decode()
    assert answers[-1].status_code == 429
    assert "Sign-in is paused" in text
    assert "Wait 15 min" in text
    assert alice.email in text
