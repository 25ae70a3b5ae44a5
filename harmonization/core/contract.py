"""Mapping contracts: one report of one network, described so that its files become canonical rows.

A contract is YAML (see `config/mappings/`). It is validated strictly, each finding with its line: unknown keys, wrong
types, targets that the canonical schema does not have, rules about columns that are not mapped.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, ValidationError

from harmonization.core import rmis
from harmonization.core.contract_checks import check_meaning
from harmonization.core.located_yaml import InvalidContract, LocatedDocument, read_located_yaml

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{1,62}$")]
Text = Annotated[str, Field(min_length=1, max_length=400)]
Severity = Literal["quarantine", "warn"]
Step = Literal["upper", "lower", "collapse_spaces", "identifier"]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Coverage(_Part):
    """Which share of the account's activity the report holds.

    Several reports of one account repeat the same spend: the metrics layer takes, per account and period, the report
    with the lowest `rank`. `clicked_only` reports hold only impressions of items that were clicked at least once.
    """

    rank: int = Field(ge=1, le=100)
    impressions: Literal["all", "clicked_only"]


class Source(_Part):
    """How the files are written. Exports of `row_limit` rows are taken to be cut off there by the network.

    `currency` is for files that name none, after the load's context; `currency_assumed` says that it is a guess, which
    is then told with every report.
    """

    formats: list[Literal["csv", "xlsx"]] = Field(min_length=1)
    sheet: Text | None = None
    header_row: Literal["auto"] | Annotated[int, Field(ge=1, le=50)] = "auto"
    encoding: Literal["auto", "utf-8", "utf-16", "cp1252"] = "auto"
    delimiter: Literal["auto", ",", ";", "\t", "|"] = "auto"
    decimal_sign: Literal[".", ","] = "."
    thousands_sign: Literal[",", ".", " ", "'", ""] = ","
    null_tokens: list[str] = ["-", "--", "—", "N/A", "n/a", "null", "#N/A"]
    timezone: Text
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] | None = None
    currency_assumed: bool = False
    grain: Literal["event", "hour", "day", "from_dates"]
    row_limit: int | None = Field(default=None, ge=1)


class Parameter(_Part):
    """A choice made when the report was requested, which the file itself does not tell."""

    default: Text
    values: dict[str, int | str | None]
    description: Text


class ValueMap(_Part):
    """Source values (compared without case and outer spaces) to canonical ones; `default` takes the rest.

    Without a default, a value that is not listed violates the rule `map.<target>`.
    """

    values: dict[str, str]
    default: Text | None = None
    keep_raw_in: Name | None = None


class FieldSpec(_Part):
    target: Name
    headers: list[Text] = Field(min_length=1)
    required: bool = False
    transforms: list[Step] = []
    date_formats: list[Text] = []
    bare_percent: Literal["fraction", "percent"] = "fraction"
    value_map: ValueMap | None = None
    on_error: Severity = "quarantine"


class AttributionSpec(_Part):
    """A family of columns that differ only in the look-back window.

    `click_days: from_header` reads the window from `{days}` in the header; `$name` reads a parameter.
    """

    id: Name
    metric: rmis.Metric
    headers: list[Text] = Field(min_length=1)
    click_days: int | Text | None
    view_days: int | Text | None = None
    match: Text
    view_match: Text | None = None
    channel: rmis.Channel = "all"
    ntb: rmis.Ntb = "all"
    model: rmis.Model = "last_touch"
    required: bool = False
    on_error: Severity = "quarantine"


class Derived(_Part):
    target: Name
    expression: Text


class _Rule(_Part):
    id: Name
    severity: Severity = "quarantine"


class NotNull(_Rule):
    kind: Literal["not_null"]
    columns: list[Name] = Field(min_length=1)


class InSet(_Rule):
    kind: Literal["in_set"]
    column: Name
    values: list[str] = Field(min_length=1)


class Regex(_Rule):
    kind: Literal["regex"]
    column: Name
    pattern: Text


class Range(_Rule):
    kind: Literal["range"]
    column: Name
    min: int | float | Text | None = None
    max: int | float | Text | None = None


class Expression(_Rule):
    """A condition that holds for good rows. It is neither kept nor broken where it is null.

    An attribution's id in it stands for each window of the file in turn.
    """

    kind: Literal["expression"]
    expression: Text


Rule = Annotated[NotNull | InSet | Regex | Range | Expression, Field(discriminator="kind")]


class Skip(_Part):
    """Rows that are not data: totals, footers. `column` is a field's target, or `first` for the first cell."""

    id: Name
    column: Name
    pattern: Text


