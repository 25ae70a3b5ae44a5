"""Where a test ran, as a map of equal tiles: states by their place in the country, other units in rows by name.

The layout of states is the usual 11 x 8 grid: neighbours as far as a grid allows, every state as large as any other.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Final, Literal

Group = Literal["treated", "control", "left out"]

#: Column and row of each state by its USPS code.
STATES: Final[dict[str, tuple[int, int]]] = {
    "AK": (0, 0), "ME": (10, 0), "VT": (9, 1), "NH": (10, 1), "WA": (0, 2), "ID": (1, 2), "MT": (2, 2), "ND": (3, 2),
    "MN": (4, 2), "IL": (5, 2), "WI": (6, 2), "MI": (7, 2), "NY": (8, 2), "RI": (9, 2), "MA": (10, 2), "OR": (0, 3),
    "NV": (1, 3), "WY": (2, 3), "SD": (3, 3), "IA": (4, 3), "IN": (5, 3), "OH": (6, 3), "PA": (7, 3), "NJ": (8, 3),
    "CT": (9, 3), "CA": (0, 4), "UT": (1, 4), "CO": (2, 4), "NE": (3, 4), "MO": (4, 4), "KY": (5, 4), "WV": (6, 4),
    "VA": (7, 4), "MD": (8, 4), "DE": (9, 4), "AZ": (1, 5), "NM": (2, 5), "KS": (3, 5), "AR": (4, 5), "TN": (5, 5),
    "NC": (6, 5), "SC": (7, 5), "DC": (8, 5), "OK": (3, 6), "LA": (4, 6), "MS": (5, 6), "AL": (6, 6), "GA": (7, 6),
    "HI": (0, 7), "TX": (3, 7), "FL": (8, 7),
}  # fmt: skip

NAMES: Final[dict[str, str]] = {
    "AK": "Alaska", "AL": "Alabama", "AR": "Arkansas", "AZ": "Arizona", "CA": "California", "CO": "Colorado",
    "CT": "Connecticut", "DC": "District of Columbia", "DE": "Delaware", "FL": "Florida", "GA": "Georgia",
    "HI": "Hawaii", "IA": "Iowa", "ID": "Idaho", "IL": "Illinois", "IN": "Indiana", "KS": "Kansas", "KY": "Kentucky",
    "LA": "Louisiana", "MA": "Massachusetts", "MD": "Maryland", "ME": "Maine", "MI": "Michigan", "MN": "Minnesota",
    "MO": "Missouri", "MS": "Mississippi", "MT": "Montana", "NC": "North Carolina", "ND": "North Dakota",
    "NE": "Nebraska", "NH": "New Hampshire", "NJ": "New Jersey", "NM": "New Mexico", "NV": "Nevada", "NY": "New York",
    "OH": "Ohio", "OK": "Oklahoma", "OR": "Oregon", "PA": "Pennsylvania", "RI": "Rhode Island",
    "SC": "South Carolina", "SD": "South Dakota", "TN": "Tennessee", "TX": "Texas", "UT": "Utah", "VA": "Virginia",
    "VT": "Vermont", "WA": "Washington", "WI": "Wisconsin", "WV": "West Virginia", "WY": "Wyoming",
}  # fmt: skip
_CODES: Final = {name.casefold(): code for code, name in NAMES.items()}


@dataclass(frozen=True, slots=True)
class Tile:
    """One unit on the map. `label` stands on it, `name` is its full name."""

    label: str
    name: str
    column: int
    row: int
    group: Group


def state_code(unit: str) -> str | None:
    """MN of "MN", "mn", "US-MN" and "Minnesota"; None for what is no state."""
    text = unit.strip()
    code = text.upper().removeprefix("US-")
    return code if code in STATES else _CODES.get(text.casefold())


def are_states(units: Iterable[str]) -> bool:
    """Whether all of the units are states, each named once."""
    codes = [state_code(unit) for unit in units]
    return bool(codes) and None not in codes and len(set(codes)) == len(codes)


def unit_name(unit: str) -> str:
    """The name that people read: the state's for its code, else the unit as it is."""
    code = state_code(unit)
    return NAMES[code] if code else unit


def state_tiles(treated: Collection[str], controls: Collection[str]) -> tuple[Tile, ...] | None:
    """All states with their group, those of neither as left out; None where the units are not states."""
    if not are_states([*treated, *controls]):
        return None
    on = {state_code(unit) for unit in treated}
    against = {state_code(unit) for unit in controls}
    groups: dict[str, Group] = {
        code: "treated" if code in on else "control" if code in against else "left out" for code in STATES
    }
    return tuple(Tile(code, NAMES[code], *STATES[code], groups[code]) for code in STATES)
