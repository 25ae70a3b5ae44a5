"""Changing what a contract says of one column, the way a person does in the editor.

The document is the contract's YAML as plain values, before it is checked: what an edit makes of it is checked like any
text that somebody wrote. Comments of the text are lost by an edit, except those at its top.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, Final, get_args

import yaml

from harmonization.core import rmis
from harmonization.core.headers import DAYS, match_alias
from harmonization.core.located_yaml import read_located_yaml
from tenants.core.problems import InvalidInput

Document = dict[str, Any]
#: Formats that a date column is tried with where nobody named one.
USUAL_DATES: Final = ("%Y-%m-%d", "%m/%d/%Y", "%b %d, %Y")
UNITS: Final = ("units", "micros", "cents", "thousands", "percent")


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What one column is. `target` is a canonical column, an outcome's metric, or None: it is not read.

    Windows, `match`, `channel` and `ntb` are those of an outcome; a window in neither means that the file does not
    tell it, and the contract asks for it.
    """

    target: str | None
    click_days: int | None = None
    view_days: int | None = None
    match: str = "total"
    channel: str = "all"
    ntb: str = "all"
    unit: str = "units"
    date_formats: tuple[str, ...] = ()

    @property
    def is_outcome(self) -> bool:
        return self.target in get_args(rmis.Metric)

    def as_dict(self) -> dict[str, Any]:
        return {**asdict(self), "date_formats": list(self.date_formats)}


def read_choice(given: Mapping[str, Any]) -> Choice:
    """A choice from untrusted values.

    Raises:
        InvalidInput: a target, unit or qualifier that there is not; `where` names it.
    """
    unknown = sorted(set(given) - {each.name for each in fields(Choice)})
    if unknown:
        raise InvalidInput(f"A column has no {unknown[0]!r}.", where=unknown[0], fix="Remove it.")
    target = given.get("target") or None
    metrics = get_args(rmis.Metric)
    if target is not None and target not in rmis.COLUMNS and target not in metrics:
        raise InvalidInput(f"There is no canonical column {target!r}.", where="target", fix="Choose one of the list.")
    words = {
        "match": (given.get("match") or "total", get_args(rmis.Match)),
        "channel": (given.get("channel") or "all", get_args(rmis.Channel)),
        "ntb": (given.get("ntb") or "all", get_args(rmis.Ntb)),
        "unit": (given.get("unit") or "units", UNITS),
    }
    for name, (value, known) in words.items():
        if value not in known:
            raise InvalidInput(f"{value!r} is no {name}.", where=name, fix=f"Use one of {', '.join(known)}.")
    formats = given.get("date_formats") or ()
    if isinstance(formats, str):
        formats = [part.strip() for part in formats.split("|")]
    return Choice(
        target=target,
        click_days=_days(given.get("click_days"), "click_days"),
        view_days=_days(given.get("view_days"), "view_days"),
        date_formats=tuple(str(one)[:80] for one in formats if str(one).strip())[:10],
        **{name: str(value) for name, (value, _) in words.items()},
    )


def _days(value: Any, where: str) -> int | None:
    if value in (None, ""):
        return None
    try:
        days = int(value)
    except (TypeError, ValueError):
        days = 0
    if not 1 <= days <= 365:
        raise InvalidInput(f"{value!r} is no window in days.", where=where, fix="Write 1 to 365, or leave it empty.")
    return days


def read_document(text: str) -> Document:
    """The contract's text as plain values, unchecked.

    Raises:
        InvalidContract, TooLarge: it cannot be read as YAML of a contract.
    """
    value = read_located_yaml(text).value
    if not isinstance(value, dict):
        raise InvalidInput("The contract is not a mapping of keys.", where="line 1", fix="Start from a proposal.")
    return value


def write_document(document: Document, *, like: str = "") -> str:
    """As YAML, under the comments that stand at the top of `like`."""
    top = []
    for line in like.splitlines():
        if line.strip() and not line.startswith("#"):
            break
        top.append(line)
    body = yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=118, default_flow_style=None)
    return "\n".join([*top, str(body)]) if top else str(body)