class Example(_Part):
    """A source row with what must become of it: the contract's own test."""

    row: dict[str, str]
    parameters: dict[str, str] = {}
    expect: dict[str, str | None] = {}
    quarantine: list[Text] = []
    skip: Name | None = None


class Contract(_Part):
    """A validated contract. Equal text is an equal contract: `digest` is the SHA-256 of the text."""

    schema_version: Literal["rmis/1"]
    name: Name
    version: int = Field(ge=1)
    title: Text
    network: Name
    report: Name
    retailer_id: Name | None = None
    ad_product: Name | None = None
    impression_basis: Text = "unknown"
    cost_model: Text | None = None
    sku_id_type: Text | None = None
    coverage: Coverage
    source: Source
    parameters: dict[Name, Parameter] = {}
    fields: list[FieldSpec] = Field(min_length=1)
    attributions: list[AttributionSpec] = []
    derived: list[Derived] = []
    rules: list[Rule] = []
    skip: list[Skip] = []
    natural_key: list[Name] = Field(min_length=1)
    restatement_days: int = Field(ge=0, le=400)
    finality_note: Text | None = None
    default_attribution: dict[rmis.Metric, Name] = {}
    prefer_click_days: list[int] = []
    examples: list[Example] = []

    _digest: str = PrivateAttr(default="")
    _text: str = PrivateAttr(default="")

    @property
    def digest(self) -> str:
        return self._digest

    @property
    def text(self) -> str:
        return self._text

    @property
    def label(self) -> str:
        """Name and version, as written to every row."""
        return f"{self.name}@{self.version}"


def parse_contract(text: str, *, origin: str = "contract") -> Contract:
    """Read and check a contract.

    Raises:
        InvalidContract: with every finding in `errors`, each naming its line; `where` names the first.
        TooLarge: the text is longer than a contract can be.
    """
    document = read_located_yaml(text)
    try:
        contract = Contract.model_validate(document.value)
    except ValidationError as error:
        raise _invalid(origin, [_finding(document, item) for item in error.errors()]) from error
    findings = [
        {"line": document.line_of(path), "path": _spell(path), "detail": detail, "fix": fix}
        for path, detail, fix in check_meaning(contract)
    ]
    if findings:
        raise _invalid(origin, findings)
    contract._digest = hashlib.sha256(text.encode()).hexdigest()
    contract._text = text
    return contract


def load_contract(path: Path) -> Contract:
    """`parse_contract` of a UTF-8 file.

    Raises:
        InvalidContract: no such file, not UTF-8, or not a valid contract.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidContract(
            f"The contract cannot be read: {error}.", where=path.name, fix="Give the path of a UTF-8 YAML file."
        ) from error
    return parse_contract(text, origin=path.name)


def _finding(document: LocatedDocument, item: Any) -> dict[str, Any]:
    path = tuple(item["loc"])
    kind = item["type"]
    if kind == "extra_forbidden":
        detail, fix = f"There is no key {path[-1]!r} here.", "Remove it or correct its spelling."
    elif kind == "missing":
        detail, fix = f"The key {path[-1]!r} is missing.", f"Add {path[-1]!r}."
    else:
        detail, fix = f"{item['msg']} (found {item['input']!r}).", "Correct the value."
    return {"line": document.line_of(path), "path": _spell(path), "detail": detail, "fix": fix}


def _spell(path: tuple[Any, ...]) -> str:
    return ".".join(str(step) for step in path) or "contract"


def _invalid(origin: str, findings: list[dict[str, Any]]) -> InvalidContract:
    findings = sorted(findings, key=lambda finding: int(finding["line"]))
    first = findings[0]
    more = f" ({len(findings) - 1} more)" if len(findings) > 1 else ""
    return InvalidContract(
        f"{first['path']}: {first['detail']}{more}",
        where=f"{origin}, line {first['line']}",
        fix=str(first["fix"]),
        errors=findings,
    )
