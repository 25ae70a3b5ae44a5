"""The parts of a mapping contract: how a file is written, which column is which, what its figures mean."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, model_validator

from harmonization.core import attribution

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{1,62}$")]
Text = Annotated[str, Field(min_length=1, max_length=400)]
Zone = Text
Severity = Literal["quarantine", "warn"]
StepName = Literal["trim", "upper", "lower", "collapse_spaces", "identifier", "gtin14"]
NumberUnit = Literal["units", "micros", "cents", "thousands", "percent"]
Resolver = Literal["placement", "gtin", "currency"]
#: Words of `date_formats` that are no strptime patterns.
DATE_WORDS: tuple[str, ...] = ("iso", "epoch_s", "epoch_ms", "excel")


class Part(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, populate_by_name=True)


class Coverage(Part):
    """Which share of the account's activity the report holds.

    Several reports of one account repeat the same spend: the metrics layer takes, per account and period, the report
    with the lowest `rank`. `clicked_only` reports hold only impressions of items that were clicked at least once.
    """

    rank: int = Field(ge=1, le=100)
    impressions: Literal["all", "clicked_only"]


class Source(Part):
    """How the files are written. Exports of `row_limit` rows, or `day_limit` days, may be cut off there.

    `currency` is for files that name none, after the load's context; `currency_assumed` says that it is a guess, which
    is then told with every report. `formats` are of the file once it is unpacked. Nested records of JSON and Parquet
    are columns whose names are joined by dots; `records` is the dotted path to the records of a JSON document.
    `period` names the two parameters that say which days the file covers, where none of its columns does. `file_names`
    are patterns of the names under which the network delivers it, for reports that only their names tell apart.
    """

    formats: list[Literal["csv", "xlsx", "json", "ndjson", "parquet"]] = Field(min_length=1)
    sheet: Text | None = None
    records: Text | None = None
    header_row: Literal["auto"] | Annotated[int, Field(ge=1, le=50)] = "auto"
    header_rows: Literal[1, 2] = 1
    encoding: Literal["auto", "utf-8", "utf-16", "cp1252"] = "auto"
    delimiter: Literal["auto", ",", ";", "\t", "|"] = "auto"
    decimal_sign: Literal[".", ","] = "."
    thousands_sign: Literal[",", ".", " ", "'", ""] = ","
    null_tokens: list[str] = ["-", "--", "—", "N/A", "n/a", "null", "#N/A"]
    timezone: Zone
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] | None = None
    currency_assumed: bool = False
    grain: Literal["event", "hour", "day", "from_dates"]
    row_limit: int | None = Field(default=None, ge=1)
    day_limit: int | None = Field(default=None, ge=1)
    period: Annotated[list[Name], Field(min_length=2, max_length=2)] | None = None
    file_names: list[Text] = []


class Parameter(Part):
    """A choice made when the report was requested, which the file itself does not tell.

    A `day` has neither values nor a default: whoever loads the file names it, as YYYY-MM-DD.
    """

    kind: Literal["choice", "day"] = "choice"
    default: Text | None = None
    values: dict[str, int | str | None] = {}
    description: Text


class ValueMap(Part):
    """Source values (compared without case and outer spaces) to canonical ones; `default` takes the rest.

    Without a default, a value that is not listed violates the rule `map.<target>`.
    """

    values: dict[str, str]
    default: Text | None = None
    keep_raw_in: Name | None = None


class Split(Part):
    """One part of a text that is cut at `on`: the first is 1, the last is -1."""

    on: Annotated[str, Field(min_length=1, max_length=20)]
    take: Annotated[int, Field(ge=-50, le=50)]


class Replace(Part):
    """Every occurrence of the literal text `from`."""

    from_: Annotated[str, Field(alias="from", min_length=1, max_length=100)]
    to: Annotated[str, Field(max_length=100)]


class StepCall(Part):
    """A step that takes an argument: a mapping of exactly one key."""

    zero_pad: Annotated[int, Field(ge=1, le=64)] | None = None
    split: Split | None = None
    extract: Text | None = None
    replace: Replace | None = None
    strip_prefix: Text | None = None
    strip_suffix: Text | None = None

    @model_validator(mode="after")
    def _one_key(self) -> StepCall:
        if len(self.model_fields_set) != 1 or self.argument is None:
            raise ValueError("a step is a name, or a mapping of one name to its argument")
        return self

    @property
    def name(self) -> str:
        return next(iter(self.model_fields_set))

    @property
    def argument(self) -> Any:
        return getattr(self, self.name)


def _kind_of_step(value: Any) -> str:
    return "call" if isinstance(value, (dict, StepCall)) else "name"


Step = Annotated[Annotated[StepName, Tag("name")] | Annotated[StepCall, Tag("call")], Discriminator(_kind_of_step)]


class FieldSpec(Part):
    """One canonical column, and how a cell becomes its value.

    The cell is taken from the first header that the file has, with `coalesce` from the first of them that is not empty,
    or with `join` from all of them that are not empty, with ` | ` between; then come `default`, the steps of
    `transforms`, the reading of the column's type, the `resolver` and the `value_map`.
    """

    target: Name
    headers: list[Text] = Field(min_length=1)
    required: bool = False
    coalesce: bool = False
    join: bool = False
    default: Text | None = None
    transforms: list[Step] = []
    unit: NumberUnit = "units"
    date_formats: list[Text] = []
    timezone: Zone | None = None
    resolver: Resolver | None = None
    value_map: ValueMap | None = None
    on_error: Severity = "quarantine"


class When(Part):
    """Rows of long files to which a figure belongs: those whose cell in the column `header` is one of `values`."""

    header: Text
    values: list[Text] = Field(min_length=1, max_length=100)


class AttributionSpec(Part):
    """A family of columns that differ only in the look-back window.

    `from_header` reads the window from `{days}` in the header; `$name` reads a parameter.
    """

    id: Name
    metric: attribution.Metric
    headers: list[Text] = Field(min_length=1)
    click_days: int | Text | None
    view_days: int | Text | None = None
    match: Text
    view_match: Text | None = None
    channel: attribution.Channel = "all"
    ntb: attribution.Ntb = "all"
    ntb_lookback_months: Annotated[int, Field(ge=1, le=120)] | None = None
    gross_net: attribution.GrossNet | None = None
    model: attribution.Model = "last_touch"
    unit: NumberUnit = "units"
    when: When | None = None
    required: bool = False
    on_error: Severity = "quarantine"


class Derived(Part):
    target: Name
    expression: Text


class Skip(Part):
    """Rows that are not data: totals, footers. `column` is a field's target, or `first` for the first cell."""

    id: Name
    column: Name
    pattern: Text


class Example(Part):
    """A source row with what must become of it: the contract's own test."""

    row: dict[str, str]
    parameters: dict[str, str] = {}
    expect: dict[str, str | None] = {}
    quarantine: list[Text] = []
    skip: Name | None = None
