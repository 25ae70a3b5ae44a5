"""`manage.py analyze_geo` as a process: no database, no server, exit status, streams and keys as documented."""

from __future__ import annotations

import json
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from tests.measurement.core.geo_panels import as_csv, factor_panel, lifted
from tests.shell import manage

ROOT = Path(__file__).resolve().parents[3]
KEYS = {"att", "lift", "incremental", "iroas", "p_value", "ci", "method", "why_method", "weights", "l2_imbalance"}


def analyze_geo(*arguments: str) -> subprocess.CompletedProcess[str]:
    return manage("analyze_geo", *arguments, servers={})


@pytest.fixture
def panel(tmp_path: Path) -> Path:
    file = tmp_path / "panel.csv"
    file.write_bytes(as_csv(lifted(factor_panel(13, noise=0.02), ["m03", "m11"], 45, 0.2)))
    return file


def test_an_analysis_is_one_json_object(panel: Path) -> None:
    columns = ("--date", "date", "--geo", "geo", "--outcome", "sales")
    done = analyze_geo(
        str(panel), *columns, "--treated", "M03, m11", "--start", "46", "--end", "2026-03-05", "--method", "auto",
        "--alpha", "0.05", "--seed", "1", "--json",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert set(answer) >= KEYS
    assert answer["method"] == "sc_indexed"
    assert answer["ci"][0] < answer["att"] < answer["ci"][1]
    assert (answer["p_value"] < 0.05) == (answer["ci"][0] > 0.0)
    assert answer["iroas"] is None
    assert sum(answer["weights"].values()) == pytest.approx(1.0)
    assert {other["method"] for other in answer["sensitivity"]} >= {"sdid", "asc"}


def test_an_assignment_file_and_lines_for_people(panel: Path, tmp_path: Path) -> None:
    assignment = tmp_path / "assignment.csv"
    rows = [
        "geo,group",
        "m03,treated",
        "m11,treated",
        *(f"m{one:02d},control" for one in range(20) if one not in (3, 11)),
    ]
    assignment.write_text("\n".join(rows))
    done = analyze_geo(
        str(panel), "--date", "date", "--geo", "geo", "--outcome", "sales", "--assignment", str(assignment),
        "--start", "46", "--method", "tbr",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("tbr: It was asked for.")
    assert "note: TBR takes the errors" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("--treated", "atlantis", "--start", "46"), "unknown-units"),
        (("--treated", "m03", "--start", "99"), "not-yet-readable"),
        (("--treated", "m03", "--start", "46", "--cost", "spend"), "invalid-panel"),
        (("--start", "46"), "invalid-test"),
        (("--treated", "m03", "--start", "46", "--seed", "-1"), "invalid-input"),
    ],
)
def test_what_cannot_be_analysed_is_a_problem_on_stderr(panel: Path, arguments: tuple[str, ...], code: str) -> None:
    done = analyze_geo(str(panel), "--date", "date", "--geo", "geo", "--outcome", "sales", *arguments, "--json")
    assert done.returncode == 2
    assert done.stdout == ""
    problem = json.loads(done.stderr)
    assert problem["code"] == code
    assert problem["fix"]


def test_units_whose_names_have_commas_stand_in_quotes(tmp_path: Path) -> None:
    source = factor_panel(13, noise=0.02)
    names = ('"m00, NY"', "m01", '"m02, OH"', *source.units[3:])
    file = tmp_path / "panel.csv"
    file.write_bytes(as_csv(replace(source, units=names)))
    done = analyze_geo(
        str(file), "--date", "date", "--geo", "geo", "--outcome", "sales", "--treated", '"m00, NY", m01',
        "--treated", "m05", "--exclude", '"m02, OH"', "--start", "46", "--method", "did", "--placebos", "30", "--json",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert set(answer["treated"]) == {"m00, NY", "m01", "m05"}
    assert answer["controls"] == 16
