"""How each operation is asked for: what its path names, and a body and a query that would be granted.

Operations are named as in `expectations.TABLE`: method, path below /api/v1, and for a second way to ask, " of …".
"""

from __future__ import annotations

import io
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import urlencode

import polars as pl
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from drf_spectacular.generators import SchemaGenerator

from harmonization.core.library import shipped_contracts
from optimization.core.posterior_import import LEAST_DRAWS
from tests.harmonization.conftest import walmart_csv, walmart_row
from tests.security.expectations import KEYS, TABLE, WHOLE_TENANT, Scope
from tests.security.objects import CELL, Things, small_problem

PREFIX = "/api/v1"
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
# Kinds behind the ids of paths. A path with another one fails until somebody says what it is.
PATH_IDS = {
    "brand_id": "brand", "user_id": "user", "token_id": "token", "job_id": "waiting_job", "schedule_id": "schedule",
    "upload_id": "upload", "load_id": "load", "name": "contract", "version_id": "curves", "solve_id": "solve",
    "scenario_id": "scenario", "finding_id": "finding", "entry_id": "entry", "import_id": "import", "view_id": "view",
    "draft_id": "draft", "adjustment_id": "adjustment", "programme_id": "programme", "week_id": "week",
    "budget_id": "budget", "experiment_id": "experiment",
}  # fmt: skip
YEAR = {"start": "2026-01-01", "end": "2026-12-31"}
FIGURES = {"metrics": "spend", **YEAR}

FACTOR = {"low": "0.3", "value": "0.4", "high": "0.5", "evidence": "experiment", "method": "geo test"}

QUESTION = {
    "name": "New", "horizon_start": "2027-01-04", "horizon_end": "2027-01-31", "total_budget": "1000.00",
}  # fmt: skip

Ids = Callable[[str], str]


@dataclass(frozen=True)
class Call:
    """One way to ask an operation.

    Attributes:
        body, query: made from `of(kind)`, which gives the id of the thing of that kind that the request is about.
        multipart: the body is a form with a file.
    """

    body: Callable[[Ids, str], dict[str, Any] | None] = lambda of, key: None
    query: Callable[[Ids, str], dict[str, Any]] = lambda of, key: {}
    multipart: bool = False
    path_ids: dict[str, str] = field(default_factory=dict)


def _brand(of: Ids, key: str) -> str | None:
    """The brand to name in a body: none for the whole tenant."""
    return None if key == WHOLE_TENANT else of("brand")


def new_report(key: str) -> SimpleUploadedFile:
    row = walmart_row("2026-10-05", item=f"9{len(key)}", spend="3.00")
    return SimpleUploadedFile(f"new-{key}.csv", walmart_csv(row), content_type="text/csv")


def new_panel() -> SimpleUploadedFile:
    rows = [f"2026-10-{day:02d},{unit},{day + place}" for day in range(1, 11) for place, unit in enumerate("ABCD")]
    return SimpleUploadedFile("panel.csv", "\n".join(["date,geo,sales", *rows]).encode(), content_type="text/csv")


def new_factors() -> SimpleUploadedFile:
    lines = (",".join(FACTOR), ",".join(FACTOR.values()))
    return SimpleUploadedFile("factors.csv", "\n".join(lines).encode(), content_type="text/csv")


OVERRIDE = {**CELL, "kind": "override", "family": "log", "a": 90.0, "k": 40.0, "reason": "A test."}
JUDGED = {"mean": 0.6, "standard_error": 0.1, "reason": "Two tests."}


def posterior() -> dict[str, Any]:
    """A file of fifty draws of the one cell, with what must be said of it."""
    out = io.BytesIO()
    draws = range(LEAST_DRAWS)
    pl.DataFrame(
        [{**CELL, "draw": draw, "family": "log", "a": 100.0 + draw, "k": 50.0} for draw in draws]
    ).write_parquet(out)
    file = SimpleUploadedFile("draws.parquet", out.getvalue(), content_type="application/vnd.apache.parquet")
    return {"file": file, "source": "A model", "data_start": "2026-01-05", "data_end": "2026-03-01"}


def _catalogue(of: Ids, key: str) -> dict[str, Any]:
    text = "sku,brand,product_name,retailer,retailer_sku\nNEW-1,birch chips,New,Walmart,99001\n"
    return {"kind": "catalogue", "file": SimpleUploadedFile("catalogue.csv", text.encode())}


def _text(name: str, text: str) -> SimpleUploadedFile:
    return SimpleUploadedFile(name, text.encode())


def contract_text(of: Ids, key: str) -> dict[str, Any]:
    text = shipped_contracts()["walmart_search_item"].text
    return {"text": text.replace("name: walmart_search_item", "name: another_report")}


