"""The proposed contract as YAML: valid as it stands, and honest about what nobody has decided yet."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

import yaml

from harmonization.core import rmis
from harmonization.core.contract import Contract
from harmonization.core.headers import DAYS, compact
from harmonization.core.matching.columns import Matched
from harmonization.core.matching.draft_rules import draft_rules, natural_key
from harmonization.core.matching.hidden_window import HiddenWindow
from harmonization.core.matching.meaning import Outcome
from harmonization.core.matching.proposal import ProposedColumn
from harmonization.core.matching.units import Currency

#: A header longer than a contract's text may be, or with the sign for days in it, cannot be written in one.
LONGEST_HEADER: Final = 400
#: Answers offered where the file does not tell its window.
WINDOWS: Final = {"1D": 1, "3D": 3, "7D": 7, "14D": 14, "30D": 30}
_UNITS: Final = {"micros": "micros", "cents": "cents", "percent": "percent"}
_VIEWS: Final = ("view", "both")
_SLUG: Final = re.compile(r"[^a-z0-9]+")


class _Plain(yaml.SafeDumper):
    """Values in full: a contract has no anchors."""

    def ignore_aliases(self, data: object) -> bool:
        return True


@dataclass(slots=True)
class Draft:
    """A contract's document, with what was noticed while it was written."""

    document: dict[str, Any]
    notes: list[str] = field(default_factory=list)
    decisions: list[str] = field(default_factory=list)

    def text(self) -> str:
        """As YAML, with the decisions on top as comments; empty where there is nothing to map."""
        if not self.document["fields"]:
            return ""
        lines = ["# Proposed from the file's headers and values. Look at what has a low confidence before publishing."]
        lines += [f"# To decide: {_one_line(decision)}" for decision in self.decisions]
        body = yaml.dump(
            self.document, Dumper=_Plain, sort_keys=False, allow_unicode=True, width=118, default_flow_style=None
        )
        return "\n".join(lines) + "\n" + str(body)


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of the file beside its columns. `near` is a contract that knows at least half of its headers."""

    network: str
    report: str
    kind: str
    currency: Currency
    decimal_sign: str
    grain: str
    near: Contract | None = None
    header_rows: int = 1
    sheet: str | None = None
    window: HiddenWindow = field(default_factory=HiddenWindow)


def draft(matched: Matched, facts: Facts) -> Draft:
    """The contract that the matched columns make."""
    made = Draft({})
    usable = _usable(matched, made)
    fields = [_field(column) for column in usable if column.attribution is None and column.target is not None]
    targets = {one["target"] for one in fields}
    if "period_start" not in targets and "event_ts_utc" in targets:
        instant = next(one for one in fields if one["target"] == "event_ts_utc")
        fields.insert(0, {**instant, "target": "period_start"})
    if "period_start" not in {one["target"] for one in fields}:
        made.decisions.append("No column was recognised as the date of the rows: which one is it?")
    parameters: dict[str, Any] = {}
    outcomes = _outcomes(usable, parameters, facts.window, made)
    made.document = _frame(facts, made) | {"parameters": parameters, "fields": fields, "attributions": outcomes}
    if not parameters:
        del made.document["parameters"]
    _close(made, matched, facts)
    return made


def _frame(facts: Facts, made: Draft) -> dict[str, Any]:
    near = facts.near
    source: dict[str, Any] = {"formats": ["csv", "xlsx"] if facts.kind in ("csv", "xlsx") else [facts.kind]}
    if facts.sheet is not None:
        source["sheet"] = facts.sheet
    if facts.header_rows == 2:
        source["header_rows"] = 2
    if facts.decimal_sign == ",":
        source |= {"decimal_sign": ",", "thousands_sign": "."}
    source["timezone"] = near.source.timezone if near else "UTC"
    if near is None:
        made.decisions.append("The file does not name its time zone: dates are read as UTC. Which zone are they in?")
    _currency(source, facts, made)
    source["grain"] = facts.grain
    if near and near.source.row_limit:
        source["row_limit"] = near.source.row_limit
    return {
        "schema_version": "rmis/1",
        "name": slug(f"{facts.network}_{facts.report}"),
        "version": 1,
        "title": f"{facts.network.replace('_', ' ')} {facts.report.replace('_', ' ')} (proposed)"[:400],
        "network": facts.network,
        "report": facts.report,
        "coverage": {"rank": 50, "impressions": "all"},
        "source": source,
    }


def _currency(source: dict[str, Any], facts: Facts, made: Draft) -> None:
    currency, near = facts.currency, facts.near
    if currency.how in ("column", "header"):
        return
    if currency.how == "symbol" and currency.code is not None:
        source["currency"] = currency.code
    elif near is not None and near.source.currency is not None:
        source |= {"currency": near.source.currency, "currency_assumed": True}
        made.decisions.append(f"The file names no currency: {near.source.currency} is assumed, as in {near.name}.")
    else:
        sign = ", only a dollar sign" if currency.how == "symbol" else ""
        made.decisions.append(f"The file names no currency{sign}: the account's is taken. Which one is it?")


def _usable(matched: Matched, made: Draft) -> list[ProposedColumn]:
    """Mapped columns whose headers a contract can name; the others are told."""
    spelled = Counter(compact(column.source) for column in matched.columns)
    exact = Counter(column.source for column in matched.columns)
    usable = []
    for column in matched.columns:
        if column.target is None:
            continue
        shown = _one_line(column.source)[:60]
        if not column.source.strip() or not compact(column.source):
            made.decisions.append(
                f"Column {column.position + 1} looks like {column.target} and has no header: name it."
            )
        elif len(column.source) > LONGEST_HEADER or DAYS in column.source:
            made.notes.append(f"The header {shown!r} cannot be written in a contract; it is left out.")
        elif exact[column.source] > 1:
            made.decisions.append(f"Several columns are called {shown!r}: give them distinct names.")
        else:
            # Headers that differ in nothing but spaces and signs are told apart by their exact spelling.
            bare = column.source.strip() if spelled[compact(column.source)] == 1 else column.source
            usable.append(replace(column, source=bare))
    return usable


def _field(column: ProposedColumn) -> dict[str, Any]:
    target = str(column.target)
    made: dict[str, Any] = {"target": target, "headers": [column.source]}
    if target in ("period_start", "impressions", "clicks", "spend"):
        made["required"] = True
    kind = rmis.COLUMNS[target].unit
    if kind in ("date", "instant"):
        made["date_formats"] = list(column.formats)
    if column.unit in _UNITS:
        made["unit"] = _UNITS[str(column.unit)]
    if kind == "text":
        steps = [step for step in column.transforms if step in ("identifier", "upper", "gtin14")]
        if target in ("match_type", "device", "media_type", "buy_type"):
            steps = ["lower"]
        if steps:
            made["transforms"] = steps
    if target == "placement":
        made["resolver"] = "placement"
    elif target in rmis.VOCABULARIES:
        allowed = rmis.VOCABULARIES[target]
        seen = {sample: sample.casefold() for sample in column.samples if sample.casefold() in allowed}
        made["value_map"] = {"values": seen or {word: word for word in allowed}}
    if kind == "fraction" or target.startswith("reported_"):
        made["on_error"] = "warn"
    return made


# --- outcomes ---------------------------------------------------------------------------------------------------------


def _outcomes(
    columns: Sequence[ProposedColumn], parameters: dict[str, Any], hidden: HiddenWindow, made: Draft
) -> list[dict[str, Any]]:
    """One entry per figure; columns that differ in nothing but the window share one."""
    entries: dict[tuple[object, ...], dict[str, Any]] = {}
    taken = set(rmis.COLUMNS)
    for column in columns:
        outcome = column.attribution
        if outcome is None:
            continue
        header, click, view = _window(column.source, outcome, parameters, hidden)
        key = (outcome.metric, outcome.match, outcome.channel, outcome.ntb, click, view, compact(header), column.unit)
        if key in entries:
            continue
        entry: dict[str, Any] = {"id": _id(outcome, taken), "metric": outcome.metric, "headers": [header]}
        entry |= {"click_days": click, "view_days": view, "match": outcome.match}
        if view is None:
            del entry["view_days"]
        entry |= {k: v for k, v in (("channel", outcome.channel), ("ntb", outcome.ntb)) if v != "all"}
        if column.unit in ("micros", "cents"):
            entry["unit"] = column.unit
        entries[key] = entry
    told = {"click_window": hidden.click_days, "view_window": hidden.view_days}
    for name, what in (("click_window", "a click"), ("view_window", "a view")):
        if name in parameters:
            default = parameters[name]["default"]
            from_file = default == f"{told[name]}D"
            made.decisions.append(
                f"No header tells the attribution window: how many days after {what} does a purchase count? "
                f"{default} is {f'what {hidden.where} says' if from_file else 'a placeholder'}."
            )
    return list(entries.values())


def _window(
    header: str, outcome: Outcome, parameters: dict[str, Any], hidden: HiddenWindow
) -> tuple[str, int | str | None, int | str | None]:
    """The header as the contract writes it, and both windows: from the header, stated, or asked for."""
    click, view = outcome.click_days, outcome.view_days
    if click is None and view is None:
        asked: dict[str, str | None] = {"click_window": None, "view_window": None}
        for name, days, usual, touches in (
            ("click_window", hidden.click_days, "14D", (None, "click", "both")),
            ("view_window", hidden.view_days, "1D", _VIEWS),
        ):
            default = f"{days}D" if f"{days}D" in WINDOWS else usual
            if outcome.touch in touches or (outcome.touch is None and days is not None):
                asked[name] = f"${name}"
                parameters[name] = {
                    "description": f"Days after a {name[:-7]} in which a purchase counts. The file does not tell.",
                    "default": default,
                    "values": dict(WINDOWS),
                }
        return header, asked["click_window"], asked["view_window"]
    if (click is None) == (view is None):
        return header, click, view
    days = click or view
    places = list(re.finditer(rf"(?<!\d){days}(?!\d)", header))
    if len(places) != 1 or len(str(days)) > 2:
        return header, click, view
    template = header[: places[0].start()] + DAYS + header[places[0].end() :]
    return (template, "from_header", None) if click is not None else (template, None, "from_header")


def _id(outcome: Outcome, taken: set[str]) -> str:
    parts: list[str] = [outcome.metric, outcome.match]
    parts += [part for part in (outcome.channel, "ntb" if outcome.ntb == "new" else outcome.ntb) if part != "all"]
    if outcome.credited == "view" or outcome.touch == "click":
        parts.append(str(outcome.credited))
    base = name = "_".join(parts)
    number = 2
    while name in taken:
        name, number = f"{base}_{number}", number + 1
    taken.add(name)
    return name


def _close(made: Draft, matched: Matched, facts: Facts) -> None:
    document = made.document
    keys = natural_key([one["target"] for one in document["fields"]], facts.grain)
    document["default_attribution"] = _defaults(document["attributions"])
    days = {decision.meaning.outcome.click_days for decision in matched.decisions if decision.meaning.outcome}
    preferred = [window for window in (14, 7, 30, 1, 3) if window in days]
    if len(preferred) > 1:
        document["prefer_click_days"] = preferred
        made.decisions.append(
            f"Windows of {', '.join(map(str, preferred))} days stand side by side: "
            f"{preferred[0]} is taken as the headline's."
        )
    document["rules"] = draft_rules(document, matched)
    document["skip"] = [{"id": "total_row", "column": "first", "pattern": "(?i)^(grand )?totals?:?$"}]
    document["natural_key"] = keys
    document["restatement_days"] = facts.near.restatement_days if facts.near else 30
    if facts.near is None:
        made.decisions.append("How long does the network correct its figures? 30 days are assumed.")
    for empty in ("default_attribution", "rules", "attributions"):
        if not document[empty]:
            del document[empty]


def _defaults(entries: Sequence[dict[str, Any]]) -> dict[str, str]:
    """Per metric the figure that counts most: of all purchases, channels and buyers, after clicks."""
    chosen: dict[str, str] = {}
    for metric in ("sales", "orders", "units"):
        own = [entry for entry in entries if entry["metric"] == metric]
        own.sort(key=lambda e: (e["match"] != "total", "channel" in e, "ntb" in e, e["click_days"] is None, e["id"]))
        if own:
            chosen[metric] = own[0]["id"]
    return chosen


def slug(text: str) -> str:
    """A name as contracts have them."""
    name = _SLUG.sub("_", text.casefold()).strip("_")[:60]
    return name if re.fullmatch(r"[a-z][a-z0-9_]{1,62}", name) else f"report_{name}".rstrip("_")


def _one_line(text: str) -> str:
    return " ".join("".join(character if character.isprintable() else " " for character in text).split())
