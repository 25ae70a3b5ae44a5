"""Gates of what is no panel: sample sizes, CUPED, user tests, switchbacks, looks on the way, few clusters.

Each gate takes a seed and a number of draws and returns its figures, with what does not hold, in words, under `wrong`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np
from scipy import stats

from measurement.core.always_valid import always_valid, mixture_spread
from measurement.core.few_clusters import randomisation_inference, wild_cluster_bootstrap
from measurement.core.power import power_for_means, power_for_proportions
from measurement.core.regression import adjusted_effect, cuped
from measurement.core.sequential import crossing_chances, plan_looks
from measurement.core.switchback import analyze_switchback
from measurement.core.switchback_design import design_switchback, draw_assignment
from measurement.core.trimmed_match import trimmed_match
from measurement.core.user_test import analyze_users, group_of_sums
from proofs._panels import autoregressive, band

Gate = Callable[[int, int], Mapping[str, Any]]
#: Simulated tests per sample size: a share is known to .001.
_MANY: Final = 200_000


def gates() -> dict[str, Gate]:
    """Every gate, by what it judges."""
    return {
        "power of means": power_of_means,
        "power of proportions": power_of_proportions,
        "cuped": cuped_variance,
        "lin": lin_regression,
        "users": user_tests,
        "switchback": switchbacks,
        "group sequential": group_sequential,
        "always valid": always_valid_looks,
        "few clusters": few_clusters,
        "trimmed match": trimmed_matches,
    }


def power_of_means(seed: int, draws: int) -> dict[str, Any]:
    """The formula against t tests of drawn samples."""
    rng = np.random.default_rng([seed, 1])
    found: dict[str, Any] = {"wrong": []}
    for effect, n in ((0.5, 64), (0.2, 200), (1.0, 8), (0.1, 1571)):
        shift = effect + rng.normal(0.0, np.sqrt(2.0 / n), _MANY)
        variance = rng.chisquare(2 * n - 2, _MANY) / (2 * n - 2)
        seen = np.abs(shift) / np.sqrt(variance * 2.0 / n) > stats.t.isf(0.025, 2 * n - 2)
        _compare(found, f"d {effect}, n {n}", power_for_means(effect, n), float(seen.mean()))
    return found


def power_of_proportions(seed: int, draws: int) -> dict[str, Any]:
    """The formula against z tests of drawn counts."""
    rng = np.random.default_rng([seed, 2])
    found: dict[str, Any] = {"wrong": []}
    for p1, p2, n in ((0.10, 0.12, 3841), (0.02, 0.025, 13809), (0.5, 0.55, 1000)):
        one, two = rng.binomial(n, p1, _MANY) / n, rng.binomial(n, p2, _MANY) / n
        both = (one + two) / 2.0
        seen = np.abs(one - two) / np.sqrt(2.0 * both * (1.0 - both) / n) > stats.norm.isf(0.025)
        _compare(found, f"{p1} to {p2}, n {n}", power_for_proportions(p1, p2, n), float(seen.mean()))
    return found


def _compare(found: dict[str, Any], name: str, formula: float, simulated: float) -> None:
    found[name] = {"formula": round(formula, 4), "simulated": round(simulated, 4)}
    if abs(formula - simulated) > 0.01:
        found["wrong"].append(f"{name}: {formula:.4f} by formula, {simulated:.4f} in {_MANY:,} draws")


def cuped_variance(seed: int, draws: int) -> dict[str, Any]:
    """Variance of the adjusted difference over that of the plain one, against 1 - rho^2."""
    found: dict[str, Any] = {"wrong": []}
    arms = np.arange(400) % 2
    for rho in (0.3, 0.6, 0.9):
        rng = np.random.default_rng([seed, 3, int(100 * rho)])
        plain, adjusted, told = [], [], []
        for _ in range(draws):
            before, new = rng.standard_normal(arms.size), rng.standard_normal(arms.size)
            outcome = 5.0 + rho * before + np.sqrt(1.0 - rho**2) * new
            reading = cuped(outcome, arms, before)
            plain.append(outcome[arms == 1].mean() - outcome[arms == 0].mean())
            adjusted.append(reading.effect.value)
            told.append(reading.variance_ratio)
        ratio = float(np.var(adjusted) / np.var(plain))
        row = {"formula": 1.0 - rho**2, "simulated": ratio, "told": float(np.mean(told))}
        found[f"rho {rho}"] = {name: round(value, 4) for name, value in row.items()}
        for name in ("simulated", "told"):
            # The ratio of two variances of so many draws is itself known to about 2 % at 2,000.
            if abs(row[name] - row["formula"]) > max(0.03, 3.0 * row["formula"] * 2.0 / np.sqrt(draws)):
                found["wrong"].append(
                    f"rho {rho}: variance ratio {row[name]:.3f} {name}, {row['formula']:.3f} expected"
                )
    return found


def lin_regression(seed: int, draws: int) -> dict[str, Any]:
    """Lin's regression with HC2 on few units of unequal noise and a covariate."""

    def one(rng: np.random.Generator) -> tuple[float, bool]:
        treated = rng.permutation(np.arange(40) < 12).astype(np.int64)
        before = rng.standard_normal(40)
        outcome = 10.0 + before + rng.standard_normal(40) * (0.5 + np.abs(before))
        reading = adjusted_effect(outcome, treated, before)
        return reading.p_value, _holds(reading.effect, 0.0)

    return _levels("12 of 40 units", one, seed, 4, draws)