PLAIN = Call()
CALLS: dict[str, Call] = dict.fromkeys(TABLE, PLAIN) | {
    "POST /brands/": Call(body=lambda of, key: {"name": "A new brand"}),
    "PATCH /brands/{brand_id}/": Call(body=lambda of, key: {"name": "Renamed"}),
    "POST /users/": Call(
        body=lambda of, key: {"email": "new@example.com", "grants": [{"role": "viewer", "brand": of("brand")}]}
    ),
    "PATCH /users/{user_id}/": Call(body=lambda of, key: {"grants": [{"role": "analyst", "brand": of("brand")}]}),
    "POST /tokens/": Call(body=lambda of, key: {"name": "another"}),
    "GET /jobs/": Call(query=lambda of, key: {"page_size": "500"}),
    "POST /jobs/{job_id}/retry/": Call(path_ids={"job_id": "failed_job"}),
    "POST /schedules/": Call(
        body=lambda of, key: {"kind": "harmonization.load", "every_seconds": 3600, "brand": _brand(of, key)}
    ),
    "PATCH /schedules/{schedule_id}/": Call(body=lambda of, key: {"title": "Renamed"}),
    "POST /retailers/": Call(body=lambda of, key: {"slug": "target", "name": "Target", "network": "roundel"}),
    "POST /accounts/": Call(
        body=lambda of, key: {
            "brand": _brand(of, key),
            "retailer": of("retailer"),
            "external_id": "new-1",
            "name": "New account",
        }
    ),
    "POST /uploads/": Call(body=lambda of, key: {"account": of("account"), "file": new_report(key)}, multipart=True),
    "POST /uploads/ of a catalogue": Call(body=_catalogue, multipart=True),
    "POST /uploads/{upload_id}/harmonize/": Call(body=lambda of, key: {"contract": of("contract")}),
    "GET /loads/{load_id}/row/": Call(query=lambda of, key: {"number": "2"}),
    "POST /imports/": Call(
        body=lambda of, key: {"account": of("account"), "name": "New", "location": "folder:/srv/elsewhere"}
    ),
    "POST /mappings/": Call(body=contract_text),
    "POST /mappings/check/": Call(body=contract_text),
    "POST /mappings/{name}/edit/": Call(body=lambda of, key: {}),
    "PUT /mapping-drafts/{draft_id}/": Call(body=lambda of, key: {"frame": {"title": "Renamed"}}),
    "POST /mapping-drafts/{draft_id}/columns/": Call(body=lambda of, key: {"header": "adSpend", "accept": True}),
    "POST /mapping-drafts/{draft_id}/publish/": Call(body=lambda of, key: {"note": "as proposed"}),
    "POST /quality/findings/{finding_id}/acknowledge/": Call(body=lambda of, key: {"reason": "The shop was closed."}),
    "POST /crosswalk/{entry_id}/decide/": Call(body=lambda of, key: {"sku": of("sku"), "reason": "A multipack."}),
    "POST /uploads/ of audiences": Call(
        body=lambda of, key: {
            "kind": "audiences",
            "account": of("account"),
            "file": _text("a.csv", "audience_id,name,type\nA1,All,crm\n"),
        },
        multipart=True,
    ),
    "POST /uploads/ of policies": Call(
        body=lambda of, key: {
            "kind": "policies",
            "file": _text("p.csv", "network,rule_id,scope,severity,statement\nlegal_us,new,metrics,warn,No.\n"),
        },
        multipart=True,
    ),
    "POST /uploads/ of rates": Call(
        body=lambda of, key: {"kind": "fx_rates", "file": _text("r.csv", "date,currency,rate\n2026-11-20,GBP,1.3\n")},
        multipart=True,
    ),
    "POST /quality/checks/": Call(body=lambda of, key: {"account": of("account")}),
    "GET /metrics/query/": Call(query=lambda of, key: FIGURES),
    "GET /metrics/query/ of a brand": Call(query=lambda of, key: {**FIGURES, "brand": of("brand")}),
    "GET /metrics/export/": Call(query=lambda of, key: FIGURES),
    "GET /metrics/export/ of a brand": Call(query=lambda of, key: {**FIGURES, "brand": of("brand")}),
    "POST /metrics/factors/": Call(
        body=lambda of, key: {"brand": _brand(of, key), "source": "GT-1", "factors": [FACTOR]},
    ),
    "POST /metrics/views/": Call(body=lambda of, key: {"name": "Mine", "query": "by=campaign"}),
    "PATCH /metrics/views/{view_id}/": Call(body=lambda of, key: {"name": "Renamed"}),
    "POST /curves/": Call(body=lambda of, key: {"brand": _brand(of, key), "weeks": 8}),
    "POST /curves/adjustments/": Call(body=lambda of, key: {"brand": _brand(of, key), **OVERRIDE}),
    "POST /curves/adjustments/{adjustment_id}/revoke/": Call(body=lambda of, key: {"reason": "A typo."}),
    "GET /curves/factors/": Call(query=lambda of, key: {} if key == WHOLE_TENANT else {"brand": of("brand")}),
    "GET /experiments/next/": Call(query=lambda of, key: {} if key == WHOLE_TENANT else {"brand": of("brand")}),
    "POST /curves/factors/": Call(body=lambda of, key: {"brand": _brand(of, key), **JUDGED}),
    "POST /curves/imports/": Call(
        body=lambda of, key: {**({} if key == WHOLE_TENANT else {"brand": of("brand")}), **posterior()}, multipart=True
    ),
    "POST /budgets/": Call(
        body=lambda of, key: {
            "brand": _brand(of, key),
            "period_start": "2026-11-01",
            "period_end": "2026-11-30",
            "amount": "5.00",
        },
    ),
    "POST /scenarios/": Call(body=lambda of, key: {"brand": _brand(of, key), **QUESTION}),
    "POST /scenarios/check/": Call(body=lambda of, key: {"brand": _brand(of, key), **QUESTION}),
    "GET /scenarios/compare/": Call(query=lambda of, key: {"scenarios": of("scenario")}),
    "GET /scenarios/compare/lines/": Call(query=lambda of, key: {"scenarios": of("scenario")}),
    "POST /scenarios/{scenario_id}/simulate/": Call(
        body=lambda of, key: {"allocation": [{"scope": "rmn=walmart", "amount": 1}]}
    ),
    "PATCH /scenarios/{scenario_id}/": Call(body=lambda of, key: {"name": "Renamed"}),
    "POST /scenarios/{scenario_id}/duplicate/": Call(body=lambda of, key: {"name": "A copy"}),
    "POST /scenarios/{scenario_id}/relax/": Call(body=lambda of, key: {"choice": 0}),
    "POST /solves/": Call(body=lambda of, key: {"brand": _brand(of, key), "problem": small_problem()}),
    "POST /learning/": Call(
        body=lambda of, key: {"solve_id": of("solve"), "name": "New", "first_week": "2026-11-30", "problem_weeks": 1},
    ),
    "POST /learning/{programme_id}/status/": Call(body=lambda of, key: {"wanted": "paused"}),
    "POST /learning/{programme_id}/run/": Call(body=lambda of, key: {}),
    "POST /learning/weeks/{week_id}/decide/": Call(body=lambda of, key: {"accept": True}),
    "POST /experiments/": Call(body=lambda of, key: {"brand": _brand(of, key), "name": "New", "kind": "geo"}),
    "PATCH /experiments/{experiment_id}/": Call(body=lambda of, key: {"name": "Renamed"}),
    "POST /experiments/{experiment_id}/duplicate/": Call(body=lambda of, key: {"name": "A copy"}),
    "POST /experiments/{experiment_id}/panels/": Call(body=lambda of, key: {"file": new_panel()}, multipart=True),
    "POST /experiments/{experiment_id}/panels/events/": Call(body=lambda of, key: {"unit": "sku"}),
    "POST /experiments/{experiment_id}/candidate/": Call(body=lambda of, key: {"choice": 0}),
    "POST /experiments/{experiment_id}/assignment/": Call(
        body=lambda of, key: {"file": _text("assignment.csv", "geo,group\nA,treated\nB,control\n")}, multipart=True
    ),
    "POST /experiments/{experiment_id}/register/": Call(body=lambda of, key: {"retrospective": True}),
    "POST /experiments/{experiment_id}/cancel/": Call(body=lambda of, key: {"reason": "No budget."}),
    "POST /experiments/{experiment_id}/refreshes/": Call(
        body=lambda of, key: {"source": {"kind": "events", "unit": "sku"}}
    ),
    **{
        f"{method} /experiments/{{experiment_id}}/{end}": Call(path_ids={"experiment_id": "read_experiment"})
        for method, end in (
            ("GET", "plan/"),
            ("GET", "reading/"),
            ("GET", "report.csv"),
            ("GET", "report.pdf"),
            ("GET", "planning/"),
            ("POST", "planning/"),
            ("GET", "assignment.csv"),
            ("POST", "analyse/"),
        )
    },
}
# Filters that name things, beyond what the calls above use.
FILTERS: dict[str, dict[str, str]] = {
    "GET /jobs/": {"brand": "brand"},
    "GET /history/": {"object_id": "brand"},
    "GET /crosswalk/": {"account": "account"},
    "GET /quality/findings/": {"account": "account", "brand": "brand", "load": "load"},
    "GET /quarantine/": {"account": "account"},
    "GET /lineage/": {"account": "account", "brand": "brand"},
    "GET /metrics/query/": {"brand": "brand", "account": "account"},
    "GET /curves/factors/": {"brand": "brand"},
    "GET /experiments/next/": {"brand": "brand"},
    "GET /metrics/export/": {"brand": "brand", "account": "account"},
    "GET /experiments/{experiment_id}/reading/": {"reading": "reading"},
    "GET /experiments/{experiment_id}/report.csv": {"reading": "reading"},
    "GET /experiments/{experiment_id}/report.pdf": {"reading": "reading"},
    "GET /experiments/{experiment_id}/planning/": {"reading": "reading"},
    "POST /experiments/{experiment_id}/planning/": {"reading": "reading"},
}
LISTS: dict[str, str] = {
    "GET /brands/": "brand", "GET /users/": "user", "GET /jobs/": "job", "GET /schedules/": "schedule",
    "GET /policies/": "policy", "GET /retailers/": "retailer", "GET /accounts/": "account", "GET /uploads/": "upload",
    "GET /loads/": "load", "GET /mappings/": "contract", "GET /placements/": "placement", "GET /products/": "product",
    "GET /campaigns/": "campaign", "GET /curves/": "curves", "GET /solves/": "solve",
    "GET /scenarios/": "scenario", "GET /learning/": "programme", "GET /budgets/": "budget",
    "GET /quality/findings/": "finding",
    "GET /quality/reconciliations/": "reconciliation", "GET /crosswalk/": "entry", "GET /audiences/": "audience",
    "GET /fx-rates/": "rate", "GET /quarantine/": "load",
    "GET /imports/": "import",
    "GET /mapping-drafts/": "draft",
    "GET /curves/adjustments/": "adjustment",
    "GET /experiments/": "experiment",
}  # fmt: skip