def assign(document: Document, header: str, choice: Choice, headers: Sequence[str]) -> Document:
    """The document in which the column `header`, one of the file's `headers`, is what `choice` says.

    A canonical column has one source: whichever fed it before is not read any more. Rules, keys, defaults and
    expectations of examples that spoke of what is gone go with it.
    """
    made = copy.deepcopy(document)
    made["fields"] = list(made.get("fields") or [])
    made["attributions"] = list(made.get("attributions") or [])
    before = _names(made)
    required = _release(made, header, headers)
    if choice.is_outcome:
        made["attributions"].append(_outcome(made, header, choice))
    elif choice.target is not None:
        made["fields"] = [one for one in made["fields"] if one.get("target") != choice.target]
        made["fields"].append(_field(header, choice, required=required))
    _forget(made, before - _names(made))
    if choice.is_outcome:
        defaults = made.setdefault("default_attribution", {})
        defaults.setdefault(str(choice.target), made["attributions"][-1]["id"])
    return {key: value for key, value in made.items() if key == "fields" or value not in ([], {})}


def _release(document: Document, header: str, headers: Sequence[str]) -> bool:
    """Take the column out of whatever reads it; whether that was required."""
    required = False
    for part in ("fields", "attributions"):
        kept = []
        for one in document[part]:
            aliases = [alias for alias in one.get("headers", []) if isinstance(alias, str)]
            if not any(match_alias(header, alias) for alias in aliases):
                kept.append(one)
                continue
            required = required or bool(one.get("required"))
            kept += _without(one, header, headers)
        document[part] = kept
    return required


def _without(entry: Document, header: str, headers: Sequence[str]) -> list[Document]:
    """The entry for the other columns that its headers fit; a pattern over windows becomes one entry for each."""
    made: list[Document] = []
    plain = [alias for alias in entry["headers"] if DAYS not in alias and not match_alias(header, alias)]
    if plain:
        made.append({**entry, "headers": plain})
    for alias in (alias for alias in entry["headers"] if DAYS in alias):
        for other in headers:
            hit = match_alias(other, alias)
            if hit is None or other == header or hit.days is None:
                continue
            kind = "click_days" if entry.get("click_days") == "from_header" else "view_days"
            made.append({**entry, "id": f"{entry['id']}_{hit.days}d", "headers": [other.strip()], kind: hit.days})
    return made


def _field(header: str, choice: Choice, *, required: bool) -> Document:
    target = str(choice.target)
    column = rmis.COLUMNS[target]
    made: Document = {"target": target, "headers": [header.strip()]}
    if required or target == "period_start":
        made["required"] = True
    if column.unit in ("date", "instant"):
        made["date_formats"] = list(choice.date_formats or USUAL_DATES)
    if choice.unit != "units" and column.unit in ("money", "count", "fraction"):
        made["unit"] = choice.unit
    if target == "placement":
        made["resolver"] = "placement"
    elif target in rmis.VOCABULARIES:
        made["value_map"] = {"values": {word: word for word in rmis.VOCABULARIES[target]}}
    if target.startswith("reported_"):
        made["on_error"] = "warn"
    return made


def _outcome(document: Document, header: str, choice: Choice) -> Document:
    click, view = choice.click_days, choice.view_days
    stated: dict[str, Any] = {"click_days": click}
    if view is not None:
        stated["view_days"] = view
    if click is None and view is None:
        parameters = document.setdefault("parameters", {})
        parameters.setdefault(
            "click_window",
            {
                "description": "Days after a click in which a purchase counts. The file does not tell.",
                "default": "14D",
                "values": {"1D": 1, "3D": 3, "7D": 7, "14D": 14, "30D": 30},
            },
        )
        stated["click_days"] = "$click_window"
    made: Document = {"id": _id(document, choice), "metric": choice.target, "headers": [header.strip()], **stated}
    made["match"] = choice.match
    made |= {key: value for key, value in (("channel", choice.channel), ("ntb", choice.ntb)) if value != "all"}
    if choice.unit in ("micros", "cents", "thousands"):
        made["unit"] = choice.unit
    return made


