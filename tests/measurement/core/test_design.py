"""Market search: rules that are kept, power that behaves, errors that are those of the analysis."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import nct, norm

from measurement.core.assignment import InvalidDesign
from measurement.core.design import assignment_of, design_geo
from measurement.core.detectable import _noncentral_t, one_market_mde, one_market_power, placebo_level
from measurement.core.frontier import undominated
from measurement.core.geo import analyze_geo
from measurement.core.market_sets import as_members
from measurement.core.out_of_sample import Group, moderated, past_errors, windows_of
from measurement.core.reading_panels import read_panel
from tenants.core.problems import InvalidInput
from tests.measurement.core.histories import history
from tests.measurement.doors import needs_reference, reference


def search(panel=None, **given):
    usual = {"durations": [7], "windows": 7, "keep": 6, "treated_counts": [2], "seed": 1}
    return design_geo(panel or history(units=14), **(usual | given))


def sets(found):
    return [set(candidate.treated) for candidate in found.candidates]


@pytest.mark.parametrize("seed", range(4))
def test_included_markets_are_treated_and_excluded_ones_never(seed):
    found = search(seed=seed, include=["M03"], exclude=["m01", "m02"], treated_counts=[2, 3])
    assert all("m03" in treated for treated in sets(found))
    assert not any({"m01", "m02"} & treated for treated in sets(found))
    assert {len(treated) for treated in sets(found)} == {2, 3}


def test_shares_of_volume_are_kept_and_refusals_counted():
    panel = history(units=14)
    volume = dict(zip(panel.units, panel.outcome.sum(axis=1) / panel.outcome.sum(), strict=True))
    found = search(panel, treated_share=(0.1, 0.2))
    for candidate in found.candidates:
        share = sum(volume[unit] for unit in candidate.treated)
        assert 0.1 <= share <= 0.2
        assert candidate.treated_share == pytest.approx(share)
        assert candidate.holdout_share == pytest.approx(1 - share)
    assert found.refused["treated volume share"] > 0
    assert "treated volume share" in " ".join(found.warnings)


def test_the_holdout_of_a_go_dark_are_the_treated():
    found = search(kind="go_dark", holdout_share=(0.1, 0.2))
    assert all(candidate.holdout_share == candidate.treated_share for candidate in found.candidates)


def ring(panel):
    return [frozenset({one, other}) for one, other in zip(panel.units, panel.units[1:], strict=False)]


def test_neighbours_are_not_both_treated():
    panel = history(units=14)
    for treated in sets(search(panel, neighbours=ring(panel), treated_counts=[3])):
        assert not any(pair <= treated for pair in ring(panel))


def test_buffered_neighbours_are_no_controls():
    panel = history(units=14)
    found = search(panel, neighbours=ring(panel), buffered=True)
    for candidate in found.candidates:
        beside = {unit for pair in ring(panel) if pair & set(candidate.treated) for unit in pair}
        assert candidate.controls == 14 - len(beside)
    chosen = assignment_of(panel, found.candidates[0], neighbours=ring(panel), buffered=True)
    assert len(chosen.of("control")) == found.candidates[0].controls
    assert set(chosen.of("treated")) == set(found.candidates[0].treated)
    assert all("touches" in row.why for row in chosen.rows if row.group == "excluded")


def test_same_seed_same_designs():
    assert search(seed=5) == search(seed=5)
    assert sets(search(seed=5, keep=3)) != sets(search(seed=6, keep=3))


def test_order_of_markets_in_the_panel_does_not_change_a_full_search():
    panel = history(units=8)
    turned = replace(panel, units=panel.units[::-1], outcome=panel.outcome[::-1])
    one, other = (search(side, keep=40, alpha=0.1) for side in (panel, turned))
    assert {frozenset(treated) for treated in sets(one)} == {frozenset(treated) for treated in sets(other)}
    assert len(sets(one)) == 28
    rmse = {frozenset(candidate.treated): candidate.rmse for candidate in one.candidates}
    for candidate in other.candidates:
        assert candidate.rmse == pytest.approx(rmse[frozenset(candidate.treated)], rel=0.1, abs=1e-3)


@pytest.mark.parametrize("counts", [[1], [2], [5]])
def test_power_grows_with_the_effect_and_starts_near_alpha(counts):
    effects = [-0.2, -0.1, -0.05, 0.0, 0.02, 0.05, 0.1, 0.2, 0.4]
    for candidate in search(treated_counts=counts, effects=effects).candidates:
        chances = [candidate.power[effect] for effect in effects]
        assert chances[3:] == sorted(chances[3:])
        assert chances[:4] == sorted(chances[:4], reverse=True)
        assert chances[3] < 0.2


def test_mde_is_where_power_reaches_its_aim():
    for candidate in search(effects=[0.1]).candidates:
        again = search(effects=[candidate.mde], keep=6)
        twin = next(one for one in again.candidates if one.treated == candidate.treated)
        assert twin.power[candidate.mde] == pytest.approx(0.8, abs=0.005)


def test_longer_tests_and_more_markets_find_smaller_effects():
    found = search(history(units=24, periods=120), durations=[7, 28], treated_counts=[2, 6], keep=10)

    def mean(**asked):
        return np.mean(
            [
                one.mde
                for one in found.candidates
                if all((len(one.treated) if name == "size" else one.duration) == value for name, value in asked.items())
            ]
        )

    assert mean(size=6) < mean(size=2)
    assert mean(duration=28, size=6) < mean(duration=7, size=2)


def test_candidates_are_ranked_by_all_three_and_drift_loses():
    panel = history(units=14, noise=0.02)
    outcome = panel.outcome.copy()
    outcome[0] *= np.linspace(1.0, 6.0, outcome.shape[1]) ** 2
    found = search(replace(panel, outcome=outcome), keep=100)
    assert [candidate.rank for candidate in found.candidates] == list(range(1, len(found.candidates) + 1))
    best = found.candidates[: len(found.candidates) // 4]
    assert not any("m00" in candidate.treated for candidate in best)
    worst = found.candidates[-10:]
    assert np.mean([candidate.rmse for candidate in worst]) > 3 * np.mean([candidate.rmse for candidate in best])


def test_spend_follows_the_kind():
    panel = history(units=14, cost=True)
    dark = search(panel, kind="go_dark", effects=[-0.1])
    assert all(candidate.investment == pytest.approx(-0.1 * candidate.baseline) for candidate in dark.candidates)
    up = search(panel, kind="heavy_up", change=0.5)
    assert all(candidate.investment == pytest.approx(0.05 * candidate.baseline) for candidate in up.candidates)
    back = search(history(units=14), cost_per_incremental=2.0)
    for candidate in back.candidates:
        assert candidate.investment == pytest.approx(2.0 * candidate.mde * candidate.baseline)
    assert all(candidate.investment is None for candidate in search().candidates)


def test_effects_of_a_go_dark_are_losses():
    dark, light = search(kind="go_dark", effects=[0.0, 0.1]), search(effects=[0.0, -0.1])
    for one in dark.candidates:
        twin = next(other for other in light.candidates if other.treated == one.treated)
        assert one.power[0.1] == twin.power[-0.1]
        assert one.power_checked[0.1] == twin.power_checked[-0.1]


def test_markets_that_cannot_be_read_are_counted():
    """A market that sells nothing in a window has no logarithm; it is fine as one of many for synthetic control."""
    panel = history(units=14)
    outcome = panel.outcome.copy()
    outcome[4, 46:60] = 0.0
    found = search(replace(panel, outcome=outcome), treated_counts=[2, 5])
    assert {len(treated) for treated in sets(found)} == {2}
    assert found.refused["sales of zero or less in a past window"] > 0
    assert "sales of zero" in " ".join(found.warnings)


def test_a_test_that_finds_nothing_says_so():
    """Three of six: the other three err as much with the other sign, so that no set is ever the most extreme alone."""
    found = search(history(units=6), treated_counts=[3], alpha=0.1)
    assert {candidate.method for candidate in found.candidates} == {"log_did"}
    assert all(candidate.mde is None for candidate in found.candidates)
    assert all(max(candidate.power_checked.values()) == 0.0 for candidate in found.candidates)
    assert any("no lift, however large" in warning for warning in found.warnings)


def test_few_sets_that_suffice_have_power():
    """Two of eight: 28 sets, so that the treated one must be the most extreme of all; it is no placebo of itself."""
    found = search(history(units=8, noise=0.02), treated_counts=[2], effects=[0.5])
    assert {candidate.method for candidate in found.candidates} == {"sc_indexed"}
    assert all(candidate.power[0.5] > 0.95 for candidate in found.candidates)
    assert all(candidate.power_checked[0.5] > 0.9 for candidate in found.candidates)


@pytest.mark.parametrize(("limit", "shift"), [(4.302653, 0.0), (4.302653, 3.0), (2.92, -6.0), (9.9, 12.0)])
def test_closed_form_of_two_degrees_is_the_noncentral_t(limit, shift):
    assert _noncentral_t(limit, shift) == pytest.approx(
        nct.sf(limit, 2, abs(shift)) + nct.cdf(-limit, 2, abs(shift)), abs=1e-7
    )


def test_a_budget_leaves_what_it_pays_for():
    free = search(cost_per_incremental=2.0)
    costs = sorted(candidate.investment for candidate in free.candidates)
    found = search(cost_per_incremental=2.0, budget=costs[2])
    assert len(found.candidates) == 3
    assert found.over_budget == len(costs) - 3
    with pytest.raises(InvalidDesign, match="cheapest test costs"):
        search(cost_per_incremental=2.0, budget=costs[0] / 2)
    with pytest.raises(InvalidDesign, match="needs the cost"):
        search(budget=10.0)


def test_no_candidate_beats_one_of_the_frontier():
    found = search(durations=[7, 14], treated_counts=[2, 4], cost_per_incremental=1.0)

    def costs(one):
        return np.array([one.mde, one.duration, one.investment, one.holdout_share])

    front = [costs(one) for one in found.frontier]
    for one in found.candidates:
        beaten = any((other <= costs(one)).all() and (other < costs(one)).any() for other in front)
        assert beaten == (one not in found.frontier)


def test_undominated_against_all_pairs():
    costs = np.random.default_rng(1).integers(0, 6, (80, 3)).astype(float)
    slow = [not any((other <= one).all() and (other < one).any() for other in costs) for one in costs]
    assert undominated(costs).tolist() == slow


def test_progress_is_told_window_by_window():
    told = []
    search(progress=lambda done, of: told.append((done, of)))
    assert told == [(number, 7) for number in range(1, 8)]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"windows": 1}, "look-back of 1 .*with one window it is 0 or 1"),
        ({"windows": 6}, "look-back of 6"),
        ({"durations": []}, "at least one period"),
        ({"durations": [0]}, "at least one period"),
        ({"durations": [40]}, "too few for 7 windows of 40 periods"),
        ({"include": ["nowhere"]}, "no unit 'nowhere'"),
        ({"include": ["m01"], "exclude": ["M01"]}, "included and excluded"),
        ({"include": ["m01", "m02", "m03"]}, "2 treated markets of 14"),
        ({"treated_counts": [14]}, "14 treated markets of 14"),
        ({"treated_counts": []}, "No number of treated"),
        ({"treated_share": (0.5, 0.4)}, "no range of shares"),
        ({"holdout_share": (0.0, 0.1)}, "No set of markets is allowed: .* by holdout share"),
        ({"effects": [-1.0]}, "effect is out of range"),
        ({"effects": []}, "effect is out of range"),
        ({"alpha": 0.6}, "alpha is out of range"),
        ({"power": 0.01}, "power is out of range"),
        ({"kind": "magic"}, "no kind 'magic'"),
        ({"budget": -1.0}, "budget is out of range"),
        ({"kind": "go_dark", "change": 0.5, "panel": history(units=14, cost=True)}, "cannot change spend"),
        ({"cost_per_incremental": float("nan")}, "cost per incremental unit of nan"),
        ({"cost_per_incremental": float("inf")}, "cost per incremental unit of inf"),
        ({"change": float("nan"), "panel": history(units=14, cost=True)}, "cannot change spend"),
        ({"budget": float("nan")}, "budget is out of range"),
        ({"panel": history(units=3)}, "With 3 markets there is nothing"),
        ({"panel": replace(history(units=14), outcome=np.zeros((14, 70)))}, "sell nothing"),
    ],
)
def test_designs_that_are_refused(given, words):
    with pytest.raises(InvalidDesign, match=words):
        search(**given)


def test_amounts_beyond_all_measure_are_named():
    panel = history(units=14)
    with pytest.raises(InvalidInput, match="The largest outcome is"):
        search(panel=replace(panel, outcome=panel.outcome * 1e160))


def test_history_that_is_asked_for_is_enough():
    with pytest.raises(InvalidDesign) as problem:
        windows_of(30, [14], 10)
    needed = int("".join(filter(str.isdigit, problem.value.fix)))
    assert len(windows_of(needed, [14], 10).starts) == 10
    with pytest.raises(InvalidDesign):
        windows_of(needed - 1, [14], 10)


def test_windows_lie_in_the_history():
    windows = windows_of(90, [10, 15], 10)
    assert windows.starts[0] == 30
    assert windows.starts[-1] + 15 == 90
    assert windows.independent(15) == 4.0
    assert windows.independent(1) == 10.0


def test_too_few_sets_for_any_p_value_fall_back_to_the_t_test():
    found = search(history(units=6), treated_counts=[2])
    assert {candidate.method for candidate in found.candidates} == {"sc_t"}
    assert any("t-test" in warning for warning in found.warnings)


@pytest.mark.parametrize(("sets", "alpha", "extreme"), [(401, 0.05, 20), (60, 0.05, 2), (20, 0.1, 1), (28, 0.05, 1)])
def test_level_leaves_as_many_placebos_as_p_allows(sets, alpha, extreme):
    """p = rank / sets must lie below alpha: the worst rank that does, counted by hand."""
    assert placebo_level(sets, alpha) == pytest.approx((sets - extreme) / sets)
    assert extreme / sets < alpha <= (extreme + 1) / sets


def test_no_level_where_p_cannot_be_small():
    assert placebo_level(20, 0.05) is None


@pytest.mark.parametrize("method", ["sc_indexed", "sc"])
def test_past_errors_are_those_of_the_analysis(method):
    """The lift and the statistic of a window are what `analyze_geo` finds on the history up to its end."""
    panel = history(units=14, noise=0.08)
    windows = windows_of(70, [7], 7)
    chosen = [(0, 5), (2, 9, 11)]
    members = as_members(chosen, 14)
    group = Group(
        candidates=members, references=members[:1], donors=~members, logs=False, indexed=method == "sc_indexed"
    )
    found = past_errors(panel.outcome, [group], windows, [7])[0][0].found
    for row, treated in enumerate(chosen):
        for at, start in enumerate(windows.starts):
            past = replace(panel, periods=panel.periods[: start + 7], outcome=panel.outcome[:, : start + 7])
            reading = analyze_geo(
                past,
                treated=[panel.units[unit] for unit in treated],
                start=start + 1,
                method=method,
                placebos=19,
                sensitivity=False,
            )
            assert found[row, at] == pytest.approx(reading.lift.value, abs=0.006)


def test_moderated_variances_come_nearer_to_the_truth():
    rng = np.random.default_rng(3)
    truth = 8.0 / rng.chisquare(8.0, 200)
    squares = truth * rng.chisquare(5.0, 200) / 5.0
    better = moderated(squares, 5.0)
    assert np.mean((np.log(better) - np.log(truth)) ** 2) < 0.6 * np.mean((np.log(squares) - np.log(truth)) ** 2)
    assert np.corrcoef(better, squares)[0, 1] > 0.99
    least = np.argsort(squares)[:10]
    assert (better[least] > squares[least]).all()


def test_moderation_needs_company():
    assert moderated(np.array([1.0, 2.0]), 5.0).tolist() == [1.0, 2.0]


def test_a_single_set_is_judged_in_company():
    """The error of one set over few windows says little; with one allowed set, plain draws say what is usual."""
    panel = history(units=14)
    wide = search(panel, keep=91)
    lucky = min(wide.candidates, key=lambda one: one.rmse)
    alone = search(panel, include=lucky.treated)
    assert [set(one.treated) for one in alone.candidates] == [set(lucky.treated)]
    assert alone.candidates[0].rmse == pytest.approx(lucky.rmse)
    assert alone.candidates[0].se > 1.1 * lucky.rmse


@needs_reference
@pytest.mark.reference
def test_sales_and_spend_of_the_published_design():
    """GeoLift's walk-through: chicago and portland, 15 days, a lift of 10 % at 7.50 each costs 64,563.75."""
    panel = read_panel(reference("GeoLift_PreTest.csv"), date="date", unit="location", outcome="Y")
    (best,) = search(
        panel, durations=[15], effects=[0.1], include=["chicago", "portland"], windows=10, cost_per_incremental=7.5
    ).candidates
    assert 7.5 * 0.1 * best.baseline == pytest.approx(64_563.75, rel=0.02)
    assert best.investment == pytest.approx(7.5 * best.mde * best.baseline)
    assert best.power[0.1] > 0.9


def test_one_market_is_read_by_the_noncentral_t():
    """Checked by drawing: three block values, their mean over its standard error against t with 2 degrees."""
    rng = np.random.default_rng(2)
    sigma, effect, runs = 0.02, 0.12, 40_000
    gap = effect + sigma * (1 + effect) * rng.normal(size=(runs, 1))
    blocks = gap - sigma * (1 + effect) * rng.normal(size=(runs, 3))
    error = np.sqrt(2.0) * blocks.std(axis=1, ddof=1) / np.sqrt(3.0) * np.sqrt(2.0)
    found = np.mean(np.abs(blocks.mean(axis=1)) / error > 4.302653)
    assert one_market_power(effect, sigma, 0.05) == pytest.approx(found, abs=0.01)


def test_mde_of_one_market_has_the_power_asked_for():
    mde = one_market_mde(0.001, 0.05, 0.8)
    assert one_market_power(mde, 0.001, 0.05) == pytest.approx(0.8, abs=0.01)
    assert mde / 0.001 > norm.ppf(0.975) + norm.ppf(0.8)
