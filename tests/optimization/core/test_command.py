"""`manage.py optimize` as a process: no database, no server, exit status and streams as documented."""

from __future__ import annotations

import json
import subprocess
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command

from tests.optimization.core.test_instances import GOOD, KEYS, changed
from tests.shell import manage

ROOT = Path(__file__).resolve().parents[3]


def optimize(*arguments: str) -> subprocess.CompletedProcess[str]:
    return manage("optimize", *arguments, servers={})


def test_a_problem_prints_one_json_object(tmp_path: Path) -> None:
    file = tmp_path / "problem.json"
    file.write_text(json.dumps(GOOD))
    done = optimize(str(file), "--json")
    assert done.returncode == 0, done.stderr
    assert set(json.loads(done.stdout)) == KEYS | {"unspent"}


def test_a_return_kept_exactly_at_the_floors_is_an_answer(tmp_path: Path) -> None:
    """No limit is left to price there, and the solver of an empty system writes past its end: a process is the test."""
    problem = {
        "schema": "rmn-budget-instance/1",
        "total_budget": 300.0,
        "cells": [
            {"id": "a", "path": ["c", "r", "p", "u", "s"], "min_spend": 1.0,
             "response": {"family": "power", "params": {"a": 50.0, "k": 20.0, "p": 0.5}}},
        ],
        "global_constraints": [{"kind": "min_roas", "scope": [], "value": 50.0 / 20.0**0.5}],
    }  # fmt: skip
    file = tmp_path / "problem.json"
    file.write_text(json.dumps(problem))
    done = optimize(str(file), "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["spend"] == pytest.approx({"a": 1.0})


def test_an_infeasible_problem_is_an_answer(tmp_path: Path) -> None:
    file, out = tmp_path / "problem.json", StringIO()
    file.write_text(json.dumps(changed(node_bounds__0__min_spend=45.0)))
    call_command("optimize", str(file), "--json", stdout=out)
    answer = json.loads(out.getvalue())
    assert answer["status"] == "infeasible"
    assert {member["kind"] for member in answer["minimal_conflict"]} == {"min_spend", "max_spend"}
    assert answer["shortfall"] == pytest.approx(5.0)


def test_a_bad_file_is_a_problem_on_stderr(tmp_path: Path) -> None:
    file = tmp_path / "problem.json"
    file.write_text("no json")
    done = optimize(str(file), "--json")
    assert done.returncode == 2
    assert done.stdout == ""
    assert set(json.loads(done.stderr)) >= {"code", "detail", "where", "fix"}


@pytest.mark.parametrize("text", [None, "[]", json.dumps(changed(total_budget=-1.0))])
def test_other_bad_files_are_told_alike(tmp_path: Path, text: str | None) -> None:
    """In this process: a start of its own proves no more of what the file says."""
    file, out, errors = tmp_path / "problem.json", StringIO(), StringIO()
    if text is not None:
        file.write_text(text)
    with pytest.raises(SystemExit) as end:
        call_command("optimize", str(file), "--json", stdout=out, stderr=errors, no_color=True)
    assert end.value.code == 2
    assert out.getvalue() == ""
    assert set(json.loads(errors.getvalue())) >= {"code", "detail", "where", "fix"}