@cache
def document() -> Any:
    """The OpenAPI document of a tenant's host."""
    return SchemaGenerator(urlconf="rmn_site.urls").get_schema(request=None, public=True)


@cache
def documented() -> dict[str, set[str]]:
    """Path below /api/v1 -> its methods, from the OpenAPI document."""
    return {
        path.removeprefix(PREFIX): {method.upper() for method in operations if method.upper() in METHODS}
        for path, operations in document()["paths"].items()
    }


def operations() -> list[str]:
    """Every operation of the OpenAPI document."""
    return [f"{method} {path}" for path, methods in documented().items() for method in METHODS if method in methods]


def split(operation: str) -> tuple[str, str]:
    """Method and path template."""
    method, path, *_ = operation.split(" ")
    return method, path


def path_kinds(operation: str) -> dict[str, str]:
    """Parameter of the path -> kind of the thing it names."""
    names = [part[1:-1] for part in split(operation)[1].split("/") if part.startswith("{")]
    return {name: CALLS[operation].path_ids.get(name) or PATH_IDS[name] for name in names}


def kinds_named(operation: str) -> list[str]:
    """Kinds of all things that an operation's path, body and query name."""
    asked: list[str] = list(path_kinds(operation).values())

    def note(kind: str) -> str:
        asked.append(kind)
        return str(uuid.uuid4())

    CALLS[operation].body(note, "chips")
    CALLS[operation].query(note, "chips")
    return list(dict.fromkeys(asked))


