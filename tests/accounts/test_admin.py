"""The admin of a tenant and that of the platform: who gets in, what they see, and that the services decide."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib import admin as django_admin
from django.db import connection
from django.test import Client
from django.urls import reverse

from accounts import services
from accounts.core.permissions import Role
from accounts.models import ApiToken, Brand, RoleGrant, User
from tenants.admin import platform_site, tenant_site
from tenants.models import Domain, Tenant
from tests.conftest import browser_of, inside
from tests.factories import BrandFactory, person

MODELS = ["user", "rolegrant", "brand", "apitoken", "userevent", "rolegrantevent", "brandevent", "apitokenevent"]
LIST = "/admin/accounts/{}/"


@pytest.mark.parametrize("role", list(Role))
def test_who_opens_the_admin(alice: User, role: Role) -> None:
    answer = browser_of(person("somebody", role)).get("/admin/", follow=True)
    opens = role in {Role.OWNER, Role.DATA_ENGINEER, Role.COMPLIANCE}
    assert answer.status_code == (200 if opens else 403)


def test_a_role_for_one_brand_does_not_open_it(alice: User) -> None:
    duke = person("duke", Role.OWNER, brand=BrandFactory(slug="crisps"))
    assert browser_of(duke).get("/admin/", follow=True).status_code == 403


def test_a_flag_in_the_row_does_not_open_it(alice: User) -> None:
    viewer = person("viewer", Role.VIEWER)
    User.objects.filter(pk=viewer.pk).update(is_staff=True)
    assert browser_of(viewer).get("/admin/", follow=True).status_code == 403


@pytest.mark.parametrize("model", MODELS)
def test_lists_by_role(alice: User, model: str) -> None:
    BrandFactory(slug="crisps")
    services.create_token(actor=alice, name="nightly")
    engineer, compliance = person("eve", Role.DATA_ENGINEER), person("dave", Role.COMPLIANCE)
    assert browser_of(alice).get(LIST.format(model)).status_code == 200
    assert browser_of(compliance).get(LIST.format(model)).status_code == 200
    expected = 200 if model == "brand" else 403
    assert browser_of(engineer).get(LIST.format(model)).status_code == expected


def test_compliance_changes_nothing(alice: User) -> None:
    client = browser_of(person("dave", Role.COMPLIANCE))
    assert client.get(LIST.format("brand") + "add/").status_code == 403
    change = LIST.format("user") + f"{alice.pk}/change/"
    assert client.get(change).status_code == 200
    assert client.post(change, {"name": "X"}).status_code == 403
    assert (
        client.post(LIST.format("rolegrant") + f"{alice.grants.get().pk}/delete/", {"post": "yes"}).status_code == 403
    )
    alice.refresh_from_db()
    assert alice.name == "alice"


def test_an_owner_changes_through_the_services(browser: Client, alice: User) -> None:
    carol = person("carol", Role.VIEWER)
    browser.post(LIST.format("user") + f"{carol.pk}/change/", {"name": "Caroline", "is_active": ""})
    carol.refresh_from_db()
    assert (carol.name, carol.is_active) == ("Caroline", False)
    browser.post(LIST.format("rolegrant") + "add/", {"user": str(carol.pk), "role": "planner", "brand": ""})
    assert {grant.role for grant in carol.grants.all()} == {"viewer", "planner"}
    browser.post(LIST.format("rolegrant") + f"{carol.grants.get(role='viewer').pk}/delete/", {"post": "yes"})
    assert [grant.role for grant in carol.grants.all()] == ["planner"]
    browser.post(LIST.format("brand") + "add/", {"name": "Crisps", "slug": "crisps"})
    browser.post(LIST.format("brand") + f"{Brand.objects.get().pk}/change/", {"name": "Chips"})
    assert Brand.objects.get().name == "Chips"


def test_the_last_owner_stays_here_too(browser: Client, alice: User) -> None:
    answer = browser.post(LIST.format("user") + f"{alice.pk}/change/", {"name": "alice", "is_active": ""})
    assert answer.status_code == 409
    answer = browser.post(LIST.format("rolegrant") + f"{alice.grants.get().pk}/delete/", {"post": "yes"})
    assert answer.status_code == 400  # nobody is left without any role
    alice.refresh_from_db()
    assert alice.is_active
    assert RoleGrant.objects.filter(user=alice, role=Role.OWNER).exists()


def test_superuser_cannot_be_set(browser: Client, alice: User) -> None:
    data = {"name": "alice", "is_active": "on", "is_superuser": "on", "is_staff": "on", "email": "x@example.com"}
    browser.post(LIST.format("user") + f"{alice.pk}/change/", data)
    alice.refresh_from_db()
    assert (alice.is_superuser, alice.is_staff, alice.email) == (False, False, "alice@example.com")


def test_tokens_are_revoked_and_neither_made_nor_changed(browser: Client, alice: User) -> None:
    token, text = services.create_token(actor=alice, name="nightly")
    page = browser.get(LIST.format("apitoken"))
    assert text not in page.content.decode()
    assert browser.get(LIST.format("apitoken") + "add/").status_code == 403
    chosen = {"action": "delete_selected", "_selected_action": token.pk, "post": "yes"}
    browser.post(LIST.format("apitoken"), chosen)
    assert not ApiToken.objects.exists()


def test_history_is_read_only(browser: Client, alice: User) -> None:
    event = User.pgh_event_model.objects.first()  # type: ignore[attr-defined]
    assert browser.get(LIST.format("userevent") + "add/").status_code == 403
    assert browser.post(LIST.format("userevent") + f"{event.pk}/delete/", {"post": "yes"}).status_code == 403


def test_only_the_admin_has_the_wider_policy(browser: Client) -> None:
    assert "'unsafe-eval'" in browser.get("/admin/")["Content-Security-Policy"]
    script = next(part for part in browser.get("/admin/")["Content-Security-Policy"].split(";") if "script-src" in part)
    assert "unsafe-inline" not in script
    for path in ("/administration", "/settings/tokens/", "/api/v1/docs", "/accounts/login/"):
        assert "unsafe" not in browser.get(path)["Content-Security-Policy"], path


def test_nothing_is_registered_with_the_site_that_is_mounted_nowhere_only() -> None:
    """Rows of third parties stay hidden; ours must be registered with one of the two sites by name."""
    labels = {model._meta.app_label for model in django_admin.site._registry}
    ours = {"accounts", "tenants", "jobs", "dispatch", "governance", "harmonization", "optimization", "planning"}
    assert labels & ours == set()
    assert {model._meta.app_label for model in tenant_site._registry} & {
        "tenants",
        "dispatch",
        "django_celery_beat",
    } == set()
    assert Tenant in platform_site._registry


@pytest.fixture
def operator(db: None) -> User:
    connection.set_schema_to_public()
    return services.seed_operator(email="op@example.com", password="correct horse battery staple")


@pytest.fixture
def console(operator: User) -> Client:
    return browser_of(operator, "platform.localhost")


PLATFORM = [
    "tenants_tenant", "tenants_domain", "django_celery_beat_periodictask", "django_celery_beat_intervalschedule",
    "django_celery_beat_crontabschedule", "accounts_user",
]  # fmt: skip


@pytest.mark.parametrize("name", PLATFORM)
def test_operators_see_the_platform(console: Client, name: str) -> None:
    address = reverse(f"admin:{name}_changelist", urlconf="rmn_site.urls_public")
    assert console.get(address).status_code == 200
    if name != "accounts_user":
        assert console.get(f"{address}add/").status_code == 200


def test_a_tenants_owner_is_nobody_there(alice: User) -> None:
    client = browser_of(alice)
    client.cookies["sessionid"]["domain"] = ""
    answer = client.get("/admin/", headers={"host": "platform.localhost"}, follow=True)
    assert answer.redirect_chain[-1][0].startswith("/accounts/login/")


def test_a_tenant_is_opened_with_its_owner(console: Client) -> None:
    data = {"schema_name": "cedar", "name": "Cedar", "base_currency": "EUR", "owner_email": "carol@example.com"}
    answer = console.post("/admin/tenants/tenant/add/", data, follow=True)
    link = re.search(r"http://cedar\.localhost(/accounts/password/reset/key/[\w/-]+)", answer.content.decode())
    assert link
    assert b'name="password1"' in Client(HTTP_HOST="cedar.localhost").get(link[1], follow=True).content
    cedar = Tenant.objects.get(schema_name="cedar")
    with inside(cedar):
        assert User.objects.get().has_perm("users.manage")
    assert console.post("/admin/tenants/tenant/add/", data).status_code in {200, 409}
    assert Tenant.objects.filter(schema_name="cedar").count() == 1


def test_limits_are_changed_and_the_slug_is_not(console: Client, acme: Tenant) -> None:
    connection.set_schema_to_public()
    hosts = list(Domain.objects.filter(tenant=acme).order_by("pk"))
    form: dict[str, Any] = {
        "schema_name": "stolen", "status": "suspended", "name": "Acme", "base_currency": "USD",
        "api_rate_per_minute": "9", "storage_quota_mb": "1", "max_running_jobs": "1", "max_waiting_jobs": "1",
        "domains-TOTAL_FORMS": len(hosts), "domains-INITIAL_FORMS": len(hosts),
    }  # fmt: skip
    for number, host in enumerate(hosts):
        form |= {
            f"domains-{number}-id": host.pk,
            f"domains-{number}-tenant": acme.pk,
            f"domains-{number}-domain": host.domain,
        }
    console.post(f"/admin/tenants/tenant/{acme.pk}/change/", form)
    acme.refresh_from_db()
    assert (acme.schema_name, acme.status, acme.api_rate_per_minute) == ("acme", "active", 9)


def test_tenants_are_suspended_and_never_deleted_by_a_button(console: Client, acme: Tenant) -> None:
    connection.set_schema_to_public()
    platform = Tenant.objects.get(schema_name="public")
    chosen = [str(acme.pk), str(platform.pk)]
    console.post("/admin/tenants/tenant/", {"action": "suspend", "_selected_action": chosen})
    assert [Tenant.objects.get(pk=pk).status for pk in chosen] == ["suspended", "active"]
    assert console.post(f"/admin/tenants/tenant/{acme.pk}/delete/", {"post": "yes"}).status_code == 403
