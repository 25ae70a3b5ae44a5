"""What can be done with scenarios: the one door for pages, REST, jobs, commands and the planner."""

from planning.services.comparison import compare_scenarios
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

__all__ = [
    "SOLVE",
    "STAGES",
    "Feasibility",
    "answer_scenario",
    "check_scenario",
    "compare_scenarios",
    "create_scenario",
    "delete_scenario",
    "duplicate_scenario",
    "given_of",
    "relax_scenario",
    "solve_scenario",
    "update_scenario",
]
