"""The lines of a scenario as a file, for pages and REST alike."""

from __future__ import annotations

from collections.abc import Sequence

from django.contrib.auth.models import AnonymousUser

from accounts.models import User
from accounts.services import require, require_somewhere
from metrics.core.export import EXPORT_FORMATS, ExportFile, ExportFormat
from optimization.core.problem import Path
from planning.answers import result_of
from planning.core.compare_file import write_comparison
from planning.core.lines_file import write_lines
from planning.models import Scenario
from planning.presenters import export_notes
from planning.selectors import scenario_named
from planning.services import compare_scenarios
from tenants.core.problems import Conflict, InvalidInput

EXPORT = "metrics.export"


def export_lines(*, user: User | AnonymousUser, scenario: Scenario, kind: str) -> ExportFile:
    """All lines of a solved scenario, `csv` or `xlsx`.

    Raises:
        Conflict: it is not solved.
        InvalidInput: the kind of file is unknown.
        NotAllowed: no role carries metrics.export for its brand.
    """
    require(user=user, permission=EXPORT, brand=scenario.brand)
    chosen = _kind(kind)
    if scenario.status != Scenario.Status.SOLVED:
        raise Conflict(f"{scenario.label} is {scenario.status}; it has no lines yet.", fix="Solve it first.")
    return write_lines(result_of(scenario), chosen, name=scenario.label, notes=export_notes(scenario))


def export_comparison(
    *,
    user: User | AnonymousUser,
    references: Sequence[str],
    kind: str,
    per_week: bool = False,
    scope: Path = (),
    constraint: str = "",
) -> ExportFile:
    """The lines of scenarios side by side, those of a scope and a constraint where they are given.

    Raises:
        InvalidInput, Conflict, NotFound: as `compare_scenarios`, and where the kind of file is unknown.
        NotAllowed: no role carries metrics.export for the brand of one of them.
    """
    require_somewhere(user=user, permission=EXPORT)
    for reference in references:
        scenario = scenario_named(user=user, reference=reference)
        require(user=user, permission=EXPORT, brand=scenario.brand)
    found = compare_scenarios(user=user, references=references, per_week=per_week)
    return write_comparison(found, found.narrowed(scope=scope, constraint=constraint), _kind(kind))


def _kind(kind: str) -> ExportFormat:
    chosen = next((known for known in EXPORT_FORMATS if known == kind), None)
    if chosen is None:
        raise InvalidInput(
            f"Lines cannot be written as {kind!r}.", where="export", fix=f"Use one of: {', '.join(EXPORT_FORMATS)}."
        )
    return chosen
