"""Budgets, and how spend is pacing against them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from accounts.models import Brand, User
from accounts.services import require
from harmonization.models import Account, Retailer
from metrics import services as metrics
from metrics.core.table import MetricTable
from optimization import selectors as data
from planning import selectors
from planning.answers import currency_of, result_of
from planning.core.pace import AccountSpend, Pace, pace
from planning.core.pacing import MOST_ORIGINS, SEASON
from planning.core.paths import parts_of, read_scope
from planning.core.reading import read_number
from planning.core.terms import MOST_MONEY
from planning.models import Budget, Scenario
from planning.selectors import MANAGE
from tenants.core.problems import Conflict, InvalidInput, NotFound
from tenants.selectors import current_tenant

MOST_DAYS: Final = 366
MOST_BUDGETS: Final = 200
#: Budgets start, and figures are asked for, from here on.
FIRST_YEAR: Final = 2000
FIELDS: Final = ("brand", "retailer", "account", "campaign", "period_start", "period_end", "amount")
_DAY = timedelta(days=1)


@dataclass(frozen=True, kw_only=True)
class Paced:
    """A budget with how it is doing."""

    budget: Budget
    pace: Pace
    as_of: date
    zones: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Forecast:
    """Budgets with how they are doing, those of the latest period first.

    Attributes:
        left_out: how many more were asked for than are told at once.
    """

    budgets: list[Paced]
    left_out: int

    @property
    def left_out_words(self) -> str:
        """What is missing, and how to see it; empty where nothing is."""
        if not self.left_out:
            return ""
        what = "1 budget" if self.left_out == 1 else f"{self.left_out:,} budgets"
        return f"{what} of the earliest periods left out: ask for one brand or retailer to see them."


def set_budget(*, actor: User, given: Mapping[str, Any]) -> Budget:
    """Set what a scope may spend over a period; a budget of the same scope and period is replaced.

    Args:
        given: by the names of `FIELDS`; brand, retailer and account by id, none of them being all. The retailer of
            an account need not be given.

    Raises:
        InvalidInput: lists everything that is wrong, by field.
        NotFound: a brand or an account is not there, or not this person's to know of.
        NotAllowed: as `accounts.services.require` for scenarios.manage.
    """
    brand_id, account_id = _uuid(given.get("brand"), "brand"), _uuid(given.get("account"), "account")
    require(user=actor, permission=MANAGE, brand=brand_id)
    brand = Brand.objects.filter(pk=brand_id).first() if brand_id else None
    errors: list[dict[str, str]] = []

    def refuse(where: str, detail: str, fix: str) -> None:
        errors.append({"where": where, "detail": detail, "fix": fix})

    for name in sorted(set(given) - set(FIELDS)):
        refuse(name, f"There is no field {name!r}.", f"Use {', '.join(FIELDS)}.")
    retailer, account = _place(given, account_id, brand, refuse)
    campaign = str(given.get("campaign") or "").strip()
    if campaign and account is None:
        refuse("campaign", "A campaign belongs to an account.", "Choose the account too.")
    if len(campaign) > 255 or "\x00" in campaign:
        refuse("campaign", "That is no id of a campaign.", "Use at most 255 printable characters.")
    start, end = _period(given, refuse)
    amount = read_number(
        given.get("amount"), most=MOST_MONEY, places=2, above_zero=True, required=True,
        refuse=lambda detail, fix: refuse("amount", detail, fix),
    )  # fmt: skip
    if errors or start is None or end is None or amount is None:
        raise InvalidInput(errors[0]["detail"], where=errors[0]["where"], fix=errors[0]["fix"], errors=errors)
    key = {"retailer": retailer, "account": account, "campaign": campaign, "period_start": start, "period_end": end}
    return _kept(actor, brand, amount, _currency(brand, key), **key)


def budgets_from_scenario(*, actor: User, scenario: Scenario) -> list[Budget]:
    """What a solved scenario proposes, as one budget per retailer over its horizon.

    Budgets taken from a former answer of it that are not proposed any more go; one that somebody typed over since is
    theirs, and stays.

    Raises:
        Conflict: it is not solved, or proposes money for a name that no retailer has now.
        NotAllowed, NotFound: as `accounts.services.require`.
    """
    require(user=actor, permission=MANAGE, brand=scenario.brand)
    if scenario.status != Scenario.Status.SOLVED:
        raise Conflict(f"{scenario.label} is {scenario.status}; it proposes nothing yet.", fix="Solve it first.")
    sums: dict[str, Decimal] = {}
    for line in result_of(scenario).lines:
        if line.path:
            sums[line.path[1]] = sums.get(line.path[1], Decimal(0)) + line.proposed
    retailers = {one.name: one for one in Retailer.objects.filter(name__in=sums)}
    if unknown := sorted(name for name, amount in sums.items() if amount > 0 and name not in retailers):
        raise Conflict(
            f"{scenario.label} proposes money for {', '.join(unknown)}, and no retailer has that name now.",
            fix="Fit the curves and solve it again, or give the retailer its former name.",
        )
    with transaction.atomic():
        made = [
            _kept(
                actor, scenario.brand, amount, currency_of(scenario), retailer=retailers[name], account=None,
                campaign="", period_start=scenario.horizon_start, period_end=scenario.horizon_end, scenario=scenario,
            )
            for name, amount in sorted(sums.items())
            if amount > 0
        ]  # fmt: skip
        Budget.objects.filter(scenario=scenario).exclude(pk__in=[one.pk for one in made]).delete()
    return made


def delete_budget(*, actor: User, budget: Budget) -> None:
    """Take a budget away; its history is kept.

    Raises:
        NotAllowed, NotFound: as `accounts.services.require`.
    """
    require(user=actor, permission=MANAGE, brand=budget.brand)
    budget.delete()


def forecast_pacing(
    *, user: selectors.Person | None, as_of: date | None = None, scope: str = "", every: bool = False
) -> Forecast:
    """Projected spend of each budget at the end of its period, with the day it is used up.

    At most `MOST_BUDGETS` are told; the answer says how many more there are.

    Args:
        user: budgets and figures of the brands this person may see; None is an operator at the command line.
        as_of: as if it were that day; None is today, in each account's own zone.
        scope: brand=..., rmn=...: only budgets of that brand or retailer.
        every: also budgets whose period does not hold the day.

    Raises:
        InvalidInput: the scope is not written as one, or the day is to come or long gone.
        NotAllowed: no role carries scenarios.view or metrics.view.
    """
    now = timezone.now()
    day = as_of or now.date()
    if as_of is not None and as_of > now.date() + _DAY:
        raise InvalidInput(f"{as_of} has not come yet.", where="as_of", fix="Give a day of the past, or none.")
    if day.year < FIRST_YEAR:
        raise InvalidInput(f"No figures reach back to {day}.", where="as_of", fix=f"Give a day from {FIRST_YEAR} on.")
    rows = Budget.objects.all() if user is None else selectors.budgets_listed(user=user)
    budgets = _narrowed(rows.select_related("brand", "retailer", "account", "scenario"), scope)
    if not every:
        budgets = [one for one in budgets if one.period_start <= day <= one.period_end]
    told = budgets[:MOST_BUDGETS]
    spends = _Spends(user, told, now if as_of is None else None, day)
    return Forecast(budgets=[spends.paced(budget) for budget in told], left_out=len(budgets) - len(told))


class _Spends:
    """Daily spend by brand and account, read once for all budgets, and by campaign, once for all those of campaigns."""

    def __init__(
        self, user: selectors.Person | None, budgets: Sequence[Budget], now: datetime | None, day: date
    ) -> None:
        self.user, self.now, self.day = user, now, day
        self.days = data.account_days(brand=None)
        self.accounts = {str(one.pk): one for one in Account.objects.select_related("retailer", "brand")}
        self.start = day - timedelta(days=MOST_ORIGINS + SEASON)
        if budgets:
            self.start = min(self.start, max(min(one.period_start for one in budgets), day - timedelta(days=1000)))
        plain = ("date", "brand", "account")
        self.whole = self._by_account(plain, {}) if any(not one.campaign for one in budgets) else {}
        self.campaigns: dict[tuple[str, str], list[dict[str, Any]]] = {}
        if named := [one for one in budgets if one.campaign]:
            filters = {
                "account": sorted({str(one.account_id) for one in named}),
                "campaign": sorted({one.campaign for one in named}),
            }
            for account, rows in self._by_account((*plain, "campaign"), filters).items():
                for row in rows:
                    self.campaigns.setdefault((account, str(row["campaign"])), []).append(row)

    def paced(self, budget: Budget) -> Paced:
        """One budget."""
        key = str(budget.account_id)
        if budget.campaign:
            rows: Iterable[dict[str, Any]] = self.campaigns.get((key, budget.campaign), ())
        elif budget.account_id is not None:
            rows = self.whole.get(key, ())
        else:
            rows = (row for of_account in self.whole.values() for row in of_account)
        series, notes = self._series(budget, rows)
        accounts = [self._account(key, by_day) for key, by_day in sorted(series.items())]
        told = [one for one in accounts if one is not None]
        found = pace(float(budget.amount), budget.period_start, budget.period_end, told, notes)
        return Paced(budget=budget, pace=found, as_of=self.day, zones=tuple(sorted({one.zone for one in told})))

    def _by_account(
        self, dimensions: Sequence[str], filters: Mapping[str, Iterable[str]]
    ) -> dict[str, list[dict[str, Any]]]:
        found: dict[str, list[dict[str, Any]]] = {}
        for row in self._read(dimensions, filters).lines.iter_rows(named=True):
            account = self.accounts.get(str(row["account"]))
            if account is not None and row["spend"] is not None:
                found.setdefault(str(account.pk), []).append(row)
        return found

    def _read(self, dimensions: Sequence[str], filters: Mapping[str, Iterable[str]]) -> MetricTable:
        asked: dict[str, Any] = {
            "metrics": ("spend",), "dimensions": dimensions, "start": self.start, "end": self.day, "filters": filters,
        }  # fmt: skip
        if self.user is None:
            return metrics.query_for_operator(**asked)
        return metrics.query_metrics(actor=self.user, **asked)

    def _series(
        self, budget: Budget, rows: Iterable[Mapping[str, Any]]
    ) -> tuple[dict[str, dict[date, Decimal]], list[str]]:
        """Spend by account and day of a budget's scope, and what of it is left out."""
        found: dict[str, dict[date, Decimal]] = {}
        undated, foreign = Decimal(0), Decimal(0)
        for row in rows:
            account = self.accounts[str(row["account"])]
            if not _inside(budget, account, str(row["brand"] or "")):
                continue
            if row["currency"] != budget.currency:
                foreign += row["spend"]
            elif row["date"] is None:
                undated += row["spend"]
            else:
                days = found.setdefault(str(account.pk), {})
                days[row["date"]] = days.get(row["date"], Decimal(0)) + row["spend"]
        notes = []
        if undated:
            notes.append(f"{undated:,.2f} reported over several days at once is left out: it belongs to no day.")
        if foreign:
            notes.append(f"Spend in other currencies than {budget.currency} is left out.")
        return found, notes

    def _account(self, key: str, by_day: Mapping[date, Decimal]) -> AccountSpend | None:
        account, days = self.accounts[key], self.days.get(key)
        zone = account.retailer.timezone
        today = self.now.astimezone(ZoneInfo(zone)).date() if self.now else self.day
        # The running day is not over where the account is, whatever a file holds of it.
        last = min(days.last_day if days else max(by_day), today - _DAY)
        first = min(by_day)
        if last < first:
            return None
        length = (last - first).days + 1
        return AccountSpend(
            name=account.name,
            zone=zone,
            first=first,
            spend=[float(by_day.get(first + timedelta(days=at), 0)) for at in range(length)],
            today=today,
            final_until=min(days.final_until, last) if days else last,
        )


