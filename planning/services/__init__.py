"""What can be done with scenarios: the one door for pages, REST, jobs, commands and the planner."""

from planning.services.comparison import compare_answers, compare_scenarios
from planning.services.explanation import Explanation, explain_scenario, tighten_scenario, tighter_roas
from planning.services.pacing import Forecast, Paced, budgets_from_scenario, delete_budget, forecast_pacing, set_budget
from planning.services.scenarios import (
    SOLVE,
    STAGES,
    Feasibility,
    answer_scenario,
    check_scenario,
    create_scenario,
    delete_scenario,
    duplicate_scenario,
    given_of,
    relax_scenario,
    solve_scenario,
    update_scenario,
)
from planning.services.simulation import RESTS, keep_allocation, simulate_allocation

__all__ = [
    "RESTS",
    "SOLVE",
    "STAGES",
    "Explanation",
    "Feasibility",
    "Forecast",
    "Paced",
    "answer_scenario",
    "budgets_from_scenario",
    "check_scenario",
    "compare_answers",
    "compare_scenarios",
    "create_scenario",
    "delete_budget",
    "delete_scenario",
    "duplicate_scenario",
    "explain_scenario",
    "forecast_pacing",
    "given_of",
    "keep_allocation",
    "relax_scenario",
    "set_budget",
    "simulate_allocation",
    "solve_scenario",
    "tighten_scenario",
    "tighter_roas",
    "update_scenario",
]
