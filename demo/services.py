"""The demo tenants, made by the product itself: real uploads, real jobs, real fits and solves on sample exports.

Every step can be repeated and finds what is there, so an interrupted demo goes on where it stopped.
"""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from django_tenants.utils import schema_context

from accounts import services as accounts
from accounts.core.grants import Grant
from accounts.models import Brand, User
from demo.core.exports import write_sample_exports
from demo.experiments import bring_in_geo_test
from demo.logins import PASSWORD, DemoTenant
from harmonization import services as data
from harmonization.models import Account, Retailer, Upload
from jobs import services as jobs
from jobs.models import Job
from optimization import services as optimization
from planning import selectors as planning_selectors
from planning import services as planning
from planning.models import Scenario
from tenants.models import PUBLIC_SCHEMA, Tenant
from tenants.selectors import tenant_folder

SEED = 7
Say = Callable[[str], None]
RunJobs = Callable[[], None]


@dataclass(frozen=True)
class DemoReport:
    """What the demo of one tenant came to."""

    tenant: str
    files: int
    jobs_succeeded: int
    jobs_failed: int


def create_demo_tenant(*, demo: DemoTenant, say: Say, run_jobs: RunJobs | None = None) -> DemoReport:
    """Make one demo tenant, or complete it.

    Args:
        say: told each step as it begins.
        run_jobs: runs what is queued in this process; by default the workers that are up do it.
    """
    with schema_context(PUBLIC_SCHEMA):
        _open(demo, say)
    with schema_context(demo.slug):
        marker = tenant_folder() / "demo.json"
        if marker.exists():
            say(f"{demo.name}: here already, kept as it is")
            return DemoReport(**json.loads(marker.read_text()))
        owner = User.objects.get(email=demo.people[0].email)
        exports = tenant_folder() / "sample-exports"
        say(f"{demo.name}: sample exports from a known truth")
        shutil.rmtree(exports, ignore_errors=True)
        write_sample_exports(exports, seed=SEED, profile=demo.profile)
        truth = json.loads((exports / "truth.json").read_text())
        say(f"{demo.name}: catalogue and accounts")
        _load_catalogue(owner, exports / "catalogue.csv")
        accounts_of = _accounts(owner, truth)
        files = [entry for entry in truth["files"] if entry["set"] == "demo" and entry["contract"]]
        say(f"{demo.name}: {len(files)} exports through the harmoniser")
        broken = [entry["file"] for entry in files if entry.get("broken")]
        loads = [_upload(owner, exports / entry["file"], accounts_of[_key(entry)]) for entry in files]
        ended = [
            *_wait(loads, run_jobs, say, broken),
            *_plan(owner, date.fromisoformat(truth["last_day"]), run_jobs, say),
            *_experiment(owner, exports, run_jobs, say),
        ]
        report = DemoReport(
            tenant=demo.slug,
            files=len(files),
            jobs_succeeded=sum(job.state == "succeeded" for job in ended),
            jobs_failed=sum(job.state != "succeeded" for job in ended),
        )
        marker.write_text(json.dumps(report.__dict__))
    return report


def _open(demo: DemoTenant, say: Say) -> None:
    tenant = Tenant.objects.filter(schema_name=demo.slug).first()
    if tenant is None:
        say(f"{demo.name}: tenant, people and roles")
        first = demo.people[0]
        tenant, _ = accounts.open_tenant(
            slug=demo.slug,
            name=demo.name,
            owner_email=first.email,
            owner_name=first.name,
            owner_password=PASSWORD,
            domains=demo.hosts,
        )
    with schema_context(demo.slug):
        known = set(User.objects.values_list("email", flat=True))
        for person in demo.people:
            brand = _brand(person.brand) if person.brand else None
            if person.email not in known:
                accounts.seed_user(
                    email=person.email,
                    password=PASSWORD,
                    name=person.name,
                    grants=[Grant(person.role, brand.pk if brand else None)],
                    source="demo",
                )


def _brand(name: str) -> Brand:
    return Brand.objects.filter(name=name).first() or accounts.seed_brand(name=name)


def _load_catalogue(owner: User, path: Path) -> None:
    names = sorted({line["brand"] for line in _rows(path)})
    for name in names:
        _brand(name)
    with path.open("rb") as file:
        data.take_file(actor=owner, chunks=file, file_name=path.name, kind=Upload.Kind.CATALOGUE)