def user_tests(seed: int, draws: int) -> dict[str, Any]:
    """Relative lift from sums of skewed baskets, a tenth of the users buying; the truth is a lift of 10 %."""

    def one(rng: np.random.Generator) -> tuple[float, bool]:
        groups, none = [], []
        for size, lift in ((4000, 1.0), (4000, 1.1)):
            sales = (rng.random(size) < 0.1) * rng.lognormal(3.0, 0.8, size)
            groups.append(
                group_of_sums(n=size, total=float(lift * sales.sum()), squares=float(lift**2 * sales @ sales))
            )
            none.append(group_of_sums(n=size, total=float(sales.sum()), squares=float(sales @ sales)))
        reading = analyze_users(groups[0], groups[1])
        return analyze_users(none[0], none[1]).p_value, _holds(reading.relative, 0.1)

    return _levels("4,000 users in each arm", one, seed, 5, draws)


def switchbacks(seed: int, draws: int) -> dict[str, Any]:
    """An effect of 1, four tenths of which come a period later, on outcomes that remember the period before."""
    periods = 84
    design = design_switchback(periods=periods, carryover=1)
    numbers = min(draws, 1000)
    found: dict[str, Any] = {"wrong": [], "draws": numbers}
    effects: dict[str, list[float]] = {"horvitz_thompson": [], "burn_in": [], "no burn_in": []}
    rejected, held = [], []
    for number in range(numbers):
        rng = np.random.default_rng([seed, 6, number])
        noise = autoregressive(rng, (1, periods), 0.7)[0] + 0.3 * np.sin(2.0 * np.pi * np.arange(periods) / 7.0)
        arms = draw_assignment(design, seed=int(rng.integers(2**31)))
        before = np.concatenate([[0], arms[:-1]])
        reading = analyze_switchback(
            arms, 20.0 + noise + 0.6 * arms + 0.4 * before, carryover=1, randomise_at=design.randomise_at, draws=999
        )
        nothing = analyze_switchback(arms, 20.0 + noise, carryover=1, randomise_at=design.randomise_at, draws=999)
        if reading.burn_in is not None:
            effects["burn_in"].append(reading.burn_in.effect.value)
        effects["horvitz_thompson"].append(reading.horvitz_thompson.effect.value)
        alternating = rng.integers(0, 2, periods)
        outcome = noise + 0.6 * alternating + 0.4 * np.concatenate([[0], alternating[:-1]])
        effects["no burn_in"].append(float(outcome[alternating == 1].mean() - outcome[alternating == 0].mean()))
        rejected.append(nothing.chosen.p_value < 0.05)
        held.append(_holds(reading.chosen.effect, 1.0))
    for name, values in effects.items():
        mean, error = float(np.mean(values)), float(np.std(values) / np.sqrt(len(values)))
        found[name] = {"mean": round(mean, 4), "standard_error": round(error, 4)}
    if abs(found["burn_in"]["mean"] - 1.0) > max(0.03, 3.0 * found["burn_in"]["standard_error"]):
        found["wrong"].append(f"the effect after burn-in is {found['burn_in']['mean']}, not 1")
    if abs(found["horvitz_thompson"]["mean"] - 1.0) > max(0.03, 3.0 * found["horvitz_thompson"]["standard_error"]):
        found["wrong"].append(f"the Horvitz-Thompson effect is {found['horvitz_thompson']['mean']}, not 1")
    _judge(found, "randomisation test", rejected, held)
    return found


def group_sequential(seed: int, draws: int) -> dict[str, Any]:
    """Boundaries at five looks, crossed by a random walk without drift, and with one."""
    rng = np.random.default_rng([seed, 7])
    fractions = (0.2, 0.4, 0.6, 0.8, 1.0)
    steps = np.diff([0.0, *fractions])
    found: dict[str, Any] = {"wrong": []}
    for spending in ("obrien_fleming", "pocock"):
        looks = plan_looks(fractions, spending=spending)
        boundary = np.array([look.boundary for look in looks])
        for drift in (0.0, 2.8):
            walk = np.cumsum(rng.standard_normal((_MANY, 5)) * np.sqrt(steps), axis=1) / np.sqrt(fractions)
            crossed = (np.abs(walk + drift * np.sqrt(fractions)) > boundary).any(axis=1)
            _compare(
                found,
                f"{spending}, drift {drift}",
                float(crossing_chances(looks, drift=drift).sum()),
                float(crossed.mean()),
            )
        if abs(found[f"{spending}, drift 0.0"]["simulated"] - 0.05) > 0.002:
            found["wrong"].append(
                f"{spending}: {found[f'{spending}, drift 0.0']['simulated']} false positives over all looks"
            )
    return found