def _inside(budget: Budget, account: Account, brand: str) -> bool:
    if budget.brand_id is not None and brand.replace("-", "") != str(budget.brand_id).replace("-", ""):
        return False
    if budget.retailer_id is not None and account.retailer_id != budget.retailer_id:
        return False
    return budget.account_id is None or account.pk == budget.account_id


def _narrowed(rows: Iterable[Budget], scope: str) -> list[Budget]:
    budgets = list(rows)
    if not scope:
        return budgets
    parts = parts_of(scope)
    brands = [part.partition("=")[2] for part in parts if part.startswith("brand=")]
    rest = "/".join(part.replace("/", "//") for part in parts if not part.startswith("brand="))
    asked = read_scope(rest) if rest else {}
    if unknown := set(asked) - {"rmn"}:
        raise InvalidInput(
            f"Budgets are not told by {sorted(unknown)[0]}.", where="scope", fix="Use brand=..., rmn=..., or both."
        )

    def fits(one: Budget) -> bool:
        retailer = one.retailer or (one.account.retailer if one.account else None)
        names = {retailer.name.casefold(), retailer.slug.casefold()} if retailer else set()
        of_brand = {one.brand.name.casefold(), one.brand.slug.casefold()} if one.brand else set()
        return all(name.casefold() in of_brand for name in brands) and asked.get("rmn", "").casefold() in {*names, ""}

    return [one for one in budgets if fits(one) and (not asked or one.retailer_id or one.account_id)]


