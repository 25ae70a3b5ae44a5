"""A slice of the proof of measurement: other tests than it draws, and that the judge sees what is wrong."""

from __future__ import annotations

import numpy as np
import pytest

from proofs import _doors, _user_gates
from proofs._error_rates import Answer, Situation, rates, tally, verdicts
from proofs._panels import alike, generated, random_pairs, random_test

DEFAULTS = {situation.name: situation for situation in _doors.defaults()}
OTHERS = {situation.name: situation for situation in _doors.others()}
#: Tests of no effect that are judged. Of 80 tests at a true level of .05 fewer than one in a hundred sets has 10 wrong.
FEW = 80


@pytest.mark.parametrize("name", ["twenty pairs", "two markets", "one market"])
def test_default_is_not_wrong_more_often_than_it_says(name: str) -> None:
    most = 9 / FEW
    none = rates([tally(DEFAULTS[name], "plain", 0.0, 1001, range(FEW))])
    lifted = rates([tally(DEFAULTS[name], "plain", 0.10, 1001, range(FEW // 2))])
    assert none["rejected"] <= most
    assert none["coverage"] >= 1 - most
    assert lifted["coverage"] >= 1 - most - 0.01
    assert none["disagree"] == lifted["disagree"] == 0
    assert lifted["rejected"] >= {"twenty pairs": 0.8, "two markets": 0.35, "one market": 0.1}[name]
    assert abs(none["bias"]) < 0.02


def test_eight_markets_of_forty_keep_the_level() -> None:
    found = rates([tally(DEFAULTS["eight markets"], "heteroscedastic", 0.0, 1002, range(FEW // 2))])
    assert found["rejected"] <= 6 / (FEW // 2)
    assert found["disagree"] == 0


@pytest.mark.parametrize("which", ["smallest", "largest"])
def test_markets_chosen_by_size_are_not_read_wrongly_as_sales_as_they_are_would(which: str) -> None:
    sized = {situation.name: situation for situation in _doors.by_size()}
    found = rates([tally(sized[f"three {which} of 20"], "trending", 0.0, 1004, range(60))])
    assert found["rejected"] <= 9 / 60
    assert found["disagree"] == 0
    before = rates([tally(OTHERS[f"three {which} of 20 by sc"], "trending", 0.0, 1004, range(60))])
    assert before["rejected"] >= 12 / 60


@pytest.mark.parametrize("spend", ["known", "noisy"])
def test_iroas_of_two_markets_is_held_by_its_interval(spend: str) -> None:
    situation = {one.name: one for one in _doors.returns()}[f"two markets, iROAS, {spend} spend"]
    found = rates([tally(situation, "plain", 0.1, 1005, range(40))])
    assert found["coverage"] >= 1 - 6 / 40
    assert found["disagree"] == 0
    assert abs(found["bias"]) < 0.03
    assert found["rejected"] >= 0.35


def test_errors_taken_as_independent_are_found_out() -> None:
    none = rates([tally(OTHERS["two markets by tbr"], "plain", 0.0, 1003, range(FEW))])
    wrong = verdicts("tbr", {0.0: none}, conservative=True)
    assert any("false positives" in line for line in wrong)
    assert any("hold the truth" in line for line in wrong)


def test_interval_that_contradicts_its_p_is_found_out() -> None:
    odd = Situation(
        name="odd", draw=lambda rng, panel: random_test(rng, panel, 2), read=lambda *_: Answer(0.01, 0.02, -0.1, 0.1)
    )
    found = rates([tally(odd, "plain", 0.0, 1, range(5))])
    assert found["disagree"] == 5
    assert any("contradict" in line for line in verdicts("odd", {0.0: found}, conservative=True))


def test_test_that_never_rejects_passes_only_where_that_is_allowed() -> None:
    shy = {0.0: {"draws": 2000, "rejected": 0.0, "coverage": 1.0, "disagree": 0}}
    assert verdicts("shy", shy, conservative=True) == []
    assert len(verdicts("shy", shy, conservative=False)) == 1


def test_an_injected_lift_is_the_truth() -> None:
    draw = random_test(np.random.default_rng(3), generated(np.random.default_rng(2)), 3)
    change = draw.outcome(0.1) - draw.untouched
    assert change.sum() == pytest.approx(draw.incremental(0.1))
    assert np.flatnonzero(change.any(axis=1)).tolist() == draw.treated.tolist()
    assert np.flatnonzero(change.any(axis=0)).tolist() == list(range(draw.start, draw.end + 1))


def test_pairs_were_alike_before_and_a_coin_decides() -> None:
    panel = generated(np.random.default_rng(4))
    draw = random_pairs(np.random.default_rng(5), panel)
    assert sorted(row for pair in draw.pairs for row in pair) == list(range(40))
    assert {frozenset(pair) for pair in draw.pairs} == {frozenset(pair) for pair in alike(panel[:, : draw.start])}
    other = random_pairs(np.random.default_rng(6), panel)
    assert set(draw.treated.tolist()) != set(other.treated.tolist())


@pytest.mark.parametrize(
    ("name", "draws"),
    [
        ("power of means", 1),
        ("power of proportions", 1),
        ("group sequential", 1),
        ("cuped", 300),
        ("lin", 300),
        ("users", 300),
        ("always valid", 300),
        ("switchback", 100),
    ],
)
def test_gate_holds_on_fewer_draws(name: str, draws: int) -> None:
    assert _user_gates.gates()[name](1004, draws)["wrong"] == []
