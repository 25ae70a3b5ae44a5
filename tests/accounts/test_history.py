"""The row history: in the tenant's own tables, with who, what, before and after, and not to be edited."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction
from django.test import Client
from rest_framework.test import APIClient

from accounts import history, services
from accounts.core.grants import Grant
from accounts.core.permissions import Role
from accounts.models import Brand, User
from tenants import services as tenant_services
from tenants.core.problems import InvalidInput
from tenants.models import Tenant
from tests.conftest import api_of, browser_of, inside
from tests.factories import BrandFactory, person


@pytest.fixture(autouse=True)
def _fresh(fresh_cache: None) -> None:
    """Rate limits of earlier tests are gone."""


def events(kind: type = Brand) -> int:
    return kind.pgh_event_model.objects.count()  # type: ignore[attr-defined]


def test_a_change_in_one_tenant_writes_there_only(alice: User, birch: Tenant) -> None:
    with inside(birch):
        brand = BrandFactory(slug="juice")
        there = events()
    here = events()
    with inside(birch):
        Brand.objects.filter(pk=brand.pk).update(name="Juices")  # not even a save is needed
        assert events() == there + 1
        (change, *_) = history.changes(kind="accounts.Brand")
        assert (change.action, change.before, change.after) == ("changed", {"name": "Juice"}, {"name": "Juices"})
    assert events() == here
    connection.set_schema_to_public()
    assert events() == 0


def test_a_schema_made_by_replay_writes_its_own_history(db: None) -> None:
    tenant = tenant_services.create_tenant(slug="cedar", name="Cedar")
    with inside(tenant):
        BrandFactory(slug="juice")
        assert events() == 1
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid"
                " JOIN pg_proc p ON p.oid = t.tgfoid"
                " WHERE c.relnamespace = 'cedar'::regnamespace AND p.pronamespace <> 'cedar'::regnamespace"
                " AND NOT t.tgisinternal"
            )
            assert cursor.fetchone() == (0,)


def test_a_request_says_who_and_where(api: APIClient, alice: User) -> None:
    made = api.post("/api/v1/brands/", {"name": "Crisps"}).json()
    api.patch(f"/api/v1/brands/{made['id']}/", {"name": "Chips"})
    changed, created = history.changes(kind="accounts.Brand", object_id=made["id"])
    assert (changed.who, changed.via) == (alice.email, f"/api/v1/brands/{made['id']}/")
    assert (changed.before, changed.after) == ({"name": "Crisps"}, {"name": "Chips"})
    assert (created.action, created.before, created.after["slug"]) == ("created", {}, "crisps")


def test_a_page_says_who(browser: Client, alice: User) -> None:
    browser.post("/settings/brands/", {"action": "create", "name": "Crisps"})
    (created,) = history.changes(kind="accounts.Brand")
    assert (created.who, created.via) == (alice.email, "/settings/brands/")


def test_an_invitation_names_the_inviter(browser: Client, alice: User) -> None:
    browser.post("/settings/users/", {"email": "carol@example.com", "role": "viewer", "brand": "", "name": ""})
    for kind in ("accounts.User", "accounts.RoleGrant"):
        created = history.changes(kind=kind)[0]
        assert (created.who, created.via) == (alice.email, "/settings/users/")


def test_a_job_or_a_command_says_so(alice: User, tmp_path: Any) -> None:
    with services.recorded_as(source="job 4711", user=alice.pk):
        BrandFactory(slug="crisps")
    with services.recorded_as(source="job 4712"):
        BrandFactory(slug="nuts")
    nuts, crisps = history.changes(kind="accounts.Brand")
    assert (crisps.who, crisps.via) == (alice.email, "job 4711")
    assert (nuts.who, nuts.via) == (None, "job 4712")
    call_command("create_tenant", "cedar", name="Cedar", owner_email="carol@example.com")
    with inside(Tenant.objects.get(schema_name="cedar")):
        assert {change.via for change in history.changes()} == {"setup"}


def test_roles_taken_away_are_on_record(alice: User) -> None:
    carol = services.invite_user(actor=alice, email="carol@example.com", grants=[Grant(Role.PLANNER)])
    services.update_user(actor=alice, user_id=carol.pk, grants=[Grant(Role.VIEWER)])
    changes = [
        (change.action, (change.before or change.after)["role"])
        for change in history.changes(kind="accounts.RoleGrant")
    ]
    assert changes[:3] == [("created", "viewer"), ("removed", "planner"), ("created", "planner")]


def test_no_secret_is_in_it(alice: User) -> None:
    token, text = services.create_token(actor=alice, name="nightly")
    digest = token.digest
    alice.set_password("another horse")
    alice.save()
    services.revoke_token(actor=alice, token_id=token.public_id)
    told = str(history.changes(limit=500))
    for secret in (text, digest, alice.password):
        assert secret not in told
    actions = [change.action for change in history.changes(kind="accounts.ApiToken", object_id=token.public_id)]
    assert actions == ["removed", "created"]


def test_it_cannot_be_edited(alice: User) -> None:
    BrandFactory(slug="crisps")
    for change in (
        lambda: Brand.pgh_event_model.objects.update(name="X"),  # type: ignore[attr-defined]
        lambda: Brand.pgh_event_model.objects.all().delete(),  # type: ignore[attr-defined]
    ):
        with pytest.raises(DatabaseError, match="Cannot update or delete"), transaction.atomic():
            change()
    assert events() == 1


def test_pages_of_it_meet_without_gap_or_overlap(alice: User) -> None:
    for number in range(7):
        with services.recorded_as(source=str(number)):
            BrandFactory(slug=f"b{number}")
    # The rows of one transaction share its time; here they are told apart as rows of seven transactions are.
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE accounts_brandevent DISABLE TRIGGER USER")
        cursor.execute("UPDATE accounts_brandevent SET pgh_created_at = pgh_created_at + pgh_id * interval '1 second'")
    seen: list[str] = []
    before = None
    while page := history.changes(kind="accounts.Brand", before=before, limit=3):
        seen += [change.after["slug"] for change in page]
        before = page[-1].at
    assert seen == [f"b{number}" for number in reversed(range(7))]


def test_an_unknown_kind_is_refused(api: APIClient) -> None:
    with pytest.raises(InvalidInput, match="has no history"):
        history.changes(kind="auth.Permission")
    for query in ("kind=nothing", "limit=0", "limit=x", "object_id=x", "before=x", "colour=red"):
        assert api.get(f"/api/v1/history/?{query}").status_code == 400


def test_the_api_and_the_page_tell_the_same(api: APIClient, alice: User) -> None:
    api.post("/api/v1/brands/", {"name": "Crisps"})
    answer = api.get("/api/v1/history/?kind=accounts.Brand").json()
    (row,) = answer["results"]
    assert (row["who"], row["action"], row["after"]["name"]) == (alice.email, "created", "Crisps")
    assert answer["next_before"] is None
    page = browser_of(alice).get("/settings/history/?kind=accounts.Brand").content.decode()
    assert "Crisps" in page
    assert alice.email in page


def test_every_tracked_kind_can_be_read(api: APIClient) -> None:
    assert {"accounts.User", "accounts.RoleGrant", "accounts.Brand", "accounts.ApiToken"} <= set(
        history.tracked_kinds()
    )
    for kind in history.tracked_kinds():
        assert api.get(f"/api/v1/history/?kind={kind}&object_id={'0' * 8}-0000-7000-8000-{'0' * 12}").status_code == 200


def test_who_left_is_still_named(alice: User, birch: Tenant) -> None:
    carol = person("carol", Role.OWNER)
    api_of(carol).post("/api/v1/brands/", {"name": "Crisps"})
    services.deactivate_user(actor=alice, user_id=carol.pk)
    assert history.changes(kind="accounts.Brand")[0].who == carol.email
