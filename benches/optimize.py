"""Time the filling of the tree against CVXPY with Clarabel, on the same problems in the same run.

    python benches/optimize.py [--cells 1000 10000 100000] [--conic-up-to 10000] [--json]

Prints one line per size: seconds of both, their ratio, the certified gap, and how far the two objectives differ.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from optimization.core import convex
from optimization.core.domains import bounded_cells
from optimization.core.limits import GlobalSet
from optimization.core.problem import BudgetProblem, Cell, Curve, GlobalConstraint, GlobalKind, NodeBound
from optimization.core.responses import Family
from optimization.core.solve import solve_budget
from optimization.core.tree import Tree

FAMILIES = (Family.LOG, Family.MICHAELIS_MENTEN, Family.EXP_SATURATION)


def drawn_problem(cells: int, seed: int) -> BudgetProblem:
    """Five levels; a quarter of the nodes capped near what they would get, so that the caps bind."""
    rng = np.random.default_rng(seed)
    fan = max(2, cells // 800)
    k = np.exp(rng.normal(np.log(1000.0), 0.8, cells))
    a = np.exp(rng.normal(np.log(4.0), 0.7, cells)) * k
    cap = k * rng.uniform(2.0, 6.0, cells)
    lines = [
        Cell(
            f"c{i}",
            (f"ch{i % 3}", f"r{i % 5}", f"p{i % 4}", f"a{i % fan}", f"s{i}"),
            Curve(FAMILIES[i % 3], float(a[i]), float(k[i]), revenue_per_conversion=30.0),
            max_spend=float(cap[i]),
        )
        for i in range(cells)
    ]
    budget = 0.35 * float(cap.sum())
    free = solve_budget(BudgetProblem.of(lines, budget))
    sums: dict[tuple[str, ...], float] = {}
    for one, spend in zip(lines, free.spend if free.spend is not None else [], strict=True):
        for depth in range(1, 5):
            sums[one.path[:depth]] = sums.get(one.path[:depth], 0.0) + float(spend)
    bounds = [
        NodeBound(path, None, spend * float(rng.uniform(0.75, 1.1)))
        for path, spend in sorted(sums.items())
        if rng.random() < 0.25
    ]
    return BudgetProblem.of(lines, budget, node_bounds=bounds)


def measured(cells: int, seed: int, *, conic: bool) -> dict[str, Any]:
    """One size: both engines on one problem, and the tree alone with a return limit."""
    problem = drawn_problem(cells, seed)
    runs = [solve_budget(problem) for _ in range(3)]
    ours = min(runs, key=lambda one: one.seconds)
    if ours.certificate is None:
        raise AssertionError("the drawn problem can be met")
    roas = ours.objective_revenue / ours.total_spend
    limited = BudgetProblem.of(
        problem.cells,
        problem.total_budget,
        node_bounds=problem.node_bounds,
        global_constraints=[GlobalConstraint(GlobalKind.MIN_ROAS, 1.05 * roas)],
    )
    bound = solve_budget(limited)
    row: dict[str, Any] = {
        "cells": cells,
        "bounds": len(problem.node_bounds),
        "seconds": ours.seconds,
        "gap": ours.certificate.gap,
        "violation": ours.certificate.violation,
        "roas_seconds": bound.seconds,
        "roas_gap": None if bound.certificate is None else bound.certificate.gap,
    }
    if conic:
        tree, domain, limits = Tree.of(problem), bounded_cells(problem), GlobalSet.of(problem)
        convex.MOST_CELLS = max(convex.MOST_CELLS, cells)
        started = time.perf_counter()
        answer = convex.solve_conic(problem, tree, domain, limits)
        row["conic_seconds"] = time.perf_counter() - started
        row["conic_status"] = answer.status
        row["ratio"] = row["conic_seconds"] / ours.seconds
        row["difference"] = answer.revenue / ours.certificate.objective - 1.0
    return row


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cells", type=int, nargs="+", default=[100, 1000, 10_000, 100_000])
    parser.add_argument("--conic-up-to", type=int, default=1000, help="largest size that the conic solver also gets")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    rows = [measured(size, options.seed, conic=size <= options.conic_up_to) for size in options.cells]
    if options.json:
        sys.stdout.write(json.dumps(rows) + "\n")
        return
    for row in rows:
        line = "  ".join(
            f"{key} {value:.3g}" if isinstance(value, float) else f"{key} {value}" for key, value in row.items()
        )
        sys.stdout.write(line + "\n")


if __name__ == "__main__":
    main()
