"""Every page x method x person, as `test_matrix` does for the API."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.http import HttpResponse
from django.urls import reverse

from accounts.core.permissions import Role
from tests.cases import all_cases
from tests.security.conftest import World
from tests.security.expectations import GRANTS, WHOLE_TENANT, expected
from tests.security.objects import elsewhere, nonexistent, person_named
from tests.security.pages import PAGES, addresses, keys_of, kinds_named, path_kinds, split, visit

STRICT = re.compile(r"script-src 'self'(;|$)")


def text_of(answer: HttpResponse, *ids: str) -> str:
    """What a page says, without what differs in every answer."""
    text = answer.content.decode()
    for sent in ids:
        text = text.replace(sent, "ID")
    return re.sub(r"[0-9a-f-]{36}|\b\w{64}\b", "", text)


def test_every_page_has_an_expectation() -> None:
    assert {split(use)[1] for use in PAGES} == set(addresses()), "say in pages.py who may open it"


USES = [use for use in PAGES if split(use)[1] in addresses()]


@pytest.mark.parametrize("use", USES)
def test_roles(world: World, use: str) -> None:
    with all_cases() as case:
        for role in Role:
            for grant in GRANTS:
                for key in keys_of(use):
                    with case(f"{use} as {person_named(role, grant)}, {key}"):
                        _is_treated_as_expected(world, use, role, grant, key)


def _is_treated_as_expected(world: World, use: str, role: Role, grant: str, key: str) -> None:
    page = PAGES[use]
    wanted = expected(page.rule, role, grant, key)
    browser = world.birch.browser(person_named(role, grant))
    with world.watch.attempt() as attempt:
        answer = visit(browser, use, world.birch, key)
    if wanted == 200:
        assert answer.status_code < 400 or answer.status_code in (400, 409), answer.content
        assert "/accounts/login/" not in answer.get("Location", "")
        assert bool(attempt.changed) >= (page.body is not None and page.changes)
        return
    assert not attempt.changed - {"birch.django_session"}
    assert answer.status_code == wanted or (page.told_in_page and answer.status_code in (200, 302, 403)), answer.content


@pytest.mark.parametrize("use", [use for use in USES if kinds_named(use)])
def test_ids_of_another_tenant(world: World, use: str) -> None:
    with all_cases() as case:
        for kind in kinds_named(use):
            for role in (Role.OWNER, Role.PLANNER, Role.VIEWER):
                with case(f"{use} with a foreign {kind} as {person_named(role, WHOLE_TENANT)}"):
                    _foreign_is_missing(world, use, kind, role)


def _foreign_is_missing(world: World, use: str, kind: str, role: Role) -> None:
    browser = world.birch.browser(person_named(role, WHOLE_TENANT))
    answers: list[Any] = []
    for ids in (world.acme.named[kind], nonexistent(kind)):
        with world.watch.attempt() as attempt:
            answer = visit(browser, use, elsewhere(world.birch, kind, ids), keys_of(use)[0])
        assert not attempt.changed
        answers.append((answer.status_code, text_of(answer, *ids.values())))
    assert answers[0] == answers[1]
    if kind in path_kinds(use).values():
        allowed = expected(PAGES[use].rule, role, WHOLE_TENANT, keys_of(use)[0]) == 200
        assert answers[0][0] == 404 if allowed else answers[0][0] in (403, 404)


@pytest.mark.parametrize("use", USES)
def test_strangers_are_sent_to_the_login(world: World, use: str) -> None:
    with world.watch.attempt() as attempt:
        answer = visit(world.birch.browser(None), use, world.birch, keys_of(use)[0])
        of_acme = world.acme.browser("owner")
        of_acme.defaults["HTTP_HOST"] = world.birch.host
        borrowed = visit(of_acme, use, world.birch, keys_of(use)[0])
        nowhere = world.birch.browser("owner")
        nowhere.defaults["HTTP_HOST"] = "nobody.localhost"
        lost = visit(nowhere, use, world.birch, keys_of(use)[0])
    for sent in (answer, borrowed):
        assert (sent.status_code, sent["Location"].partition("?")[0]) == (302, reverse("account_login"))
    assert lost.status_code == 404
    assert not attempt.changed


@pytest.mark.parametrize("name", [name for name in addresses() if f"POST {name}" not in PAGES])
def test_pages_without_a_form_take_none(world: World, name: str) -> None:
    use = f"GET {name}"
    kinds = path_kinds(use)
    address = reverse(name, "rmn_site.urls", kwargs={of: world.birch.id(kind) for of, kind in kinds.items()})
    with world.watch.attempt() as attempt:
        answer = world.birch.browser("owner").post(address, {})
    # The way to the second factor is a redirect, which loses the form.
    assert answer.status_code == (302 if name == "settings-security" else 405)
    assert not attempt.changed


@pytest.mark.parametrize("name", [name for name in addresses() if f"GET {name}" not in PAGES])
def test_buttons_cannot_be_pressed_by_a_link(world: World, name: str) -> None:
    kinds = path_kinds(next(use for use in PAGES if split(use)[1] == name))
    address = reverse(name, "rmn_site.urls", kwargs={of: world.birch.id(kind) for of, kind in kinds.items()})
    with world.watch.attempt() as attempt:
        assert world.birch.browser("owner").get(address).status_code == 405
    assert not attempt.changed


@pytest.mark.parametrize("use", [use for use in USES if use.startswith("GET")])
def test_policy_and_headers_of_every_page(world: World, use: str) -> None:
    with world.watch.attempt():
        answer = visit(world.birch.browser("owner"), use, world.birch, keys_of(use)[0])
    policy = answer["Content-Security-Policy"]
    assert STRICT.search(policy)
    assert "unsafe-" not in policy
    assert "frame-ancestors 'none'" in policy
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["X-Frame-Options"] == "DENY"
    assert answer["Referrer-Policy"] == "same-origin"
    if answer["Content-Type"].startswith("text/html"):
        page = answer.content.decode()
        assert not re.search(
            r"<script(?![^>]*\b(src=|type=\"application/json\"))[^>]*>|<style|\son\w+=\"|\sstyle=\"", page
        )
