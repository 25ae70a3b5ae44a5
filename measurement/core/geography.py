"""The geography that ships: the states, where they touch, their place in a tile map, and what lies in which state.

Facts only: postal codes and FIPS codes of the US Census Bureau (ANSI INCITS 38), borders as in the Census Bureau's
adjacency files, three-digit ZIP prefixes as the Postal Service assigns them. States that meet in one point (Arizona
and Colorado, New Mexico and Utah) or in a lake alone (Michigan with Illinois and Minnesota) do not touch here. Borders
of designated market areas are proprietary: tenants bring a crosswalk of their own.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final

from tenants.core.problems import InvalidInput


class InvalidCrosswalk(InvalidInput):
    """The file does not say for each unit in which region it lies."""

    code = "invalid-crosswalk"
    title = "The crosswalk cannot be used"


@dataclass(frozen=True, slots=True)
class State:
    """A state or the District of Columbia; `column` and `row` are its place in the tile map, from 0."""

    code: str
    name: str
    fips: str
    column: int
    row: int
    neighbours: tuple[str, ...]


_STATES: Final = """
AL|Alabama|01|6|6|FL GA MS TN
AK|Alaska|02|0|0|
AZ|Arizona|04|1|5|CA NM NV UT
AR|Arkansas|05|4|5|LA MO MS OK TN TX
CA|California|06|0|4|AZ NV OR
CO|Colorado|08|2|4|KS NE NM OK UT WY
CT|Connecticut|09|9|3|MA NY RI
DE|Delaware|10|9|4|MD NJ PA
DC|District of Columbia|11|8|5|MD VA
FL|Florida|12|8|7|AL GA
GA|Georgia|13|7|6|AL FL NC SC TN
HI|Hawaii|15|0|7|
ID|Idaho|16|1|2|MT NV OR UT WA WY
IL|Illinois|17|5|2|IA IN KY MO WI
IN|Indiana|18|5|3|IL KY MI OH
IA|Iowa|19|4|3|IL MN MO NE SD WI
KS|Kansas|20|3|5|CO MO NE OK
KY|Kentucky|21|5|4|IL IN MO OH TN VA WV
LA|Louisiana|22|4|6|AR MS TX
ME|Maine|23|10|0|NH
MD|Maryland|24|8|4|DC DE PA VA WV
MA|Massachusetts|25|10|2|CT NH NY RI VT
MI|Michigan|26|7|2|IN OH WI
MN|Minnesota|27|4|2|IA ND SD WI
MS|Mississippi|28|5|6|AL AR LA TN
MO|Missouri|29|4|4|AR IA IL KS KY NE OK TN
MT|Montana|30|2|2|ID ND SD WY
NE|Nebraska|31|3|4|CO IA KS MO SD WY
NV|Nevada|32|1|3|AZ CA ID OR UT
NH|New Hampshire|33|10|1|MA ME VT
NJ|New Jersey|34|8|3|DE NY PA
NM|New Mexico|35|2|5|AZ CO OK TX
NY|New York|36|8|2|CT MA NJ PA VT
NC|North Carolina|37|6|5|GA SC TN VA
ND|North Dakota|38|3|2|MN MT SD
OH|Ohio|39|6|3|IN KY MI PA WV
OK|Oklahoma|40|3|6|AR CO KS MO NM TX
OR|Oregon|41|0|3|CA ID NV WA
PA|Pennsylvania|42|7|3|DE MD NJ NY OH WV
RI|Rhode Island|44|9|2|CT MA
SC|South Carolina|45|7|5|GA NC
SD|South Dakota|46|3|3|IA MN MT ND NE WY
TN|Tennessee|47|5|5|AL AR GA KY MO MS NC VA
TX|Texas|48|3|7|AR LA NM OK
UT|Utah|49|1|4|AZ CO ID NV WY
VT|Vermont|50|9|1|MA NH NY
VA|Virginia|51|7|4|DC KY MD NC TN WV
WA|Washington|53|0|2|ID OR
WV|West Virginia|54|6|4|KY MD OH PA VA
WI|Wisconsin|55|6|2|IA IL MI MN
WY|Wyoming|56|2|3|CO ID MT NE SD UT
"""

#: First and last three-digit ZIP prefix of a run, both inclusive; runs of territories and of the forces are left out.
_ZIP3: Final = """
005-005 NY|010-027 MA|028-029 RI|030-038 NH|039-049 ME|050-054 VT|055-055 MA|056-059 VT|060-069 CT|070-089 NJ
100-149 NY|150-196 PA|197-199 DE|200-200 DC|201-201 VA|202-205 DC|206-219 MD|220-246 VA|247-268 WV|270-289 NC
290-299 SC|300-319 GA|320-339 FL|341-349 FL|350-369 AL|370-385 TN|386-397 MS|398-399 GA|400-427 KY|430-459 OH
460-479 IN|480-499 MI|500-528 IA|530-549 WI|550-567 MN|570-577 SD|580-588 ND|590-599 MT|600-629 IL|630-658 MO
660-679 KS|680-693 NE|700-714 LA|716-729 AR|730-731 OK|733-733 TX|734-749 OK|750-799 TX|800-816 CO|820-831 WY
832-838 ID|840-847 UT|850-865 AZ|870-884 NM|885-885 TX|889-898 NV|900-961 CA|967-968 HI|970-979 OR|980-994 WA
995-999 AK
"""


def _state(line: str) -> State:
    code, name, fips, column, row, neighbours = line.split("|")
    return State(code, name, fips, int(column), int(row), tuple(neighbours.split()))


#: Postal code -> state, in the order of the names.
STATES: Final[Mapping[str, State]] = {state.code: state for state in map(_state, _STATES.split("\n")[1:-1])}


@cache
def _by_word() -> dict[str, str]:
    words = {state.name.casefold(): code for code, state in STATES.items()}
    words |= {code.casefold(): code for code in STATES}
    return words | {f"us-{code.casefold()}": code for code in STATES} | {"washington dc": "DC", "washington, dc": "DC"}


@cache
def _by_zip3() -> dict[str, str]:
    found: dict[str, str] = {}
    for run in _ZIP3.replace("\n", "|").strip("|").split("|"):
        span, code = run.split(" ")
        first, last = span.split("-")
        found |= {f"{prefix:03d}": code for prefix in range(int(first), int(last) + 1)}
    return found


@cache
def _by_fips() -> dict[str, str]:
    return {state.fips: code for code, state in STATES.items()}


def state_of(name: str) -> str | None:
    """Postal code of a state called by its name, its code or its ISO 3166-2 code (`US-TX`), in any case."""
    return _by_word().get(" ".join(name.casefold().split()))


def state_of_zip3(prefix: str) -> str | None:
    """State of a ZIP code or of its first three digits; None outside the states."""
    digits = prefix.strip()
    return _by_zip3().get(digits[:3]) if digits.isdecimal() and len(digits) in (3, 5) else None


def state_of_county(fips: str) -> str | None:
    """State of a county by its five-digit FIPS code; None where there is no such state."""
    digits = fips.strip()
    return _by_fips().get(digits[:2]) if digits.isdecimal() and len(digits) == 5 else None


def touching(units: Iterable[str], regions: Mapping[str, str] | None = None) -> frozenset[frozenset[str]]:
    """Pairs of units whose states touch or, with a crosswalk, that lie in one region or in states that touch.

    Args:
        units: as the panel calls them; those that are no state and in no crosswalk touch nothing.
        regions: unit -> region, the region being a state's name or code or any other name; see `read_crosswalk`.
    """
    told = {unit.casefold(): region for unit, region in (regions or {}).items()}
    place = {}
    for unit in units:
        region = told.get(unit.casefold(), unit)
        place[unit] = state_of(region) or (region.casefold() if unit.casefold() in told else None)
    known = [(unit, region) for unit, region in place.items() if region]
    return frozenset(
        frozenset((one, other))
        for at, (one, here) in enumerate(known)
        for other, there in known[at + 1 :]
        if here == there or (here in STATES and there in STATES[here].neighbours)
    )


def read_crosswalk(content: bytes, *, unit: str = "unit", region: str = "region") -> dict[str, str]:
    """A tenant's own CSV of units and the region each lies in.

    Args:
        content: UTF-8, with a header; other columns are left alone.
        unit, region: the two columns, in any case.

    Raises:
        InvalidCrosswalk: no such columns, an empty cell, a unit in two regions, or no row.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidCrosswalk("The file is not UTF-8.", fix="Save it as CSV UTF-8.") from error
    rows = csv.reader(io.StringIO(text))
    header = [name.strip().casefold() for name in next(rows, [])]
    for name in (unit, region):
        if name.casefold() not in header:
            raise InvalidCrosswalk(
                f"There is no column {name!r}.", where="line 1", fix=f"Name the columns {unit} and {region}."
            )
    at = header.index(unit.casefold()), header.index(region.casefold())
    found: dict[str, str] = {}
    names: dict[str, str] = {}
    for cells in rows:
        if not any(cell.strip() for cell in cells):
            continue
        one, where = (cells[place].strip() if place < len(cells) else "" for place in at)
        line = f"line {rows.line_num}"
        if not one or not where:
            raise InvalidCrosswalk("A unit or its region is missing.", where=line, fix="Fill in both cells.")
        known = names.setdefault(one.casefold(), where)
        if known.casefold() != where.casefold():
            raise InvalidCrosswalk(
                f"{one!r} lies in {known!r} and in {where!r}.", where=line, fix="Keep one region for each unit."
            )
        found.setdefault(one, where)
    if not found:
        raise InvalidCrosswalk("The file has no rows.", fix="Give one row for each unit.")
    return found
