"""A draft as the editor shows it: per column of the file what was suggested, what holds now, and what is to decide."""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, get_args

from harmonization.core import rmis
from harmonization.core.contract import AttributionSpec, Contract, FieldSpec
from harmonization.core.contract_edit import UNITS
from harmonization.core.headers import match_alias
from harmonization.models import MappingDraft
from harmonization.services import undecided

#: A bar of this height or more is green, of the next one orange.
HIGH, MIDDLE = 0.8, 0.5
NEW_LINES, OLD_LINES = "+", "-"


@dataclass(frozen=True)
class Row:
    """One column of the file. `state` is ok, ask, changed, ignored or out (nothing was suggested)."""

    number: int
    header: str
    samples: list[str]
    suggestion: str
    confidence: float | None
    reason: str
    target: str
    chips: list[str]
    how: str
    state: str
    choice: dict[str, Any]
    alternatives: list[dict[str, Any]]


def rows_of(draft: MappingDraft, contract: Contract | None) -> list[Row]:
    """The columns, those to decide first, then in the file's order."""
    waiting = set(undecided(draft))
    rows = [_row(column, contract, draft.decided.get(column["source"], ""), waiting) for column in draft.columns]
    return sorted(rows, key=lambda row: row.state != "ask")


def _row(column: Mapping[str, Any], contract: Contract | None, decided: str, waiting: set[str]) -> Row:
    header = str(column["source"])
    spec = _spec(contract, header)
    state = "ask" if header in waiting else decided if decided in ("changed", "ignored") else "ok"
    if spec is None and state == "ok":
        state = "out"
    suggested = column.get("target")
    return Row(
        number=int(column.get("position", 0)) + 1,
        header=header,
        samples=list(column.get("samples", []))[:3],
        suggestion=_spelled(suggested, column.get("attribution")) if suggested else "",
        confidence=column.get("confidence"),
        reason=str(column.get("reason", "")),
        target="" if spec is None else spec.target if isinstance(spec, FieldSpec) else spec.metric,
        chips=_chips(spec, contract),
        how=_how(spec),
        state=state,
        choice=_choice(spec, column, contract),
        alternatives=[
            {"label": _spelled(one.get("target"), one.get("attribution")), "json": json.dumps(_of(one))}
            for one in list(column.get("alternatives", []))[:3]
            if one.get("target")
        ],
    )


def _spec(contract: Contract | None, header: str) -> FieldSpec | AttributionSpec | None:
    if contract is None:
        return None
    for spec in (*contract.fields, *contract.attributions):
        if any(match_alias(header, alias) for alias in spec.headers):
            return spec
    return None


def _spelled(target: Any, attribution: Mapping[str, Any] | None) -> str:
    if not attribution:
        return str(target)
    said = [f"{attribution[kind]} d {kind[:-5]}" for kind in ("click_days", "view_days") if attribution.get(kind)]
    said += [str(attribution[key]) for key in ("match", "channel", "ntb") if attribution.get(key) not in ("all", None)]
    return f"{target}, {', '.join(said)}" if said else str(target)


def _window(value: Any, contract: Contract | None) -> Any:
    """A window as it is now: a parameter stands for its default answer."""
    if isinstance(value, str) and value.startswith("$") and contract is not None:
        parameter = contract.parameters[value[1:]]
        return parameter.values[parameter.default]
    return value


def _chips(spec: FieldSpec | AttributionSpec | None, contract: Contract | None) -> list[str]:
    if not isinstance(spec, AttributionSpec):
        return [spec.unit] if spec is not None and spec.unit != "units" else []
    said = []
    for kind, value in (("click", spec.click_days), ("view", spec.view_days)):
        days = _window(value, contract)
        if value == "from_header":
            said.append(f"{kind} window in the header")
        elif days is not None:
            said.append(f"{days}-day {kind}")
    said.append(spec.match.replace("_", " "))
    said += [value for value in (spec.channel, spec.ntb) if value != "all"]
    return said + ([spec.unit] if spec.unit != "units" else [])


def _how(spec: FieldSpec | AttributionSpec | None) -> str:
    """The steps from cell to value, in the contract's own words."""
    if not isinstance(spec, FieldSpec):
        return ""
    said = [str(step) if isinstance(step, str) else step.name for step in spec.transforms]
    if spec.date_formats:
        said.append(" or ".join(spec.date_formats))
    if spec.resolver:
        said.append(f"{spec.resolver} resolver")
    if spec.value_map:
        said.append(f"value map of {len(spec.value_map.values)}")
    return ", ".join(said)


def _of(one: Mapping[str, Any]) -> dict[str, Any]:
    attribution = one.get("attribution") or {}
    kept = {
        key: attribution[key] for key in ("click_days", "view_days", "match", "channel", "ntb") if attribution.get(key)
    }
    return {"target": one.get("target") or "", **kept}


def _choice(
    spec: FieldSpec | AttributionSpec | None, column: Mapping[str, Any], contract: Contract | None
) -> dict[str, Any]:
    """What the form of the column starts from."""
    if spec is None:
        return _of(column)
    if isinstance(spec, FieldSpec):
        return {"target": spec.target, "unit": spec.unit, "date_formats": " | ".join(spec.date_formats)}
    windows = {}
    for kind in ("click_days", "view_days"):
        value = _window(getattr(spec, kind), contract)
        attribution = column.get("attribution") or {}
        windows[kind] = attribution.get(kind) if value == "from_header" else value
    return {
        "target": spec.metric,
        **windows,
        "match": spec.match,
        "channel": spec.channel,
        "ntb": spec.ntb,
        "unit": spec.unit,
    }


def options() -> dict[str, Any]:
    """What the form of a column can choose from."""
    made = {"event_key", "source_row", "load_id", "batch_id", "contract", "report", "unread", "source_tz"}
    fields = [(column.name, column.description) for column in rmis.EVENTS if column.name not in made]
    return {
        "fields": fields,
        "metrics": get_args(rmis.Metric),
        "matches": get_args(rmis.Match),
        "channels": get_args(rmis.Channel),
        "ntbs": get_args(rmis.Ntb),
        "units": UNITS,
    }


def changes(before: str, after: str) -> tuple[list[tuple[str, str]], int, int]:
    """Changed lines with a little around them, each with its class; how many are new, how many gone."""
    marks = {"+": "p", "-": "m", "@": "h", " ": ""}
    found = list(difflib.unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=2))[2:]
    lines = [(marks.get(line[:1], ""), line[1:] if line[:1] in "+- " else line) for line in found]
    return lines, sum(kind == "p" for kind, _ in lines), sum(kind == "m" for kind, _ in lines)
