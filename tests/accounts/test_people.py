"""Inviting, changing and deactivating people; there is always an owner."""

from __future__ import annotations

import threading
import uuid
from typing import Any

import pytest
from django.db import connection, connections

from accounts import services
from accounts.core.grants import Grant
from accounts.core.permissions import Role
from accounts.models import Brand, RoleGrant, User
from tenants.core.problems import Conflict, InvalidInput, NotAllowed, NotFound, Problem
from tenants.models import Tenant
from tests.factories import BrandFactory, person

VIEWER, OWNER = [Grant(Role.VIEWER)], [Grant(Role.OWNER)]


def test_an_owner_invites(alice: User) -> None:
    carol = services.invite_user(actor=alice, email=" Carol@Example.com", name="Carol", grants=VIEWER)
    assert carol.email == "carol@example.com"
    assert not carol.has_usable_password()
    assert carol.has_perm("metrics.view")


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.OWNER])
def test_nobody_else_does(alice: User, role: Role) -> None:
    somebody = person("somebody", role)
    for attempt in (
        lambda: services.invite_user(actor=somebody, email="x@example.com", grants=OWNER),
        lambda: services.update_user(actor=somebody, user_id=somebody.pk, grants=OWNER),
        lambda: services.deactivate_user(actor=somebody, user_id=alice.pk),
        lambda: services.create_brand(actor=somebody, name="X"),
    ):
        with pytest.raises(NotAllowed):
            attempt()
    assert RoleGrant.objects.filter(role=Role.OWNER).count() == 1
    assert not Brand.objects.exists()


def test_an_owner_of_one_brand_owns_no_people(alice: User) -> None:
    duke = person("duke", Role.OWNER, brand=BrandFactory(slug="crisps"))
    with pytest.raises(NotAllowed):
        services.update_user(actor=duke, user_id=duke.pk, grants=OWNER)


def test_an_address_is_taken_whatever_its_case(alice: User) -> None:
    with pytest.raises(Conflict):
        services.invite_user(actor=alice, email="ALICE@example.com", grants=VIEWER)
    assert User.objects.count() == 1


def test_bad_input_adds_nobody(alice: User) -> None:
    for email, grants in (
        ("not an address", VIEWER),
        ("c@example.com", []),
        ("c@example.com", [Grant(Role.VIEWER, uuid.uuid4())]),
    ):
        with pytest.raises(InvalidInput):
            services.invite_user(actor=alice, email=email, grants=grants)
    assert User.objects.count() == 1


def test_the_last_owner_stays(alice: User) -> None:
    for change in ({"is_active": False}, {"grants": VIEWER}):
        with pytest.raises(Conflict, match="last owner"):
            services.update_user(actor=alice, user_id=alice.pk, **change)
    alice.refresh_from_db()
    assert alice.is_active
    assert alice.has_perm("users.manage")


def test_with_a_second_owner_the_first_may_go(alice: User) -> None:
    carol = services.invite_user(actor=alice, email="carol@example.com", grants=OWNER)
    services.deactivate_user(actor=carol, user_id=alice.pk)
    with pytest.raises(Conflict):
        services.deactivate_user(actor=carol, user_id=carol.pk)


def test_an_owner_of_one_brand_or_a_deactivated_one_does_not_count(alice: User) -> None:
    person("duke", Role.OWNER, brand=BrandFactory(slug="crisps"))
    gone = person("gone", Role.OWNER)
    gone.is_active = False
    gone.save()
    with pytest.raises(Conflict):
        services.update_user(actor=alice, user_id=alice.pk, grants=VIEWER)


def test_two_owners_cannot_remove_each_other(real_database: str) -> None:
    connection.set_tenant(Tenant.objects.get(schema_name="acme"))
    pair = [person("alice", Role.OWNER), person("carol", Role.OWNER)]
    refused: list[Problem] = []
    together = threading.Barrier(2)

    def remove(actor: User, victim: User) -> None:
        connection.set_tenant(Tenant.objects.get(schema_name="acme"))
        together.wait(10)
        try:
            services.deactivate_user(actor=actor, user_id=victim.pk)
        except Problem as problem:
            refused.append(problem)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=remove, args=order) for order in (pair, pair[::-1])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert User.objects.filter(is_active=True).count() == 1
    assert len(refused) == 1


def test_grants_are_replaced_as_a_whole(alice: User) -> None:
    crisps = BrandFactory(slug="crisps")
    carol = services.invite_user(actor=alice, email="carol@example.com", grants=VIEWER)
    wanted = {Grant(Role.PLANNER, crisps.pk), Grant(Role.ANALYST)}
    services.update_user(actor=alice, user_id=carol.pk, grants=[*wanted, *wanted])
    assert {Grant(Role(g.role), g.brand_id) for g in carol.grants.all()} == wanted


def test_unknown_people_are_not_found(alice: User) -> None:
    with pytest.raises(NotFound):
        services.update_user(actor=alice, user_id=uuid.uuid4(), name="X")


def test_brands(alice: User) -> None:
    crisps = services.create_brand(actor=alice, name="Alpine Crisps")
    assert crisps.slug == "alpine-crisps"
    with pytest.raises(Conflict):
        services.create_brand(actor=alice, name="Alpine Crisps")
    for bad in ("", "   ", "x" * 121, "！"):
        with pytest.raises(InvalidInput):
            services.create_brand(actor=alice, name=bad)
    renamed = services.update_brand(actor=alice, brand_id=crisps.pk, name="Alp")
    assert (renamed.name, renamed.slug) == ("Alp", "alpine-crisps")
    duke = person("duke", Role.OWNER, brand=crisps)
    services.update_brand(actor=duke, brand_id=crisps.pk, name="Alps")
    services.delete_brand(actor=alice, brand_id=crisps.pk)
    assert not Brand.objects.exists()
    with pytest.raises(NotFound):
        services.update_brand(actor=alice, brand_id=crisps.pk, name="X")


def test_a_brand_in_use_stays(alice: User, brand_in_use: Brand) -> None:
    with pytest.raises(Conflict, match="accounts"):
        services.delete_brand(actor=alice, brand_id=brand_in_use.pk)
    assert Brand.objects.filter(pk=brand_in_use.pk).exists()


@pytest.fixture
def brand_in_use(alice: User) -> Any:
    from tests.factories import AccountFactory

    return AccountFactory().brand
