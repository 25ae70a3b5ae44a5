"""`analyze_units`: one row per unit, read by regression or by the draw, and refused where that would mislead."""

from __future__ import annotations

import io
import json
import tracemalloc

import numpy as np
import pytest
from django.core.management import call_command

from measurement.core import few_clusters
from measurement.core.panel_values import UnreadableValues
from measurement.core.reading_assignments import InvalidAssignment
from measurement.core.regression import adjusted_effect, cuped
from measurement.core.unit_outcomes import UnitOutcomes, analyze_units, read_unit_outcomes
from tenants.core.problems import InvalidInput


def users(count=400, effect=1.0, rho=0.8, seed=1):
    rng = np.random.default_rng(seed)
    before = rng.normal(20.0, 4.0, count)
    outcome = 20.0 + rho * (before - 20.0) + rng.normal(0.0, 4.0 * np.sqrt(1 - rho**2), count)
    treated = np.zeros(count, dtype=np.int64)
    treated[rng.permutation(count)[: count // 2]] = 1
    return UnitOutcomes(
        outcome=outcome + effect * treated, treated=treated, covariates=before[:, None], names=("before",)
    )


def stores(per_arm=8, users_each=25, effect=0.0, shared=2.0, seed=1):
    rng = np.random.default_rng(seed)
    count = 2 * per_arm
    shock = rng.normal(0.0, shared, count)
    kinds = rng.permutation(np.arange(count) % 2)
    code = np.arange(count).repeat(users_each)
    before = 10.0 + 0.5 * shock[code] + rng.normal(0.0, 1.0, len(code))
    outcome = 10.0 + shock[code] + effect * kinds[code] + rng.normal(0.0, 3.0, len(code))
    return UnitOutcomes(
        outcome=outcome, treated=kinds[code], covariates=before[:, None], names=("before",),
        clusters=tuple(f"store {one}" for one in code),
    )  # fmt: skip


def as_file(units, **changes):
    names = ["user", "arm", "spend", *units.names] + (["store"] if units.clusters else [])
    rows = []
    for place in range(len(units.outcome)):
        row = [f"u{place}", units.treated[place], repr(float(units.outcome[place]))]
        row += [repr(float(value)) for value in units.covariates[place]]
        rows.append([*row, units.clusters[place]] if units.clusters else row)
    return "\n".join([",".join(names), *(",".join(map(str, row)) for row in rows)]).encode()


def test_users_drawn_singly_are_read_by_lins_regression():
    units = users()
    reading = analyze_units(units)
    own = adjusted_effect(units.outcome, units.treated, units.covariates)
    assert (reading.method, reading.effect, reading.p_value) == ("lin", own.effect, own.p_value)
    assert reading.effect.low < 1.0 < reading.effect.high
    assert reading.variance_ratio == pytest.approx(1 - 0.8**2, abs=0.1)
    beside = {other.method: other for other in reading.sensitivity}
    assert list(beside) == ["difference", "cuped"]
    width = beside["difference"].ci[1] - beside["difference"].ci[0]
    assert reading.effect.high - reading.effect.low < 0.75 * width
    other = cuped(units.outcome, units.treated, units.covariates[:, 0])
    assert beside["cuped"].effect == other.effect.value
    assert reading.warnings == ()


def test_cuped_and_errors_as_asked():
    units = users(count=40)
    assert analyze_units(units, method="cuped").procedure.startswith("CUPED, slope")
    assert "HC3" in analyze_units(units, errors="hc3").procedure
    with pytest.raises(InvalidInput, match="HC3"):
        analyze_units(users(count=14), errors="hc3")


def test_groups_that_were_drawn_are_drawn_again():
    reading = analyze_units(stores(effect=4.0))
    assert reading.method == "randomisation"
    assert reading.groups == (8, 8)
    assert reading.effect.low < 4.0 < reading.effect.high
    assert [other.method for other in reading.sensitivity] == ["bootstrap"]
    assert (reading.p_value < 0.05) == (reading.effect.low > 0)


def test_shocks_of_groups_are_no_effects():
    """Where units are counted, shocks that stores share are found to be effects; where stores are, seldom."""
    draws = 60
    counted = [stores(per_arm=5, seed=seed) for seed in range(draws)]
    wrong = sum(
        adjusted_effect(one.outcome, one.treated, one.covariates).p_value < 0.05 for one in counted
    )  # fmt: skip
    right = sum(analyze_units(one).p_value < 0.05 for one in counted)
    assert wrong > 15
    assert right <= 9


@pytest.mark.parametrize(
    ("units", "options", "words"),
    [
        (stores(), {"method": "lin"}, "groups of them were drawn"),
        (stores(), {"method": "cuped"}, "groups of them were drawn"),
        (users(), {"method": "bootstrap"}, "none are named"),
        (users(), {"method": "wild"}, "no method 'wild'"),
        (users(), {"alpha": 0.7}, "alpha is 0.7"),
        (stores(per_arm=3), {"method": "bootstrap"}, "too few for the wild cluster bootstrap"),
        (users(), {"treated_share": 2.0}, "share is 2"),
        (users(), {"treated_share": float("nan")}, "share is nan"),
        (stores(), {"treated_share": 7.0}, "share is 7"),
    ],
)
def test_what_would_mislead_is_refused(units, options, words):
    with pytest.raises(InvalidInput, match=words) as caught:
        analyze_units(units, **options)
    assert caught.value.fix


def test_sizes_and_covariates_that_chance_does_not_make_are_told():
    assert any("sizes assigned" in said for said in analyze_units(users(), treated_share=0.7).warnings)
    assert any("control 30 of 6" in said for said in analyze_units(stores(per_arm=30), treated_share=0.9).warnings)
    assert not any("sizes assigned" in said for said in analyze_units(stores(), treated_share=0.4).warnings)
    units = users()
    after = UnitOutcomes(
        outcome=units.outcome, treated=units.treated, covariates=(units.covariates[:, 0] + 3 * units.treated)[:, None],
        names=("visits",),
    )  # fmt: skip
    assert any(said.startswith("visits differs between the arms") for said in analyze_units(after).warnings)
    assert "visits" not in "".join(analyze_units(units).warnings)


def test_strata_are_drawn_within():
    rng = np.random.default_rng(3)
    level = np.repeat([10.0, 100.0, 1000.0, 5.0], 6)
    treated = np.concatenate([rng.permutation([0, 0, 0, 1, 1, 1]) for _ in range(4)])
    units = UnitOutcomes(
        outcome=level + 2.0 * treated + rng.normal(0.0, 0.5, 24), treated=treated, covariates=np.zeros((24, 0)),
        strata=tuple(str(one) for one in level),
    )  # fmt: skip
    reading = analyze_units(units)
    assert reading.method == "randomisation"
    assert reading.effect.low < 2.0 < reading.effect.high
    assert reading.effect.value == pytest.approx(2.0, abs=0.5)
    assert reading.p_value < 0.01
    with pytest.raises(InvalidInput, match="strata"):
        analyze_units(units, method="lin")


def test_strata_of_other_shares_at_other_levels_move_nothing():
    """Four of five are treated at 100, one of five at 10: the effect is that within strata, and in its own interval."""
    rng = np.random.default_rng(4)
    level = np.repeat([100.0, 10.0], 100)
    treated = np.concatenate([rng.permutation(np.repeat([1, 0], sizes)) for sizes in ((80, 20), (20, 80))])
    units = UnitOutcomes(
        outcome=level + 2.0 * treated + rng.normal(0.0, 3.0, 200), treated=treated, covariates=np.zeros((200, 0)),
        strata=tuple(str(one) for one in level),
    )  # fmt: skip
    reading = analyze_units(units)
    apart = [
        units.outcome[(level == one) & (treated == 1)].mean() - units.outcome[(level == one) & (treated == 0)].mean()
        for one in (100.0, 10.0)
    ]
    assert reading.effect.value == pytest.approx(0.8 * apart[0] + 0.2 * apart[1])
    assert reading.effect.low < 2.0 < reading.effect.high
    assert reading.effect.low < reading.effect.value < reading.effect.high
    assert reading.effect.high - reading.effect.low < 4.0


def test_a_stratum_with_one_arm_is_named():
    units = UnitOutcomes(
        outcome=np.arange(12.0), treated=np.array([0, 1] * 4 + [1] * 4), covariates=np.zeros((12, 0)),
        strata=("north",) * 8 + ("south",) * 4,
    )  # fmt: skip
    with pytest.raises(InvalidInput, match="1 of 2 strata hold one arm alone, such as 'south'") as caught:
        analyze_units(units)
    assert caught.value.fix


def test_many_users_in_strata_are_read(monkeypatch):
    """Draws are made in blocks, and fewer of them of many users, so that memory holds them."""
    monkeypatch.setattr(few_clusters, "_MOST_CELLS", 1_000)
    monkeypatch.setattr(few_clusters, "_BLOCK", 60_000)
    plain = users(count=20_000, effect=0.5)
    units = UnitOutcomes(
        outcome=plain.outcome, treated=plain.treated, covariates=np.zeros((20_000, 0)),
        strata=tuple(str(place % 3) for place in range(20_000)),
    )  # fmt: skip
    tracemalloc.start()
    try:
        reading = analyze_units(units)
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert "2,000 drawn assignments" in reading.procedure
    assert reading.effect.low < 0.5 < reading.effect.high
    assert most < 40e6
    monkeypatch.setattr(few_clusters, "MOST_GROUPS", 10_000)
    with pytest.raises(InvalidInput, match="20,000 are too many"):
        analyze_units(units)


def test_the_command_says_what_the_core_says(tmp_path):
    for units, extra in ((users(), []), (stores(), ["--cluster", "store"])):
        file = tmp_path / "units.csv"
        file.write_bytes(as_file(units))
        out = io.StringIO()
        call_command(
            "analyze_units", str(file), "--outcome", "spend", "--treated", "arm", "--covariate", "before", "--json",
            *extra, stdout=out,
        )  # fmt: skip
        answer = json.loads(out.getvalue())
        reading = analyze_units(units)
        assert (answer["effect"], answer["p_value"]) == (reading.effect.value, reading.p_value)
        assert answer["ci"] == [reading.effect.low, reading.effect.high]
        assert answer["units"] == {"treated": reading.treated, "control": reading.untreated}


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (b"arm,spend\n1,2\n0,\n", "1 empty cell in 'spend'"),
        (b"arm,spend\n1,2\nmaybe,3\n", "neither treated nor control, 'maybe'"),
        (b"arm,spend\n1,2\n1,3\n", "one arm"),
        (b"arm,spend\n1,two\n0,3\n", "No finite number"),
        (b"arm,sales\n1,2\n0,3\n", "no column 'spend'"),
        (b"arm,spend\n", "no rows"),
        (b"arm,spend,spend\n1,2,9\n0,3,8\n", "Two columns are named 'spend'"),
        (b'arm, spend,"spend"\n1,2,9\n0,3,8\n', "Two columns are named 'spend'"),
    ],
)
def test_rows_that_cannot_be_read_are_named(source, words):
    with pytest.raises((InvalidInput, InvalidAssignment, UnreadableValues), match=words) as caught:
        read_unit_outcomes(source, outcome="spend", treated="arm")
    assert caught.value.fix


def test_one_column_is_one_thing():
    with pytest.raises(InvalidInput, match="named twice"):
        read_unit_outcomes(b"arm,spend\n1,2\n0,3\n", outcome="spend", treated="arm", covariates=["spend"])
