"""Attribution windows that no header of a figure names: a column beside, a title or the file's name may tell them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from harmonization.core.matching.decision import Decision
from harmonization.core.matching.lexicon import lexicon
from harmonization.core.matching.words import read_header

#: A text speaks of attribution, and not of a range of dates, where it has one of these.
_ABOUT: Final = frozenset({"attribution", "attributed", "window", "lookback", "click", "view", "conversion"})


@dataclass(frozen=True, slots=True)
class HiddenWindow:
    """Days after a click and after a view, as far as they are told, and where."""

    click_days: int | None = None
    view_days: int | None = None
    where: str = ""


def find_hidden_window(decisions: Sequence[Decision], texts: Iterable[tuple[str, str]]) -> HiddenWindow:
    """The window that holds for every row, from a column of settings or else from texts (where it stands, text)."""
    for decision in decisions:
        column = decision.column
        if "attribution" in column.reading.foreign and column.profile.only is not None:
            found = _read(column.profile.only)
            if found != (None, None):
                return HiddenWindow(*found, f"the column {column.words.header[:40]!r}")
    for where, text in texts:
        if _ABOUT & set(read_header(text, lexicon().words).words):
            found = _read(text)
            if found != (None, None):
                return HiddenWindow(*found, where)
    return HiddenWindow()


def _read(text: str) -> tuple[int | None, int | None]:
    words = read_header(text, lexicon().words)
    return words.click_days, words.view_days
