"""Which units of a panel are treated and when: the question of a test, checked before a method is asked."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from measurement.core.panel import Panel, require_scale
from measurement.core.treated_panel import TreatedPanel
from measurement.core.words import count_of
from tenants.core.problems import InvalidInput

_LEAST_PRE: Final = 4
_NAMED: Final = 5


class InvalidTest(InvalidInput):
    """A test that the panel cannot answer."""

    code = "invalid-test"
    title = "The test cannot be analysed"


class UnknownUnits(InvalidTest):
    """Units that the panel does not have."""

    code = "unknown-units"


class NotYetReadable(InvalidTest):
    """The test has not begun, or not ended, in these data."""

    code = "not-yet-readable"


def read_question(
    panel: Panel,
    *,
    treated: Sequence[str] | None,
    assignment: Mapping[str, str] | None,
    start: int | dt.date | str,
    end: int | dt.date | str | None,
    cooldown: int,
    exclude: Sequence[str],
) -> tuple[TreatedPanel, list[str]]:
    """The panel of the test's units, and sentences on the units that take no part. Arguments as of `analyze_geo`.

    Raises:
        UnknownUnits, NotYetReadable, InvalidTest: naming what does not fit.
        InvalidInput: amounts that cannot be reckoned with.
    """
    require_scale(panel)
    names, chosen, notes = _units(panel, treated, assignment, exclude)
    notes += [note for given in (start, end) if (note := _taken(panel, given))]
    return _test(panel, names, chosen, start, end, cooldown), notes


def _units(
    panel: Panel, treated: Sequence[str] | None, assignment: Mapping[str, str] | None, exclude: Sequence[str]
) -> tuple[list[str], set[str], list[str]]:
    """Names of all units of the test in the panel's order, casefolded names of the treated, and what was left out."""
    if (treated is None) == (assignment is None):
        raise InvalidTest(
            "The treated units are told neither by a list nor by an assignment, or by both.",
            where="treated",
            fix="Name the treated units, or give an assignment.",
        )
    if assignment is not None:
        groups = {name.strip().casefold(): group for name, group in assignment.items()}
        chosen = {name for name, group in groups.items() if group == "treated"}
        members = chosen | {name for name, group in groups.items() if group == "control"}
        absent = sorted(members - set(panel.place))
    else:
        wanted = [name.strip() for name in treated or () if name.strip()]
        chosen = {name.casefold() for name in wanted}
        members = set(panel.place)
        absent = [name for name in wanted if name.casefold() not in panel.place]
    if absent:
        told = " ".join(note for note in panel.notes if any(name.casefold() in note.casefold() for name in absent))
        raise UnknownUnits(
            f"The panel has no unit {', '.join(map(repr, absent))}. {told}".strip(),
            where="treated units",
            fix=f"It has {', '.join(panel.units[:5])}{' and more' if len(panel.units) > 5 else ''}.",
        )
    if not chosen:
        raise InvalidTest("No unit is treated.", where="treated units", fix="Name at least one.")
    barred = {name.strip().casefold() for name in exclude}
    both = sorted(barred & chosen)
    if both:
        raise InvalidTest(
            f"{both[0]!r} is treated here and excluded for another test.", where="exclude", fix="Leave one of them."
        )
    names = [name for name in panel.units if name.casefold() in members - barred]
    out = [name for name in panel.units if name.casefold() not in members - barred]
    notes = (
        [f"{count_of(len(out), 'unit')} left out: {', '.join(out[:5])}{' and more' if len(out) > 5 else ''}."]
        if out
        else []
    )
    unknown = sorted(barred - set(panel.place))
    if unknown:
        more = f" and {len(unknown) - _NAMED} more" if len(unknown) > _NAMED else ""
        notes.append(f"Excluded, but not in the panel: {', '.join(map(repr, unknown[:_NAMED]))}{more}.")
    if len(names) - len(chosen) < 2:
        raise InvalidTest(
            f"There are {len(names) - len(chosen)} controls.",
            where="controls",
            fix="Leave at least two units untreated.",
        )
    return names, chosen, notes


