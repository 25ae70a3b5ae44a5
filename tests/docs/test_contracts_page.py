"""docs/contracts.md against the code it describes."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest
import yaml
from pydantic import BaseModel

from harmonization.core import contract as parts
from harmonization.core.contract import parse_contract
from harmonization.core.contract_examples import check_examples
from harmonization.core.contract_parts import DATE_WORDS, StepName
from harmonization.core.engine import harmonize_file
from harmonization.core.expressions import FUNCTIONS, LENGTH_LIMIT, NODE_LIMIT
from harmonization.core.field_checks import RESOLVABLE
from harmonization.core.load_context import LoadContext
from harmonization.core.rmis_page import page
from tests.docs.pages import ROOT, bare, blocks, table_under

PAGE = ROOT / "docs" / "contracts.md"
RULES = (
    parts.NotNull,
    parts.InSet,
    parts.Regex,
    parts.Range,
    parts.Expression,
    parts.Unique,
    parts.GtinCheck,
    parts.MinCell,
    parts.ReconcilesWith,
)
SECTIONS: dict[str, type[BaseModel]] = {
    "The contract's keys": parts.Contract,
    "coverage": parts.Coverage,
    "source": parts.Source,
    "parameters": parts.Parameter,
    "fields": parts.FieldSpec,
    "value_map": parts.ValueMap,
    "attributions": parts.AttributionSpec,
    "when": parts.When,
    "derived": parts.Derived,
    "skip": parts.Skip,
    "examples": parts.Example,
}


@pytest.mark.parametrize(("heading", "model"), SECTIONS.items(), ids=str)
def test_every_key_with_its_default(heading: str, model: type[BaseModel]) -> None:
    rows = {bare(row[0]): row for row in table_under(PAGE, heading)}
    assert list(rows) == list(model.model_fields)
    for name, field in model.model_fields.items():
        told = rows[name][1]
        if field.is_required():
            assert told == "required", name
        else:
            assert yaml.safe_load(bare(told)) == field.get_default(call_default_factory=True), name
        assert len(rows[name][2]) > 5


def test_every_key_of_rules() -> None:
    rows = {bare(row[0]): row[1] for row in table_under(PAGE, "rules")}
    assert set(rows) == {name for rule in RULES for name in rule.model_fields}
    kinds = {rule: get_args(rule.model_fields["kind"].annotation)[0] for rule in RULES}
    for name, told in rows.items():
        having = {kinds[rule] for rule in RULES if name in rule.model_fields}
        assert having == (set(kinds.values()) if told == "all" else set(re.findall(r"`(\w+)`", told))), name


def test_every_step_word_resolver_and_kind() -> None:
    steps = {bare(row[0]).strip("{").partition(":")[0] for row in table_under(PAGE, "Steps")}
    assert steps == set(get_args(StepName)) | set(parts.StepCall.model_fields)
    assert {bare(row[0]) for row in table_under(PAGE, "Dates and instants")} == set(DATE_WORDS)
    told = {bare(row[0]): tuple(re.findall(r"`(\w+)`", row[1])) for row in table_under(PAGE, "Resolvers")}
    assert told == RESOLVABLE


def test_every_kind_of_rule() -> None:
    kinds = {get_args(rule.model_fields["kind"].annotation)[0] for rule in RULES}
    assert {bare(row[0]) for row in table_under(PAGE, "Kinds of rules")} == kinds


def test_every_operation_of_expressions() -> None:
    told = {word for row in table_under(PAGE, "Expressions") for word in re.findall(r"`([A-Z]+)`", row[0])}
    assert set(FUNCTIONS) == told - {"AND", "OR", "NOT", "BETWEEN", "IN"}
    limits = re.search(r"more than (\d+) characters or (\d+) parts", PAGE.read_text().replace("\n", " "))
    assert limits is not None
    assert [int(limit) for limit in limits.groups()] == [LENGTH_LIMIT, NODE_LIMIT]


def test_the_page_of_the_schema_is_current() -> None:
    assert (ROOT / "docs" / "rmis.md").read_text() == page(), "python -m harmonization.core.rmis_page > docs/rmis.md"


def test_the_contract_of_the_page_works(tmp_path: Path) -> None:
    (block,) = blocks(PAGE, "yaml contract")
    contract = parse_contract(block.text)
    check_examples(contract)
    file = tmp_path / "export.csv"
    file.write_text(
        "Day;Campaign;Product code;Zone;Views;Clicks;Cost;Sales 14 d\n"
        "02/11/2026;Chips;501;Search;1.000;12;8,40 €;1.060,00 €\n"
        "03/11/2026;Chips;501;Shelf;10;0;-1,00;0\n"
        "Total;;;;1.010;12;7,40;1.060,00\n"
    )
    report = harmonize_file(file, contract, out_dir=tmp_path / "out", context=LoadContext()).as_dict()
    assert (report["rows_in"], report["rows_out"], report["rows_quarantined"], report["rows_skipped"]) == (3, 1, 1, 1)
    assert report["totals"] == [{"currency": "EUR", "impressions": 1000, "clicks": 12, "spend": 8.4}]
    assert report["attributed"][0]["value"] == 1060
