"""The lines of a scenario as a file, for pages and REST alike."""

from __future__ import annotations

from django.contrib.auth.models import AnonymousUser

from accounts.models import User
from accounts.services import require
from metrics.core.export import EXPORT_FORMATS, ExportFile
from planning.core.lines_file import write_lines
from planning.models import Scenario
from planning.presenters import export_notes, result_of
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
    chosen = next((known for known in EXPORT_FORMATS if known == kind), None)
    if chosen is None:
        raise InvalidInput(
            f"Lines cannot be written as {kind!r}.", where="export", fix=f"Use one of: {', '.join(EXPORT_FORMATS)}."
        )
    if scenario.status != Scenario.Status.SOLVED:
        raise Conflict(f"{scenario.label} is {scenario.status}; it has no lines yet.", fix="Solve it first.")
    return write_lines(result_of(scenario), chosen, name=scenario.label, notes=export_notes(scenario))
