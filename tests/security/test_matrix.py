"""Every route of the OpenAPI document x method x person: what is granted, what is refused, and that refusals change
nothing and tell nothing."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from django.http import HttpResponse
from django.urls import get_resolver

from accounts.core.permissions import Role
from rmn_site.urls import api_urlpatterns
from tests.cases import all_cases
from tests.security.calls import (
    CALLS,
    FILTERS,
    LISTS,
    METHODS,
    PREFIX,
    document,
    documented,
    keys_of,
    kinds_named,
    operations,
    path_kinds,
    send,
)
from tests.security.conftest import World
from tests.security.expectations import GRANTS, TABLE, WHOLE_TENANT, Scope, covers, expected
from tests.security.objects import elsewhere, nonexistent, person_named

PROBLEM = "application/problem+json"


def document_of(answer: HttpResponse, *ids: str) -> Any:
    """The body of an answer without what differs in every one, and without the ids that were sent."""
    text = answer.content.decode()
    for sent in ids:
        text = text.replace(sent, "ID")
    if answer["Content-Type"] not in (PROBLEM, "application/json"):
        return text
    body = json.loads(text)
    return {name: value for name, value in body.items() if name not in {"instance", "request_id"}}


def people() -> Iterator[tuple[Role, str]]:
    for role in Role:
        for grant in GRANTS:
            yield role, grant


def test_every_operation_has_an_expectation() -> None:
    described = {operation.partition(" of ")[0] for operation in TABLE}
    assert described == set(operations()), "say in expectations.py and calls.py who may do it"
    assert set(TABLE) == set(CALLS)
    for operation in TABLE:
        path_kinds(operation)


def test_every_api_address_is_documented(world: World) -> None:
    """A route that the document leaves out would escape this matrix."""
    undocumented = {"schema", "docs"}
    addressed = {str(pattern.pattern) for pattern in api_urlpatterns} - undocumented
    described = {path.removeprefix("/") for path in documented()}
    plain = {_as_template(route) for route in addressed}
    assert plain == described
    for name in undocumented:
        client = world.birch.api(None)
        assert client.get(f"{PREFIX}/{name}").status_code in (302, 401), name
    assert get_resolver("rmn_site.urls").resolve("/api/v1/me").url_name == "api-me"


def _as_template(route: str) -> str:
    return re.sub(r"<\w+:(\w+)>", r"{\1}", route)


@pytest.mark.parametrize("operation", TABLE)
def test_roles(world: World, operation: str) -> None:
    """(c) Each role, for the whole tenant or for chips, on things of chips, of pretzels and of the whole tenant."""
    with all_cases() as case:
        for role, grant in people():
            for key in keys_of(operation):
                with case(f"{operation} as {person_named(role, grant)}, {key}"):
                    _is_treated_as_expected(world, operation, role, grant, key)


def _is_treated_as_expected(world: World, operation: str, role: Role, grant: str, key: str) -> None:
    wanted = expected(TABLE[operation], role, grant, key)
    with world.watch.attempt() as attempt:
        answer = send(world.birch.api(person_named(role, grant)), operation, world.birch, key)
    if wanted == 200:
        assert answer.status_code < 400 or answer.status_code in (400, 409), answer.content
        return
    assert answer.status_code == wanted, answer.content
    assert answer["Content-Type"] == PROBLEM
    assert not attempt.changed
    if wanted == 404:
        kind = "brand" if "brand" in kinds_named(operation) else kinds_named(operation)[0]
        absent = elsewhere(world.birch, kind, nonexistent(kind))
        with world.watch.attempt():
            missing = send(world.birch.api(person_named(role, grant)), operation, absent, key)
        sent = (world.birch.id(kind, key), absent.id(kind, key))
        assert (missing.status_code, document_of(missing, *sent)) == (404, document_of(answer, *sent))


@pytest.mark.parametrize("operation", [operation for operation in TABLE if kinds_named(operation)])
def test_ids_of_another_tenant(world: World, operation: str) -> None:
    """(b) An id of acme, in the path or in the body, is to birch what an id of nothing is."""
    with all_cases() as case:
        for kind in kinds_named(operation):
            for role in Role:
                with case(f"{operation} with a foreign {kind} as {person_named(role, WHOLE_TENANT)}"):
                    _foreign_is_missing(world, operation, kind, role)


def _foreign_is_missing(world: World, operation: str, kind: str, role: Role) -> None:
    key = keys_of(operation)[0]
    who = person_named(role, WHOLE_TENANT)
    answers = []
    for ids in (world.acme.named[kind], nonexistent(kind)):
        things = elsewhere(world.birch, kind, ids)
        with world.watch.attempt() as attempt:
            answer = send(world.birch.api(who), operation, things, key)
        assert not attempt.changed
        answers.append((answer.status_code, document_of(answer, *ids.values())))
    foreign, missing = answers
    assert foreign == missing
    refusal = {403, 404} if kind in path_kinds(operation).values() else {400, 403, 404}
    assert foreign[0] in refusal
    if expected(TABLE[operation], role, WHOLE_TENANT, key) == 200 and kind in path_kinds(operation).values():
        assert foreign[0] == 404


@pytest.mark.parametrize(
    ("operation", "name", "kind"),
    [(operation, name, kind) for operation, names in FILTERS.items() for name, kind in names.items()],
)
def test_filters_by_ids_of_another_tenant(world: World, operation: str, name: str, kind: str) -> None:
    with all_cases() as case:
        for role in Role:
            with case(f"{operation}?{name}= as {person_named(role, WHOLE_TENANT)}"):
                _filter_finds_nothing(world, operation, name, kind, role)


def _filter_finds_nothing(world: World, operation: str, name: str, kind: str, role: Role) -> None:
    answers = []
    for ids in (world.acme.named[kind], nonexistent(kind)):
        with world.watch.attempt() as attempt:
            answer = send(
                world.birch.api(person_named(role, WHOLE_TENANT)), operation, world.birch,
                extra_query={name: ids["chips"]},
            )  # fmt: skip
        assert not attempt.changed
        answers.append((answer.status_code, document_of(answer, *ids.values())))
    assert answers[0] == answers[1]
    found = answers[0][1]
    if answers[0][0] == 200 and isinstance(found, dict):
        assert not found.get("results")
        assert not found.get("lines")


def test_every_filter_that_takes_an_id_is_tried() -> None:
    taken = {
        (f"{method.upper()} {path.removeprefix(PREFIX)}", parameter["name"])
        for path, methods in document()["paths"].items()
        for method, details in methods.items()
        for parameter in details.get("parameters", ())
        if parameter["in"] == "query"
        and (parameter["schema"].get("format") == "uuid" or parameter["name"] in {"brand", "account"})
    }
    assert taken == {(operation, name) for operation, names in FILTERS.items() for name in names}


@pytest.mark.parametrize(("operation", "kind"), LISTS.items())
def test_lists_hold_what_may_be_seen_and_nothing_else(world: World, operation: str, kind: str) -> None:
    rows = world.birch.rows[kind]
    shared = set(rows.values()) == {WHOLE_TENANT}
    readers = [
        (role, grant) for role, grant in people() if expected(TABLE[operation], role, grant, WHOLE_TENANT) == 200
    ]
    with all_cases() as case:
        for role, grant in readers:
            wanted = {row for row, key in rows.items() if shared or covers(grant, key)}
            with case(f"{operation} as {person_named(role, grant)}"):
                with world.watch.attempt() as attempt:
                    answer = send(
                        world.birch.api(person_named(role, grant)), operation, world.birch,
                        extra_query={"page_size": "500"},
                    )  # fmt: skip
                assert not attempt.changed
                assert {row["id"] for row in answer.json()["results"]} == wanted
                assert wanted


@pytest.mark.parametrize(("grant", "spend"), [(WHOLE_TENANT, 111), ("chips", 100)])
def test_figures_are_sums_of_what_may_be_seen(world: World, grant: str, spend: int) -> None:
    client = world.birch.api(person_named(Role.ANALYST, grant))
    table = send(client, "GET /metrics/query/", world.birch).json()
    assert [Decimal(row["values"]["spend"]) for row in table["totals"]] == [spend]
    file = send(client, "GET /metrics/export/", world.birch).content.decode("utf-8-sig")
    assert f"total,USD,{spend}," in file
    assert ("pretzels" in file) == (grant == WHOLE_TENANT)


def test_tokens_are_ones_own_or_all_for_the_owner(world: World) -> None:
    for who, person in world.birch.people.items():
        answer = send(world.birch.api(who), "GET /tokens/", world.birch, extra_query={"page_size": "500"})
        owners = {row["owner"] for row in answer.json()["results"]}
        everybody = {user.email for user in world.birch.people.values()}
        assert owners == (everybody if who == "owner" else {person.email}), who


@pytest.mark.parametrize("operation", TABLE)
def test_token_of_another_tenant(world: World, operation: str) -> None:
    """(a) The token of acme's owner opens nothing of birch, however birch is named."""
    ways = {
        "birch's host": ("birch.localhost", None, 401),
        "X-Tenant-ID birch": ("platform.localhost", "birch", 401),
        "birch's host and X-Tenant-ID acme": ("birch.localhost", "acme", 400),
    }
    with all_cases() as case:
        for way, (host, header, status) in ways.items():
            with case(way):
                named = {"HTTP_X_TENANT_ID": header} if header else {}
                client = world.acme.api("owner", HTTP_HOST=host, **named)
                with world.watch.attempt() as attempt:
                    answer = send(client, operation, world.birch, keys_of(operation)[0])
                assert (answer.status_code, answer["Content-Type"]) == (status, PROBLEM)
                assert not attempt.changed


