"""What the home page shows: key figures, what needs attention, and the first steps of a new tenant."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.urls import NoReverseMatch, reverse

from accounts import selectors as people
from accounts.models import ApiToken, User
from harmonization import selectors as data
from harmonization.models import Listing, Load, Upload
from jobs import selectors as jobs
from measurement import selectors as measurement
from measurement.models import Calibration, Experiment
from metrics import services as metrics
from metrics.core.table import MetricTable
from metrics.selectors import last_days
from optimization.models import CurveVersion
from planning.models import Scenario

#: A product whose stock lasts fewer days than this should not be advertised.
STOCK_THRESHOLD_DAYS = 3
#: An account without figures for more days than this behind the others has a broken feed.
LATE_DAYS = 2
SPAN_DAYS = 28
MONTHS = 12


@dataclass(frozen=True, kw_only=True)
class Attention:
    """Something to act on. `money` is the spend it concerns, in the tenant's base currency; None where unknown."""

    severity: str
    what: str
    why: str
    scope: str
    network: str
    money: Decimal | None
    action: str
    url: str


@dataclass(frozen=True, kw_only=True)
class Step:
    """A first step, for those with `permission`. `result` says what came of it, for steps that are done."""

    permission: str
    text: str
    done: bool
    result: str
    action: str
    url: str


def last_day_of_data(*, user: User) -> date | None:
    """The last day that there are figures of, for the brands whose figures the person may see."""
    brands = people.brands_for(user=user, permission="metrics.view").values_list("pk", flat=True)
    return max(last_days(brand_ids=list(brands)).values(), default=None) if brands else None


def key_figures(*, user: User, until: date) -> tuple[MetricTable, MetricTable]:
    """Totals of the last four weeks against the four before, and the same days one by one."""
    start = until - timedelta(days=SPAN_DAYS - 1)
    asked: dict[str, Any] = {
        "actor": user, "metrics": ("spend", "sales", "roas", "clicks", "cpc"), "start": start, "end": until,
    }  # fmt: skip
    return (
        metrics.query_metrics(**asked, dimensions=("network",), compare="previous"),
        metrics.query_metrics(**asked, dimensions=("date",)),
    )


def months_by_network(*, user: User, until: date) -> MetricTable:
    """Sales and spend of the last twelve months, by month and network."""
    first = date(until.year - 1, until.month, 1) if until.month == 12 else date(until.year - 1, until.month + 1, 1)
    return metrics.query_metrics(
        actor=user, metrics=("spend", "sales"), dimensions=("month", "network"), start=first, end=until
    )


def attention(*, user: User, until: date) -> list[Attention]:
    """What needs somebody, the most money first."""
    found = [*_late_accounts(user, until), *_failed_loads(user), *_quarantine(user), *_out_of_stock(user, until)]
    return sorted(found, key=lambda item: (item.money is None, -(item.money or 0)))


def _late_accounts(user: User, until: date) -> Iterator[Attention]:
    """Accounts whose figures end before those of the others."""
    accounts = data.accounts_visible(user=user, permission="metrics.view").select_related("retailer")
    for account in accounts:
        loads = Load.objects.filter(upload__account=account, status=Load.Status.PUBLISHED)
        last = loads.order_by("-period_end").values_list("period_end", flat=True).first()
        if last is None or (until - last).days <= LATE_DAYS:
            continue
        missing = (until - last).days
        before = metrics.query_metrics(
            actor=user,
            metrics=("spend",),
            start=last - timedelta(days=SPAN_DAYS - 1),
            end=last,
            filters={"account": [str(account.pk)]},
        )
        spend = _first(before, "spend")
        yield Attention(
            severity="hi",
            what=f"{account.retailer.name}: no figures since {last:%-d %b}",
            why=f"{missing} days behind the other accounts; the amount is what it usually spends in that time",
            scope=account.retailer.name,
            network=account.retailer.network,
            money=(spend / SPAN_DAYS * missing).quantize(Decimal(1)) if spend is not None else None,
            action="See files",
            url=reverse("upload-list"),
        )


def _failed_loads(user: User) -> Iterator[Attention]:
    """Files of which nothing could be published."""
    published = Upload.objects.filter(loads__status=Load.Status.PUBLISHED)
    failed = (
        data.loads_visible(user=user)
        .filter(status=Load.Status.FAILED)
        .exclude(upload__in=published)
        .order_by("upload_id", "-created_at")
        .distinct("upload_id")
    )
    for load in failed:
        account = load.upload.account
        yield Attention(
            severity="hi",
            what=f"{load.upload.file_name} could not be read",
            why=str((load.problem or {}).get("detail", "")),
            scope=account.retailer.name if account else "",
            network=account.retailer.network if account else "",
            money=None,
            action="Open",
            url=reverse("upload-detail", args=[load.upload_id]),
        )


