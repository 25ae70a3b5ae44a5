"""Weekly spend and sales of a programme's lines, as the metrics layer tells them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from metrics.core.request import MAX_DAYS, read_request
from metrics.core.table import CURRENCY, MetricTable
from metrics.services import query_tenant_metrics
from optimization import selectors
from optimization.core.cells import CellKey
from optimization.core.learning.programme import WeekFigures, monday_of, week_figures
from optimization.core.weekly_series import CellWeek, Reported
from optimization.learning_models import LearningProgramme

#: Whole weeks that one question to the metrics layer may span.
MOST_WEEKS = MAX_DAYS // 7


@dataclass(frozen=True, kw_only=True)
class ReadWeeks:
    """Final figures by Monday, and the version of the event table they were read from."""

    weeks: dict[date, WeekFigures]
    data_version: int


def read_weeks(programme: LearningProgramme, keys: list[CellKey]) -> ReadWeeks:
    """What is final of the weeks since the programme's first, of the last `MOST_WEEKS`; nothing where nothing is
    published of them. What is older stays as it was observed.

    The figures come through the metrics layer, so that no two reports of one account are added up.
    """
    days = selectors.account_days(brand=programme.brand)
    last = max((one.last_day for one in days.values()), default=None)
    if last is None or last < programme.first_week + timedelta(days=6):
        return ReadWeeks(weeks={}, data_version=0)
    end = monday_of(last) + timedelta(days=6)
    start = max(programme.first_week, end + timedelta(days=1) - timedelta(weeks=MOST_WEEKS))
    brand = programme.brand
    table = query_tenant_metrics(
        request=read_request(
            metrics=("spend", "sales"),
            dimensions=("week", "retailer", "placement", "sku"),
            start=start,
            end=end,
            filters={"brand": [str(brand.pk)]} if brand else {},
        )
    )
    weeks = week_figures(
        _rows(table),
        keys,
        _reported(table, days),
        currency=programme.currency,
        start=start,
        out_of_stock=selectors.empty_shelf_weeks(brand=brand),
    )
    return ReadWeeks(weeks=weeks, data_version=table.provenance.version or 0)


def _rows(table: MetricTable) -> list[CellWeek]:
    return [
        CellWeek(
            week=row["week"], retailer=row["retailer"], placement=row["placement"], sku=row["sku"],
            currency=row[CURRENCY], spend=row["spend"], sales=row["sales"],
        )
        for row in table.lines.iter_rows(named=True)
    ]  # fmt: skip


def _reported(table: MetricTable, days: dict[str, selectors.AccountDays]) -> list[Reported]:
    missing = {gap.account_id: gap.days for gap in table.provenance.gaps}
    return [
        Reported(
            retailer=days[account].retailer,
            first_day=days[account].first_day,
            last_day=days[account].last_day,
            missing=missing.get(account, ()),
            final_until=days[account].final_until,
        )
        for account in sorted({report.account_id for report in table.provenance.reports} & days.keys())
    ]
