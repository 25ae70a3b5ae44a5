"""What looks wrong in the figures of one account and report, told by the figures alone.

Every check reads `DayStatistics`, compares days with the account's own history, and says how many rows and how much
money are at stake. Nothing here changes a figure.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Final

import polars as pl

from harmonization.core.day_statistics import COMPARED, MISMATCHED, MISMATCHED_SPEND, NULL_SPEND, NULLS, DayStatistics
from harmonization.core.findings import Found, Severity
from harmonization.core.shift_findings import shifts_of_campaigns

#: Kinds that `find_anomalies` tells: what it does not find of them, is not there.
KINDS: Final = frozenset(
    {
        "null_rate",
        "negative_cost",
        "future_dates",
        "missing_days",
        "zero_spend",
        "level_shift",
        "ctr_change",
        "cpc_change",
        "duplicated_day",
        "truncated",
        "currency_change",
        "ratio_mismatch",
    }
)
HISTORY_DAYS: Final = 28
FEWEST_DAYS: Final = 7
_LONGEST_LIST: Final = 20
#: Rows that writers of files stop at, whatever was asked for: workbooks, and the round numbers of exports.
_COMMON_LIMITS: Final = (1_048_575, 65_535, 100_000, 50_000, 10_000)


@dataclass(frozen=True, slots=True)
class FileFacts:
    """What is known of one file that makes up the figures. `row_limit` and `day_limit` are what the network cuts at."""

    name: str
    rows: int
    first_day: date | None
    last_day: date | None
    row_limit: int | None = None
    day_limit: int | None = None


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the figures do not tell.

    Attributes:
        today: the day it is where it is latest; rows dated later are in the future.
        currency: of the account.
        files: the files whose rows stand.
        recent_days: changes of level are told of so many of the latest days; older ones are history.
    """

    today: date
    currency: str
    files: Sequence[FileFacts] = field(default_factory=tuple)
    recent_days: int = 28


def find_anomalies(statistics: DayStatistics, surroundings: Surroundings) -> list[Found]:
    """Everything that looks wrong, each with its rows and the money at stake."""
    days = statistics.days.sort("day", "currency")
    if days.is_empty():
        return []
    daily = int(days["spread_rows"].sum()) == 0
    found = [
        *_null_rates(days),
        *_negative_cost(days),
        *_future_dates(days, surroundings.today),
        *_duplicated_days(days),
        *_truncated(days, surroundings.files),
        *_currency_changes(days, surroundings.currency),
        *_ratio_mismatches(days),
    ]
    # Rows that cover weeks say nothing about single days.
    if daily:
        found += [*_missing_days(days, surroundings.today), *_zero_spend(days)]
        found += shifts_of_campaigns(statistics.campaigns, recent_days=surroundings.recent_days)
    return found


def _null_rates(days: pl.DataFrame) -> Iterator[Found]:
    names = [name.removeprefix(NULLS) for name in days.columns if name.startswith(NULLS)]
    total = days.group_by("day").agg(pl.col("rows", *(NULLS + name for name in names)).sum()).sort("day")
    rows = total["rows"]
    for name in names:
        share = total[NULLS + name] / rows
        # What a column usually is, it may be: only more than its own last weeks is told.
        before = share.shift(1).rolling_median(HISTORY_DAYS, min_samples=FEWEST_DAYS)
        chance = 6 * (before * (1 - before) / rows).sqrt()
        wrong = ((share - before > 0.2) & (share - before > chance) & (rows >= 20)).fill_null(False)
        for first, last in _runs(total["day"].to_list(), wrong.to_list()):
            span = pl.col("day").is_between(first, last)
            part = days.filter(span)
            now = int(part[NULLS + name].sum()) / int(part["rows"].sum())
            usual = float(before.filter(total["day"] == first).item())
            yield Found(
                kind="null_rate",
                subject=f"{name} from {first}",
                severity="warn",
                title=f"{name} is empty in {now:.0%} of the rows since {_day(first)}, usually in {usual:.0%}",
                detail="Compared with the median of the 28 days before. Look whether the export still has the column.",
                rows=int(part[NULLS + name].sum()),
                money=_money(part, NULL_SPEND + name),
                evidence={"column": name, "share": round(now, 4), "usual_share": round(usual, 4)},
                first_day=first,
                last_day=last,
            )


def _negative_cost(days: pl.DataFrame) -> Iterator[Found]:
    part = days.filter(pl.col("negative_rows") > 0)
    if part.height:
        yield _of_days(
            part,
            kind="negative_cost",
            subject="spend below 0",
            severity="warn",
            title=f"{int(part['negative_rows'].sum()):,} rows have a negative cost",
            detail="Credits of the network, or a sign that was read wrongly. They lower every sum of spend.",
            rows=int(part["negative_rows"].sum()),
            money=_money(part, "negative_spend"),
        )


