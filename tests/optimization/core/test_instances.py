"""Files: what is read, what is refused, and what the command prints."""

from __future__ import annotations

import copy
import json
import os
from pathlib import Path
from typing import Any

import pytest

from optimization.core.command import answer_file
from optimization.core.instance import parse_problem, read_problem
from optimization.core.problem import BudgetProblem, InvalidProblem, NodeBound
from tests.optimization.core.casts import cell

GOOD: dict[str, Any] = {
    "schema": "rmn-budget-instance/1",
    "total_budget": 100.0,
    "cells": [
        {
            "id": "c0",
            "path": {"channel": "ch", "rmn": "r", "placement": "p", "audience": "a", "sku": "s"},
            "response": {"family": "log", "params": {"a": 10.0, "k": 5.0}, "revenue_per_conversion": 4.0},
            "min_spend": 0.0,
            "max_spend": 50.0,
            "out_of_stock": False,
        }
    ],
    "node_bounds": [{"path": ["ch"], "min_spend": None, "max_spend": 40.0}],
    "global_constraints": [{"kind": "min_roas", "value": 0.5, "scope": []}],
}
KEYS = {
    "status", "objective_revenue", "objective", "dual_bound", "gap", "total_spend", "spend", "budget_shadow_price",
    "multipliers", "node_shadow_prices", "reasons", "engine", "seconds", "objective_kind", "earned",
}  # fmt: skip


def changed(**paths: Any) -> dict[str, Any]:
    """GOOD with values set; `cells__0__min_spend=3` reads cells[0].min_spend = 3."""
    document = copy.deepcopy(GOOD)
    for path, value in paths.items():
        *way, last = path.split("__")
        place: Any = document
        for step in way:
            place = place[int(step) if step.isdigit() else step]
        place[last] = value
    return document


def test_a_good_file_gives_every_key_of_the_format() -> None:
    answer = json.loads(answer_file(json.dumps(GOOD), as_json=True))
    assert set(answer) >= KEYS
    assert answer["spend"] == pytest.approx({"c0": 40.0})
    assert set(answer["multipliers"]) == {"min_roas", "max_cpa"}
    assert set(answer["reasons"]["c0"]) == {"kind", "path", "price", "text"}


def test_the_table_shows_spend_and_reason() -> None:
    table = answer_file(json.dumps(changed(global_constraints=[])), as_json=False)
    assert "40.00" in table
    assert "the cap of ch" in table


@pytest.mark.parametrize(
    ("changes", "where", "says"),
    [
        ({"schema": "other/1"}, "schema", "other/1"),
        ({"cells": []}, "cells", "no cells"),
        ({"total_budget": -1.0}, "total_budget", "-1"),
        ({"total_budget": float("nan")}, "total_budget", "nan"),
        ({"total_budget": float("inf")}, "total_budget", "inf"),
        ({"total_budget": "much"}, "total_budget", "much"),
        ({"total_budget": True}, "total_budget", "True"),
        ({"total_budget": 10**400}, "total_budget", "too large"),
        ({"experiment_reserve_fraction": 5.0}, "experiment_reserve_fraction", "between 0 and 1"),
        ({"cells__0__response__family": "cubic"}, "cells[0] 'c0' response", "cubic"),
        ({"cells__0__response__params": {"a": 1.0}}, "cells[0] 'c0' response", "parameters"),
        ({"cells__0__response__params__k": 0.0}, "cells[0] 'c0'", "k is 0"),
        ({"cells__0__response__params__a": float("nan")}, "cells[0] 'c0'", "a is nan"),
        ({"cells__0__min_spend": 60.0}, "cells[0] 'c0'", "at least 60 but at most 50"),
        ({"cells__0__min_spend": -1.0}, "cells[0] 'c0'", "min_spend is -1"),
        ({"cells__0__path": {"channel": "ch"}}, "cells[0] 'c0' path", "not complete"),
        ({"cells__0__out_of_stock": "no"}, "cells[0] 'c0'", "out_of_stock"),
        ({"cells__0__max_spent": 5.0}, "cells[0] 'c0'", "max_spent"),
        ({"node_bounds__0__path": ["cd"]}, "node_bounds[0]", "No cell lies under cd"),
        ({"node_bounds__0__max_spend": -5.0}, "node_bounds[0]", "max_spend is -5"),
        ({"global_constraints__0__kind": "max_fun"}, "global_constraints[0]", "max_fun"),
        ({"global_constraints__0__scope": ["cd"]}, "global_constraints[0]", "No cell lies under cd"),
        ({"objective": {"kind": "cvar", "tail_fraction": 0.0}, "scenarios": [[1.0]]}, "objective", "tail_fraction"),
        ({"objective": {"kind": "cvar", "tail_fraction": 0.5}, "scenarios": [[1.0, 2.0]]}, "scenarios", "1 cells"),
    ],
)
def test_bad_input_names_the_place_and_the_fix(changes: dict[str, Any], where: str, says: str) -> None:
    with pytest.raises(InvalidProblem) as caught:
        parse_problem(changed(**changes))
    assert where in caught.value.where
    assert says in caught.value.detail
    assert caught.value.fix


@pytest.mark.parametrize("text", ["", "{", "[]", "null", b"\xff\xfe\x00", "[" * 100_000])
def test_what_is_no_json_object_is_refused(text: str | bytes) -> None:
    with pytest.raises(InvalidProblem):
        read_problem(text)


def test_doubles_are_refused() -> None:
    document = changed()
    document["cells"].append(document["cells"][0])
    with pytest.raises(InvalidProblem, match="occurs 2 times"):
        parse_problem(document)
    twice = [NodeBound(("a",), None, 5.0), NodeBound(("a",), 1.0, None)]
    with pytest.raises(InvalidProblem, match="occurs 2 times"):
        BudgetProblem.of([cell("a", 9.0, 1.0)], 5.0, node_bounds=twice)


def test_a_cost_limit_needs_revenue_per_conversion() -> None:
    document = changed(global_constraints__0__kind="max_cpa", cells__0__response__revenue_per_conversion=None)
    with pytest.raises(InvalidProblem, match="no revenue per conversion"):
        parse_problem(document)


def _reference(name: str) -> tuple[str, dict[str, Any]]:
    folder = os.environ.get("RMN_REFERENCE_DATA")
    if not folder:
        pytest.skip("RMN_REFERENCE_DATA is not set")
    text = (Path(folder) / "optimisation" / name).read_text()
    return text, json.loads(text)["expected"]


@pytest.mark.reference
def test_the_reference_optimum_is_reproduced() -> None:
    text, expected = _reference("01_log_budget_only.json")
    answer = json.loads(answer_file(text, as_json=True))
    assert answer["objective_revenue"] == pytest.approx(expected["objective_revenue"], rel=1e-9)
    assert answer["dual_bound"] == pytest.approx(expected["dual_bound"], rel=1e-9)
    assert answer["spend"] == pytest.approx(expected["spend"], abs=1e-5)
    assert answer["budget_shadow_price"] == pytest.approx(expected["budget_shadow_price"], rel=1e-9)


@pytest.mark.reference
def test_the_reference_conflict_is_reproduced() -> None:
    text, expected = _reference("07_infeasible_floors_vs_cap.json")
    answer = json.loads(answer_file(text, as_json=True))
    assert answer["status"] == "infeasible"
    assert answer["minimal_conflict"] == expected["minimal_conflict"]
    assert answer["shortfall"] == pytest.approx(expected["shortfall"])
