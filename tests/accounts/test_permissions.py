"""Roles, brands and the rules made of them."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from django.contrib.auth.models import AnonymousUser

from accounts import selectors, services
from accounts.core.permissions import PERMISSIONS, Role, permissions_of, roles_with
from accounts.models import Brand, User
from tenants.core.ids import new_id
from tenants.core.problems import NotAllowed, NotAuthenticated, NotFound
from tests.factories import BrandFactory, person


@pytest.fixture
def crisps(acme: object) -> Brand:
    return BrandFactory(slug="crisps")


@pytest.fixture
def nuts(acme: object) -> Brand:
    return BrandFactory(slug="nuts")


@pytest.mark.parametrize("role", list(Role))
def test_every_role_has_what_the_table_says(acme: object, role: Role) -> None:
    somebody = person("somebody", role)
    granted = {name for name in PERMISSIONS if somebody.has_perm(name)}
    assert granted == permissions_of(role)


@pytest.mark.parametrize("role", list(Role))
def test_a_role_for_one_brand_says_nothing_of_others_or_the_whole(crisps: Brand, nuts: Brand, role: Role) -> None:
    somebody = person("somebody", role, brand=crisps)
    for name in PERMISSIONS:
        assert somebody.has_perm(name, crisps) is (role in roles_with(name))
        assert not somebody.has_perm(name, nuts)
        assert not somebody.has_perm(name)


def test_things_of_a_brand_are_judged_by_it(crisps: Brand, nuts: Brand) -> None:
    planner = person("planner", Role.PLANNER, brand=crisps)
    assert planner.has_perm("scenarios.manage", SimpleNamespace(brand_id=crisps.pk))
    assert not planner.has_perm("scenarios.manage", SimpleNamespace(brand_id=nuts.pk))
    assert not planner.has_perm("scenarios.manage", SimpleNamespace(brand_id=None))


def test_nobody_and_the_deactivated_may_nothing(alice: User, crisps: Brand) -> None:
    assert not AnonymousUser().has_perm("brands.view")
    assert not selectors.may(user=AnonymousUser(), permission="brands.view")
    alice.is_active = False
    alice.save()
    for name in PERMISSIONS:
        assert not selectors.may(user=alice, permission=name)
        assert not selectors.may_for_some_brand(user=alice, permission=name)
    assert list(selectors.brands_for(user=alice, permission="brands.view")) == []


def test_an_unknown_permission_is_a_mistake_not_a_refusal(alice: User) -> None:
    with pytest.raises(KeyError):
        selectors.may(user=alice, permission="brands.veiw")


def test_require_tells_strangers_less(crisps: Brand, nuts: Brand) -> None:
    viewer = person("viewer", Role.VIEWER, brand=crisps)
    assert services.require(user=viewer, permission="metrics.view", brand=crisps) == viewer
    with pytest.raises(NotAllowed, match=r"scenarios\.manage"):
        services.require(user=viewer, permission="scenarios.manage", brand=crisps)
    with pytest.raises(NotFound):
        services.require(user=viewer, permission="metrics.view", brand=nuts)
    with pytest.raises(NotAuthenticated):
        services.require(user=AnonymousUser(), permission="metrics.view")


def test_brands_for_and_the_summary(crisps: Brand, nuts: Brand) -> None:
    both = person("both", Role.ANALYST)
    one = person("one", Role.ANALYST, brand=nuts)
    assert set(selectors.brands_for(user=both, permission="metrics.view")) == {crisps, nuts}
    assert list(selectors.brands_for(user=one, permission="metrics.view")) == [nuts]
    assert list(selectors.brands_for(user=one, permission="uploads.create")) == []
    assert selectors.permissions_for(user=both)["metrics.view"] == ["*"]
    assert selectors.permissions_for(user=one)["metrics.view"] == ["nuts"]
    assert selectors.may_for_some_brand(user=one, permission="metrics.view")


@pytest.mark.parametrize("grant", ["tenant", "brand"])
def test_an_id_of_no_brand_is_covered_by_no_role(crisps: Brand, grant: str) -> None:
    owner = person("olga", Role.OWNER, brand=crisps if grant == "brand" else None)
    with pytest.raises(NotFound):
        services.require(user=owner, permission="uploads.create", brand=new_id())


def test_somewhere_is_one_brand_at_least(crisps: Brand) -> None:
    engineer, viewer = person("eve", Role.DATA_ENGINEER, brand=crisps), person("vic", Role.VIEWER)
    assert services.require_somewhere(user=engineer, permission="mappings.view") == engineer
    with pytest.raises(NotAllowed):
        services.require_somewhere(user=viewer, permission="mappings.view")
    with pytest.raises(NotAuthenticated):
        services.require_somewhere(user=AnonymousUser(), permission="mappings.view")