def _future_dates(days: pl.DataFrame, today: date) -> Iterator[Found]:
    part = days.filter(pl.col("last") > today)
    if part.height:
        yield _of_days(
            part,
            kind="future_dates",
            subject="days after today",
            severity="critical",
            title=f"Figures are dated up to {_day(part['last'].max())}, which is in the future",
            detail="Day and month may have been read the wrong way round: look at the date formats of the mapping.",
        )


def _missing_days(days: pl.DataFrame, today: date) -> Iterator[Found]:
    """Days without any row between days that have some."""
    present = set(days.filter(pl.col("day") <= today)["day"].to_list())
    if len(present) < FEWEST_DAYS:
        return
    first, last = min(present), max(present)
    every = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    for start, end in _runs(every, [day not in present for day in every]):
        around = [start - timedelta(days=n) for n in range(1, HISTORY_DAYS + 1)]
        observed = sum(day in present for day in around)
        if observed < max(FEWEST_DAYS, 0.6 * min(HISTORY_DAYS, (start - first).days)):
            continue  # an account that advertises now and then has days without
        count = (end - start).days + 1
        usual = days.filter(pl.col("day").is_in(around)).group_by("currency").agg(pl.col("spend").sum())
        money = {
            row["currency"]: (row["spend"] * count / observed).quantize(Decimal("0.01")) for row in usual.to_dicts()
        }
        yield Found(
            kind="missing_days",
            subject=f"{start} to {end}",
            severity="critical" if count > 1 else "warn",
            title=f"{count} day{'s' if count > 1 else ''} without figures: {_span(start, end)}",
            detail="Days before and after have rows. Money at stake is what is usually spent in as many days. "
            "Export these days again.",
            money=_positive(money),
            evidence={"days": [str(start + timedelta(days=n)) for n in range(min(count, _LONGEST_LIST))]},
            first_day=start,
            last_day=end,
        )


def _zero_spend(days: pl.DataFrame) -> Iterator[Found]:
    """Days with rows that cost nothing between days that do."""
    for (code,), part in days.group_by(["currency"], maintain_order=True):
        currency = str(code)
        usual = part["spend"].cast(pl.Float64).shift(1).rolling_median(HISTORY_DAYS, min_samples=FEWEST_DAYS)
        wrong = ((part["spend"] == 0) & (usual > 0) & (part["impressions"] > 0)).fill_null(False)
        for first, last in _runs(part["day"].to_list(), wrong.to_list()):
            inside = part.filter(pl.col("day").is_between(first, last))
            expected = float(usual.filter(part["day"] == first).item()) * inside.height
            yield _of_days(
                inside,
                kind="zero_spend",
                subject=f"{currency} from {first}",
                severity="warn",
                title=f"No spend on {_span(first, last)}, though ads were shown",
                detail="The usual spend of these days is at stake. The cost column may have arrived empty.",
                money=_positive({currency: Decimal(str(round(expected, 2)))}),
            )


def _duplicated_days(days: pl.DataFrame) -> Iterator[Found]:
    whole = days.filter((pl.col("rows") >= 5) & (pl.col("clicks") > 0))
    for _, same in whole.group_by("currency", "fingerprint", "rows", "impressions", "spend", maintain_order=True):
        if same.height < 2:
            continue
        first, later = same["day"].min(), same.sort("day").slice(1)
        assert isinstance(first, date), "a day has a date"
        yield _of_days(
            later,
            kind="duplicated_day",
            subject=f"{same['currency'][0]} of {first}",
            severity="critical",
            title=f"{_span(later['day'].min(), later['day'].max())} repeats the figures of {_day(first)}",
            detail="Every row has the same figures as one of the other day, which does not happen by itself. "
            "One of the days is likely to be counted twice.",
            money=_money(later, "spend"),
        )


def _truncated(days: pl.DataFrame, files: Sequence[FileFacts]) -> Iterator[Found]:
    for file in files:
        span = (file.last_day - file.first_day).days + 1 if file.first_day and file.last_day else 0
        if file.row_limit is not None and file.rows >= file.row_limit:
            why, severity = f"it has {file.rows:,} rows, and the network stops at {file.row_limit:,}", "critical"
        elif file.day_limit is not None and span >= file.day_limit:
            why, severity = f"it covers {span} days, and the network stops at {file.day_limit}", "warn"
        elif file.row_limit is None and file.rows in _COMMON_LIMITS:
            why, severity = f"it has exactly {file.rows:,} rows, where exports and workbooks stop", "warn"
        else:
            continue
        yield _cut_off(days, file, why, severity)  # type: ignore[arg-type]


