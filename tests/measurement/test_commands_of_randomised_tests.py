"""The commands for randomised tests: they answer from files alone, and name what is wrong on stderr with status 2."""

from __future__ import annotations

import io
import json

import pytest
from django.core.management import call_command

from measurement.core.switchback_design import design_switchback, draw_assignment


def run(*words):
    out = io.StringIO()
    call_command(*words, "--json", stdout=out)
    return json.loads(out.getvalue())


def refusal(*words):
    error = io.StringIO()
    with pytest.raises(SystemExit) as left:
        call_command(*words, "--json", stderr=error)
    assert left.value.code == 2
    return json.loads(error.getvalue())


@pytest.fixture
def log(tmp_path):
    """Eight weeks of a store, an effect of 5 a day that comes in over two days."""
    treated = draw_assignment(design_switchback(periods=56, carryover=1), seed=4)
    lines = ["day,on,sales"]
    for day in range(56):
        came = (treated[day] + treated[max(day - 1, 0)]) / 2
        lines.append(f"{day + 1},{treated[day]},{20 + 5 * came + (day * 7) % 3}")
    path = tmp_path / "log.csv"
    path.write_text("\n".join(lines))
    return str(path)


def test_design_switchback():
    found = run("design_switchback", "--periods", "12", "--carryover", "2")
    assert (found["randomise_at"], found["risk"]) == ([1, 5, 7, 9], pytest.approx(2.56))
    drawn = run("design_switchback", "--periods", "28", "--carryover", "1", "--seed", "7", "--first-day", "2026-01-05")
    assert len(drawn["treated"]) == 28
    assert drawn["balanced_over_weekdays"]


def test_analyze_switchback(log):
    found = run(
        "analyze_switchback", log, "--period", "day", "--treated", "on", "--outcome", "sales", "--carryover", "1"
    )
    assert {"effect", "p_value", "ci"} <= set(found)
    assert (found["estimator"], found["effect"]) == ("burn_in", found["burn_in"]["effect"])
    after = run(
        "analyze_switchback", log, "--period", "day", "--treated", "on", "--outcome", "sales", "--carryover", "1",
        "--estimator", "horvitz_thompson",
    )  # fmt: skip
    assert after["effect"] == after["horvitz_thompson"]["effect"]
    assert found["effect"] == pytest.approx(5.0, abs=0.6)
    assert found["p_value"] < 0.05 < found["ci"][0]


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        ("--test means --effect 0.5", ("n_per_group", 63.77)),
        ("--test means --effect 0.5 --n 64", ("power", 0.8015)),
        ("--test means --n 64", ("effect", 0.499)),
        ("--test means --effect 0.5 --power 0.999999999", ("n_per_group", 507.57)),
        ("--test means --effect 0.5 --cluster-size 20 --icc 0.05", ("n_per_group", 124.34)),
        ("--test proportions --p1 0.10 --p2 0.12", ("n_per_group", 3840.8)),
        ("--test proportions --p1 0.10 --effect 0.02", ("n_per_group", 3840.8)),
        ("--test proportions --p1 0.10 --p2 0.12 --n 3841", ("power", 0.8)),
        ("--test proportions --p1 0.10 --n 3841", ("p2", 0.12)),
    ],
)
def test_power(words, answer):
    name, value = answer
    assert run("power", *words.split())[name] == pytest.approx(value, rel=1e-3)


