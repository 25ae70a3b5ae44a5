"""What a column's values say about it, whatever it is called."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

import numpy as np
import numpy.typing as npt

from harmonization.core.headers import CURRENCY_CODES, CURRENCY_SIGNS
from harmonization.core.matching.territories import TERRITORIES

#: Values looked at in a column.
MOST_VALUES: Final = 2000
#: Cells of more characters are texts.
LONGEST: Final = 120
EMPTY: Final = frozenset({"", "-", "--", "—", "n/a", "null", "#n/a", "none", "nan"})
DATE_FORMATS: Final = (
    "%Y-%m-%d", "%Y/%m/%d", "%Y%m%d", "%m/%d/%Y", "%d/%m/%Y", "%m/%d/%y", "%d/%m/%y", "%d.%m.%Y", "%d.%m.%y",
    "%d-%m-%Y", "%m-%d-%Y", "%b %d, %Y", "%B %d, %Y", "%d-%b-%Y", "%d-%b-%y", "%d %b %Y", "%d %B %Y", "%Y.%m.%d",
)  # fmt: skip
INSTANT_FORMATS: Final = (
    "%Y-%m-%dT%H:%M:%S%.fZ", "%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%dT%H:%M:%S%:z", "%Y-%m-%d %H:%M:%S%.f",
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d %H:%M", "%m/%d/%Y %H:%M:%S", "%m/%d/%Y %H:%M", "%d/%m/%Y %H:%M:%S",
    "%d/%m/%Y %H:%M", "%d.%m.%Y %H:%M",
)  # fmt: skip
MATCH_TYPES: Final = frozenset(["exact", "broad", "phrase", "auto", "automatic", "close-match", "loose-match"])
DEVICES: Final = frozenset(
    ["desktop", "mobile", "tablet", "web", "app", "computer", "smartphone", "ios", "android", "phone", "ctv", "msite"]
)
STATUSES: Final = frozenset(
    [
        "active",
        "paused",
        "enabled",
        "archived",
        "ended",
        "live",
        "draft",
        "completed",
        "inactive",
        "pending",
        "running",
        "stopped",
        "scheduled",
    ]
)
COST_MODELS: Final = frozenset(["cpc", "cpm", "vcpm", "flat", "cpa"])
#: Where ads stand, as cells say it. Names of campaigns say it too: it counts only where the header says nothing.
_PLACES = re.compile(
    r"(?i)\b(top of|rest of|search|browse|home ?page|(product|detail|category) pages?|pdp|carousel|buy-?box|checkout"
    r"|basket|feed|stories|reels|banner|sidebar|(?<=[-|:] )(top|other))\b"
)
_MONEY = re.compile(
    r"(?i)^\(?[-−+]?\s*(?P<sign>rs\.?|us\$|ca\$|a\$|[a-z]{3}(?=[\s\d-])|[$€£¥₹₺]|zł)?\s*[-−+]?"
    r"[.,]?\d[\d.,'\s]*(?P<tail>€|zł|kr|[a-z]{3}|[$£₹])?\)?$"
)
_PLAIN = re.compile(r"^[-+]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d+)?$")
_UUID = re.compile(r"(?i)^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$")
_ASIN = re.compile(r"^B0[0-9A-Z]{8}$")
_MIDNIGHT = re.compile(r"[T ]00:00(:00(\.0+)?)?Z?$")
_EPOCH = re.compile(r"^1\d{9}(\d{3})?(\.0+)?$")
Numbers = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Profile:
    """One column's values. Shares are of the values that are not empty; `numbers` has NaN where there is none.

    `dates` and `instants` are the formats that read every value, the likeliest first. `sign` is the currency that the
    cells carry, an ISO code or a bare `$`. `only` is the one value of a column that has one.
    """

    filled: int = 0
    distinct: int = 0
    numbers: Numbers = field(default_factory=lambda: np.empty(0))
    numeric: float = 0.0
    whole: float = 0.0
    percent: float = 0.0
    sign: str | None = None
    dates: tuple[str, ...] = ()
    instants: tuple[str, ...] = ()
    epoch: int = 0
    gtin: float = 0.0
    gtin_like: float = 0.0
    asin: float = 0.0
    uuid: float = 0.0
    currency: float = 0.0
    spaced: float = 0.0
    lettered: float = 0.0
    kinds: frozenset[str] = frozenset()
    decimal_comma: int = 0
    decimal_point: int = 0
    only: str | None = None

    @property
    def is_empty(self) -> bool:
        return self.filled == 0

    @property
    def constant(self) -> bool:
        return self.distinct == 1 and self.filled > 1

    @property
    def is_number(self) -> bool:
        return self.numeric >= 0.95

    @property
    def is_moment(self) -> bool:
        return bool(self.dates or self.instants or self.epoch)


def profile(values: Sequence[str], *, comma_file: bool = False) -> Profile:
    """The profile of at most `MOST_VALUES` text cells. `comma_file` is true where other columns have decimal commas."""
    # A long cell is a text, whatever it begins with.
    cells = [text if len(text) <= LONGEST else "…" for text in map(str.strip, values[:MOST_VALUES])]
    filled = [cell for cell in cells if cell.casefold() not in EMPTY]
    if not filled:
        return Profile()
    count = len(filled)
    comma, point = _decimal_votes(filled)
    numbers = np.array([read_number(cell, comma=comma > point or (comma_file and not point)) for cell in cells])
    known = ~np.isnan(numbers)
    distinct = list(dict.fromkeys(filled))

    def share(test: Callable[[str], object]) -> float:
        return sum(1 for cell in filled if test(cell)) / count

    lowered = {cell.casefold() for cell in distinct}
    return Profile(
        filled=count,
        distinct=len(distinct),
        numbers=numbers,
        numeric=float(known.sum()) / count,
        whole=float((known & (numbers == np.round(numbers))).sum()) / count,
        percent=share(lambda cell: cell.endswith("%")),
        sign=_sign(filled),
        dates=_formats(distinct, DATE_FORMATS),
        instants=_formats(distinct, INSTANT_FORMATS),
        epoch=_epoch(distinct),
        gtin=share(has_check_digit),
        gtin_like=share(lambda cell: re.fullmatch(r"\d{8}|\d{12,14}", cell)),
        asin=share(_ASIN.match),
        uuid=share(_UUID.match),
        currency=share(lambda cell: cell.upper() in CURRENCY_CODES and len(cell) == 3),
        spaced=share(lambda cell: " " in cell),
        lettered=share(lambda cell: re.search(r"[^\W\d_]", cell)),
        kinds=frozenset(_kinds(lowered)),
        decimal_comma=comma,
        decimal_point=point,
        only=distinct[0] if len(distinct) == 1 else None,
    )


def _kinds(lowered: set[str]) -> list[str]:
    named = {"match_type": MATCH_TYPES, "device": DEVICES, "status": STATUSES, "cost_model": COST_MODELS}
    named["territory"] = TERRITORIES
    found = [name for name, words in named.items() if len(lowered & words) >= 0.6 * len(lowered)]
    if sum(1 for cell in lowered if _PLACES.search(cell.replace("_", " "))) >= 0.6 * len(lowered):
        found.append("place")
    hours = {cell for cell in lowered if cell.isdigit() and int(cell) <= 23}
    return [*found, "hour"] if hours == lowered else found


def read_number(cell: str, *, comma: bool = False) -> float:
    """A cell as a number, currency signs and a percent sign apart; NaN where it is none."""
    if _PLAIN.match(cell):
        return float(cell)
    text = cell[:-1].strip() if cell.endswith("%") else cell
    if not _MONEY.match(text):
        return float("nan")
    digits = re.sub(r"[^\d.,]", "", re.sub(r"(?i)^[^\d]*rs\.", "", text)).strip(".,")
    if comma:
        digits = digits.replace(".", "").replace(",", ".")
    elif digits.count(",") == 1 and "." not in digits and len(digits.split(",")[1]) != 3:
        digits = digits.replace(",", ".")
    else:
        digits = digits.replace(",", "")
    if digits.count(".") > 1:
        return float("nan")
    try:
        amount = float(digits)
    except ValueError:
        return float("nan")
    return -amount if re.search(r"^[^\d]*[-−(]", text) else amount


def _decimal_votes(cells: Sequence[str]) -> tuple[int, int]:
    """How many cells can only be read with a decimal comma, and how many only with a point."""
    comma = point = 0
    for cell in cells:
        text = re.sub(r"[^\d.,]", "", cell.rstrip("%")).strip(".,")
        if re.fullmatch(r"\d{1,3}(\.\d{3})+,\d+|\d+,(\d{1,2}|\d{4,})", text):
            comma += 1
        elif re.fullmatch(r"\d{1,3}(,\d{2,3})*,\d{3}\.\d+|\d+\.(\d{1,2}|\d{4,})", text):
            point += 1
    return comma, point


def _sign(cells: Sequence[str]) -> str | None:
    """The currency sign that most cells carry."""
    found: Counter[str] = Counter()
    for cell in cells:
        match = _MONEY.match(cell)
        sign = match and (match["sign"] or match["tail"])
        if not sign:
            continue
        if sign.upper() in CURRENCY_CODES:
            found[sign.upper()] += 1
        elif sign.casefold().startswith("rs"):
            found["INR"] += 1
        elif sign in CURRENCY_SIGNS or sign == "$":
            found[CURRENCY_SIGNS.get(sign, sign)] += 1
        elif sign.endswith("$"):
            found[{"u": "USD", "c": "CAD", "a": "AUD"}[sign[0].casefold()]] += 1
    best = found.most_common(1)
    return best[0][0] if best and best[0][1] >= 0.5 * len(cells) else None


def _formats(cells: Sequence[str], formats: Sequence[str]) -> tuple[str, ...]:
    """The formats that read every one of the (distinct) cells."""
    if not cells or not any(character.isdigit() for character in cells[0]) or len(cells[0]) > 40:
        return ()
    if formats is DATE_FORMATS:
        # Workbooks give days as midnights.
        cells = [_MIDNIGHT.sub("", cell) for cell in cells]
    if all(re.fullmatch(r"\d{8}", cell) for cell in cells):
        formats = [form for form in formats if form == "%Y%m%d"]
    return tuple(form for form in formats if all(_reads(cell, form) for cell in cells[:400]))


def _reads(cell: str, form: str) -> bool:
    spelled = form.replace("%.f", "" if "." not in cell else ".%f").replace("%:z", "%z")
    try:
        moment = datetime.strptime(cell, spelled)  # noqa: DTZ007 - only whether it reads
    except ValueError:
        return False
    return 1990 <= moment.year <= 2100


def _epoch(cells: Sequence[str]) -> int:
    """10 or 13 where all cells are seconds or milliseconds since 1970 of this century, else 0."""
    if not all(_EPOCH.match(cell) for cell in cells):
        return 0
    digits = {len(cell.partition(".")[0]) for cell in cells}
    return digits.pop() if len(digits) == 1 else 0


def has_check_digit(cell: str) -> bool:
    """Whether the cell is a GTIN-8, -12, -13 or -14 whose check digit is right (GS1 General Specifications)."""
    if not re.fullmatch(r"\d{8}|\d{12,14}", cell) or not cell.strip("0"):
        return False
    digits = [int(digit) for digit in reversed(cell)]
    return (-sum(digit * (3 if place % 2 else 1) for place, digit in enumerate(digits) if place)) % 10 == digits[0]
