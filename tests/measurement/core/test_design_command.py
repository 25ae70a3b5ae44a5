"""`manage.py design_geo`: from a file to designs, without a server."""

import csv
import io
import json

import pytest
from django.core.management import call_command

from measurement.core.assignment_file import read_assignment_file
from tests.measurement.core.histories import history


@pytest.fixture
def ask(tmp_path, capsys):
    """Runs the command on a panel of states; answers with the status, what it printed and its errors."""
    panel = history(units=14, periods=60, names="{}")
    states = ("OH", "PA", "TX", "ME", "WA", "UT", "FL", "IA", "NY", "NJ", "CO", "GA", "MI", "AZ")
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(["day", "state", "sales", "spend"])
    for row, state in enumerate(states):
        for day, sold in zip(panel.periods, panel.outcome[row], strict=True):
            writer.writerow([day, state, f"{sold:.2f}", f"{sold / 10:.2f}"])
    path = tmp_path / "panel.csv"
    path.write_text(out.getvalue())

    def run(*options):
        usual = ["--date", "day", "--geo", "state", "--outcome", "sales", "--keep", "5", "--windows", "7"]
        usual += ["--treated-counts", "2,3"]
        try:
            call_command("design_geo", str(path), *usual, *options)
            status = 0
        except SystemExit as end:
            status = end.code
        printed = capsys.readouterr()
        return status, printed.out, printed.err

    run.folder = tmp_path
    return run


def test_candidates_have_what_is_promised(ask):
    status, out, _ = ask(
        "--duration", "7,10", "--effect", "0,0.05,0.1", "--include", "tx", "--exclude", "OH,PA", "--json"
    )
    found = json.loads(out)
    assert status == 0
    assert {one["duration"] for one in found["candidates"]} == {7, 10}
    for one in found["candidates"]:
        assert {"treated", "duration", "mde", "power", "investment", "aa_bias", "rmse"} <= one.keys()
        assert list(one["power"]) == ["0", "0.05", "0.1"]
        assert "TX" in one["treated"]
        assert not {"OH", "PA"} & set(one["treated"])
        assert one["investment"] is None
    assert len(found["windows"]) == 7
    assert found["frontier"][0]["mde"] == min(one["mde"] for one in found["candidates"])


def test_the_same_seed_prints_the_same(ask):
    assert ask("--duration", "7", "--json", "--seed", "4") == ask("--duration", "7", "--json", "--seed", "4")


def test_people_get_a_table(ask):
    _, out, _ = ask("--duration", "7", "--kind", "go_dark", "--cost", "spend", "--top", "3")
    lines = out.splitlines()
    assert lines[0] == "Go-dark: What is lost where today's advertising stops."
    assert lines[2].split()[:3] == ["rank", "periods", "MDE"]
    assert [line.split()[0] for line in lines[3:6]] == ["1", "2", "3"]
    assert " -" in lines[3]


def test_neighbouring_states_are_kept_apart_and_the_assignment_is_written(ask):
    path = ask.folder / "assignment.csv"
    _, out, _ = ask("--duration", "7", "--apart", "--buffer", "--json", "--assignment", str(path))
    best = json.loads(out)["candidates"][0]
    assert not {"OH", "PA"} <= set(best["treated"])
    written = read_assignment_file(path.read_bytes())
    assert list(written.of("treated")) == sorted(best["treated"])
    assert len(written.of("control")) == best["controls"]


def test_a_crosswalk_says_what_is_near(ask):
    path = ask.folder / "regions.csv"
    path.write_text("unit,region\nTX,one\nME,one\n")
    _, out, _ = ask("--duration", "7", "--apart", "--crosswalk", str(path), "--include", "TX", "--json")
    assert not any("ME" in one["treated"] for one in json.loads(out)["candidates"])


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--duration", "seven"], "is no list of numbers"),
        (["--duration", "7.5"], "is no list of numbers"),
        (["--duration", "7", "--windows", "1"], "look-back of 1"),
        (["--duration", "7", "--treated-share", "0.1"], "is no range"),
        (["--duration", "7", "--include", "Kansas"], "no unit 'Kansas'"),
        (["--duration", "7", "--crosswalk", "nowhere.csv", "--apart"], "cannot be read"),
        (["--duration", "7", "--budget", "5"], "needs the cost"),
        (["--duration", "7", "--effect", "x"], "is no list of numbers"),
        (["--duration", "7", "--seed", "-1"], "The seed is -1"),
        (["--duration", "7", "--include", '"TX, north"'], "no unit 'TX, north'"),
    ],
)
def test_bad_input_is_one_problem_on_stderr(ask, options, words):
    status, out, err = ask(*options, "--json")
    assert (status, out) == (2, "")
    assert words in json.loads(err)["detail"]
