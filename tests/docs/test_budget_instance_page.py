"""The page of the file format names every key that is read and every kind there is, and its example is solved."""

from __future__ import annotations

import json

from optimization.core import instance, instance_terms
from optimization.core.command import answer_file
from optimization.core.problem import Aim, GlobalKind
from tests.docs.pages import ROOT, bare, blocks, table_under

PAGE = ROOT / "docs" / "budget-instance.md"


def names(heading: str) -> list[str]:
    return [bare(row[0]) for row in table_under(PAGE, heading)]


def test_every_key_and_no_other() -> None:
    assert set(names("Keys")) == instance.TOP_KEYS
    assert set(names("Cells")) == instance.CELL_KEYS
    assert set(names("Objectives")) == {*(aim.value for aim in Aim), "cvar"}
    assert set(names("Modes")) == set(instance_terms.MODES)
    assert set(names("Bounds and limits")) == {kind.value for kind in GlobalKind}
    assert set(names("Constraints")) == set(instance_terms.CONSTRAINT_KEYS)


def test_the_example_is_solved_and_its_answer_has_the_keys_that_are_told() -> None:
    (example,) = blocks(PAGE, "json")
    answer = json.loads(answer_file(example.text, as_json=True))
    assert answer["status"] == "optimal"
    assert answer["gap"] <= 1e-6
    told = {*names("The answer"), "status", "engine", "seconds"}
    assert set(answer) <= told
    document = json.loads(example.text) | {
        "periods": {"budgets": [400, 500]}, "mode": {"kind": "fixed_budget"}, "current": {"a": 1.0}
    }  # fmt: skip
    assert told - set(json.loads(answer_file(json.dumps(document), as_json=True))) <= {"unspent"}
