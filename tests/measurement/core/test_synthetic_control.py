"""Weights on the simplex: optimal by certificate and by another solver, alike one by one and in a batch."""

from __future__ import annotations

import cvxpy as cp
import numpy as np
import pytest

from measurement.core.placebo import placebo_sets, shares_of
from measurement.core.synthetic_control import GAP, demeaned, projected, simplex_weights
from tests.measurement.core.geo_panels import factor_panel


def problem(seed: int, *, units: int = 20, periods: int = 45, size: int = 2, count: int = 30) -> tuple[np.ndarray, ...]:
    outcome = factor_panel(seed, units=units, periods=periods).outcome
    fitted = demeaned(outcome, slice(None))
    shares = shares_of(placebo_sets(units, list(range(size)), count=count, seed=seed), units)
    return fitted @ fitted.T, shares, shares == 0.0


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("ridge", [0.0, 1e4])
def test_every_row_is_solved_to_its_gap(seed: int, ridge: float) -> None:
    gram, shares, donors = problem(seed, periods=45 if seed % 2 else 8)
    found = simplex_weights(gram, shares, donors, ridge=ridge)
    assert np.allclose(found.weights.sum(axis=1), 1.0)
    assert (found.weights >= 0.0).all()
    assert (found.weights[~donors] == 0.0).all()
    assert (found.gap <= 2.0 * GAP * np.einsum("gu,gu->g", shares @ gram, shares)).all()


@pytest.mark.parametrize("seed", range(3))
def test_another_solver_finds_nothing_better(seed: int) -> None:
    gram, shares, donors = problem(seed, count=3)
    found = simplex_weights(gram, shares, donors)
    root = np.linalg.cholesky(gram + 1e-9 * np.trace(gram) * np.eye(len(gram)))
    for row in range(len(shares)):
        weights = cp.Variable(gram.shape[0], nonneg=True)
        misfit = cp.sum_squares(root.T @ (weights - shares[row]) / np.sqrt(np.trace(gram)))
        cp.Problem(cp.Minimize(misfit), [cp.sum(weights) == 1, weights[~donors[row]] == 0]).solve(solver=cp.CLARABEL)
        assert found.weights[row] == pytest.approx(weights.value, abs=2e-4)


def test_one_row_is_what_it_is_in_a_batch() -> None:
    gram, shares, donors = problem(1)
    batch = simplex_weights(gram, shares, donors)
    for row in (0, 7, 30):
        alone = simplex_weights(gram, shares[row : row + 1], donors[row : row + 1])
        assert alone.weights[0] == pytest.approx(batch.weights[row], abs=1e-5)


def test_twin_controls_and_a_perfect_fit_do_no_harm() -> None:
    outcome = factor_panel(4, units=6, periods=30).outcome
    outcome = np.vstack([outcome, outcome[3], 2.0 * outcome[3] - outcome[4]])
    outcome[0] = 0.25 * outcome[1] + 0.75 * outcome[2]
    fitted = demeaned(outcome, slice(None))
    shares = np.eye(8)[:1]
    found = simplex_weights(fitted @ fitted.T, shares, shares == 0.0)
    assert found.misfit[0] < 1e-3 * np.linalg.norm(fitted[0])
    assert found.weights[0, [1, 2]] == pytest.approx([0.25, 0.75], abs=0.01)


def test_the_projection_is_the_nearest_point() -> None:
    rng = np.random.default_rng(5)
    points, mask = rng.normal(0.0, 2.0, (50, 7)), rng.random((50, 7)) < 0.6
    mask[:, 0] = True
    near = projected(points, mask)
    assert np.allclose(near.sum(axis=1), 1.0)
    assert (near >= 0.0).all()
    assert (near[~mask] == 0.0).all()
    for _ in range(200):
        other = projected(rng.normal(0.0, 2.0, points.shape), mask)
        inside = np.where(mask, points - near, 0.0)
        # No feasible direction leads nearer to the point.
        assert ((inside * (other - near)).sum(axis=1) <= 1e-9).all()
