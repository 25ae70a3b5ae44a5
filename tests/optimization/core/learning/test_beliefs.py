"""Posteriors equal their closed forms."""

from __future__ import annotations

import numpy as np
import pytest

from optimization.core.learning.beliefs import LoneBelief, Posterior, ScalePrior, SharedBelief

PATHS = [("search", "alice"), ("search", "bob"), ("display", "carol")]
PRIOR = ScalePrior(1.0, 0.5, (0.2, -0.1), (0.3, 0.2), (0.4,), 0.6)
ALL = np.arange(3)


def loadings(features: np.ndarray) -> np.ndarray:
    """Weights, intercept, nodes (display, search), own offsets: written out by hand."""
    nodes = np.array([[0.0, 1.0], [0.0, 1.0], [1.0, 0.0]])
    return np.hstack([features, np.ones((3, 1)), nodes, np.eye(3)])


def test_shared_beliefs_are_the_regression_on_all_weeks_at_once() -> None:
    rng = np.random.default_rng(1)
    belief = SharedBelief(PRIOR, PATHS)
    mean = np.array([0.2, -0.1, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0])
    precision = np.diag(1.0 / np.square([0.3, 0.2, 0.5, 0.4, 0.4, 0.6, 0.6, 0.6]))
    weighted = precision @ mean
    for _ in range(7):
        features, cells = rng.normal(size=(3, 2)), np.flatnonzero(rng.random(3) < 0.8)
        reading, variance = rng.normal(1.0, 0.5, cells.size), rng.uniform(0.05, 0.3, cells.size)
        belief.update(features, cells, reading, variance)
        rows = loadings(features)[cells]
        precision = precision + rows.T @ np.diag(1.0 / variance) @ rows
        weighted = weighted + rows.T @ (reading / variance)
    covariance = np.linalg.inv(precision)
    assert belief.covariance == pytest.approx(covariance, abs=1e-10)
    assert belief.mean == pytest.approx(covariance @ weighted, abs=1e-10)
    now = rng.normal(size=(3, 2))
    posterior = belief.posterior(now)
    assert posterior.mean == pytest.approx(loadings(now) @ covariance @ weighted, abs=1e-10)
    assert posterior.sd == pytest.approx(np.sqrt(np.diag(loadings(now) @ covariance @ loadings(now).T)), abs=1e-10)


def test_one_reading_of_a_lone_line_is_the_textbook_average() -> None:
    belief = LoneBelief(PRIOR, PATHS)
    nothing = np.zeros((3, 2))
    before = 0.5**2 + 0.4**2 + 0.6**2
    belief.update(nothing, np.array([1]), np.array([3.0]), np.array([0.1]))
    posterior = belief.posterior(nothing)
    keep = before / (before + 0.1)
    assert posterior.mean == pytest.approx([1.0, keep * 3.0 + (1.0 - keep) * 1.0, 1.0])
    assert posterior.sd**2 == pytest.approx([before, before * 0.1 / (before + 0.1), before])


def test_lone_lines_learn_their_own_weights() -> None:
    rng = np.random.default_rng(2)
    belief = LoneBelief(PRIOR, PATHS)
    spread = np.diag([0.3**2, 0.2**2, 0.5**2 + 0.4**2 + 0.6**2])
    precision, weighted = np.linalg.inv(spread), np.linalg.inv(spread) @ np.array([0.2, -0.1, 1.0])
    for _ in range(5):
        features, reading = rng.normal(size=(3, 2)), rng.normal(size=3)
        belief.update(features, ALL, reading, np.full(3, 0.2))
        row = np.append(features[2], 1.0)
        precision, weighted = precision + np.outer(row, row) / 0.2, weighted + row * reading[2] / 0.2
    assert belief.covariance[2] == pytest.approx(np.linalg.inv(precision), abs=1e-12)
    assert belief.mean[2] == pytest.approx(np.linalg.solve(precision, weighted), abs=1e-12)


def test_a_line_tells_of_its_neighbours_only_where_beliefs_are_shared() -> None:
    nothing, tight = np.zeros((3, 2)), np.array([0.01])
    shared, lone = SharedBelief(PRIOR, PATHS), LoneBelief(PRIOR, PATHS)
    for belief in (shared, lone):
        belief.update(nothing, np.array([0]), np.array([3.0]), tight)
    alice, bob, carol = shared.posterior(nothing).mean
    assert alice > bob > carol > 1.0
    assert lone.posterior(nothing).mean[1:] == pytest.approx([1.0, 1.0])


def test_both_say_the_same_before_the_first_week() -> None:
    features = np.array([[1.0, -1.0], [0.5, 2.0], [0.0, 0.0]])
    shared, lone = SharedBelief(PRIOR, PATHS).posterior(features), LoneBelief(PRIOR, PATHS).posterior(features)
    assert shared.mean == pytest.approx(lone.mean)
    assert shared.sd == pytest.approx(lone.sd)


@pytest.mark.parametrize("kind", [SharedBelief, LoneBelief])
def test_forgetting_makes_the_last_week_count_for_more(kind: type) -> None:
    nothing, variance = np.zeros((3, 2)), np.full(3, 0.1)
    keeps, forgets = kind(PRIOR, PATHS), kind(PRIOR, PATHS)
    for belief in (keeps, forgets):
        for reading in (1.0, 1.0, 1.0, 2.0):
            belief.update(nothing, ALL, np.full(3, reading), variance)
            if belief is forgets:
                belief.forget(0.3)
    assert (forgets.posterior(nothing).mean > keeps.posterior(nothing).mean + 0.05).all()
    before = keeps.posterior(nothing).sd ** 2
    keeps.forget(0.3)
    assert keeps.posterior(nothing).sd ** 2 == pytest.approx(before + 0.09)


@pytest.mark.parametrize("temperature", [0.0, 0.3, 1.0])
def test_draws_have_the_posterior_mean_factor_at_every_temperature(temperature: float) -> None:
    covariance = np.array([[0.2, 0.1, 0.0], [0.1, 0.3, 0.0], [0.0, 0.0, 0.05]])
    posterior = Posterior(np.array([0.0, 1.0, 2.0]), covariance)
    normal = np.random.default_rng(3).standard_normal((4_000, 3))
    drawn = np.array([posterior.draw(one, temperature) for one in normal])
    assert np.exp(drawn).mean(axis=0) == pytest.approx(posterior.factor, rel=0.03)
    assert np.cov(drawn.T) == pytest.approx(temperature**2 * covariance, abs=0.02)
    assert posterior.factor_sd == pytest.approx(posterior.factor * np.sqrt(np.exp(np.diag(covariance)) - 1.0))
