"""A report as a table of columns: what each one shows, how a form of the report prints it, and what is true of it.

A figure's values are taken from the facts, as decimals, before anything is formatted; the cells are made of the same
facts by other code. What is read back from a file has to meet the figures.
"""

from __future__ import annotations

import datetime as dt
import random
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final, Literal

from demo.core.reports.facts import Row, make_rows
from harmonization.core.rmis import Attribution, Channel, Match, Metric, Model, Ntb, Touch

FileKind = Literal["csv", "tsv", "xlsx", "json", "ndjson", "parquet"]
FIRST_DAY: Final = dt.date(2026, 11, 2)
MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
UNITS: Final = {"count": Decimal(1), "money": Decimal("0.01"), "micros": Decimal("0.000001")}


@dataclass(frozen=True)
class Style:
    """How a form prints text files; workbooks, JSON and Parquet hold dates and numbers as such."""

    money: Callable[[int], str] = lambda cents: f"{cents // 100}.{cents % 100:02d}"
    date: Callable[[dt.date], str] = dt.date.isoformat
    percent: bool = False
    grouped: bool = False


def signed(sign: str) -> Callable[[int], str]:
    """Money with its sign and grouped thousands, as the consoles print it."""
    return lambda cents: f"{sign}{cents // 100:,}.{cents % 100:02d}"


def month_name(day: dt.date) -> str:
    return f"{MONTHS[day.month - 1]} {day.day}, {day.year}"


def month_number(day: dt.date) -> str:
    return f"{day.month:02d}/{day.day:02d}/{day.year % 100:02d}"


@dataclass(frozen=True)
class Form:
    """One way in which a report is written. `currency` is that of the account, whether the file names it or not.

    `window` is the days in the headers where the report has one. `account`, `parameters` and `file_name` are what the
    person who loads the file knows and the file does not tell.
    """

    name: str
    kind: FileKind = "csv"
    currency: str = "USD"
    factor: int = 1
    window: int = 14
    style: Style = Style()
    packed: Literal["", "gz"] = ""
    byte_order_mark: bool = False
    records: str | None = None  # the key of a JSON file that holds its rows
    parameters: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Meaning:
    """What a column's figure is: a measure of RMIS or an attributed outcome.

    `only` names another column and the values of it for which the figure counts, where the report has a row for each
    kind of figure.
    """

    measure: str | None = None
    attribution: Attribution | None = None
    only: tuple[str, tuple[str, ...]] | None = None

    @property
    def column(self) -> str:
        """The canonical column."""
        if self.attribution is not None:
            return self.attribution.column
        assert self.measure is not None
        return self.measure


@dataclass(frozen=True)
class Column:
    """One column: `key` names the fact it shows; `kind` says what the fact is; `means` what its figure is called."""

    header: str
    key: str
    kind: Literal["text", "date", "instant", "count", "money", "micros", "ratio", "empty"] = "text"
    means: tuple[Meaning, ...] = ()
    over: str = ""
    choices: tuple[str, ...] = ()


@dataclass(frozen=True)
class Table:
    """One report of one network, in its forms. `rows` makes its facts; rows that occur `twice` are sent again."""

    contract: str
    network: str
    columns: Callable[[Form], tuple[Column, ...]]
    forms: tuple[Form, ...] = (Form("usd"),)
    rows: Callable[[random.Random, Form], list[Row]] | None = None
    things: int = 4
    span: int = 1
    sheet: str = "Report"
    one_per_row: tuple[str, ...] = ()  # measures of which every row is one
    twice: int = 0
    knows_currency: bool = True


@dataclass(frozen=True)
class Figure:
    """The values of one figure, row by row, in the unit of the schema. `header` is empty where each row is one."""

    header: str
    unit: Decimal
    meaning: Meaning
    values: tuple[Decimal | None, ...]

    @property
    def total(self) -> Decimal:
        return sum((value for value in self.values if value is not None), Decimal(0))


@dataclass(frozen=True)
class Sample:
    """A report whose rows and figures are fixed. Rows after `kept` repeat earlier ones, which a network may do."""

    table: Table
    form: Form
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    kept: int
    figures: tuple[Figure, ...]

    @property
    def file_name(self) -> str:
        packed = f".{self.form.packed}" if self.form.packed else ""
        return f"{self.table.contract}_{self.form.name}.{self.form.kind}{packed}"


def make_sample(table: Table, form: Form, seed: int) -> Sample:
    """The rows of a report and what is true of them. The same seed gives the same sample, whatever else is made."""
    rng = random.Random(zlib.crc32(f"{seed}/{table.contract}/{form.name}".encode()))
    if table.rows is not None:
        rows = table.rows(rng, form)
    else:
        rows = make_rows(rng, first=FIRST_DAY, things=table.things, span=table.span, factor=form.factor)
    for row in rows:
        row["currency"] = form.currency
    columns = table.columns(form)
    figures = [
        Figure(column.header, UNITS[column.kind], meaning, tuple(_value(column, meaning, row, columns) for row in rows))
        for column in columns
        for meaning in column.means
    ]
    figures += [Figure("", Decimal(1), Meaning(name), (Decimal(1),) * len(rows)) for name in table.one_per_row]
    again = rows[: table.twice]
    return Sample(table, form, columns, (*rows, *again), len(rows), tuple(figures))


def _value(column: Column, meaning: Meaning, row: Row, columns: tuple[Column, ...]) -> Decimal | None:
    if row[column.key] is None:
        return None
    if meaning.only is not None:
        header, values = meaning.only
        (other,) = [each for each in columns if each.header == header]
        if shown(other, row) not in values:
            return None
    whole: int = row[column.key]
    return whole * UNITS[column.kind]


def shown(column: Column, row: Row) -> Any:
    """The cell of a text column."""
    return column.choices[row["thing"] % len(column.choices)] if column.choices else row[column.key]


def attribution(
    metric: Metric,
    click: int | None = None,
    view: int | None = None,
    *,
    match: Match = "total",
    channel: Channel = "all",
    ntb: Ntb = "all",
    model: Model = "last_touch",
    view_match: Match | None = None,
    ntb_lookback_months: int | None = None,
) -> Attribution:
    """An outcome by its windows in days, the touch worked out from them."""
    touch: Touch = "both" if click and view else "click" if click else "view"
    return Attribution(metric, click, view, touch, match, channel, ntb, model, view_match, ntb_lookback_months)


def text(header: str, key: str = "", *, choices: tuple[str, ...] = ()) -> Column:
    return Column(header, key or "thing", "text", choices=choices)


def day(header: str, key: str = "date") -> Column:
    return Column(header, key, "date")


def count(header: str, key: str, means: str | Attribution | None = None) -> Column:
    return Column(header, key, "count", _meanings(means))


def money(header: str, key: str, means: str | Attribution | None = None) -> Column:
    return Column(header, key, "money", _meanings(means))


def micros(header: str, key: str, means: str | Attribution | None = None) -> Column:
    return Column(header, key, "micros", _meanings(means))


def ratio(header: str, key: str, over: str) -> Column:
    return Column(header, key, "ratio", over=over)


def empty(header: str) -> Column:
    """A column without content, as some exports have."""
    return Column(header, "thing", "empty")


def _meanings(means: str | Attribution | None) -> tuple[Meaning, ...]:
    if means is None:
        return ()
    return (Meaning(measure=means) if isinstance(means, str) else Meaning(attribution=means),)
