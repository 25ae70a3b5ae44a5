"""The pages of every app: who may open them and press their buttons, and how that is asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.http import HttpResponse
from django.urls import get_resolver, reverse
from django.urls.resolvers import URLResolver

from tests.security.calls import (
    JUDGED,
    PATH_IDS,
    QUESTION,
    Ids,
    contract_text,
    new_factors,
    new_panel,
    new_report,
    posterior,
)
from tests.security.expectations import (
    ACCEPTERS,
    AUDITORS,
    ENGINEERS,
    EVERY_ROLE,
    EXPERIMENTERS,
    INSIDERS,
    KEYS,
    LOGIN,
    MODELLERS,
    OWNERS,
    READERS,
    SENDERS,
    WHOLE_TENANT,
    Rule,
    Scope,
    anywhere,
    brand,
    tenant,
)
from tests.security.objects import CELL, Things

# Pages of libraries: the login's own, which ask nothing of roles, and the admin, which has a matrix of its own.
OF_LIBRARIES = ("accounts/", "admin/", "api/v1/")


@dataclass(frozen=True)
class Page:
    """One way to use a page.

    Attributes:
        rule: as for the API.
        body: what the form sends; None for reading.
        told_in_page: the refusal of a button is told on the page it leads back to, not by the status.
        path_ids: kinds of things in the path where they differ from the usual.
        changes: the form is complete, so that whoever may use it does change something.
        query: added to the address.
    """

    rule: Rule
    body: Callable[[Ids, str], dict[str, Any]] | None = None
    told_in_page: bool = False
    path_ids: tuple[tuple[str, str], ...] = ()
    changes: bool = True
    query: Callable[[str], dict[str, str]] = lambda key: {}


def _reads(rule: Rule) -> Page:
    return Page(rule)


def _nothing(of: Ids, key: str) -> dict[str, Any]:
    return {}


def _builder(of: Ids, key: str) -> dict[str, Any]:
    return {**QUESTION, "brand": "" if key == WHOLE_TENANT else key, "reserve_fraction": "0"}


def _id_or_none(of: Ids, key: str) -> str:
    return "" if key == WHOLE_TENANT else of("brand")


_READ = (("experiment_id", "read_experiment"),)

PAGES: dict[str, Page] = {
    "GET home": _reads(LOGIN),
    "GET settings-users": _reads(tenant(AUDITORS)),
    "POST settings-users": Page(
        tenant(OWNERS), lambda of, key: {"email": "new@example.com", "role": "viewer", "brand": of("brand")}
    ),
    "GET settings-user": _reads(tenant(AUDITORS)),
    "POST settings-user": Page(tenant(OWNERS), lambda of, key: {"action": "rename", "name": "Somebody else"}),
    "GET settings-brands": _reads(LOGIN),
    "POST settings-brands": Page(tenant(OWNERS), lambda of, key: {"action": "create", "name": "A new brand"}),
    "POST settings-brands to rename": Page(
        brand(OWNERS, EVERY_ROLE), lambda of, key: {"action": "rename", "brand": of("brand"), "name": "Renamed"}
    ),
    "POST settings-brands to delete": Page(
        brand(OWNERS, EVERY_ROLE), lambda of, key: {"action": "delete", "brand": of("brand")}, changes=False
    ),
    "GET settings-tokens": _reads(LOGIN),
    "POST settings-tokens": Page(LOGIN, lambda of, key: {"name": "another", "days": "30"}),
    "POST settings-token-revoke": Page(Rule(EVERY_ROLE, Scope.PERSON), _nothing),
    "GET settings-history": _reads(tenant(AUDITORS)),
    "GET settings-security": _reads(LOGIN),
    "GET job-list": _reads(anywhere(READERS)),
    "GET job-detail": _reads(brand(READERS)),
    "GET job-log": _reads(brand(READERS)),
    "POST job-cancel": Page(brand(SENDERS, READERS), _nothing, told_in_page=True),
    "POST job-retry": Page(brand(SENDERS, READERS), _nothing, told_in_page=True, path_ids=(("job_id", "failed_job"),)),
    "GET upload-list": _reads(anywhere(INSIDERS)),
    "POST upload-list": Page(
        brand(SENDERS, INSIDERS),
        lambda of, key: {"kind": "report", "account": of("account"), "contract": "auto", "file": new_report(key)},
        told_in_page=True,
    ),
    "GET upload-detail": _reads(brand(INSIDERS)),
    "POST upload-harmonize": Page(brand(SENDERS, INSIDERS), lambda of, key: {"contract": of("contract")}),
    "GET quarantine": _reads(anywhere(INSIDERS)),
    "GET load-quarantine": _reads(brand(INSIDERS)),
    "GET quarantine-export": _reads(brand(INSIDERS)),
    "POST load-replay": Page(brand(SENDERS, INSIDERS), _nothing, told_in_page=True, changes=False),
    "POST load-whole": Page(brand(SENDERS, INSIDERS), _nothing),
    "GET lineage": _reads(anywhere(INSIDERS)),
    "GET source-row": Page(brand(INSIDERS), query=lambda key: {"number": "2"}),
    "GET import-list": _reads(anywhere(INSIDERS)),
    "POST import-list": Page(tenant(ENGINEERS), lambda of, key: {"name": "New"}, changes=False),
    "POST import-act": Page(brand(SENDERS, INSIDERS), lambda of, key: {"act": "run"}),
    "POST import-act to remove": Page(
        Rule(ENGINEERS, Scope.TENANT_OVER_BRAND, INSIDERS), lambda of, key: {"act": "remove"}
    ),
    "POST mapping-replay": Page(anywhere(SENDERS), _nothing, changes=False),
    "GET mapping-list": _reads(anywhere(INSIDERS)),
    "GET mapping-detail": _reads(anywhere(INSIDERS)),
    "POST mapping-detail": Page(tenant(ENGINEERS), lambda of, key: {**contract_text(of, key), "act": "save"}),
    "POST mapping-edit": Page(tenant(ENGINEERS), _nothing),
    "POST upload-propose": Page(brand(ENGINEERS, INSIDERS), _nothing, changes=False),
    "GET mapping-draft": _reads(brand(INSIDERS)),
    "POST mapping-draft-act": Page(
        brand(ENGINEERS, INSIDERS), lambda of, key: {"act": "accept", "header": "adSpend"}, told_in_page=True
    ),
    "POST mapping-draft-act to test": Page(
        brand(ENGINEERS, INSIDERS), lambda of, key: {"act": "test"}, told_in_page=True, changes=False
    ),
    "GET catalogue": _reads(anywhere(READERS)),
    "POST crosswalk-decide": Page(
        brand(ENGINEERS, READERS), lambda of, key: {"sku": of("sku"), "reason": "A multipack."}
    ),
    "GET quality": _reads(anywhere(INSIDERS)),
    "GET quality-export": _reads(anywhere(INSIDERS)),
    "POST quality-check": Page(brand(ENGINEERS, INSIDERS), lambda of, key: {"account": of("account")}),
    "GET finding-detail": _reads(brand(INSIDERS)),
    "POST finding-decide": Page(brand(ENGINEERS, INSIDERS), lambda of, key: {"reason": "The shop was closed."}),
    "GET performance": _reads(anywhere(READERS)),
    "GET performance-export": _reads(anywhere(INSIDERS)),
    "POST performance-views": Page(anywhere(READERS), lambda of, key: {"name": "Mine", "query": "by=campaign"}),
    "POST performance-view-delete": Page(Rule(EVERY_ROLE, Scope.PERSON), _nothing),
    "GET curve-list": _reads(anywhere(INSIDERS)),
    "POST curve-fit": Page(brand(MODELLERS, EVERY_ROLE), lambda of, key: {"brand": _id_or_none(of, key)}),
    "POST curve-import": Page(
        brand(MODELLERS, EVERY_ROLE), lambda of, key: {"brand": _id_or_none(of, key), **posterior()}
    ),
    "POST curve-refits": Page(brand(OWNERS, EVERY_ROLE), lambda of, key: {"brand": _id_or_none(of, key), "on": "1"}),
    "GET curve-version": _reads(brand(INSIDERS)),
    "GET curve-export": _reads(brand(INSIDERS)),
    "GET curve-cell": Page(brand(INSIDERS), query=lambda key: CELL),
    "POST curve-cell": Page(
        brand(MODELLERS, INSIDERS),
        lambda of, key: {"act": "override", "family": "log", "a": "90", "k": "40", "reason": "A test."},
        query=lambda key: CELL,
    ),
    "POST curve-adjustment-revoke": Page(brand(MODELLERS, INSIDERS), lambda of, key: {"reason": "A typo."}),
    "GET curve-factors": _reads(anywhere(READERS)),
    "POST curve-factors": Page(
        brand(EXPERIMENTERS, EVERY_ROLE), lambda of, key: {"brand": _id_or_none(of, key), **JUDGED}
    ),
    "GET metric-factors": _reads(anywhere(READERS)),
    "POST metric-factors": Page(
        brand(EXPERIMENTERS, EVERY_ROLE),
        lambda of, key: {"brand": "" if key == WHOLE_TENANT else of("brand"), "source": "GT-1", "file": new_factors()},
    ),
    "GET metric-definitions": _reads(LOGIN),
    "GET learning-list": _reads(anywhere(READERS)),
    "GET learning-new": _reads(brand(MODELLERS, READERS)),
    "POST learning-new": Page(
        brand(MODELLERS, READERS), lambda of, key: {"name": "New", "first_week": "2026-11-30", "problem_weeks": "1"}
    ),
    "GET learning-detail": _reads(brand(READERS)),
    "POST learning-run": Page(brand(MODELLERS, READERS), _nothing, told_in_page=True),
    "POST learning-status": Page(brand(MODELLERS, READERS), lambda of, key: {"status": "paused"}, told_in_page=True),
    "POST learning-schedule": Page(brand(OWNERS, READERS), _nothing, told_in_page=True),
    "GET learning-log": _reads(brand(INSIDERS, READERS)),
    "POST learning-decide": Page(brand(ACCEPTERS, READERS), lambda of, key: {"act": "accept"}, told_in_page=True),
    "GET experiment-list": _reads(anywhere(READERS)),
    "GET experiment-new": _reads(anywhere(MODELLERS)),
    "GET experiment-new of a brand": Page(brand(MODELLERS), query=lambda key: {"brand": key}),
    "POST experiment-new": Page(anywhere(MODELLERS), lambda of, key: {"name": "New", "kind": "geo"}),
    "POST experiment-new of a brand": Page(
        brand(MODELLERS), lambda of, key: {"name": "New", "kind": "geo"}, query=lambda key: {"brand": key}
    ),
    "GET experiment-next": _reads(anywhere(READERS)),
    "GET experiment-next of a brand": Page(brand(READERS), query=lambda key: {"brand": key}),
    "GET experiment-detail": _reads(brand(READERS)),
    "GET experiment-edit": _reads(brand(MODELLERS, READERS)),
    "POST experiment-edit": Page(brand(MODELLERS, READERS), lambda of, key: {"name": "Renamed", "kind": "geo"}),
    "POST experiment-data": Page(brand(MODELLERS, READERS), lambda of, key: {"act": "file", "file": new_panel()}),
    "POST experiment-design": Page(brand(MODELLERS, READERS), _nothing, told_in_page=True, changes=False),
    "POST experiment-choose": Page(
        brand(MODELLERS, READERS), lambda of, key: {"choice": "0"}, told_in_page=True, changes=False
    ),
    "GET experiment-assignment": _reads(brand(READERS)),
    "POST experiment-register": Page(brand(MODELLERS, READERS), _nothing, told_in_page=True, changes=False),
    "POST experiment-start": Page(brand(MODELLERS, READERS), _nothing, told_in_page=True, changes=False),
    "POST experiment-cancel": Page(
        brand(MODELLERS, READERS), lambda of, key: {"reason": "No budget."}, told_in_page=True
    ),
    "POST experiment-erase": Page(brand(MODELLERS, READERS), _nothing, changes=False),
    "POST experiment-analyse": Page(brand(MODELLERS, READERS), _nothing, told_in_page=True, changes=False),
    "POST experiment-refreshes": Page(
        brand(OWNERS, READERS), lambda of, key: {"events_unit": "sku"}, told_in_page=True
    ),
    "POST experiment-duplicate": Page(brand(MODELLERS, READERS), _nothing, told_in_page=True),
    "POST experiment-delete": Page(brand(MODELLERS, READERS), _nothing, told_in_page=True),
    "GET experiment-reading": Page(brand(READERS), path_ids=_READ),
    "GET experiment-report-csv": Page(brand(INSIDERS, READERS), path_ids=_READ),
    "GET experiment-report-pdf": Page(brand(INSIDERS, READERS), path_ids=_READ),
    "GET experiment-planning": Page(brand(READERS), path_ids=_READ),
    "POST experiment-planning": Page(brand(EXPERIMENTERS, READERS), _nothing, changes=False, path_ids=_READ),
    "GET pacing": _reads(anywhere(READERS)),
    "POST pacing": Page(
        brand(MODELLERS, EVERY_ROLE),
        lambda of, key: {
            "brand": "" if key == WHOLE_TENANT else of("brand"),
            "period_start": "2026-11-01",
            "period_end": "2026-11-30",
            "amount": "5.00",
        },
    ),
    "POST budget-delete": Page(brand(MODELLERS, READERS), _nothing, told_in_page=True),
    "POST scenario-budgets": Page(brand(MODELLERS, READERS), _nothing, told_in_page=True, changes=False),
    "GET scenario-list": _reads(anywhere(READERS)),
    "GET scenario-new": _reads(anywhere(MODELLERS)),
    "GET scenario-new of a brand": Page(brand(MODELLERS), query=lambda key: {"brand": key}),
    "POST scenario-new": Page(anywhere(MODELLERS), _builder, changes=False),
    "POST scenario-new of a brand": Page(brand(MODELLERS), _builder, changes=False, query=lambda key: {"brand": key}),
    "POST scenario-check": Page(anywhere(MODELLERS), _builder, changes=False),
    "GET scenario-detail": _reads(brand(READERS)),
    "GET scenario-compare": _reads(anywhere(READERS)),
    "GET scenario-compare-export": _reads(anywhere(INSIDERS)),
    "GET scenario-simulate": _reads(brand(MODELLERS, READERS)),
    "POST scenario-simulate": Page(
        brand(MODELLERS, READERS), lambda of, key: {"table": "rmn=walmart, 1", "act": "keep"}, changes=False
    ),
    "POST scenario-tighten": Page(brand(MODELLERS, READERS), _nothing, told_in_page=True, changes=False),
    "GET scenario-edit": _reads(brand(MODELLERS, READERS)),
    "POST scenario-edit": Page(brand(MODELLERS, READERS), _builder, changes=False),
    "POST scenario-solve": Page(brand(MODELLERS, READERS), _nothing, told_in_page=True, changes=False),
    "POST scenario-duplicate": Page(brand(MODELLERS, READERS), _nothing, told_in_page=True),
    "POST scenario-relax": Page(
        brand(MODELLERS, READERS), lambda of, key: {"choice": "0"}, told_in_page=True, changes=False
    ),
    "POST scenario-delete": Page(brand(MODELLERS, READERS), _nothing, told_in_page=True),
    "GET scenario-export": _reads(brand(INSIDERS, READERS)),
}


def addresses() -> dict[str, str]:
    """Name -> route of every page that the product itself brings."""
    return {
        name: route
        for route, name in _walk(get_resolver("rmn_site.urls").url_patterns)
        if not route.startswith(OF_LIBRARIES)
    }


def _walk(patterns: Any, before: str = "") -> Iterator[tuple[str, str]]:
    for pattern in patterns:
        route = before + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from _walk(pattern.url_patterns, route)
        else:
            yield route, pattern.name


def split(use: str) -> tuple[str, str]:
    """Method and name of the page."""
    method, name, *_ = use.split(" ")
    return method, name


def path_kinds(use: str) -> dict[str, str]:
    """Parameter of the path -> kind of the thing it names."""
    route = addresses()[split(use)[1]]
    names = [part.partition(":")[2].rstrip(">") for part in route.split("/") if part.startswith("<")]
    return {name: dict(PAGES[use].path_ids).get(name) or PATH_IDS[name] for name in names}


def kinds_named(use: str) -> list[str]:
    """Kinds of all things that the path and the form name."""
    asked = list(path_kinds(use).values())

    def note(kind: str) -> str:
        asked.append(kind)
        return ""

    body = PAGES[use].body
    if body:
        body(note, "chips")
    return list(dict.fromkeys(asked))


def keys_of(use: str) -> tuple[str, ...]:
    """Whose things a page can be about."""
    if PAGES[use].rule.scope is not Scope.BRAND:
        return (WHOLE_TENANT,)
    return KEYS[:2] if "brand" in kinds_named(use) or use.endswith(" of a brand") else KEYS


def visit(client: Any, use: str, things: Things, key: str = WHOLE_TENANT) -> HttpResponse:
    """Use a page about the thing of a key."""
    method, name = split(use)
    page = PAGES[use]

    def of(kind: str) -> str:
        return things.id(kind, "chips" if kind == "brand" and key == WHOLE_TENANT else key)

    address = reverse(name, "rmn_site.urls", kwargs={name: of(kind) for name, kind in path_kinds(use).items()})
    query = page.query(key)
    address += f"?{urlencode(query)}" if query else ""
    if method == "GET":
        return client.get(address)  # type: ignore[no-any-return]
    assert page.body is not None
    return client.post(address, page.body(of, key))  # type: ignore[no-any-return]
