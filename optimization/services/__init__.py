"""What can be done with curves and budget problems: the one door for pages, REST, jobs, commands and the planner."""

from optimization.services.adjustments import LONGEST_REASON, adjust_curves, revoke_adjustment
from optimization.services.factors import LONGEST_REASON as LONGEST_FACTOR_REASON
from optimization.services.factors import set_factor
from optimization.services.fits import FIT, METHOD, MOST_WEEKS, USUAL_WEEKS, Fitted, Tell, fit_curves, request_fit
from optimization.services.numbering import lock_numbers
from optimization.services.solves import solve_document, solve_inputs, solve_problem

__all__ = [
    "FIT",
    "LONGEST_FACTOR_REASON",
    "LONGEST_REASON",
    "METHOD",
    "MOST_WEEKS",
    "USUAL_WEEKS",
    "Fitted",
    "Tell",
    "adjust_curves",
    "fit_curves",
    "lock_numbers",
    "request_fit",
    "revoke_adjustment",
    "set_factor",
    "solve_document",
    "solve_inputs",
    "solve_problem",
]
