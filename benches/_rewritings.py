"""Labelled reports with their headers written in other ways: how much of a match hangs on the spelling."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from benches._label_scores import Labels

#: Header to header.
Rewriting = Callable[[str], str]
_BOUNDARY = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|[\s_.]+")
_SYNONYMS: Final = {
    "spend": "cost", "cost": "spend", "sales": "revenue", "revenue": "sales", "orders": "purchases",
    "purchases": "orders", "units": "quantity", "advertiser": "client", "retailer": "publisher", "product": "item",
    "item": "product",
}  # fmt: skip


def _words(header: str) -> list[str]:
    return [word for word in _BOUNDARY.split(header) if word]


def _snake(header: str) -> str:
    return "_".join(_words(header)).lower()


def _camel(header: str) -> str:
    first, *rest = _words(header)
    return first.lower() + "".join(word[:1].upper() + word[1:].lower() for word in rest)


def _without_vowels(header: str) -> str:
    short = [word[0] + re.sub("[aeiou]", "", word[1:].lower()) if len(word) > 5 else word for word in _words(header)]
    return "_".join(short).lower()


def _cut(header: str, letters: int) -> str:
    return "_".join(word[:letters] if len(word) > letters + 2 else word for word in _words(header)).lower()


REWRITINGS: Final[dict[str, Rewriting]] = {
    "as they are": str,
    "snake_case": _snake,
    "camelCase": _camel,
    "UPPER_CASE": lambda header: _snake(header).upper(),
    "joinedtogether": lambda header: "".join(_words(header)).lower(),
    "kebab-case": lambda header: "-".join(_words(header)).lower(),
    "cut to five letters": lambda header: _cut(header, 5),
    "cut to four letters": lambda header: _cut(header, 4),
    "without vowels": _without_vowels,
    "synonyms": lambda header: " ".join(_SYNONYMS.get(word.lower(), word) for word in _words(header)),
    "ads_ before": lambda header: f"ads_{_snake(header)}",
    "metrics. before": lambda header: f"metrics.{_snake(header)}",
}


def rewritten(labels: Labels, rewriting: Rewriting) -> Labels:
    """The report with other headers; one that would become another column's stays as it is."""
    columns, taken = [], set()
    for column in labels.columns:
        header = rewriting(column["header"]) or column["header"]
        header = column["header"] if header in taken else header
        taken.add(header)
        columns.append({**column, "header": header})
    return Labels(labels.name, labels.network, labels.currency, tuple(columns))
