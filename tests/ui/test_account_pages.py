"""The pages of allauth as people reach them: in the frame or beside it, and never unstyled."""

import pytest
from django.urls import reverse

pytestmark = pytest.mark.django_db

FOR_STRANGERS = [
    "account_login",
    "account_reset_password",
    "account_reset_password_done",
    "account_signup",
    "account_inactive",
]
FOR_PEOPLE = ["account_change_password", "account_email", "account_logout", "account_reauthenticate", "mfa_index"]


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
