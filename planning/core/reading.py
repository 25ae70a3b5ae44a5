"""Reading what a person typed, field by field; what is wrong is collected, not raised one by one."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from optimization.core.problem import LEVELS, Path, path_text

CENT: Final = Decimal("0.01")
#: The most that the columns of money hold.
MOST_MONEY: Final = Decimal("999999999999.99")
#: Commas between thousands. As a decimal mark one would make a number a hundredfold by being left out.
_THOUSANDS: Final = re.compile(r"[+-]?[0-9]{1,3}(,[0-9]{3})+(\.[0-9]*)?")


class Reader:
    """Reads fields and collects what is wrong with them."""

    def __init__(self, given: Mapping[str, Any]) -> None:
        self.given = given
        self.errors: list[dict[str, str]] = []

    def refuse(self, where: str, detail: str, fix: str) -> None:
        self.errors.append({"where": where, "detail": detail, "fix": fix})

    def text(self, name: str, most: int) -> str:
        value = str(self.given.get(name) or "").strip()
        if not value:
            self.refuse(name, "The scenario has no name.", "Give it a name that says what is asked.")
        elif "\x00" in value:
            self.refuse(name, "The name holds a character that is no text.", f"Use {most} printable characters.")
        elif len(value) > most:
            self.refuse(name, f"The name has {len(value)} characters.", f"Use at most {most} printable characters.")
        return value

    def day(self, name: str) -> date | None:
        value = self.given.get(name)
        if isinstance(value, date):
            return value
        try:
            return date.fromisoformat(str(value or ""))
        except ValueError:
            self.refuse(name, f"{value!r} is not a day." if value else "The day is missing.", "Write it as YYYY-MM-DD.")
            return None

    def number(
        self, name: str, *, most: Decimal, places: int, above_zero: bool = False, required: bool = False
    ) -> Decimal | None:
        return read_number(
            self.given.get(name), most=most, places=places, above_zero=above_zero, required=required,
            refuse=lambda detail, fix: self.refuse(name, detail, fix),
        )  # fmt: skip

    def choice(self, name: str, options: Sequence[str], usual: str) -> str:
        """One of some words; the usual one where nothing is given."""
        value = self.given.get(name)
        if value is None or value == "":
            return usual
        if value not in options:
            self.refuse(name, f"{str(value)[:40]!r} is not known.", f"Use one of {', '.join(options)}.")
            return usual
        return str(value)

    def entries(self, name: str, most: int, example: str) -> list[Any]:
        """A list of at most so many entries; none where it is refused."""
        value = self.given.get(name)
        if value is None or value == "":
            return []
        if not isinstance(value, list | tuple):
            self.refuse(name, "A list is expected.", f"Write [{example}].")
            return []
        if len(value) > most:
            self.refuse(name, f"{len(value)} entries are too many.", f"Use at most {most}.")
            return []
        return list(value)

    def entry(self, where: str, value: Any, keys: Collection[str], example: str) -> Mapping[str, Any] | None:
        """An object with some of the keys; None where it is refused."""
        if not isinstance(value, Mapping):
            self.refuse(where, "An object is expected.", f"Write {example}.")
            return None
        unknown = sorted(set(value) - set(keys))
        if unknown:
            self.refuse(where, f"There is no key {unknown[0]!r} here.", f"Use {', '.join(sorted(keys))}.")
            return None
        return value

    def path(self, where: str, value: Any, known: Collection[Path] | None, *, root: bool = False) -> Path | None:
        """A node of the tree; None where it is refused.

        Args:
            known: every node there is; None where that is not known yet.
            root: whether no names, for the total, may be given.
        """
        if root and not value:
            return ()
        if not isinstance(value, list | tuple) or not value or not all(isinstance(one, str) and one for one in value):
            self.refuse(where, "A list of names from the top is expected.", f"Give some of {', '.join(LEVELS)}.")
            return None
        path = tuple(value)
        if known is None or path not in known:
            fix = "Choose a path from the tree of the curves." if known else "Fit the response curves first."
            self.refuse(where, f"No line lies under {path_text(path)}.", fix)
            return None
        return path

    def part(self, where: str, value: Any, *, most: Decimal, places: int, required: bool = False) -> Decimal | None:
        """A number inside an entry."""
        return read_number(
            value, most=most, places=places, required=required,
            refuse=lambda detail, fix: self.refuse(where, detail, fix),
        )  # fmt: skip

    def count(self, name: str, *, usual: int, most: int) -> int:
        value = self.given.get(name)
        if value is None or value == "":
            return usual
        number = read_number(
            value, most=Decimal(most), places=0, refuse=lambda detail, fix: self.refuse(name, detail, fix)
        )
        return int(number or 0)


def read_decimal(text: str) -> Decimal:
    """A number as typed, commas between thousands or none; NaN where it is none."""
    text = text.strip()
    if "," in text and not _THOUSANDS.fullmatch(text):
        return Decimal("NaN")
    try:
        return Decimal(text.replace(",", ""))
    except InvalidOperation:
        return Decimal("NaN")


def read_number(
    value: Any,
    *,
    most: Decimal,
    places: int,
    refuse: Callable[[str, str], None],
    above_zero: bool = False,
    required: bool = False,
) -> Decimal | None:
    """A number from 0 to `most` with at most `places` decimals; None where it is empty or was refused."""
    if value is None or value == "":
        if required:
            refuse("An amount is missing.", "Give a number.")
        return None
    # Told as it was typed: written out in full, 1e2000000000 has two thousand million digits.
    told = str(value).strip()[:40]
    number = Decimal("NaN") if isinstance(value, bool) else read_decimal(str(value))
    if not number.is_finite():
        fix = "Write 1200.50 or 1,200.50." if "," in told else "Give a number such as 1200.50."
        refuse(f"{told!r} is not a number.", fix)
        return None
    if number < 0 or (above_zero and number == 0):
        refuse(f"{told} is not allowed.", "Give a number above zero." if above_zero else "Give zero or more.")
        return None
    if number > most:
        refuse(f"{told} is too large.", f"Give at most {most:,f}.")
        return None
    rounded = number.quantize(Decimal(1).scaleb(-places))
    if rounded != number:
        refuse(f"{told} has too many decimals.", f"Give at most {places} after the point.")
        return None
    return rounded