def _rows(path: Path) -> Iterator[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        yield from csv.DictReader(file)


def _key(entry: dict[str, Any]) -> tuple[str, str]:
    return entry["retailer"], entry["account_name"]


def _accounts(owner: User, truth: dict[str, Any]) -> dict[tuple[str, str], Account]:
    """An account for each (retailer, account name) of the demo files; they hold several brands."""
    made: dict[tuple[str, str], Account] = {}
    for entry in truth["files"]:
        if entry["set"] != "demo" or not entry["contract"] or _key(entry) in made:
            continue
        retailer = Retailer.objects.get(name=entry["retailer"])
        external_id = f"{retailer.slug}-{entry['account_name'].lower().replace(' ', '-')}"
        made[_key(entry)] = Account.objects.filter(
            retailer=retailer, external_id=external_id
        ).first() or data.create_account(
            actor=owner,
            brand=None,
            retailer=retailer,
            external_id=external_id,
            name=entry["account_name"],
            currency=entry["currency"],
        )
    return made


def _plan(owner: User, last_day: date, run_jobs: RunJobs | None, say: Say) -> list[Job]:
    """Curves from what was loaded; a scenario that is solved, and one that asks for too much."""
    say("  response curves and two scenarios")
    ended = _wait([optimization.request_fit(actor=owner)], run_jobs, say)
    start, end = last_day + timedelta(days=1), last_day + timedelta(days=28)
    basis = planning_selectors.basis_for(brand=None, start=start, end=end)
    budget = round(Decimal(str(sum(basis.spend_now.values()))), -2)
    shared = {
        "horizon_start": start,
        "horizon_end": end,
        "total_budget": budget,
        "reserve_fraction": "0.03",
        "stock_cover_threshold_days": 3,
    }
    retailers = sorted({curve.key.retailer for curve in basis.curves})
    channels = {curve.key.retailer: curve.key.path[:2] for curve in basis.curves}
    greedy = [
        {"path": list(channels[retailer]), "min_spend": str((budget * 45 / 100).quantize(Decimal("0.01")))}
        for retailer in retailers
    ]
    questions = [
        {**shared, "name": "Next four weeks, same budget", "max_change_fraction": "0.5"},
        {**shared, "name": "Every retailer wants 45 %", "bounds": greedy},
    ]
    known = set(Scenario.objects.values_list("name", flat=True))
    waiting = [
        planning.solve_scenario(actor=owner, scenario=planning.create_scenario(actor=owner, given=question))
        for question in questions
        if question["name"] not in known
    ]
    spent = {name: sum(basis.spend_now.get(one.key.id, 0.0) for one in basis.curves if one.key.retailer == name)
             for name in retailers}  # fmt: skip
    _set_budgets(owner, spent, last_day)
    return [*ended, *_wait(waiting, run_jobs, say)]


def _experiment(owner: User, exports: Path, run_jobs: RunJobs | None, say: Say) -> list[Job]:
    """The company's own geo test, where it has one; whether plans use it is left to a person."""
    job = bring_in_geo_test(owner=owner, exports=exports)
    if job is None:
        return []
    say("  a finished geo test")
    return _wait([job], run_jobs, say)


def _set_budgets(owner: User, spent: Mapping[str, float], last_day: date) -> None:
    """A budget of each retailer for the month that the data end in: one is too small, one too large, one fits."""
    first = last_day.replace(day=1)
    last = (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    sizes = (Decimal("0.85"), Decimal("1.00"), Decimal("1.30"))
    for place, (name, money) in enumerate(sorted(spent.items())):
        amount = round(Decimal(repr(money)) / 28 * last.day * sizes[place % 3], -1)
        retailer = Retailer.objects.filter(name=name).first()
        if retailer is not None and amount > 0:
            given = {"retailer": str(retailer.pk), "period_start": first, "period_end": last, "amount": str(amount)}
            planning.set_budget(actor=owner, given=given)


def _upload(owner: User, path: Path, account: Account) -> Job:
    with path.open("rb") as file:
        taken = data.take_file(
            actor=owner, chunks=iter(lambda: file.read(1 << 20), b""), file_name=path.name, account=account
        )
    assert taken.job is not None, "a report starts a job"
    return taken.job


def _wait(waiting: list[Job], run_jobs: RunJobs | None, say: Say, broken: Collection[str] = ()) -> list[Job]:
    """Follow jobs to their end. `broken`: names of files that the sample world broke, and whose jobs have to fail."""
    if run_jobs is not None:
        run_jobs()
    ended = []
    for job in waiting:
        done = jobs.wait_for_job(job_id=job.pk, timeout_seconds=600)
        why = ", as it should: this feed is broken on purpose" if done.title.split()[-1] in broken else _figure(done)
        say(f"  {done.title}: {done.state}{why}")
        ended.append(done)
    return ended


def _figure(job: Job) -> str:
    if job.state == "succeeded" and job.result and "rows_out" in job.result:
        return f", {job.result['rows_out']:,} rows"
    if job.problem:
        return f" ({job.problem.get('detail', '')})"
    return ""