def _currency(brand: Brand | None, key: Mapping[str, Any]) -> str:
    """What a typed amount is in: the account's currency, or that of the budget it replaces, or the one that all
    accounts of the scope share, or that of the newest curves, before the tenant's."""
    if key["account"] is not None:
        return str(key["account"].currency)
    if (replaced := Budget.objects.filter(brand=brand, **key).first()) is not None:
        return replaced.currency
    accounts = Account.objects.order_by()
    if brand is not None:
        accounts = accounts.filter(Q(brand=brand) | Q(brand=None))
    if key["retailer"] is not None:
        accounts = accounts.filter(retailer=key["retailer"])
    found = list(accounts.values_list("currency", flat=True).distinct())
    if len(found) == 1:
        return found[0]
    curves = data.latest_curves(brand=brand)
    return str(curves.settings["currency"]) if curves else current_tenant().base_currency


def _kept(actor: User, brand: Brand | None, amount: Decimal, currency: str, **key: Any) -> Budget:
    scenario = key.pop("scenario", None)
    budget, _ = Budget.objects.update_or_create(
        brand=brand, **key,
        defaults={"amount": amount, "currency": currency, "scenario": scenario, "created_by": actor},
    )  # fmt: skip
    return budget


def _uuid(value: Any, where: str) -> UUID | None:
    if value in (None, ""):
        return None
    if isinstance(value, UUID):
        return value
    try:
        return UUID(str(value))
    except ValueError as error:
        raise InvalidInput(f"{str(value)[:40]!r} is no id.", where=where, fix="Give an id, or leave it out.") from error


