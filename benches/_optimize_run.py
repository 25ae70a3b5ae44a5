"""One measured step of `benches.optimize` in a process of its own.

    python -m benches._optimize_run SOLVER CELLS SEED plain|limited SECONDS MEMORY_MIB

Prints one JSON object. The problem is drawn and its arrays are built before the clock starts: for the product's own
solver `first_seconds` also holds what a problem costs the first time, from its objects to arrays and the tree. After
that many CPU seconds of another solver the kernel ends the process by SIGPROF.
"""

from __future__ import annotations

import json
import resource
import signal
import sys
import time
from importlib import import_module
from typing import Any

import numpy as np

from benches._harmonize_run import peak_mib
from benches._optimize_peers import IMPORTS, PEERS
from benches._optimize_problem import drawn_problem
from optimization.core.problem import BudgetProblem, GlobalKind
from optimization.core.responses import Floats
from optimization.core.solve import solve_budget

_REPEATS = 3


def rmn(problem: BudgetProblem) -> dict[str, Any]:
    """The product: seconds of CPU, certified gap."""
    taken = []
    solved = None
    for _ in range(_REPEATS + 1):
        began = time.process_time()
        solved = solve_budget(problem)
        taken.append(time.process_time() - began)
    if solved is None or solved.spend is None or solved.certificate is None:
        raise AssertionError("the drawn problem can be met")
    return {
        "first_seconds": taken[0],
        "seconds": min(taken[1:]),
        "gap": solved.certificate.gap,
        "engine": solved.engine,
        **judged(problem, solved.spend),
    }


def peer(name: str, problem: BudgetProblem) -> dict[str, Any]:
    """Another solver: seconds of CPU once, as none of them ends in less than a tenth of a second."""
    import_module(IMPORTS[name])
    _ = problem.responses, problem.lower, problem.upper, problem.revenue_per_conversion
    began = time.process_time()
    spend = PEERS[name](problem)
    return {"seconds": time.process_time() - began, **judged(problem, spend)}


def judged(problem: BudgetProblem, spend: Floats) -> dict[str, Any]:
    """Revenue, and by how much of the budget the allocation breaks anything asked for."""
    revenue = problem.responses.value(np.maximum(spend, 0.0))
    worst = max(0.0, float(spend.sum()) - problem.available, float(np.max(spend - problem.upper)), float(-spend.min()))
    # One pass over the cells: asking each bound for its members would take its number times as long.
    sums: dict[tuple[str, ...], float] = {bound.path: 0.0 for bound in problem.node_bounds}
    for cell, amount in zip(problem.cells, spend.tolist(), strict=True):
        for depth in range(1, len(cell.path)):
            if cell.path[:depth] in sums:
                sums[cell.path[:depth]] += amount
    for bound in problem.node_bounds:
        if bound.max_spend is not None:
            worst = max(worst, sums[bound.path] - bound.max_spend)
    for one in problem.global_constraints:
        if one.kind is GlobalKind.MIN_ROAS:
            worst = max(worst, one.value * float(spend.sum()) - float(revenue.sum()))
        else:
            orders = float((revenue / problem.revenue_per_conversion).sum())
            worst = max(worst, float(spend.sum()) - one.value * orders)
    return {"revenue": float(revenue.sum()), "violation": worst / problem.available}


def main() -> None:
    solver, cells, seed, kind, seconds, memory = sys.argv[1:7]
    problem = drawn_problem(int(cells), int(seed), limited=kind == "limited")
    if solver == "rmn":
        found = rmn(problem)
    else:
        limit = int(memory) * 2**20
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
        # The default action of the signal also ends compiled code that never comes back to Python.
        signal.signal(signal.SIGPROF, signal.SIG_DFL)
        signal.setitimer(signal.ITIMER_PROF, float(seconds))
        try:
            found = peer(solver, problem)
        except ImportError as missing:
            found = {"failed": f"not installed: {missing.name}"}
        except MemoryError:
            found = {"failed": f"needs more than {int(memory):,} MiB"}
        except Exception as failure:  # noqa: BLE001 - whatever another solver ends in is its result
            found = {"failed": " ".join(f"{type(failure).__name__}: {failure}".split())[:160]}
    sys.stdout.write(json.dumps({**found, "bounds": len(problem.node_bounds), "peak_mib": round(peak_mib())}) + "\n")


if __name__ == "__main__":
    main()