def _quarantine(user: User) -> Iterator[Attention]:
    for load in data.loads_visible(user=user).filter(status=Load.Status.PUBLISHED, rows_quarantined__gt=0):
        account = load.upload.account
        held = load.report.get("spend_quarantined", {})
        yield Attention(
            severity="md",
            what=f"{load.rows_quarantined:,} rows of {load.upload.file_name} wait in quarantine",
            why="They broke a rule of the mapping; the rest of the file is published",
            scope=account.retailer.name if account else "",
            network=account.retailer.network if account else "",
            money=Decimal(str(next(iter(held.values())))) if len(held) == 1 else None,
            action="See rows",
            url=reverse("upload-detail", args=[load.upload_id]),
        )


def _out_of_stock(user: User, until: date) -> Iterator[Attention]:
    """Products that are gone, or nearly, and are still advertised."""
    brands = people.brands_for(user=user, permission="catalogue.view")
    listings = [
        listing
        for listing in Listing.objects.filter(product__brand__in=brands).select_related("product", "retailer")
        if (cover := listing.stock_cover_days) is not None and cover < STOCK_THRESHOLD_DAYS
    ]
    if not listings:
        return
    week = metrics.query_metrics(
        actor=user,
        metrics=("spend",),
        dimensions=("retailer", "sku"),
        start=until - timedelta(days=6),
        end=until,
        filters={"sku": sorted({listing.product.sku for listing in listings})},
    )
    spent = {(row["retailer"], row["sku"]): row["spend"] for row in week.lines.iter_rows(named=True)}
    for listing in listings:
        spend = spent.get((listing.retailer.name, listing.product.sku))
        if spend:
            yield Attention(
                severity="md",
                what=f"{listing.product.name} is out of stock and advertised",
                why=f"Stock lasts {listing.stock_cover_days:.0f} days; spend of the last 7 days",
                scope=listing.retailer.name,
                network=listing.retailer.network,
                money=Decimal(spend),
                action="Plan without it",
                url=_address("scenario-list"),
            )


def first_steps(*, user: User) -> list[Step]:
    """The way from nothing to a plan, as far as the person may go it; a step is done when its real result is there."""
    uploads = data.uploads_visible(user=user)
    loads = data.loads_visible(user=user).filter(status=Load.Status.PUBLISHED)
    rows = sum(loads.values_list("rows_out", flat=True))
    curves = CurveVersion.objects.order_by("-created_at").first()
    scenarios = Scenario.objects.filter(status=Scenario.Status.SOLVED)
    infeasible = Scenario.objects.filter(status=Scenario.Status.INFEASIBLE)
    steps = [
        Step(
            permission="uploads.create", text="Upload a file",
            done=uploads.exists(), result=f"{uploads.count()} files",
            action="Upload", url=reverse("upload-list"),
        ),
        Step(
            permission="mappings.view", text="See it mapped and harmonised",
            done=loads.exists(), result=f"{rows:,} rows",
            action="Open", url=reverse("mapping-list"),
        ),
        Step(
            permission="jobs.view", text="Watch a job",
            done=jobs.jobs_visible(user=user).filter(state="succeeded").exists(),
            result="done", action="Jobs", url=reverse("job-list"),
        ),
        Step(
            permission="metrics.view", text="Compare the networks",
            done=loads.values("upload__account__retailer").distinct().count() > 1,
            result="in Performance", action="Compare", url=reverse("performance"),
        ),
        Step(
            permission="scenarios.manage", text="Fit response curves",
            done=curves is not None, result=str(curves) if curves else "",
            action="Fit", url=_address("scenario-list"),
        ),
        Step(
            permission="scenarios.manage", text="Build and solve a scenario",
            done=scenarios.exists(), result=f"{scenarios.count()} solved",
            action="Build", url=_address("scenario-list"),
        ),
        Step(
            permission="scenarios.manage", text="Ask for too much, and relax it",
            done=infeasible.exists(), result="seen",
            action="Try", url=_address("scenario-list"),
        ),
        _experiment_step(user),
        Step(
            permission="metrics.view", text="Make an API token",
            done=ApiToken.objects.filter(user=user).exists(), result="made",
            action="Make one", url=reverse("settings-tokens"),
        ),
    ]  # fmt: skip
    return [step for step in steps if people.may_for_some_brand(user=user, permission=step.permission)]


def _experiment_step(user: User) -> Step:
    """A reading that planning uses; until then the way to the newest reading, or to the experiments."""
    seen = measurement.experiments_visible(user=user)
    used = Calibration.objects.filter(reading__experiment__in=seen.values("pk")).order_by("-published_at").first()
    read = seen.filter(state=Experiment.State.READ).first()
    return Step(
        permission=measurement.VIEW,
        text="Read an experiment, use it in planning",
        done=used is not None,
        result=f"factors v{used.factor_set.version}" if used else "",
        action="Read it" if read else "Experiments",
        url=reverse("experiment-reading", args=[read.pk]) if read else reverse("experiment-list"),
    )


def _address(name: str) -> str:
    """A page of this app; until it exists, home."""
    try:
        return reverse(name)
    except NoReverseMatch:
        return reverse("home")


def _first(table: MetricTable, name: str) -> Decimal | None:
    """The total of a single-currency table."""
    values = table.totals[name].to_list()
    return Decimal(values[0]) if len(values) == 1 and values[0] is not None else None
