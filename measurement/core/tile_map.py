"""Where a test ran, as a map of equal tiles: every state as large as any other, neighbours as far as a grid allows."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Literal

from measurement.core.geography import STATES, state_of

Group = Literal["treated", "control", "left out"]


@dataclass(frozen=True, slots=True)
class Tile:
    """One unit on the map. `label` stands on it, `name` is its full name."""

    label: str
    name: str
    column: int
    row: int
    group: Group


def are_states(units: Iterable[str]) -> bool:
    """Whether all of the units are states, each named once."""
    codes = [state_of(unit) for unit in units]
    return bool(codes) and None not in codes and len(set(codes)) == len(codes)


def unit_name(unit: str) -> str:
    """The name that people read: the state's for its code, else the unit as it is."""
    code = state_of(unit)
    return STATES[code].name if code else unit


def state_tiles(treated: Collection[str], controls: Collection[str]) -> tuple[Tile, ...] | None:
    """All states with their group, those of neither as left out; None where the units are not states."""
    if not are_states([*treated, *controls]):
        return None
    on = {state_of(unit) for unit in treated}
    against = {state_of(unit) for unit in controls}
    groups: dict[str, Group] = {
        code: "treated" if code in on else "control" if code in against else "left out" for code in STATES
    }
    return tuple(Tile(code, state.name, state.column, state.row, groups[code]) for code, state in STATES.items())
