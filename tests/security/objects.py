"""One of everything in a tenant: for the brand chips, for the brand pretzels, and for the whole tenant."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal
from functools import cache
from typing import Any

from django.db import models
from django.db.models.functions import Now
from django.test import Client
from django.test.client import ClientHandler
from django.utils import timezone
from rest_framework.test import APIClient, ForceAuthClientHandler

from accounts.core.permissions import Role
from accounts.models import ApiToken, Brand, User
from governance.models import PolicyRule
from harmonization import services as data
from harmonization.models import (
    Account,
    Audience,
    Campaign,
    CrosswalkEntry,
    DataFinding,
    FxRate,
    ImportSource,
    Load,
    MappingContract,
    MappingDraft,
    Placement,
    Product,
    Reconciliation,
    Retailer,
    Upload,
)
from jobs.core.schedules import Timing
from jobs.core.states import State
from jobs.dispatch.models import Dispatch
from jobs.draining import run_queued_jobs
from jobs.models import Job
from jobs.selectors import schedules_visible
from jobs.services import create_schedule, submit_job
from measurement.models import Experiment
from metrics.models import SavedView
from optimization.models import CurveAdjustment, CurveVersion, LearningProgramme, LearningWeek, Solve
from optimization.services.learning import propose_week, start_programme
from planning.models import Budget, Scenario
from tests.factories import AccountFactory, BrandFactory, ProductFactory, RetailerFactory, person
from tests.harmonization.conftest import walmart_csv, walmart_row
from tests.security.expectations import KEYS, WHOLE_TENANT
from tests.security.experiment_things import experiments_of

HOUR = 3600
# Spend of each key's report: any sum of them tells which were added.
SPEND = {"chips": 100, "pretzels": 10, WHOLE_TENANT: 1}


@dataclass
class Things:
    """What a tenant has.

    Attributes:
        slug: of the tenant.
        named: kind -> key (chips, pretzels, tenant) -> the id that addresses name; the thing that requests are about.
        rows: kind -> id -> key, of every row there is; what lists may show is checked against it.
        tokens: name of a person -> the text of their token.
        people: name -> person; `viewer` has the role for the whole tenant, `viewer of chips` for chips alone.
    """

    slug: str
    named: dict[str, dict[str, str]] = field(default_factory=dict)
    rows: dict[str, dict[str, str]] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)
    people: dict[str, User] = field(default_factory=dict)
    sessions: dict[str, str] = field(default_factory=dict)

    @property
    def host(self) -> str:
        return f"{self.slug}.localhost"

    def id(self, kind: str, key: str = WHOLE_TENANT) -> str:
        """The id of a thing; kinds that no brand owns have one thing for all keys."""
        return self.named[kind].get(key) or self.named[kind][WHOLE_TENANT]

    def api(self, who: str | None, **headers: str) -> APIClient:
        """The API as one of the people, or nobody."""
        client = APIClient()
        client.handler = _api_handler()
        credentials = {"HTTP_AUTHORIZATION": f"Token {self.tokens[who]}"} if who else {}
        client.credentials(**{"HTTP_HOST": self.host, **credentials, **headers})
        return client

    def browser(self, who: str | None) -> Client:
        """The pages as one of the people, logged in before, or nobody."""
        client = Client(HTTP_HOST=self.host)
        client.handler = _page_handler()
        if who:
            client.cookies["sessionid"] = self.sessions[who]
        return client


# Each client would set up all middleware again for its first request, and most send only one.
@cache
def _api_handler() -> ForceAuthClientHandler:
    return ForceAuthClientHandler(enforce_csrf_checks=False)


@cache
def _page_handler() -> ClientHandler:
    return ClientHandler(enforce_csrf_checks=False)


def elsewhere(things: Things, kind: str, other: Mapping[str, str]) -> Things:
    """The same things, but for those of one kind, whose ids are taken from `other` for every key."""
    return replace(things, named={**things.named, kind: dict(other)})


def nonexistent(kind: str) -> dict[str, str]:
    """Ids under which there is nothing anywhere."""
    return {key: "no_such_contract" if kind == "contract" else str(uuid.uuid4()) for key in KEYS}


def person_named(role: Role | str, grant: str) -> str:
    """How the person with one role is called here."""
    return str(Role(role).value) if grant == WHOLE_TENANT else f"{Role(role).value} of {grant}"


def make_everything(slug: str) -> Things:
    """Fill the tenant that is active."""
    things = Things(slug)
    brands: dict[str, Brand | None] = {
        "chips": BrandFactory(slug="chips", name=f"{slug} chips"),
        "pretzels": BrandFactory(slug="pretzels", name=f"{slug} pretzels"),
        WHOLE_TENANT: None,
    }
    _people(things, brands)
    owner = things.people["owner"]
    data.ensure_shipped_contracts()
    retailer = RetailerFactory(slug="walmart", name="Walmart", network="walmart_connect")
    text = MappingContract.objects.get(name="walmart_search_item").published.text
    contract = data.save_contract(
        actor=owner, text=text.replace("name: walmart_search_item", f"name: {slug}_report"), note="of this tenant"
    ).contract
    policy = PolicyRule.objects.create(network="walmart_connect", rule_id=f"{slug}-1", scope="metrics", statement="x")
    Placement.objects.create(network="walmart_connect", raw_name=f"{slug} shelf", placement="search")
    things.named |= {
        "retailer": {WHOLE_TENANT: str(retailer.pk)},
        "contract": {WHOLE_TENANT: contract.name},
        "policy": {WHOLE_TENANT: str(policy.pk)},
        "user": {WHOLE_TENANT: str(things.people["bystander"].pk)},
        "view": {WHOLE_TENANT: str(SavedView.objects.create(owner=things.people["bystander"], name="Own").pk)},
        "token": {WHOLE_TENANT: str(ApiToken.objects.get(user=things.people["bystander"]).public_id)},
        "empty_brand": {WHOLE_TENANT: str(BrandFactory(slug="nuts", name=f"{slug} nuts").pk)},
    }
    for number, (key, brand) in enumerate(brands.items(), start=1):
        for kind, made in _of_brand(slug, key, brand, number, retailer, owner).items():
            things.named.setdefault(kind, {})[key] = made
    run_queued_jobs(tenant=slug)
    for key, brand in brands.items():
        load = Load.objects.get(upload_id=things.named["upload"][key], status="published")
        things.named.setdefault("load", {})[key] = str(load.pk)
        # The negative spend of each report went to quarantine, which the check after the load found.
        things.named.setdefault("finding", {})[key] = str(
            DataFinding.objects.get(kind="quarantined_rows", load=load).pk
        )
        things.named.setdefault("entry", {})[key] = str(CrosswalkEntry.objects.get(account=load.upload.account).pk)
        things.named.setdefault("sku", {})[key] = f"{slug}-{key if brand else 'chips'}"
        _compare(load)
        for kind, made in _jobs(brand, owner).items():
            things.named.setdefault(kind, {})[key] = made
    _register_rows(things)
    return things


def _people(things: Things, brands: Mapping[str, Brand | None]) -> None:
    for role in Role:
        for grant in (WHOLE_TENANT, "chips"):
            name = person_named(role, grant)
            things.people[name] = person(name.replace(" ", "-"), role, brand=brands[grant])
    things.people["bystander"] = person("bystander", Role.VIEWER)
    for name, user in things.people.items():
        token, things.tokens[name] = ApiToken.objects.create(user=user, name="laptop")
        # A use is noted once a minute, which would make reading requests write in the middle of the run.
        ApiToken.objects.filter(pk=token.pk).update(last_used_at=timezone.now() + timedelta(days=1))
        client = Client(HTTP_HOST=things.host)
        client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
        things.sessions[name] = client.cookies["sessionid"].value


def _of_brand(slug: str, key: str, brand: Brand | None, number: int, retailer: Retailer, owner: User) -> dict[str, str]:
    account: Account = AccountFactory(
        brand=brand, retailer=retailer, external_id=f"{slug}-{key}", name=f"{slug} {key} at Walmart"
    )
    item = f"{number}{len(slug)}7"
    if brand is not None:
        product: Product = ProductFactory(brand=brand, sku=f"{slug}-{key}")
        product.listings.create(retailer=retailer, retailer_sku=item)
    kept = walmart_row(item=item, spend=f"{SPEND[key]}.00")
    upload = data.take_file(
        actor=owner,
        chunks=[walmart_csv(kept, walmart_row(item=item, spend="-5.00"))],
        file_name=f"{slug}-{key}.csv",
        contract="walmart_search_item",
        account=account,
    ).upload
    curves = CurveVersion.objects.create(
        brand=brand,
        number=1,
        data_version=1,
        data_start=date(2026, 1, 5),
        data_end=date(2026, 3, 1),
        method="test",
        settings={"currency": "USD"},
        curves=[curve_of_a_cell()],
    )  # fmt: skip
    adjustment = CurveAdjustment.objects.create(
        brand=brand, kind="prior", retailer="Walmart", roas=2.0, spread=0.3, reason=f"{slug} {key}", created_by=owner
    )
    solve = Solve.objects.create(
        brand=brand, curve_version=curves, problem_sha256=f"{number:064d}", problem=_line_problem(), solution={},
        status="optimal",
        engine="test", seconds=0.1,
    )  # fmt: skip
    programme = start_programme(
        actor=owner, solve=solve, name=f"{slug} {key}", first_week=date(2026, 11, 30), problem_weeks=1
    )
    week = propose_week(programme=programme, week=date(2026, 11, 30)).week
    scenario = Scenario.objects.create(
        brand=brand, number=number, name=f"{slug} {key}", horizon_start=date(2026, 11, 2),
        horizon_end=date(2026, 11, 29), total_budget=Decimal(100), curve_version=curves, status="draft",
        created_by=owner,
    )  # fmt: skip
    budget = Budget.objects.create(
        brand=brand, period_start=date(2026, 10, 1), period_end=date(2026, 10, 31), amount=Decimal(100),
        currency="USD", created_by=owner,
    )  # fmt: skip
    schedule = create_schedule(
        kind="harmonization.load", params={"of": key}, actor=owner, timing=Timing(every_seconds=HOUR), brand=brand
    )
    watched = ImportSource.objects.create(
        account=account, name=f"{slug} {key}", location="folder:/srv/nowhere", created_by=owner
    )
    return {
        "account": str(account.pk),
        "import": str(watched.pk),
        "draft": str(_draft(slug, key, upload, owner).pk),
        "upload": str(upload.pk),
        "curves": str(curves.pk),
        "adjustment": str(adjustment.pk),
        "solve": str(solve.pk),
        "programme": str(programme.pk),
        "week": str(week.pk),
        "scenario": str(scenario.pk),
        "budget": str(budget.pk),
        "schedule": str(schedule.id),
        **experiments_of(slug, key, brand, number, owner),
        **({"brand": str(brand.pk)} if brand else {}),
    }


def _draft(slug: str, key: str, upload: Upload, owner: User) -> MappingDraft:
    text = MappingContract.objects.get(name="walmart_search_item").published.text
    return MappingDraft.objects.create(
        upload=upload,
        text=text.replace("name: walmart_search_item", f"name: {slug}_{key}_draft"),
        columns=[{"source": "adSpend", "position": 0, "target": "spend", "confidence": 0.9, "samples": ["1.00"]}],
        created_by=owner,
    )


def _compare(load: Load) -> None:
    Audience.objects.create(account=load.upload.account, external_id="a1", name="Everybody", kind="crm")
    FxRate.objects.get_or_create(day=date(2026, 11, 20), currency="GBP", base="USD", defaults={"rate": Decimal("1.3")})
    Reconciliation.objects.create(
        account=load.upload.account, report_a="campaign", report_b="item", metric="spend", verdict="agrees",
        checked_at=timezone.now(),
    )  # fmt: skip


def _jobs(brand: Brand | None, owner: User) -> dict[str, str]:
    waiting, failed = (
        submit_job(kind="harmonization.load", params={"of": name}, actor=owner, brand=brand, title=name)
        for name in ("waits", "failed")
    )
    Dispatch.objects.filter(job_id=failed.pk).delete()
    Job.objects.filter(pk=failed.pk).update(state=State.FAILED, finished_at=Now())
    return {"waiting_job": str(waiting.pk), "failed_job": str(failed.pk)}


def _register_rows(things: Things) -> None:
    """Every row with the brand it belongs to."""
    owned: dict[str, tuple[type[models.Model], str]] = {
        "brand": (Brand, "slug"),
        "account": (Account, "brand__slug"),
        "upload": (Upload, "brand__slug"),
        "load": (Load, "upload__brand__slug"),
        "campaign": (Campaign, "account__brand__slug"),
        "import": (ImportSource, "account__brand__slug"),
        "product": (Product, "brand__slug"),
        "job": (Job, "brand__slug"),
        "curves": (CurveVersion, "brand__slug"),
        "adjustment": (CurveAdjustment, "brand__slug"),
        "solve": (Solve, "brand__slug"),
        "programme": (LearningProgramme, "brand__slug"),
        "week": (LearningWeek, "programme__brand__slug"),
        "scenario": (Scenario, "brand__slug"),
        "budget": (Budget, "brand__slug"),
        "experiment": (Experiment, "brand__slug"),
        "draft": (MappingDraft, "upload__brand__slug"),
        "finding": (DataFinding, "account__brand__slug"),
        "reconciliation": (Reconciliation, "account__brand__slug"),
        "entry": (CrosswalkEntry, "account__brand__slug"),
        "audience": (Audience, "account__brand__slug"),
        "rate": (FxRate, ""),
        "retailer": (Retailer, ""),
        "contract": (MappingContract, ""),
        "placement": (Placement, ""),
        "policy": (PolicyRule, ""),
        "user": (User, ""),
    }
    for kind, (model, owner) in owned.items():
        rows = (
            model.objects.values_list("pk", owner)
            if owner
            else [(pk, None) for pk in model.objects.values_list("pk", flat=True)]
        )  # type: ignore[attr-defined]
        things.rows[kind] = {str(pk): slug or WHOLE_TENANT for pk, slug in rows}
    slugs = {str(pk): slug for pk, slug in Brand.objects.values_list("pk", "slug")}
    things.rows["schedule"] = {
        str(one.id): slugs.get(str(one.brand_id), WHOLE_TENANT)
        for one in schedules_visible(user=things.people["owner"])
    }
    things.rows["token"] = {
        str(public_id): email for public_id, email in ApiToken.objects.values_list("public_id", "user__email")
    }


#: The one cell that every version has a curve of.
CELL = {"retailer": "Walmart", "placement": "onsite_search_top", "sku": "CELL-1"}


def curve_of_a_cell() -> dict[str, Any]:
    """A curve as a version keeps it."""
    return {
        **CELL, "family": "log", "params": {"a": 100.0, "k": 50.0}, "amplitude_se": 5.0, "log_scale_sd": 0.3,
        "reference_spend": 60.0, "reference_relative_se": 0.1, "carry_over": 0.0, "n_weeks": 8,
        "observed_spend": {"min": 20.0, "max": 90.0}, "r2": 0.5, "shrinkage": 0.5, "notes": [],
    }  # fmt: skip


def _line_problem() -> dict[str, Any]:
    """The same of a line that reports can be of."""
    problem = small_problem()
    problem["cells"][0]["id"] = "Walmart|onsite_search_top|501"
    return problem


def small_problem() -> dict[str, Any]:
    """A budget problem of one cell."""
    cell = {
        "id": "c0",
        "path": {"channel": "onsite", "rmn": "walmart", "placement": "search", "audience": "all", "sku": "501"},
        "response": {"family": "log", "params": {"a": 100.0, "k": 50.0}, "revenue_per_conversion": 2.0},
        "min_spend": 0.0,
        "max_spend": 100.0,
        "out_of_stock": False,
    }
    problem = {"schema": "rmn-budget-instance/1", "name": "one cell", "total_budget": 80.0, "cells": [cell]}
    return dict(json.loads(json.dumps(problem)))