def test_the_same_token_opens_its_own_tenant_both_ways(world: World) -> None:
    """What makes the refusals above mean something."""
    for headers in ({}, {"HTTP_HOST": "platform.localhost", "HTTP_X_TENANT_ID": "acme"}):
        answer = world.acme.api("owner", **headers).get(f"{PREFIX}/me")
        assert (answer.status_code, answer.json()["tenant"]["slug"]) == (200, "acme")


@pytest.mark.parametrize("operation", TABLE)
def test_strangers(world: World, operation: str) -> None:
    """(d) Without a login: 401 from a tenant, 404 where there is none."""
    with world.watch.attempt() as attempt:
        stranger = send(world.birch.api(None), operation, world.birch, keys_of(operation)[0])
        nowhere = send(
            world.birch.api(None, HTTP_HOST="nobody.localhost"), operation, world.birch, keys_of(operation)[0]
        )
    assert (stranger.status_code, stranger["Content-Type"]) == (401, PROBLEM)
    assert stranger["WWW-Authenticate"].startswith("Token")
    assert (nowhere.status_code, nowhere["Content-Type"]) == (404, PROBLEM)
    assert not attempt.changed


@pytest.mark.parametrize("path", documented())
def test_methods_that_do_not_exist(world: World, path: str) -> None:
    described = next(operation for operation in TABLE if operation.split(" ")[1] == path)
    filled = path
    for name, kind in path_kinds(described).items():
        filled = filled.replace(f"{{{name}}}", world.birch.id(kind, "chips"))
    with all_cases() as case:
        for method in set(METHODS) - documented()[path]:
            with case(f"{method} {path}"):
                with world.watch.attempt() as attempt:
                    answer = getattr(world.birch.api("owner"), method.lower())(PREFIX + filled, {})
                assert (answer.status_code, answer["Content-Type"]) == (405, PROBLEM)
                assert not attempt.changed


def test_what_belongs_to_persons_is_listed_here() -> None:
    """Tokens and saved views are one's own: everything else is a brand's or the tenant's."""
    kinds = {name.split(" ")[1].split("{")[0] for name, rule in TABLE.items() if rule.scope is Scope.PERSON}
    assert kinds == {"/tokens/", "/metrics/views/"}