def keys_of(operation: str) -> tuple[str, ...]:
    """Whose things an operation can be asked about."""
    if TABLE[operation].scope is not Scope.BRAND:
        return (WHOLE_TENANT,)
    brand_alone = "brand" in path_kinds(operation).values() or operation.endswith(" of a brand")
    return KEYS[:2] if brand_alone else KEYS


def send(
    client: Any,
    operation: str,
    things: Things,
    key: str = WHOLE_TENANT,
    extra_query: dict[str, str] | None = None,
    extra_body: dict[str, Any] | None = None,
) -> HttpResponse:
    """Ask an operation about the thing of a key."""
    method, template = split(operation)
    call = CALLS[operation]

    def id_of(kind: str) -> str:
        return things.id(kind, "chips" if kind == "brand" and key == WHOLE_TENANT else key)

    path = template
    for name, kind in path_kinds(operation).items():
        path = path.replace(f"{{{name}}}", id_of(kind))
    body, query = call.body(id_of, key), call.query(id_of, key) | (extra_query or {})
    if extra_body:
        body = {**(body or {}), **extra_body}
    address = f"{PREFIX}{path}{'?' if query else ''}{urlencode(query)}"
    options: dict[str, Any] = {} if body is None else {"format": "multipart" if call.multipart else "json"}
    return getattr(client, method.lower())(address, body, **options)  # type: ignore[no-any-return]
