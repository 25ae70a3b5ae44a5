"""Prices for the return and cost constraints, around the exact filling of the tree.

For multipliers u >= 0 the Lagrangian is again a problem on the tree, solved by `fill_tree`. Its value D(u) is convex
in u with gradient G(x(u)), and where demand is smooth its second derivative is known in closed form: a covariance
inside each group of cells that share a binding price. So a safeguarded Newton method finds the few multipliers. Where
jumps make D kinked, cutting planes finish (Kelley's method; its linear programme also mixes the allocations seen into
one that meets the constraints, as in Dantzig-Wolfe decomposition).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from scipy.optimize import linprog, nnls

from optimization.core.envelope import BoundedResponses
from optimization.core.laminar import PricedSpend, fill_tree
from optimization.core.limits import GlobalSet
from optimization.core.responses import SMALLEST_PRICE, Floats
from optimization.core.tree import Tree

_CLOSE = 1e-12
_NEWTON_STEPS = 60
#: A step that lowers D by this share leads somewhere, whatever the residual says.
_PROGRESS = 1e-9
_CUTS = 60
#: Added to the bends of D, each in its own unit.
_RIDGE = 1e-14
#: Planes are sought up to this many times the multipliers that bound best.
_FAR = 1e3
#: Points off the bounds of the tree by more than this share of the budget are none.
_KEPT = 1e-9
#: An allocation is mended by at most this share of the way to one far inside the limits that have room there.
_FURTHEST = 1e-8
#: Limits that rounding has left a hair short are to be kept by this many times what is missing.
_NUDGES = (2.0, 20.0, 200.0)


@dataclass(frozen=True, eq=False)
class Point:
    """The best allocation at some multipliers.

    Attributes:
        filled: allocation and node prices.
        multipliers: u, shape (j,).
        value: revenue on the envelopes, money.
        slack: G_j on the envelopes, money, shape (j,).
    """

    filled: PricedSpend
    multipliers: Floats
    value: float
    slack: Floats

    @property
    def spend(self) -> Floats:
        return self.filled.spend

    @property
    def lagrangian(self) -> float:
        """D(u), an upper bound on the optimum, money."""
        return self.value + float(self.multipliers @ self.slack)


@dataclass(frozen=True, eq=False)
class Unattainable:
    """Proof that the constraints cannot be met together.

    Attributes:
        mixture: non-negative weights of the constraints, shape (j,), at which even the best allocation leaves the
            mixed constraint broken.
        point: that best allocation.
    """

    mixture: Floats
    point: Point


class LimitedFilling:
    """A tree, its cells and the global constraints over them."""

    def __init__(self, tree: Tree, cells: BoundedResponses, limits: GlobalSet, tilt: Floats | None = None) -> None:
        self.tree, self.cells, self.limits, self.tilt = tree, cells, limits, tilt
        self._guess: float | None = None
        self.fills = 0

    def best(self, start: Floats | None = None) -> Point | Unattainable:
        """The optimum on the envelopes, with a spend that meets every constraint.

        Args:
            start: multipliers to begin with, as from a similar problem, shape (j,).
        """
        point = self.at(np.zeros(len(self.limits)) if start is None else start)
        if not point.multipliers.any() and self._met(point):
            return point
        # On kinked problems branching closes what is left; the last digits of a relaxation are not worth their time.
        enough = 1e-7 if self.cells.gapped.any() else 1e-10
        point = self._newton(point)
        if self._met(point) and self._gap(point, point) <= enough:
            return point
        nudged = self._nudged(point) if point.lagrangian >= self._least_worth else None
        if nudged is not None and self._gap(nudged, point) <= enough:
            return self._priced_by(nudged, point)
        inner = self.attain(point)
        if isinstance(inner, Unattainable):
            return inner
        mended = self._mend(point, inner)
        if mended is not None and self._gap(mended, point) <= enough:
            return mended
        planed = self._cutting_planes([point, inner], inner, enough)
        if self._gap(planed, planed) <= enough or self.cells.gapped.any():
            return planed
        # Planes come near where parabolas could not begin; near by, parabolas end.
        point = self._newton(self.at(planed.multipliers))
        nudged = point if self._met(point) else self._nudged(point) or self._mend(point, planed)
        if nudged is None or not self._met(nudged) or self._gap(nudged, point) >= self._gap(planed, planed):
            return planed
        return self._priced_by(nudged, point)

    def at(self, multipliers: Floats, *, revenue: bool = True) -> Point:
        """The best allocation for revenue + multipliers @ G, or for the latter alone."""
        weights, costs = self.limits.lagrangian(multipliers, self.tilt)
        if not revenue:
            # A trace of the revenue keeps cells outside every scope from having no curve at all.
            weights, costs = multipliers @ self.limits.gain, multipliers @ self.limits.cost
            weights = np.maximum(weights, 1e-9 * float(weights.max()))
        # A cell that the scenarios give nothing keeps a trace of its curve, for a demand needs one.
        weights = np.maximum(weights, max(1e-12 * float(weights.max()), SMALLEST_PRICE))
        plain = self.limits.plain and self.tilt is None
        self.fills += 1
        filled = fill_tree(
            self.tree, self.cells, None if plain else weights, None if plain else costs, guess=self._guess
        )
        if filled.price[0] != 0.0:
            self._guess = float(filled.price[0])
        return self._point(filled, multipliers)

    def attain(self, reference: Point | None = None) -> Point | Unattainable:
        """An allocation that keeps all constraints far from broken, each in the scale it has at `reference`.

        Without one the scale is that of the budget spread alike over what the cells may take.
        """
        live, every = np.flatnonzero(self._live), len(self.limits)
        j = live.size
        if j == 0:
            return self.at(np.zeros(every))
        scale = self._scale_at(self._spread() if reference is None else reference.spend)[live]
        mixed = np.zeros(every)
        mixture = np.full(j, 1.0 / j)
        seen: list[Point] = self.idle()
        blend = seen[0] if seen else self.at(np.zeros(every))
        for _ in range(_CUTS):
            mixed[live] = mixture / scale
            point = self.at(mixed, revenue=False)
            if not self._within(point):
                break
            seen.append(point)
            upper = float(mixed @ point.slack)
            # The best found for a mixture is near its best, not a proof.
            if upper < -_CLOSE and self._excluded(mixed, point.filled.price):
                return Unattainable(mixed, point)
            rows = np.array([one.slack[live] / scale for one in seen])
            # maximise t with sum_k a_k G_j(x_k) >= t, sum a = 1
            answer = linprog(
                np.append(np.zeros(len(seen)), -1.0),
                A_ub=np.hstack([-rows.T, np.ones((j, 1))]),
                b_ub=np.zeros(j),
                A_eq=np.append(np.ones(len(seen)), 0.0)[None, :],
                b_eq=[1.0],
                bounds=[(0.0, None)] * len(seen) + [(None, None)],
                method="highs",
            )
            if answer.x is None:
                break  # planes that differ by rounding alone are no programme any more
            level = float(-answer.fun)
            blend = self._blend(seen, answer.x[:-1])
            if level >= 0.0 and (level >= 0.3 * upper or upper - level <= 1e-9):
                return blend
            if upper - level <= _CLOSE:
                break
            mixture = np.maximum(-answer.ineqlin.marginals, 0.0)
            mixture = np.where(mixture > _CLOSE * float(mixture.max()), mixture, 0.0)  # of rounding, it proves nothing
            mixture = mixture / max(float(mixture.sum()), 1e-300)
        return blend if self._met(blend) else Unattainable(mixed, seen[-1] if seen else blend)

    def idle(self) -> list[Point]:
        """The least that may be spent, where no node asks for more: with nothing spent few limits can be broken."""
        spend = self.cells.lower
        if np.any(self.tree.sums(spend) < self.tree.lower):
            return []
        free = np.zeros(self.tree.nodes)
        return [self._point(PricedSpend(spend, free, free.astype(np.intp), 0), np.zeros(len(self.limits)))]

    def _excluded(self, mixture: Floats, price: Floats) -> bool:
        """True when weak duality at these prices proves that every allocation leaves the mixed limits broken."""
        tree, cells = self.tree, self.cells
        weights, costs = mixture @ self.limits.gain, mixture @ self.limits.cost
        each = price[tree.owner] + costs
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            scaled = np.where(weights > 0.0, each / weights, 0.0)
            idle = -np.minimum(each * cells.lower, each * cells.upper)
            # What overflows is no number in the end, and proves nothing.
            best = np.where(weights > 0.0, weights * cells.conjugate(scaled), idle)
        step = price.copy()
        step[1:] -= price[tree.parent[1:]]
        edge = np.where(step > 0.0, tree.upper, tree.lower)
        bounds = np.where(step != 0.0, step * np.where(step != 0.0, edge, 0.0), 0.0)
        return float(best.sum() + bounds.sum() + mixture @ self.limits.rhs) < 0.0

    def _point(self, filled: PricedSpend, multipliers: Floats) -> Point:
        revenue = self.cells.envelope_value(filled.spend)
        slack = self.limits.slack(filled.spend, revenue)
        value = self.limits.worth(filled.spend, revenue, self.tilt)
        return Point(filled, multipliers, value, slack)

    def _scale(self, point: Point) -> Floats:
        return self._scale_at(point.spend)

    def _scale_at(self, spend: Floats) -> Floats:
        revenue = self.cells.envelope_value(spend)
        return np.maximum(self.limits.slack_scale(spend, revenue), self._least_scale)

    @cached_property
    def _least_scale(self) -> Floats:
        """Where a scope spends nothing, its limit is judged by a thousandth of what it balances usually."""
        spend = self._spread()
        usual = self.limits.slack_scale(spend, self.cells.envelope_value(spend))
        return np.where(usual > 0.0, np.maximum(1e-3 * usual, 1e-300), max(float(self.tree.upper[0]), 1e-300))

    @cached_property
    def _live(self) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        """False for a limit over lines that all stay at nothing: it is kept, and has no room, whatever happens."""
        held = self.cells.lower
        room = (self.cells.upper > held) | (held > 0.0)
        touched = np.any(((self.limits.gain != 0.0) | (self.limits.cost != 0.0)) & room, axis=1)
        return np.asarray(touched | (self.limits.rhs != 0.0))

    @cached_property
    def _least_worth(self) -> float:
        """No allocation is worth less, money: an upper bound below it says that the limits cannot be met."""
        lower = self.cells.lower
        earned = self.limits.worth(lower, self.cells.curves.value(lower), self.tilt)
        return earned - self.limits.charge * max(float(self.tree.upper[0]) - float(lower.sum()), 0.0)

    def _spread(self) -> Floats:
        lower, room = self.cells.lower, self.cells.upper - self.cells.lower
        return lower + room * min(1.0, float(self.tree.upper[0]) / max(float(room.sum()), 1e-300))

    def _within(self, point: Point) -> bool:
        """False where prices had no digits left to keep the bounds of the tree."""
        sums, room = self.tree.sums(point.spend), _KEPT * float(self.tree.upper[0])
        return bool(np.all(sums <= self.tree.upper + room) and np.all(sums >= self.tree.lower - room))

    def _met(self, point: Point) -> bool:
        return bool(np.all(point.slack >= -1e-14 * self._scale(point)))

    def _gap(self, primal: Point, dual: Point) -> float:
        return (dual.lagrangian - primal.value) / max(abs(primal.value), 1e-300)

    def _newton(self, start: Point) -> Point:
        """Minimise D(u) over u >= 0; returns the point of smallest residual."""
        point = best = start
        residual = best_residual = self._residual(point)
        # Where jumps leave kinks no step gets closer for long; cutting planes do.
        idle, patience = 0, 2 if self.cells.gapped.any() else 6
        ridge = _RIDGE
        for _ in range(_NEWTON_STEPS):
            if residual <= 1e-15 or point.lagrangian < self._least_worth:
                break
            direction = self._direction(point, ridge)
            step, moved = 1.0, None
            # Far from the answer a Newton step may overshoot by orders of magnitude.
            limit = 4.0 * (1.0 + float(point.multipliers.max()))
            direction = direction * min(1.0, limit / max(float(np.abs(direction).max()), 1e-300))
            for tried in range(12):
                trial = self.at(np.maximum(point.multipliers + step * direction, 0.0))
                trial_residual = self._residual(trial)
                lower = trial.lagrangian <= point.lagrangian + 1e-4 * float(
                    point.slack @ (trial.multipliers - point.multipliers)
                )
                # Where D is flat to rounding the residual decides; elsewhere it may lead round in circles.
                level = trial.lagrangian <= point.lagrangian + _CLOSE * abs(point.lagrangian)
                if lower or (level and trial_residual < 0.5 * residual):
                    moved = trial
                    break
                # Where curves are saturated the right multiplier may be smaller than the step by orders of magnitude.
                step *= 0.5 if tried < 2 else 0.1
            if moved is None or np.array_equal(moved.multipliers, point.multipliers):
                break
            lowered = point.lagrangian - moved.lagrangian > _PROGRESS * abs(moved.lagrangian)
            point, residual = moved, trial_residual
            ridge = max(1e-2 * ridge, _RIDGE) if step == 1.0 else max(10.0 * ridge, 1e-6)
            if residual < 0.9 * best_residual or lowered:
                idle = 0
            elif (idle := idle + 1) > (patience if best_residual > _CLOSE else 1):
                break
            if residual < best_residual or lowered:
                best, best_residual = point, residual
        return best

    def _direction(self, point: Point, ridge: float) -> Floats:
        """From u to the least of the parabola that touches D at `point`, among u >= 0; shape (j,).

        Cutting a free step off at zero instead would leave the other multipliers where they do not belong. Each limit
        is measured by its own bend, and by at least as much as lets its multiplier grow a few times over: where all
        cells of a scope are at an end, D is straight.
        """
        curve, found = self._curvature(point), np.zeros_like(point.slack)
        # A limit over cells that all stay at nothing wants no price.
        live = np.flatnonzero((np.diag(curve) > 0.0) | (np.abs(point.slack) > _CLOSE * self._scale(point)))
        if live.size == 0:
            return found  # SciPy's nnls writes past the end of a matrix without rows
        curve, slack, at = curve[np.ix_(live, live)], point.slack[live], point.multipliers[live]
        own = np.diag(curve)
        least = np.maximum(0.25 * np.abs(slack) / (1.0 + at), 1e-300)
        unit = 1.0 / np.sqrt(np.maximum(own, least))
        bend = unit[:, None] * (curve + np.diag(np.maximum(least - own, 0.0))) * unit
        size, axes = np.linalg.eigh(bend)
        size = np.maximum(size, 0.0) + ridge
        root = np.sqrt(size)[:, None] * axes.T
        aim = root @ (at / unit) - (axes.T @ (unit * slack)) / np.sqrt(size)
        try:
            best = nnls(root, aim)[0]
        except RuntimeError:  # too many of the limits take turns at zero
            best = np.maximum(np.linalg.lstsq(root, aim, rcond=None)[0], 0.0)
        found[live] = best * unit - at
        return found

    def _residual(self, point: Point) -> float:
        """How far the optimality conditions are from met, relative to the size of what the constraints balance."""
        relative = point.slack / self._scale(point)
        return float(np.max(np.where(point.multipliers > 0.0, np.abs(relative), np.maximum(-relative, 0.0))))

    def _curvature(self, point: Point) -> Floats:
        """Second derivative of D, shape (j, j): covariance of the constraints' pull on the free cells."""
        cells, tree = self.cells, self.tree
        weights, _ = self.limits.lagrangian(point.multipliers, self.tilt)
        spend = point.spend
        room = 1e-12 * np.maximum(cells.upper, 1e-300)
        free = (spend > cells.lower + room) & (spend < cells.upper - room) & (weights > 0.0)
        with np.errstate(divide="ignore", invalid="ignore"):
            bend = weights * cells.curves.curvature(spend)
            softness = np.where(free & (bend < 0.0), -1.0 / bend, 0.0)
            pull = self.limits.gain * cells.curves.marginal(spend) - self.limits.cost
        pull = np.where(softness > 0.0, pull, 0.0)
        group = point.filled.anchor[tree.owner]
        binding = np.ones(tree.nodes, dtype=np.bool_)
        binding[0] = point.filled.price[0] != 0.0
        mass = np.bincount(group, softness, minlength=tree.nodes)
        mean = np.zeros((len(self.limits), tree.nodes))
        for row in range(len(self.limits)):
            moment = np.bincount(group, softness * pull[row], minlength=tree.nodes)
            mean[row] = np.divide(moment, mass, out=np.zeros_like(moment), where=(mass > 0.0) & binding)
        centred = pull - mean[:, group]
        return np.asarray((softness * centred) @ centred.T, dtype=np.float64)

    def _mend(self, point: Point, inner: Point) -> Point | None:
        """Move towards an allocation inside the constraints by just as much as rounding has put the point outside."""
        short = point.slack < 0.0
        if not short.any():
            return point
        if np.all(inner.slack[short] > 0.0):
            return self._between(
                point, inner, float(np.max(point.slack[short] / (point.slack[short] - inner.slack[short])))
            )
        # Where nothing is spent a limit has no room, but on the way there it has: the curves are bent.
        share = 1e-16
        while share < _FURTHEST:
            mended = self._between(point, inner, share)
            if self._met(mended):
                return mended
            share *= 4.0
        return None

    def _nudged(self, point: Point) -> Point | None:
        """An allocation within the limits at prices a trace above those of a point that is just outside, or None."""
        short, scale = point.slack < 0.0, self._scale(point)
        for times in _NUDGES:
            wanted = np.where(point.multipliers > 0.0, times * (np.maximum(-point.slack, 0.0) + 1e-14 * scale), 0.0)
            step = self._direction(replace(point, slack=point.slack - wanted), _RIDGE)
            trial = self.at(np.maximum(point.multipliers + step, 0.0))
            if self._met(trial):
                return trial
            if np.all(trial.slack[short] > 0.0):
                mended = self._mend(point, trial)
                if mended is not None and self._met(mended):
                    return mended
        return None

    def _priced_by(self, found: Point, bound: Point) -> Point:
        """An allocation with the prices of another point."""
        filled = PricedSpend(found.spend, bound.filled.price, bound.filled.anchor, bound.filled.trials)
        return self._point(filled, bound.multipliers)

    def _between(self, point: Point, inner: Point, share: float) -> Point:
        spend = (1.0 - share) * point.spend + share * inner.spend
        filled = PricedSpend(spend, point.filled.price, point.filled.anchor, point.filled.trials)
        return self._point(filled, point.multipliers)

    def _blend(self, points: list[Point], shares: Floats) -> Point:
        """The convex combination of allocations, with the prices of its largest part."""
        shares = np.maximum(shares, 0.0) / max(float(np.maximum(shares, 0.0).sum()), 1e-300)
        spend = np.sum([share * one.spend for share, one in zip(shares, points, strict=True)], axis=0)
        lead = points[int(np.argmax(shares))]
        filled = PricedSpend(spend, lead.filled.price, lead.filled.anchor, lead.filled.trials)
        return self._point(filled, lead.multipliers)

    def _cutting_planes(self, seen: list[Point], inner: Point, enough: float) -> Point:
        """Kelley's method on D(u); returns the best feasible mixture with the prices of the best bound."""
        j = len(self.limits)
        bound = seen[0]
        found = inner
        for _ in range(_CUTS):
            scale = self._scale(found)
            answer = linprog(
                np.array([-one.value for one in seen]),
                A_ub=-np.array([one.slack / scale for one in seen]).T,
                b_ub=np.zeros(j),
                A_eq=np.ones((1, len(seen))),
                b_eq=[1.0],
                bounds=(0.0, None),
                method="highs",
            )
            if answer.x is None:
                break
            blend = self._mend(self._blend(seen, answer.x), inner)
            if blend is not None and self._met(blend) and blend.value > found.value:
                found = blend
            # Far out prices have no digits left for cells that a limit does not touch.
            most = _FAR * (1.0 + float(bound.multipliers.max()))
            trial = self.at(np.minimum(np.maximum(-answer.ineqlin.marginals, 0.0) / scale, most))
            if trial.lagrangian < bound.lagrangian:
                bound = trial
            if any(np.array_equal(trial.multipliers, one.multipliers) for one in seen) or not self._within(trial):
                break  # no plane that is not there
            seen.append(trial)
            if self._gap(found, bound) <= enough or trial.lagrangian <= -answer.fun * (1.0 + 1e-13):
                break
        return self._priced_by(found, bound)