def always_valid_looks(seed: int, draws: int) -> dict[str, Any]:
    """A hundred looks on the way: at most 5 % ever reject, and at least 95 % hold the truth at every look."""

    def one(rng: np.random.Generator) -> tuple[float, bool]:
        n = np.arange(1, 101) * 50.0
        means = np.cumsum(rng.normal(0.0, np.sqrt(50.0), 100)) / n
        looks = list(zip(means.tolist(), (1.0 / np.sqrt(n)).tolist(), strict=True))
        reading = always_valid(looks, tau=mixture_spread(1.0 / float(np.sqrt(n[-1]))))
        return reading.p_value, _holds(reading.effect, 0.0)

    found = _levels("100 looks", one, seed, 8, draws, conservative=True)
    rng = np.random.default_rng([seed, 9])
    n = np.arange(1, 101)
    peeked = np.abs(np.cumsum(rng.standard_normal((20_000, 100)), axis=1) / np.sqrt(n)) > stats.norm.isf(0.025)
    return found | {"plain test at 100 looks": round(float(peeked.any(axis=1).mean()), 3)}


def few_clusters(seed: int, draws: int) -> dict[str, Any]:
    """Six of twelve clusters of unequal size treated, with errors that a cluster shares."""
    found: dict[str, Any] = {"wrong": []}
    for name, read, most in (
        ("randomisation inference", randomisation_inference, 1000),
        ("wild cluster bootstrap", wild_cluster_bootstrap, 300),
    ):
        numbers = min(draws, most)

        def one(rng: np.random.Generator, read: Callable[..., Any] = read) -> tuple[float, bool]:
            sizes = rng.integers(5, 25, 12)
            cluster = np.repeat(np.arange(12), sizes)
            treated = rng.permutation(np.arange(12) < 6)[cluster].astype(np.int64)
            outcome = 5.0 + rng.standard_normal(12)[cluster] + rng.standard_normal(cluster.size)
            reading = read(outcome, treated, cluster.tolist())
            return reading.p_value, _holds(reading.effect, 0.0)

        part = _levels(name, one, seed, 10 + (most == 300), numbers, conservative=True)
        found["wrong"] += part.pop("wrong")
        found[name] = part
    return found


def trimmed_matches(seed: int, draws: int) -> dict[str, Any]:
    """Twenty pairs with heavy tails, an iROAS of 2, at the published level of .8 and by Student's t at .95."""

    def one(alpha: float, reference: Any) -> Callable[[np.random.Generator], tuple[float, bool]]:
        def drawn(rng: np.random.Generator) -> tuple[float, bool]:
            spend = rng.lognormal(2.0, 0.5, 20)
            noise = 8.0 * rng.standard_t(3, 20)
            reading = trimmed_match(2.0 * spend + noise, spend, alpha=alpha, reference=reference)
            none = trimmed_match(noise, spend, alpha=alpha, reference=reference)
            low = -np.inf if reading.low is None else reading.low
            high = np.inf if reading.high is None else reading.high
            return none.p_value, low <= 2.0 <= high

        return drawn

    found = _levels("level .95, Student's t", one(0.05, "t"), seed, 12, min(draws, 1000), conservative=True)
    published = _levels("level .8, normal", one(0.2, "normal"), seed, 13, min(draws, 1000), conservative=True)
    return found | {"published, coverage of .8": published["coverage"]}


def _levels(
    name: str, one: Callable[[np.random.Generator], tuple[float, bool]], seed: int, gate: int, draws: int, *,
    conservative: bool = False,
) -> dict[str, Any]:  # fmt: skip
    """False positives (p without effect) and coverage over tests made of seed, gate and number."""
    answers = [one(np.random.default_rng([seed, gate, number])) for number in range(draws)]
    found: dict[str, Any] = {"wrong": [], "draws": draws}
    _judge(found, name, [p < 0.05 for p, _ in answers], [held for _, held in answers], conservative=conservative)
    return found


def _judge(
    found: dict[str, Any], name: str, rejected: list[bool], held: list[bool], *, conservative: bool = False
) -> None:
    wrong, covered = float(np.mean(rejected)), float(np.mean(held))
    least, most = band(0.05, len(rejected))
    found |= {"false_positives": round(wrong, 4), "coverage": round(covered, 4)}
    if wrong > most or (wrong < least and not conservative):
        found["wrong"].append(f"{name}: {wrong:.4f} false positives, allowed {least:.4f} to {most:.4f}")
    if 1.0 - covered > most:
        found["wrong"].append(f"{name}: intervals hold the truth in {covered:.4f}")


def _holds(effect: Any, truth: float) -> bool:
    low = -np.inf if effect.low is None else effect.low
    high = np.inf if effect.high is None else effect.high
    return bool(low <= truth <= high)
