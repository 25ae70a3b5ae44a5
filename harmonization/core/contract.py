"""Mapping contracts: one report of one network, described so that its files become canonical rows.

A contract is YAML (see `config/mappings/`). It is validated strictly, each finding with its line: unknown keys, wrong
types, targets that the canonical schema does not have, rules about columns that are not mapped.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, PrivateAttr, ValidationError

from harmonization.core import rmis
from harmonization.core.contract_checks import check_meaning
from harmonization.core.contract_parts import (
    AttributionSpec,
    Coverage,
    Derived,
    Example,
    FieldSpec,
    Name,
    Parameter,
    Part,
    Replace,
    Severity,
    Skip,
    Source,
    Split,
    Step,
    StepCall,
    Text,
    ValueMap,
    When,
)
from harmonization.core.contract_rules import (
    Expression,
    GtinCheck,
    InSet,
    MinCell,
    NotNull,
    Range,
    ReconcilesWith,
    Regex,
    Rule,
    Unique,
)
from harmonization.core.located_yaml import InvalidContract, LocatedDocument, read_located_yaml

__all__ = [
    "AttributionSpec",
    "Contract",
    "Coverage",
    "Derived",
    "Example",
    "Expression",
    "FieldSpec",
    "GtinCheck",
    "InSet",
    "InvalidContract",
    "MinCell",
    "NotNull",
    "Parameter",
    "Range",
    "ReconcilesWith",
    "Regex",
    "Replace",
    "Rule",
    "Severity",
    "Skip",
    "Source",
    "Split",
    "Step",
    "StepCall",
    "Unique",
    "ValueMap",
    "When",
    "load_contract",
    "parse_contract",
]


class Contract(Part):
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
    restates: Literal["period", "rows"] = "period"
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
