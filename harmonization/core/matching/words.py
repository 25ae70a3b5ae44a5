"""A header as words: `attributedSalesSameSku14d`, `_7_d_click`, `14 Day Total Sales (₹)`, `metrics.cost_micros`.

Nothing here knows a network. Windows (`14d`, `7 day click`, `days30`) and unit suffixes are taken out of the words,
since they say how a figure is counted and not what it is.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Container
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

from harmonization.core.headers import CURRENCY_CODES, CURRENCY_SIGNS, split_unit
from harmonization.core.matching.abbreviations import USED, expand

#: Headers are text that somebody else wrote: longer ones are read up to here.
LONGEST: Final = 200
_ACRONYMS = re.compile(r"(?i)(?<![a-z])(t?acos|roas|iroas|vcpm|ecpm)(?![a-z])|ACoS|RoAS")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|(?<=[A-Za-z])(?=\d)|(?<=\d)(?=[A-Za-z])")
_WORD = re.compile(r"[^\W_]+|[%#$€£₹¥]")
#: A stroke between words: `Cost / conv.` is one per the other.
_STROKE = re.compile(r"(?<=[\w.)])\s*/\s*(?=[^\W\d])")
#: Words that a dot cuts short.
_CUT = re.compile(r"([^\W\d_]{2,})\.(?!\w)")
#: Among known words: the tongue joins words, with letters between that mean nothing (`Kampagne-n-name`).
JOINED: Final = "~"
_LINKS: Final = frozenset({"s", "n", "en", "es"})
#: Words in -ed of nothing that was done.
_NO_DEEDS: Final = frozenset({"united", "rated", "stated", "dated", "limited", "red", "need", "speed", "feed"})
STROKE: Final = "perstroke"
_ACCENTS = re.compile("[\u0300-\u036f]")
_DAY_WORDS: Final = frozenset({"d", "day", "dy", "j", "tage", "tagen", "jour", "dia", "giorno", "giorni"})
_HOUR_WORDS: Final = frozenset({"h", "hr", "hour"})
_CLICK: Final = frozenset({"click", "clickthrough", "klick", "clic", "clique"})
_VIEW: Final = frozenset({"view", "viewthrough", "impression", "vue", "visualizacion", "visualizacao"})
#: What views are counted of: `page views 14d` is no window of views.
_VIEWED: Final = frozenset({"page", "video", "detail", "product", "item", "pdp"})
_EXPOSURE: Final = frozenset({"exposure"})
_JOINTS: Final = frozenset({"and", "or", "post", "through", "after", "a", "an"})
#: Two-letter words that may be part of an unspaced header.
_SHORT_PARTS: Final = frozenset({"id", "ad"})
#: And those that may stand between others there.
_INNER_PARTS: Final = frozenset({"to", "of", "on", "by", "per", "vs"})
_SHORT: Final = frozenset(
    [
        "acos",
        "tacos",
        "roas",
        "iroas",
        "status",
        "os",
        "ios",
        "gross",
        "as",
        "is",
        "us",
        "this",
        "has",
        "plus",
        "micros",
        "address",
        "access",
        "business",
        "class",
        "loss",
        "sms",
        "gps",
        "cross",
        "less",
        "press",
        "basis",
        "analysis",
        "always",
        "news",
        "series",
        "plus",
        "various",
    ]
)


@dataclass(frozen=True, slots=True)
class HeaderWords:
    """`words` are singular and lower case, without window and unit; `unit` is `%`, `#`, a currency code or None.

    `click_days` and `view_days` are the windows that the header names; a window that names no touch is of clicks.
    `prefix` are the words before the last dot of a dotted name.
    """

    header: str
    words: tuple[str, ...]
    unit: str | None
    click_days: int | None
    view_days: int | None
    prefix: tuple[str, ...] = ()

    @property
    def phrase(self) -> str:
        return " ".join(word for word in self.words if word != STROKE)


@lru_cache(maxsize=4096)
def singular(word: str) -> str:
    """Plural endings off: `sales` is `sale`, `quantities` is `quantity`, `status` stays."""
    if word in ("ads", "ids"):
        return word[:-1]
    if word in _SHORT or len(word) < 4 or not word.endswith("s") or word.endswith(("ss", "us", "is")):
        return word
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith(("shes", "ches", "xes", "sses")):
        return word[:-2]
    return word[:-1]


def split_words(text: str) -> list[str]:
    """Lower-case singular words and numbers of a header, signs as words of their own."""
    text = unicodedata.normalize("NFKC", text[:LONGEST])
    if not text.isascii():
        # Accents are often lost on the way: words are compared without them.
        text = unicodedata.normalize("NFC", _ACCENTS.sub("", unicodedata.normalize("NFD", text)))
    text = _ACRONYMS.sub(lambda found: f" {found[0].lower()} ", text)
    words: list[str] = []
    for chunk in _WORD.findall(text):
        words += [singular(part.casefold()) for part in _CAMEL.split(chunk) if part]
    return words


def read_header(header: str, known: Container[str] = frozenset()) -> HeaderWords:
    """The words of a header. `known` are words of the lexicon: `adspend` is split where all its parts are known."""
    bare, unit = split_unit(header[:LONGEST].strip())
    cut = frozenset(singular(found.casefold()) for found in _CUT.findall(bare))
    parts = _path(bare)
    prefix = split_words(".".join(parts[:-1]))
    words = _loose_days(split_words(_STROKE.sub(f" {STROKE} ", parts[-1])), known)
    if known:
        words = [piece for word in words for piece in _spelled_out(word, known, cut=word in cut)]
        prefix = [piece for word in prefix for piece in _spelled_out(word, known, cut=False)]
    words, click, view = _windows(words)
    unit = unit or _sign(words)
    words = [word for word in words if word not in ("%", "#", "$") and word not in CURRENCY_SIGNS]
    return HeaderWords(header, tuple(words), unit, click, view, tuple(prefix))


def without_first(words: HeaderWords, shared: Container[str]) -> HeaderWords:
    """The words of a header less first ones that tell nothing, unless nothing else were left."""
    rest = words.words
    while len(rest) > 1 and rest[0] in shared:
        rest = rest[1:]
    return words if len(rest) == len(words.words) else replace(words, words=rest)


def _path(bare: str) -> list[str]:
    """The steps of a dotted name, `metrics.clicks`; other dots end abbreviations."""
    parts = bare.split(".")
    if len(parts) == 1 or not parts[-1] or not re.fullmatch(r"[\w.]+", bare):
        return [bare]
    if any(part[:1].isupper() and len(part) <= 5 for part in parts[:-1]):
        # `Avg.CPC`, `Impr.Share`: paths are written small.
        return [bare.replace(".", " ")]
    return parts


def _sign(words: list[str]) -> str | None:
    for word in words:
        if word in ("%", "#", "$"):
            return word
        if word in CURRENCY_SIGNS:
            return CURRENCY_SIGNS[word]
    last = words[-1].upper() if words else ""
    return last if last in CURRENCY_CODES and len(words) > 1 else None


def _windows(words: list[str]) -> tuple[list[str], int | None, int | None]:
    """Words without their windows, and the windows in days by touch; a window that names no touch is of clicks."""
    click: int | None = None
    view: int | None = None
    rest: list[str] = []
    index = 0
    while index < len(words):
        days, width = _window_at(words, index)
        if days is None:
            rest.append(words[index])
            index += 1
            continue
        after = _touches(words[index + width :])
        before = rest[-1] if rest else ""
        counted = before == "view" and rest[-2:-1] and rest[-2] in _VIEWED
        if "view" in after or (not after and before in ("view", "viewthrough") and not counted):
            view = days
        if "click" in after or view != days:
            click = days
        index += width
    return rest, click, view


def _touches(words: list[str]) -> set[str]:
    """The kinds of touch that are named first in the words: `click or impression sales` names two."""
    found: set[str] = set()
    for word in words:
        if word in _CLICK:
            found.add("click")
        elif word in _VIEW:
            found.add("view")
        elif word in _EXPOSURE:
            found |= {"click", "view"}
        elif word not in _JOINTS:
            break
    return found


def _window_at(words: list[str], index: int) -> tuple[int | None, int]:
    """(days, words used) of a window that starts here: `14 day`, `day 14` at the end, `24 hour`; else (None, 0)."""
    word = words[index]
    after = words[index + 1] if index + 1 < len(words) else ""
    if word.isdigit() and 1 <= len(word) <= 3 and 1 <= int(word) <= 365:
        if after in _DAY_WORDS:
            return int(word), 2
        if after in _HOUR_WORDS and int(word) % 24 == 0:
            return int(word) // 24, 2
    if word in _DAY_WORDS and after.isdigit() and 1 <= len(after) <= 3 and 1 <= int(after) <= 365:
        return int(after), 2
    return None, 0


@lru_cache(maxsize=4096)
def _split_cached(word: str, known: frozenset[str]) -> tuple[str, ...]:
    best: list[tuple[str, ...] | None] = [()] + [None] * len(word)
    for end in range(2, len(word) + 1):
        for start in range(max(0, end - 20), end):
            left = best[start]
            piece = singular(word[start:end])
            if left and JOINED in known and word[start:end] in _LINKS and best[end] is None:
                best[end] = left
                continue
            short = piece not in known
            if left is None or (short and (piece not in USED or len(piece) < 3)):
                continue
            inside = start > 0 and end < len(word) and piece in _INNER_PARTS
            if len(piece) < 3 and piece not in _SHORT_PARTS and not inside:
                continue
            current = best[end]
            if current is None or len(left) + 1 < len(current):
                best[end] = (*left, *(USED[piece] if short else (piece,)))
    return best[-1] or (word,)


def _loose_days(words: list[str], known: Container[str]) -> list[str]:
    """`7dclick` as `7 d click`: the letter for days may stick to the word after it."""
    loose: list[str] = []
    for word in words:
        sticks = loose and loose[-1].isdigit() and len(word) > 3 and word[0] == "d" and word not in known
        rest = singular(word[1:]) if sticks else ""
        loose += ["d", rest] if rest in known or rest in _CLICK | _VIEW else [word]
    return loose


def _spelled_out(word: str, known: Container[str], *, cut: bool) -> tuple[str, ...]:
    """A word as the words of the lexicon that it joins or shortens; itself where it is neither."""
    if word in known or not isinstance(known, frozenset) or word == STROKE:
        return (word,)
    if 5 <= len(word) <= 40 and word.isalpha():
        parts = _split_cached(word, known)
        if len(parts) > 1:
            return parts
    if word.endswith("ed") and (stem := _stem(word, known)):
        return (stem,)
    return expand(word, cut=cut) or (word,)


def _stem(word: str, known: Container[str]) -> str:
    """`bidded` as `bid`, `targeted` as `target`; empty where no such word is known."""
    stems = [word[:-2], word[:-1], *([word[:-3]] if word[-3:-2] == word[-4:-3] else [])]
    return next((stem for stem in stems if len(stem) >= 3 and stem in known), "") if word not in _NO_DEEDS else ""
