"""What can be done with curves and budget problems: the one door for pages, REST, jobs, commands and the planner."""

from optimization.core.posterior_import import LARGEST_FILE as LARGEST_IMPORT
from optimization.services.adjustments import LONGEST_REASON, adjust_curves, revoke_adjustment
from optimization.services.calibrated import recalibrate_curves
from optimization.services.factors import LONGEST_REASON as LONGEST_FACTOR_REASON
from optimization.services.factors import set_factor
from optimization.services.fits import FIT, METHOD, MOST_WEEKS, USUAL_WEEKS, Fitted, Tell, fit_curves, request_fit
from optimization.services.imports import import_curves
from optimization.services.numbering import lock_numbers
from optimization.services.refits import WEEKLY, refits_of, schedule_refits
from optimization.services.solves import solve_document, solve_inputs, solve_problem

__all__ = [
    "FIT",
    "LARGEST_IMPORT",
    "LONGEST_FACTOR_REASON",
    "LONGEST_REASON",
    "METHOD",
    "MOST_WEEKS",
    "USUAL_WEEKS",
    "WEEKLY",
    "Fitted",
    "Tell",
    "adjust_curves",
    "fit_curves",
    "import_curves",
    "lock_numbers",
    "recalibrate_curves",
    "refits_of",
    "request_fit",
    "revoke_adjustment",
    "schedule_refits",
    "set_factor",
    "solve_document",
    "solve_inputs",
    "solve_problem",
]
