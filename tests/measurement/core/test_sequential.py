"""Looking early: published boundaries, and what repeated looks do with and without them."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from measurement.core.always_valid import always_valid, mixture_spread
from measurement.core.sequential import crossing_chances, drift_for_power, plan_looks, read_look
from tenants.core.problems import InvalidInput


def equal(looks):
    return [look / looks for look in range(1, looks + 1)]


@pytest.mark.parametrize(
    ("looks", "published"),
    [
        (2, [2.963, 1.969]),
        (3, [3.710, 2.511, 1.993]),
        (4, [4.333, 2.963, 2.359, 2.014]),
        (5, [4.877, 3.357, 2.680, 2.290, 2.031]),
    ],
)
def test_boundaries_as_published(looks, published):
    """Lan and DeMets' O'Brien-Fleming spending, two-sided 5 %, equal steps."""
    assert [look.boundary for look in plan_looks(equal(looks))] == pytest.approx(published, abs=1e-3)


def test_pocock_spending_as_published():
    found = plan_looks(equal(5), spending="pocock")
    assert [look.boundary for look in found] == pytest.approx([2.438, 2.427, 2.410, 2.397, 2.386], abs=2e-3)


def test_one_look_is_the_usual_test():
    assert plan_looks([1.0])[0].boundary == pytest.approx(1.95996, abs=1e-5)
    assert drift_for_power(plan_looks([1.0])) == pytest.approx(2.8016, abs=1e-3)


def test_looks_cost_little():
    """Five O'Brien-Fleming looks make a test of 80 % power 2.5 % larger, five of Pocock's 22 %."""
    fixed = drift_for_power(plan_looks([1.0])) ** 2
    assert drift_for_power(plan_looks(equal(5))) ** 2 / fixed == pytest.approx(1.025, abs=0.002)
    assert drift_for_power(plan_looks(equal(5), spending="pocock")) ** 2 / fixed == pytest.approx(1.22, abs=0.01)


def walks(rng, tests, looks, drift=0.0):
    """z at each of equally spaced looks, shape [tests, looks]."""
    steps = rng.normal(drift / np.sqrt(looks), 1.0, (tests, looks))
    return steps.cumsum(axis=1) / np.sqrt(np.arange(1, looks + 1))


@pytest.mark.parametrize("drift", [0.0, 2.8])
def test_simulated_tests_cross_as_often_as_reckoned(drift):
    looks = plan_looks(equal(5))
    seen = np.abs(walks(np.random.default_rng(1), 100_000, 5, drift)) > [look.boundary for look in looks]
    first = np.where(seen.any(axis=1), seen.argmax(axis=1), 5)
    chances = crossing_chances(looks, drift=drift)
    assert np.bincount(first, minlength=6)[:5] / 100_000 == pytest.approx(chances, abs=0.005)
    assert drift > 0 or chances.sum() == pytest.approx(0.05, abs=1e-6)


def test_a_hundred_looks_without_and_with_protection():
    z = walks(np.random.default_rng(2), 20_000, 100)
    naive = (np.abs(z) > 1.96).any(axis=1).mean()
    assert naive == pytest.approx(0.36, abs=0.03)
    planned = (np.abs(z) > [look.boundary for look in plan_looks(equal(100))]).any(axis=1).mean()
    assert planned == pytest.approx(0.05, abs=0.005)
    # Always valid: z of look k has standard error 1/sqrt(k) here; the mixture is tuned to the last look.
    tau = mixture_spread(0.1)
    ever = 0
    for row in z[:1500]:
        looks = [(value / np.sqrt(k), 1 / np.sqrt(k)) for k, value in enumerate(row, start=1)]
        ever += always_valid(looks, tau=tau).p_value < 0.05
    assert ever / 1500 <= 0.05


@pytest.mark.parametrize("seed", range(6))
def test_no_look_contradicts_itself(seed):
    rng = np.random.default_rng(seed)
    value = float(rng.normal(2.5, 0.8))
    look = int(rng.integers(1, 5))
    found = read_look(value, 1.0, look=look, fractions=equal(4))
    outside = found.effect.low > 0 or found.effect.high < 0
    assert found.crossed == outside == (found.p_value < 0.05)
    found = always_valid([(value / 2, 1.0), (value, 1.0)], tau=1.5)
    assert (found.p_value < 0.05) == (found.effect.low > 0 or found.effect.high < 0)


def test_p_of_a_look_is_the_alpha_of_its_boundary():
    boundary = plan_looks(equal(3), alpha=0.02)[1].boundary
    assert read_look(boundary, 1.0, look=2, fractions=equal(3)).p_value == pytest.approx(0.02, rel=1e-4)


def test_repeated_intervals_hold_together():
    """5,000 tests of a true effect of 2.8: the intervals of all five looks contain it in 95 % at least."""
    looks = plan_looks(equal(5))
    fractions = np.array([look.fraction for look in looks])
    z = walks(np.random.default_rng(3), 5000, 5, drift=2.8)
    errors = 1 / np.sqrt(fractions)
    reach = np.array([look.boundary for look in looks]) * errors
    inside = (np.abs(z * errors - 2.8) <= reach).all(axis=1)
    assert inside.mean() == pytest.approx(0.95, abs=0.008)


def test_always_valid_covers_at_all_looks_and_narrows_near_the_planned_end():
    rng = np.random.default_rng(4)
    tau = mixture_spread(0.1)
    held = 0
    for _ in range(1000):
        steps = rng.normal(0.3, 1.0, 100).cumsum()
        looks = [(steps[k - 1] / k, 1 / np.sqrt(k)) for k in range(1, 101)]
        found = always_valid(looks, tau=tau)
        held += not found.contradicted and found.effect.low <= 0.3 <= found.effect.high
    assert held / 1000 >= 0.95 - 0.018
    widths = {scale: always_valid([(0.0, 0.1)], tau=scale * tau).effect.high for scale in (0.2, 1.0, 5.0)}
    assert widths[1.0] < min(widths[0.2], widths[5.0])
    assert widths[1.0] / 0.1 / stats.norm.isf(0.025) == pytest.approx(1.5, abs=0.1)


def test_the_interval_is_the_published_one():
    """Waudby-Smith et al.: sigma sqrt(2 (n rho^2 + 1) / (n^2 rho^2) log(sqrt(n rho^2 + 1) / alpha))."""
    n, rho, alpha = 400, 0.15, 0.1
    width = np.sqrt(2 * (n * rho**2 + 1) / (n**2 * rho**2) * np.log(np.sqrt(n * rho**2 + 1) / alpha))
    found = always_valid([(0.0, 1 / np.sqrt(n))], tau=rho, alpha=alpha)
    assert found.effect.high == pytest.approx(width)


@pytest.mark.parametrize(
    ("call", "where"),
    [
        (lambda: plan_looks([]), "fractions"),
        (lambda: plan_looks([0.5, 0.4, 1.0]), "fractions"),
        (lambda: plan_looks([0.5, 0.9]), "fractions"),
        (lambda: plan_looks([1.0], alpha=0.0), "alpha"),
        (lambda: read_look(1.0, 0.0, look=1, fractions=[1.0]), "std_error"),
        (lambda: read_look(1.0, 1.0, look=2, fractions=[1.0]), "look"),
        (lambda: drift_for_power(plan_looks([1.0]), power=0.01), "power"),
        (lambda: always_valid([], tau=1.0), "looks"),
        (lambda: always_valid([(1.0, 0.0)], tau=1.0), "looks"),
        (lambda: always_valid([(1.0, 1.0)], tau=0.0), "tau"),
    ],
)
def test_impossible_looks_are_named(call, where):
    with pytest.raises(InvalidInput) as told:
        call()
    assert told.value.where == where


@pytest.mark.parametrize(("planned", "made"), [([0.9, 1.0], [0.1, 1.0]), ([0.8, 0.9, 1.0], [0.1, 0.2, 1.0])])
def test_looks_off_their_plan_keep_alpha(planned, made):
    """400,000 walks whose looks come long before their time; planned boundaries reject 7 to 8 %."""
    rng = np.random.default_rng(4)
    steps = rng.normal(size=(400_000, len(made))) * np.sqrt(np.diff([0.0, *made]))
    z = np.cumsum(steps, axis=1) / np.sqrt(made)
    shares = list(planned)
    boundaries = []
    for look, share in enumerate(made, start=1):
        boundaries.append(read_look(0.0, 1.0, look=look, fractions=shares, reached=share).boundary)
        shares[look - 1] = share
    assert (np.abs(z) > boundaries).any(axis=1).mean() == pytest.approx(0.05, abs=0.0015)


def test_a_last_look_with_more_than_planned_spends_all_that_is_left():
    """Correlation of the looks is that of the samples seen: sqrt(.5 / 1.2)."""
    rng = np.random.default_rng(5)
    first, rest = rng.normal(size=(2, 400_000))
    rho = np.sqrt(0.5 / 1.2)
    last = rho * first + np.sqrt(1.0 - rho**2) * rest
    early = read_look(0.0, 1.0, look=1, fractions=[0.5, 1.0]).boundary
    late = read_look(0.0, 1.0, look=2, fractions=[0.5, 1.0], reached=1.2)
    assert ((np.abs(first) > early) | (np.abs(last) > late.boundary)).mean() == pytest.approx(0.05, abs=0.0015)
    assert read_look(late.boundary, 1.0, look=2, fractions=[0.5, 1.0], reached=1.2).p_value == pytest.approx(0.05)


@pytest.mark.parametrize("reached", [0.4, 0.5, float("nan")])
def test_a_look_not_after_the_one_before_is_refused(reached):
    with pytest.raises(InvalidInput, match=r"the one before it at 0\.5"):
        read_look(1.0, 1.0, look=2, fractions=[0.5, 1.0], reached=reached)


def test_more_looks_than_a_plan_has_are_refused():
    with pytest.raises(InvalidInput, match="51 looks"):
        read_look(1.0, 1.0, look=1, fractions=equal(51))
