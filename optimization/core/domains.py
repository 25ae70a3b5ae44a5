"""The curves of a problem on the domains that its cells allow."""

from __future__ import annotations

import numpy as np

from optimization.core.conflicts import active_lower
from optimization.core.envelope import BoundedResponses
from optimization.core.problem import BudgetProblem


def bounded_cells(problem: BudgetProblem) -> BoundedResponses:
    """The curves on their domains; a cell without a cap gets one beyond anything the budget could give it."""
    lower = active_lower(problem)
    beyond = np.maximum(2.0 * problem.available, lower) + problem.responses.scale
    upper = np.where(np.isfinite(problem.upper), problem.upper, beyond)
    return BoundedResponses.of(problem.responses, lower, upper, problem.commitments)