def test_analyze_ab(tmp_path):
    path = tmp_path / "summary.json"
    path.write_text(
        '{"control": {"n": 3407, "sum": 1396.87, "sum_squares": 52377.9767},'
        ' "treatment": {"n": 3461, "sum": 2422.7, "sum_squares": 134698.29}}'
    )
    found = run("analyze_ab", str(path))
    assert found["relative"] == pytest.approx(0.70732, abs=5e-6)
    assert found["ci"] == pytest.approx([-0.03526, 1.44989], abs=5e-6)
    assert found["p_value"] == pytest.approx(0.06191, abs=5e-6)
    assert found["absolute"] == pytest.approx(0.29)
    looked = run("analyze_ab", str(path), "--planned-users", "13736", "--looks", "0.5,1", "--look", "1")
    for early in (looked["always_valid"], looked["group_sequential"]):
        assert early["p_value"] > found["p_value"]
        assert early["ci"][0] < found["ci"][0] < found["ci"][1] < early["ci"][1]
    assert looked["group_sequential"]["boundary"] == pytest.approx(2.963, abs=1e-3)
    assert not looked["group_sequential"]["stop"]
    sooner = run("analyze_ab", str(path), "--planned-users", "68680", "--looks", "0.5,1", "--look", "1")
    assert sooner["group_sequential"]["reached"] == pytest.approx(0.1)
    assert sooner["group_sequential"]["boundary"] > 6.0
    later = run("analyze_ab", str(path), "--planned-users", "6000", "--looks", "0.5,1", "--look", "2")
    assert later["group_sequential"]["reached"] > 1.0
    assert "always_valid" not in later


@pytest.mark.parametrize(
    ("words", "where"),
    [
        ("--looks 0.5,1", "look"),
        ("--looks half --look 1", "--looks"),
        ("--look 1", "--looks"),
        ("--planned-users 100", "planned_users"),
        ("--planned-users 0 --looks 0.5,1 --look 1", "planned_users"),
        ("--planned-users 9000 --looks 0.5,1 --look 2", "fractions"),
        ("--planned-users 9000 --method fieller", "method"),
        ("--alpha 0", "alpha"),
    ],
)
def test_looks_that_do_not_fit_are_named(tmp_path, words, where):
    path = tmp_path / "summary.json"
    path.write_text('{"control": {"n": 500, "converted": 50}, "treatment": {"n": 500, "converted": 70}}')
    assert refusal("analyze_ab", str(path), *words.split())["where"] == where


def test_people_get_lines(capsys):
    call_command("power", "--test", "means", "--effect", "0.5")
    assert "n per group            63.7656" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "where"),
    [
        ("design_switchback --periods 5 --carryover 2", "periods"),
        ("design_switchback --periods 12 --first-day 2026-01-05", "--first-day"),
        ("design_switchback --periods 12 --seed 1 --first-day monday", "--first-day"),
        ("design_switchback --periods 12 --seed -1", "--seed"),
        ("power --test means", "--effect"),
        ("power --test means --effect 0", "effect"),
        ("power --test proportions --p1 0.1", "--p1, --p2"),
        ("power --test proportions --p1 0.1 --p2 1.2", "p2"),
        ("analyze_ab nowhere.json", "nowhere.json"),
        ("analyze_switchback nowhere.csv --period a --treated b --outcome c", "nowhere.csv"),
    ],
)
def test_what_is_wrong_is_named(words, where):
    found = refusal(*words.split())
    assert found["where"] == where
    assert found["fix"]


@pytest.mark.parametrize(
    ("option", "value", "words"),
    [
        ("--treated", "off", "no column 'off'"),
        ("--randomise-at", "1,x", "no list of whole numbers"),
        ("--randomise-at", "1,50", "where no coin was tossed"),
        ("--carryover", "90", "carry-over of 90"),
        ("--seed", "-5", "The seed is -5"),
    ],
)
def test_logs_that_do_not_fit_are_named(log, option, value, words):
    given = {"--period": "day", "--treated": "on", "--outcome": "sales", "--carryover": "1", option: value}
    assert words in refusal("analyze_switchback", log, *[word for pair in given.items() for word in pair])["detail"]


def test_numbers_have_no_weekdays(log):
    columns = ["--period", "day", "--treated", "on", "--outcome", "sales"]
    assert "no weekdays" in refusal("analyze_switchback", log, *columns, "--balanced")["detail"]
