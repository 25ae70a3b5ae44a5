"""From a CSV file of units and groups to an assignment."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
import polars as pl

from measurement.core.arrays import Ints
from measurement.core.panel_values import lines_text
from measurement.core.reading_panels import InvalidPanel, read_text_table, refuse_names
from measurement.core.words import count_of

_TREATED: Final = {"treated", "treatment", "test", "t"}
_CONTROL: Final = {"control", "ctl", "c"}
#: Numbered groups: 0 and 1, or 1 and 2 as the published geo experiments write them; the higher one is treated.
_NUMBERED: Final = ({"0", "1"}, {"1", "2"})
_UNIT_COLUMNS: Final = ("geo", "unit", "location", "market", "sku")
_GROUP_COLUMNS: Final = ("group", "geo.group", "assignment", "treatment", "cell")


class InvalidAssignment(InvalidPanel):
    """A file that does not tell which units are treated."""

    code = "invalid-assignment"
    title = "The assignment cannot be used"


def read_assignment(source: str | Path | bytes) -> dict[str, str]:
    """Unit -> `treated`, `control`, or another group in the file's own words (which takes no part).

    The columns are `geo` and `group` (or names near to it), else the first two. Groups are told in words, or are
    numbered 0 and 1, or 1 and 2, where the higher number is treated.

    Raises:
        InvalidAssignment: no such columns, a unit in two groups, no treated unit or no control.
    """
    frame = read_text_table(source)[0]
    names = {name.casefold(): name for name in frame.columns}
    unit = next((names[name] for name in _UNIT_COLUMNS if name in names), None)
    group = next((names[name] for name in _GROUP_COLUMNS if name in names), None)
    if unit is None or group is None:
        if frame.width < 2:
            raise InvalidAssignment("The file has one column.", where="header", fix="Give the columns geo and group.")
        unit, group = unit or frame.columns[0], group or frame.columns[1]
    refuse_names(frame[unit], column=unit)
    pairs = frame.select(unit=pl.col(unit).str.strip_chars(), group=pl.col(group).str.strip_chars().str.to_lowercase())
    pairs = pairs.filter(pl.col("unit").fill_null("") != "").unique(maintain_order=True)
    twice = pairs.filter(pl.col("unit").str.to_lowercase().is_duplicated())
    if len(twice):
        raise InvalidAssignment(
            f"{twice['unit'][0]!r} is in several groups.", where=f"column {group!r}", fix="Give each unit one group."
        )
    groups = set(pairs["group"].fill_null("").unique()) - {""}
    words = dict.fromkeys(_TREATED, "treated") | dict.fromkeys(_CONTROL, "control")
    for numbered in _NUMBERED:
        if groups == numbered:
            words = {min(numbered): "control", max(numbered): "treated"}
    found = {
        name: words.get(label or "", label or "no group")
        for name, label in zip(pairs["unit"], pairs["group"], strict=True)
    }
    for wanted in ("treated", "control"):
        if wanted not in found.values():
            raise InvalidAssignment(
                f"No unit is in the group {wanted!r}; the groups are {', '.join(sorted(groups)) or 'empty'}.",
                where=f"column {group!r}",
                fix="Name the groups treated and control.",
            )
    return found


def arms_of(cells: pl.Series, *, column: str) -> Ints:
    """1 for each treated row, 0 for each control, by the words of `read_assignment`.

    Raises:
        InvalidAssignment: a cell that says neither, with its line; or one arm alone.
    """
    text = cells.str.strip_chars().str.to_lowercase().fill_null("")
    groups = set(text.unique())
    words = dict.fromkeys(_TREATED, 1) | dict.fromkeys(_CONTROL, 0)
    for numbered in _NUMBERED:
        if groups == numbered:
            words = {min(numbered): 0, max(numbered): 1}
    if len(groups) < 2:
        raise InvalidAssignment("All units are in one arm.", where=f"column {column!r}", fix="Give both arms.")
    numbers = set() if groups & set(words) - {"0", "1", "2"} else set.union(*_NUMBERED)
    bad = np.flatnonzero([label not in words and label not in numbers for label in text])
    if not len(bad):
        bad = np.flatnonzero([label not in words for label in text])
    if len(bad):
        raise InvalidAssignment(
            f"{count_of(len(bad), 'cell')} of {column!r} neither treated nor control, {cells[int(bad[0])]!r} first.",
            where=lines_text(bad),
            fix="Write treated and control, or 1 and 0, and leave other units out.",
        )
    arms = np.array([words[label] for label in text], dtype=np.int64)
    if len(set(arms.tolist())) < 2:
        raise InvalidAssignment("All units are in one arm.", where=f"column {column!r}", fix="Give both arms.")
    return arms


def read_pairs(source: str | Path | bytes) -> list[tuple[str, str]]:
    """(treated, control) names of the pairs that an assignment file tells in a column `pair`; none without one.

    Raises:
        InvalidAssignment: a pair that is not one treated unit and one control.
    """
    groups = read_assignment(source)
    frame = read_text_table(source)[0]
    names = {name.casefold(): name for name in frame.columns}
    if "pair" not in names:
        return []
    unit = next((names[name] for name in _UNIT_COLUMNS if name in names), frame.columns[0])
    pairs: dict[str, dict[str, str]] = {}
    for name, pair in zip(frame[unit].str.strip_chars(), frame[names["pair"]].str.strip_chars(), strict=True):
        group = groups.get(name or "", "")
        if not pair or group not in ("treated", "control"):
            continue
        if group in pairs.setdefault(pair, {}):
            raise InvalidAssignment(
                f"The pair {pair!r} has two units in the group {group!r}.",
                where=f"column {names['pair']!r}",
                fix="Give each pair one treated unit and one control.",
            )
        pairs[pair][group] = name
    return [(pair["treated"], pair["control"]) for pair in pairs.values() if len(pair) == 2]
