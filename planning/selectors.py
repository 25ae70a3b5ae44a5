"""Reads of scenarios, and of what one is planned on: curves, current spend, stock."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import cached_property
from uuid import UUID

from django.contrib.auth.models import AnonymousUser
from django.core.cache import cache
from django.db.models import QuerySet

from accounts import selectors as people
from accounts.models import Brand, User
from accounts.services import require_somewhere
from harmonization.models import EventTable
from harmonization.selectors import EVENTS
from jobs.models import Job
from metrics.core.request import read_request
from metrics.services import query_tenant_metrics
from optimization import selectors as optimization
from optimization.core.adjustments import Adjusted
from optimization.core.factors import Factors
from optimization.core.problem import BudgetProblem, Curve, Path
from optimization.core.stored_curves import StoredCurve
from optimization.models import CurveVersion
from planning.core.like_period import LikePeriod, like_period
from planning.core.scenario_problem import Worth, scenario_problem, tree_paths
from planning.core.terms import CENT, Bound, Margin, Ratio, ScenarioTerms, Share
from planning.models import Budget, Scenario
from planning.worth import Incrementality, incrementality_of, listing_margins, order_values
from tenants.core.problems import NotFound
from tenants.selectors import current_tenant

VIEW = "scenarios.view"
MANAGE = "scenarios.manage"
#: An account that is further behind the others than this has stopped; the others do not wait for it.
_STOPPED_DAYS = 28
_CACHE_SECONDS = 600
Person = User | AnonymousUser


@dataclass(frozen=True, kw_only=True)
class CurrentSpend:
    """What is spent now, over a time as long as a horizon.

    Attributes:
        by_cell: money to the cent, by cell id, of cells with a curve.
        elsewhere: money in cells without one.
    """

    period: LikePeriod
    by_cell: dict[str, Decimal]
    elsewhere: Decimal

    @property
    def total(self) -> Decimal:
        return sum(self.by_cell.values(), Decimal(0)) + self.elsewhere


@dataclass(frozen=True)
class Basis:
    """What a scenario of a brand is planned on. Without published reports there is no current spend."""

    brand: Brand | None
    version: CurveVersion | None
    current: CurrentSpend | None

    @cached_property
    def in_use(self) -> Adjusted | None:
        """The curves of the version under what people know better today."""
        return optimization.curves_in_use(self.version) if self.version else None

    @cached_property
    def curves(self) -> tuple[StoredCurve, ...]:
        """One per cell, in a stable order."""
        return tuple(StoredCurve.of(one) for one in self.in_use.records) if self.in_use else ()

    @cached_property
    def paths(self) -> dict[Path, int]:
        """The nodes that a bound may name, with their number of lines."""
        return tree_paths(self.curves)

    @cached_property
    def stock_cover_days(self) -> dict[tuple[str, str], float | None]:
        return optimization.stock_cover_days(brand=self.brand)

    @property
    def currency(self) -> str:
        return str(self.version.settings["currency"]) if self.version else current_tenant().base_currency

    @property
    def spend_now(self) -> dict[str, float]:
        """By cell id, for the solver."""
        return {name: float(amount) for name, amount in self.current.by_cell.items()} if self.current else {}

    def problem(self, terms: ScenarioTerms) -> BudgetProblem:
        """The budget problem of a scenario on this basis; raises as `scenario_problem`."""
        return scenario_problem(
            terms,
            self.curves,
            stock_cover_days=self.stock_cover_days,
            current=self.spend_now,
            worth=self.worth(terms),
        )

    def worth(self, terms: ScenarioTerms) -> Worth:
        """What a scenario needs to know of what sales are worth; nothing else is looked up."""
        return Worth(
            margins=self.margins if terms.objective == "profit" else {},
            incrementality=self.incrementality.factors if terms.asks_incrementality else {},
            cautious=self.incrementality.cautious if terms.is_cautious else {},
            order_values=self.order_values if terms.max_cpa is not None else {},
            draws=self.draws if terms.tail_fraction is not None else {},
        )

    @cached_property
    def draws(self) -> dict[str, tuple[Curve, ...]]:
        """Posterior draws by cell id of an imported version, per week; empty for curves fitted here."""
        return optimization.posterior_draws(self.version) if self.version else {}

    @cached_property
    def margins(self) -> dict[tuple[str, str], Decimal]:
        """Margin by (retailer, SKU), of products whose margin the catalogue knows."""
        return listing_margins(brand=self.brand)

    @cached_property
    def incrementality(self) -> Incrementality:
        """Incremental over attributed sales of each cell, and where that is from."""
        return incrementality_of(self.curves, self.factors)

    @cached_property
    def factors(self) -> Factors:
        """The incrementality factors in force today."""
        return optimization.incrementality_factors(self.brand)

    @cached_property
    def order_values(self) -> dict[str, float]:
        """Sales per order by cell id, over the time of the current spend."""
        if self.current is None:
            return {}
        period = self.current.period
        return order_values(self.curves, brand=self.brand, start=period.start, end=period.end, currency=self.currency)


def scenarios_visible(*, user: Person) -> QuerySet[Scenario]:
    """Scenarios of the brands a person may see, those of all brands for tenant-wide roles; newest first."""
    scenarios = Scenario.objects.select_related("brand", "created_by", "solve").defer(
        "solve__problem", "solve__solution", "solve__current", "current_spend", "relaxations"
    )
    if people.may(user=user, permission=VIEW):
        return scenarios
    return scenarios.filter(brand__in=people.brands_for(user=user, permission=VIEW))


def scenarios_listed(*, user: Person) -> QuerySet[Scenario]:
    """As `scenarios_visible`, for a door that lists them.

    Raises:
        NotAllowed: there is no brand whose scenarios this person may see.
    """
    require_somewhere(user=user, permission=VIEW)
    return scenarios_visible(user=user)


def scenario_visible(*, user: Person, scenario_id: UUID) -> Scenario:
    """One scenario with all that belongs to it, or `NotFound` in the words of a nonexistent one."""
    rows = scenarios_visible(user=user).defer(None).select_related("curve_version")
    scenario = rows.filter(pk=scenario_id).first()
    if scenario is None:
        raise NotFound("There is nothing here under that id.")
    return scenario


def scenario_named(*, user: Person, reference: str) -> Scenario:
    """As `scenario_visible`, by id or by label: SC-0001."""
    try:
        return scenario_visible(user=user, scenario_id=UUID(reference))
    except ValueError:
        pass
    number = reference.upper().removeprefix("SC-")
    if number.isascii() and number.isdecimal() and len(number) < 10:
        key = scenarios_visible(user=user).filter(number=int(number)).values_list("pk", flat=True).first()
        if key is not None:
            return scenario_visible(user=user, scenario_id=key)
    raise NotFound("There is nothing here under that id.")


def budgets_listed(*, user: Person) -> QuerySet[Budget]:
    """Budgets of the brands a person may see, those of all brands for tenant-wide roles; the latest period first.

    Raises:
        NotAllowed: there is no brand whose scenarios this person may see.
    """
    require_somewhere(user=user, permission=VIEW)
    budgets = Budget.objects.select_related("brand", "retailer", "account", "scenario", "created_by")
    if people.may(user=user, permission=VIEW):
        return budgets
    return budgets.filter(brand__in=people.brands_for(user=user, permission=VIEW))


def budget_visible(*, user: Person, budget_id: UUID) -> Budget:
    """One budget, or `NotFound` in the words of a nonexistent one."""
    budgets = Budget.objects.select_related("brand", "retailer", "account", "scenario")
    if not people.may(user=user, permission=VIEW):
        budgets = budgets.filter(brand__in=people.brands_for(user=user, permission=VIEW))
    budget = budgets.filter(pk=budget_id).first()
    if budget is None:
        raise NotFound("There is nothing here under that id.")
    return budget


def job_of(scenario: Scenario) -> Job | None:
    """The job that solves it or solved it last."""
    if scenario.job_id is None:
        return None
    return Job.objects.select_related("progress").filter(pk=scenario.job_id).first()


def is_being_solved(scenario: Scenario, job: Job | None) -> bool:
    """Whether an answer is still to come: a job that was killed or cancelled leaves its scenario behind."""
    return scenario.status == Scenario.Status.SOLVING and job is not None and not job.is_final


def terms_of(scenario: Scenario) -> ScenarioTerms:
    """What a stored scenario asks; it was checked when it was stored."""
    return ScenarioTerms(
        name=scenario.name,
        horizon_start=scenario.horizon_start,
        horizon_end=scenario.horizon_end,
        total_budget=scenario.total_budget,
        min_roas=scenario.min_roas,
        reserve_fraction=scenario.reserve_fraction,
        stock_cover_threshold_days=scenario.stock_cover_threshold_days,
        max_change_fraction=scenario.max_change_fraction,
        bounds=tuple(
            Bound(
                tuple(entry["path"]),
                None if entry["min_spend"] is None else Decimal(entry["min_spend"]),
                None if entry["max_spend"] is None else Decimal(entry["max_spend"]),
            )
            for entry in scenario.bounds
        ),
        objective=scenario.objective,
        mode=scenario.mode,
        target=scenario.target,
        min_iroas=scenario.min_iroas,
        min_iroas_by=scenario.min_iroas_by,
        max_cpa=scenario.max_cpa,
        margin_fraction=scenario.margin_fraction,
        margins=tuple(Margin.of(entry) for entry in scenario.margins),
        fixed=tuple(tuple(path) for path in scenario.fixed),
        shares=tuple(Share.of(entry) for entry in scenario.shares),
        fair_level=scenario.fair_level,
        fair_fraction=scenario.fair_fraction,
        weekly_budgets=tuple(Decimal(amount) for amount in scenario.weekly_budgets),
        ratios=tuple(Ratio.of(entry) for entry in scenario.ratios),
        season=tuple(Decimal(index) for index in scenario.season),
        tail_fraction=scenario.tail_fraction,
    )


def basis_for(*, brand: Brand | None, start: date, end: date, version: CurveVersion | None = None) -> Basis:
    """What a scenario over these days is planned on: the newest curves of exactly this scope unless a version is given.

    A brand's own curves are used for the brand, those over all brands for all: a fit over all shares what it learned.
    """
    version = version or optimization.latest_curves(brand=brand)
    span = data_span(brand=brand)
    current = None
    if span is not None:
        current = _current_spend(brand, like_period((start, end), span), version)
    return Basis(brand, version, current)


def data_span(*, brand: Brand | None) -> tuple[date, date] | None:
    """First day of the data and the last that every account still reporting has told."""
    days = optimization.account_days(brand=brand).values()
    if not days:
        return None
    newest = max(one.last_day for one in days)
    alive = [one.last_day for one in days if newest - one.last_day <= timedelta(days=_STOPPED_DAYS)]
    return min(one.first_day for one in days), min(alive)


def _current_spend(brand: Brand | None, period: LikePeriod, version: CurveVersion | None) -> CurrentSpend:
    known = {StoredCurve.of(one).key.id for one in version.curves} if version else set()
    by_cell: dict[str, Decimal] = {}
    elsewhere = Decimal(0)
    for cell, spend in _spend_by_cell(brand, period, str(version.settings["currency"]) if version else None).items():
        amount = (Decimal(spend) * Decimal(repr(period.scale))).quantize(CENT)
        if cell in known:
            by_cell[cell] = amount
        else:
            elsewhere += amount
    return CurrentSpend(period=period, by_cell=by_cell, elsewhere=elsewhere)


def _spend_by_cell(brand: Brand | None, period: LikePeriod, currency: str | None) -> Mapping[str, str]:
    """Spend as text by cell id. Kept for a while under the data's version: a builder asks at every change."""
    data_version = EventTable.objects.filter(name=EVENTS).values_list("version", flat=True).first()
    key = f"planning:spend:{brand.pk if brand else 'all'}:{data_version}:{currency}:{period.start}:{period.end}"
    held: dict[str, str] | None = cache.get(key)
    if held is not None:
        return held
    filters = {"brand": [str(brand.pk)]} if brand else {}
    if currency:
        filters["currency"] = [currency]
    table = query_tenant_metrics(
        request=read_request(
            metrics=("spend",), dimensions=("retailer", "placement", "sku"),
            start=period.start, end=period.end, filters=filters,
        )
    )  # fmt: skip
    sums: dict[str, Decimal] = {}
    for row in table.lines.iter_rows(named=True):
        cell = f"{row['retailer']}|{row['placement'] or 'unknown'}|{row['sku'] or ''}"
        sums[cell] = sums.get(cell, Decimal(0)) + (row["spend"] or Decimal(0))
    found = {cell: str(spend) for cell, spend in sums.items() if spend > 0}
    cache.set(key, found, _CACHE_SECONDS)
    return found