def _cut_off(days: pl.DataFrame, file: FileFacts, why: str, severity: Severity) -> Found:
    part = days.filter(pl.col("day").is_between(file.first_day, file.last_day)) if file.first_day else days.head(0)
    last = part.filter(pl.col("day") == file.last_day)
    return Found(
        kind="truncated",
        subject=file.name,
        severity=severity,
        title=f"{file.name} looks cut off: {why}",
        detail="Rows beyond the limit are missing and nothing in the file says so. Export shorter periods. "
        "Money at stake is the spend of the last day, which may be the one cut.",
        rows=file.rows,
        money=_money(last, "spend"),
        evidence={
            "rows_of_last_day": int(last["rows"].sum()),
            "usual_rows_of_a_day": part.group_by("day").agg(pl.col("rows").sum())["rows"].median(),
        },
        first_day=file.first_day,
        last_day=file.last_day,
    )


def _currency_changes(days: pl.DataFrame, account_currency: str) -> Iterator[Found]:
    used = days.sort("spend", descending=True).unique("day", keep="first", maintain_order=True).sort("day")
    changed = used.filter((pl.col("currency") != pl.col("currency").shift(1)).fill_null(False))
    for row in changed.to_dicts():
        before = used.filter(pl.col("day") < row["day"])["currency"][-1]
        part = days.filter((pl.col("day") >= row["day"]) & (pl.col("currency") == row["currency"]))
        yield _of_days(
            part,
            kind="currency_change",
            subject=f"{before} to {row['currency']} on {row['day']}",
            severity="critical",
            title=f"The currency changes from {before} to {row['currency']} on {_day(row['day'])}",
            detail=f"The account is kept in {account_currency}. Sums over this day mix two currencies unless they are "
            "converted.",
            money=_money(part, "spend"),
        )
    other = days.filter(pl.col("currency") != account_currency)
    if other.height and other["currency"].n_unique() == days["currency"].n_unique():
        currencies = ", ".join(sorted(set(other["currency"].to_list())))
        yield _of_days(
            other,
            kind="currency_change",
            subject=f"{currencies} instead of {account_currency}",
            severity="warn",
            title=f"The figures are in {currencies}; the account is kept in {account_currency}",
            detail="Correct the account's currency, or look whether the files belong to another account.",
            money=_money(other, "spend"),
        )


def _ratio_mismatches(days: pl.DataFrame) -> Iterator[Found]:
    for name in (column.removeprefix(COMPARED) for column in days.columns if column.startswith(COMPARED)):
        compared, wrong = int(days[COMPARED + name].sum()), int(days[MISMATCHED + name].sum())
        if wrong < 10 or wrong < 0.01 * compared:
            continue
        part = days.filter(pl.col(MISMATCHED + name) > 0)
        yield _of_days(
            part,
            kind="ratio_mismatch",
            subject=name,
            severity="warn",
            title=f"{name} disagrees with its own figures in {wrong / compared:.0%} of the rows",
            detail="What the report states and what its columns give differ by more than rounding. A column may be "
            "read as another one, or the ratio be of another attribution window.",
            rows=wrong,
            money=_money(part, MISMATCHED_SPEND + name),
            evidence={"rows_compared": compared, "rows_that_disagree": wrong},
        )


def _of_days(
    part: pl.DataFrame,
    *,
    kind: str,
    subject: str,
    severity: Severity,
    title: str,
    detail: str,
    rows: int | None = None,
    money: dict[str, Decimal] | None = None,
    evidence: dict[str, Any] | None = None,
) -> Found:
    """A finding about whole days: their rows and spend are at stake unless told otherwise."""
    listed = sorted(set(part["day"].to_list()))
    shown = {"days": [str(day) for day in listed[:_LONGEST_LIST]], "day_count": len(listed)}
    return Found(
        kind=kind,
        subject=subject,
        severity=severity,
        title=title,
        detail=detail,
        rows=int(part["rows"].sum()) if rows is None else rows,
        money=_money(part, "spend") if money is None else money,
        evidence=shown | (evidence or {}),
        first_day=listed[0],
        last_day=listed[-1],
    )


def _money(part: pl.DataFrame, column: str) -> dict[str, Decimal]:
    sums = part.group_by("currency").agg(pl.col(column).sum())
    return _positive({row["currency"]: row[column] for row in sums.to_dicts()})


def _positive(money: dict[str, Decimal]) -> dict[str, Decimal]:
    return {currency: abs(amount) for currency, amount in sorted(money.items()) if amount}


def _runs(days: Sequence[date], flags: Sequence[bool]) -> list[tuple[date, date]]:
    """First and last day of each run of flagged neighbours."""
    runs: list[tuple[date, date]] = []
    running = False
    for day, flag in zip(days, flags, strict=True):
        if flag and running:
            runs[-1] = (runs[-1][0], day)
        elif flag:
            runs.append((day, day))
        running = flag
    return runs


def _day(day: object) -> str:
    assert isinstance(day, date)
    return f"{day.day} {day:%b %Y}"


def _span(first: object, last: object) -> str:
    return _day(first) if first == last else f"{_day(first)} to {_day(last)}"
