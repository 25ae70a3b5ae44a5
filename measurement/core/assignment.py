"""Who is in which arm of an experiment: the assignment that a design draws and that an analysis is held to."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Final, Literal

from tenants.core.problems import InvalidInput

Group = Literal["treated", "control", "excluded"]
GROUPS: Final[tuple[Group, ...]] = ("treated", "control", "excluded")


class InvalidDesign(InvalidInput):
    """What was asked of a design cannot be had of these units."""

    code = "invalid-design"
    title = "The experiment cannot be designed like this"


@dataclass(frozen=True, slots=True, kw_only=True)
class Assigned:
    """One unit's place.

    Attributes:
        unit: as the panel calls it.
        group: the arm; an excluded unit is neither treated nor compared with.
        cell: name of the treatment where there are several; empty else and for controls.
        pair, stratum: within which the draw was made; empty where it was not made within any.
        why: why a unit is excluded.
    """

    unit: str
    group: Group
    cell: str = ""
    pair: str = ""
    stratum: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """All units of an experiment, each once, in the order of their names.

    Attributes:
        rows: one for each unit.
        seed: of the draw; None where people chose.
        notes: what a reader must know of the draw, each a sentence.
    """

    rows: tuple[Assigned, ...]
    seed: int | None = None
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        twice = [unit for unit, count in Counter(row.unit.casefold() for row in self.rows).items() if count > 1]
        if twice:
            raise InvalidDesign(f"{twice[0]!r} is assigned twice.", fix="Give each unit one row.")

    def of(self, group: Group, cell: str | None = None) -> tuple[str, ...]:
        """Units of a group, of one cell where it is named."""
        return tuple(row.unit for row in self.rows if row.group == group and cell in (None, row.cell))

    @property
    def cells(self) -> tuple[str, ...]:
        """Names of the cells that are treated."""
        return tuple(sorted({row.cell for row in self.rows if row.group == "treated"}))

    @property
    def pairs(self) -> tuple[tuple[str, str], ...]:
        """(treated, control) of every pair, in the order of the pairs' names."""
        arms: dict[str, dict[str, str]] = {}
        for row in self.rows:
            if row.pair and row.group != "excluded":
                arms.setdefault(row.pair, {})[row.group] = row.unit
        return tuple((arm["treated"], arm["control"]) for _, arm in sorted(arms.items()) if len(arm) == 2)


def ordered(rows: list[Assigned], *, seed: int | None, notes: tuple[str, ...] = ()) -> Assignment:
    """An assignment with its rows in the order of the units' names."""
    return Assignment(rows=tuple(sorted(rows, key=lambda row: row.unit.casefold())), seed=seed, notes=notes)