def _test(
    panel: Panel,
    names: list[str],
    chosen: set[str],
    start: int | dt.date | str,
    end: int | dt.date | str | None,
    cooldown: int,
) -> TreatedPanel:
    rows = [panel.place[name.casefold()] for name in names]
    count = len(panel.periods)
    first = position(panel, start, "start")
    last = count - 1 - cooldown if end is None else position(panel, end, "end")
    if cooldown < 0 or last < first or last + cooldown >= count:
        raise NotYetReadable(
            f"The test of periods {first + 1} to {last + 1} with a cool-down of {cooldown} does not lie in the data, "
            f"which have {count_of(count, 'period')}.",
            where="end",
            fix="Wait for the data, or correct start, end and cool-down.",
        )
    if first < _LEAST_PRE:
        raise InvalidTest(
            f"{count_of(first, 'period')} before the start.",
            where="start",
            fix=f"Give at least {_LEAST_PRE}, better 50 or more.",
        )
    return TreatedPanel(
        names=tuple(names),
        outcome=panel.outcome[rows],
        cost=None if panel.cost is None else panel.cost[rows],
        treated=np.array([place for place, name in enumerate(names) if name.casefold() in chosen], dtype=np.int64),
        start=first,
        end=last,
        cooldown_end=last + cooldown,
    )


def position(panel: Panel, given: int | dt.date | str, where: str) -> int:
    """Position from 0 of a period given by its number from 1, its date, or its label where labels are numbers.

    Raises:
        NotYetReadable: it lies after the data. InvalidTest: it lies before them, in a gap, or is no period.
    """
    wanted: int | dt.date
    if isinstance(given, str):
        try:
            wanted = int(given) if given.strip().lstrip("-").isdigit() else dt.date.fromisoformat(given.strip())
        except ValueError as error:
            raise InvalidTest(
                f"{given!r} is no period.", where=where, fix="Give its number, counted from 1, or a date as 2021-04-15."
            ) from error
    else:
        wanted = given
    if isinstance(wanted, int) and 1 <= wanted <= len(panel.periods):
        return wanted - 1
    if wanted in panel.periods:
        return panel.periods.index(wanted)
    last = panel.periods[-1]
    numbered = isinstance(wanted, int)
    if (numbered and wanted > len(panel.periods)) or (type(wanted) is type(last) and wanted > last):  # type: ignore[operator]
        raise NotYetReadable(
            f"The period {wanted} lies after the data, which end with {last}, period {len(panel.periods)}.",
            where=where,
            fix="Wait until the data hold the test.",
        )
    raise InvalidTest(
        f"The panel has no period {wanted}: it runs from {panel.periods[0]} to {last}.",
        where=where,
        fix="Give a period of the panel.",
    )


def _taken(panel: Panel, given: int | dt.date | str | None) -> str:
    """What a number was taken for, where periods are labelled by numbers and another has it as its label."""
    text = given.strip() if isinstance(given, str) else str(given)
    if not text.isdigit() or not 1 <= int(text) <= len(panel.periods):
        return ""
    label = panel.periods[int(text) - 1]
    if int(text) not in panel.periods or label == int(text):
        return ""
    return (
        f"{int(text)} was taken for the number of a period, counted from 1, which is the one labelled {label}; another "
        f"is labelled {int(text)}, and is number {panel.periods.index(int(text)) + 1}."
    )


def admissible_rows(test: TreatedPanel, admissible: Sequence[Sequence[str]] | None) -> list[list[int]] | None:
    """Sets of names as sets of rows; those that do not lie in the test or are of another size are left out."""
    if admissible is None:
        return None
    place = {name.casefold(): row for row, name in enumerate(test.names)}
    known = [[place[name.casefold()] for name in members if name.casefold() in place] for members in admissible]
    return [rows for rows in known if len(rows) == len(test.treated)]