def _id(document: Document, choice: Choice) -> str:
    parts = [str(choice.target), choice.match]
    parts += [part for part in (choice.channel, "" if choice.ntb == "all" else f"ntb_{choice.ntb}") if part != "all"]
    base = "_".join(part for part in parts if part)
    taken = {str(one.get("id")) for one in document["attributions"]} | set(rmis.COLUMNS)
    name, number = base, 2
    while name in taken:
        name, number = f"{base}_{number}", number + 1
    return name


def _names(document: Document) -> set[str]:
    """What rules, keys and defaults can speak of because a column feeds it."""
    found = {str(one.get("target")) for one in document["fields"]}
    found |= {str(one["value_map"].get("keep_raw_in")) for one in document["fields"] if one.get("value_map")}
    return found | {str(one.get("id")) for one in document["attributions"]}


def _forget(document: Document, gone: set[str]) -> None:
    always = {column.name for column in rmis.EVENTS if column.always}
    unmapped = gone - always
    rules = []
    for rule in document.get("rules") or []:
        columns = rule.get("columns")
        if isinstance(columns, list):
            left = [name for name in columns if name not in gone]
            if left:
                rules.append({**rule, "columns": left})
        elif rule.get("column") in gone or any(name in _words(rule.get("expression")) for name in gone):
            continue
        else:
            rules.append(rule)
    document["rules"] = rules
    document["natural_key"] = [name for name in document.get("natural_key") or [] if name not in unmapped]
    document["derived"] = [
        one for one in document.get("derived") or [] if not gone & set(_words(one.get("expression")))
    ]
    document["skip"] = [one for one in document.get("skip") or [] if one.get("column") not in gone]
    defaults = document.get("default_attribution") or {}
    document["default_attribution"] = {metric: name for metric, name in defaults.items() if name not in gone}
    for example in document.get("examples") or []:
        example["expect"] = {name: value for name, value in (example.get("expect") or {}).items() if name not in gone}


def _words(text: Any) -> list[str]:
    return "".join(sign if sign.isalnum() or sign == "_" else " " for sign in str(text or "")).split()


#: Keys of a contract that the editor's form about the report asks for.
FRAME: Final = ("name", "title", "network", "report", "timezone", "currency", "restatement_days", "click_window")


def read_frame(document: Document) -> dict[str, str]:
    """What the contract says of the report as a whole, for a form; `click_window` where the file tells none."""
    source = document.get("source") or {}
    window = (document.get("parameters") or {}).get("click_window") or {}
    plain = {key: document.get(key) for key in ("name", "title", "network", "report", "restatement_days")}
    plain |= {"timezone": source.get("timezone"), "currency": source.get("currency")}
    plain["click_window"] = (window.get("values") or {}).get(window.get("default"))
    return {key: "" if value is None else str(value) for key, value in plain.items()}


def set_frame(document: Document, given: Mapping[str, str]) -> Document:
    """The document with the report's particulars as given; keys that are not given stay.

    Raises:
        InvalidInput: days that are no number.
    """
    made = copy.deepcopy(document)
    source = made.setdefault("source", {})
    for key in ("name", "title", "network", "report"):
        if text := given.get(key, "").strip():
            made[key] = text
    if zone := given.get("timezone", "").strip():
        source["timezone"] = zone
    if "currency" in given:
        code = given["currency"].strip().upper()
        source.pop("currency_assumed", None)
        source.pop("currency", None)
        if code:
            source["currency"] = code
    if text := given.get("restatement_days", "").strip():
        made["restatement_days"] = _whole(text, "restatement_days")
    if (text := given.get("click_window", "").strip()) and "click_window" in (made.get("parameters") or {}):
        days = _days(text, "click_window")
        made["parameters"]["click_window"] |= {"default": f"{days}D"}
        made["parameters"]["click_window"]["values"] |= {f"{days}D": days}
    return made


def _whole(text: str, where: str) -> int:
    if not text.isdecimal() or int(text) > 400:
        raise InvalidInput(f"{text!r} is no number of days.", where=where, fix="Write 0 to 400.")
    return int(text)
