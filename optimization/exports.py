"""The curves of a version as a file, for pages and REST alike."""

from __future__ import annotations

from collections.abc import Mapping

from django.contrib.auth.models import AnonymousUser

from accounts.models import User
from accounts.services import require
from metrics.core.export import EXPORT_FORMATS, ExportFile
from optimization import presenters
from optimization.core.curves_file import write_curves
from optimization.models import CurveVersion
from tenants.core.problems import InvalidInput

EXPORT = "metrics.export"


def export_curves(
    *, user: User | AnonymousUser, version: CurveVersion, kind: str, query: Mapping[str, str]
) -> ExportFile:
    """The cells that `query` asks for (`presenters.filter_of`, `sort`), all of them, as `csv` or `xlsx`.

    Raises:
        InvalidInput: the kind of file is unknown.
        NotAllowed: no role carries metrics.export for its brand.
    """
    require(user=user, permission=EXPORT, brand=version.brand)
    chosen = next((known for known in EXPORT_FORMATS if known == kind), None)
    if chosen is None:
        raise InvalidInput(
            f"Curves cannot be written as {kind!r}.", where="export", fix=f"Use one of: {', '.join(EXPORT_FORMATS)}."
        )
    table = presenters.version_table(version)
    name = f"curves-{version.brand.slug if version.brand else 'all'}-v{version.number}"
    rows = presenters.rows_shown(table, query)
    return write_curves(rows, chosen, name=name, notes=presenters.notes_of(table))
