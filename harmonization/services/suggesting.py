"""What a column may be that a file has for the first time: proposed with the drift."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Final

from harmonization import selectors
from harmonization.core.contract import parse_contract
from harmonization.core.contract_edit import UNITS
from harmonization.core.matching.proposal import ProposedColumn
from harmonization.core.matching.propose import propose
from harmonization.models import Upload

#: Classes of drift that a column is proposed with.
SUGGESTED: Final = ("added", "renamed")
_OUTCOME: Final = ("click_days", "view_days", "match", "channel", "ntb")


def suggest_columns(upload: Upload, headers: Collection[str]) -> dict[str, dict[str, Any]]:
    """By header, what the file's own words and values say that the column is: `target`, `attribution`, `choice` (as
    the editor takes it), `confidence` and `reason`. A column that seems to be nothing canonical has none.
    """
    known = [parse_contract(version.text) for version in selectors.published_versions()]
    # By words and values alone: a model is not worth its loading for a column or two.
    found = propose(selectors.stored_file(upload), known, name=upload.file_name.split(".")[0])
    return {
        column.source: {
            "target": column.target,
            "attribution": column.attribution.as_dict() if column.attribution else None,
            "choice": _choice(column),
            "confidence": round(column.confidence, 3),
            "reason": column.reason,
        }
        for column in found.columns
        if column.source in headers and column.target is not None
    }


def _choice(column: ProposedColumn) -> dict[str, Any]:
    told = column.attribution.as_dict() if column.attribution else {}
    return {
        "target": column.target,
        "unit": column.unit if column.unit in UNITS else "units",
        "date_formats": list(column.formats),
        **{name: told[name] for name in _OUTCOME if told.get(name) is not None},
    }


def words_of(told: Mapping[str, Any]) -> str:
    """A suggestion in a sentence."""
    return f"It reads like {str(told['target']).replace('_', ' ')} ({told['confidence']:.0%}): {told['reason']}"