def _place(
    given: Mapping[str, Any], account_id: UUID | None, brand: Brand | None, refuse: Any
) -> tuple[Retailer | None, Account | None]:
    retailer_id = _uuid(given.get("retailer"), "retailer")
    retailer = Retailer.objects.filter(pk=retailer_id).first() if retailer_id else None
    if retailer_id and retailer is None:
        refuse("retailer", "There is no such retailer.", "Choose one of the list.")
    account = None
    if account_id is not None:
        account = Account.objects.select_related("retailer").filter(pk=account_id).first()
        if account is None or (brand is not None and account.brand_id not in (None, brand.pk)):
            raise NotFound("There is nothing here under that id.")
        if retailer is not None and account.retailer_id != retailer.pk:
            refuse(
                "account", f"{account.name} is not at {retailer.name}.", "Choose one of that retailer, or no retailer."
            )
        # An account has one retailer: named or not, the scope is the same.
        retailer = account.retailer
    return retailer, account


def _period(given: Mapping[str, Any], refuse: Any) -> tuple[date | None, date | None]:
    days: list[date | None] = []
    for name in ("period_start", "period_end"):
        value = given.get(name)
        try:
            days.append(value if isinstance(value, date) else date.fromisoformat(str(value or "")))
        except ValueError:
            refuse(name, f"{value!r} is not a day." if value else "The day is missing.", "Write it as YYYY-MM-DD.")
            days.append(None)
    start, end = days
    if start is not None and end is not None:
        if end < start:
            refuse("period_end", f"The period ends on {end}, before it starts on {start}.", "Swap the two days.")
        elif (end - start).days >= MOST_DAYS:
            refuse("period_end", f"The period has {(end - start).days + 1} days.", f"Use at most {MOST_DAYS}.")
        if not FIRST_YEAR <= start.year <= 2100:
            refuse("period_start", f"No budget starts on {start}.", "Correct the year.")
    return start, end
