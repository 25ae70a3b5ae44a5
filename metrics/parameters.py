"""The words of an address, as the arguments of `metrics.services.query_metrics`; REST and the page share them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from django.http import QueryDict

from metrics.core.definitions import DIMENSIONS
from tenants.core.problems import InvalidInput

FILTERS: Final = tuple(name for name, dimension in DIMENSIONS.items() if dimension.can_filter)
QUERY: Final = (
    "metrics", "dimensions", "start", "end", "compare", "attribution", "window", "match", "money", "as_of", "sort",
    "limit",
)  # fmt: skip
DEFAULT_LIMIT: Final = 1000


def read_query(given: QueryDict, *, usual_limit: int | None, also: Iterable[str] = ()) -> dict[str, Any]:
    """Arguments of a query.

    Args:
        usual_limit: of lines, where the address says none.
        also: further parameters of the address, which are not read here.

    Raises:
        InvalidInput: a parameter is unknown (a mistyped filter would otherwise show everything), given twice where
            it has one value, missing or malformed.
    """
    known = {*QUERY, *FILTERS, *also}
    for name in given:
        if name not in known:
            raise InvalidInput(
                f"There is no parameter {name!r}.", where=name, fix=f"Use some of: {', '.join((*QUERY, *FILTERS))}."
            )
    return {
        "metrics": _names(given, "metrics"),
        "dimensions": _names(given, "dimensions"),
        "start": read_day(given, "start"),
        "end": read_day(given, "end"),
        "filters": read_filters(given),
        "compare": _one(given, "compare") or "none",
        "attribution": _one(given, "attribution") or "as_reported",
        "window": read_window(given),
        "match": _one(given, "match"),
        "money": _one(given, "money"),
        "as_of": read_instant(given),
        "sort": _one(given, "sort"),
        "limit": _limit(given, usual_limit),
    }


def read_filters(given: QueryDict) -> dict[str, list[str]]:
    """Members to keep: every dimension is a parameter, given once per member."""
    return {name: values for name in FILTERS if (values := [value for value in given.getlist(name) if value])}


def read_day(given: QueryDict, name: str) -> date:
    """A day that must be given."""
    text = _one(given, name)
    try:
        return date.fromisoformat(text)
    except ValueError:
        detail = f"{text!r} is not a day." if text else f"{name} is missing."
        raise InvalidInput(detail, where=name, fix="Write it as YYYY-MM-DD.") from None


def read_window(given: QueryDict) -> int | None:
    """Days of the common rule; None where the address says none."""
    text = _one(given, "window")
    try:
        return int(text) if text else None
    except ValueError:
        raise InvalidInput(f"{text!r} is no number of days.", where="window", fix="Send a whole number.") from None


def read_instant(given: QueryDict) -> datetime | None:
    """The instant as of which figures are asked; a day stands for its end in UTC. None where there is none."""
    return instant_of(_one(given, "as_of"))


def instant_of(text: str) -> datetime | None:
    """An instant in UTC from ISO 8601 text; None for empty text.

    Raises:
        InvalidInput: the text is neither an instant nor a day.
    """
    if not text:
        return None
    found = _instant(text) or _instant("+".join(text.rsplit(" ", 1)))  # a plus sign in an address is a space
    if found is None:
        raise InvalidInput(
            f"{text!r} is no instant.", where="as_of", fix="Write it as 2026-03-01T09:00:00Z, or a day as 2026-03-01."
        )
    if len(text) == len("2026-03-01"):
        found = found + timedelta(days=1, microseconds=-1)
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


def _instant(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def _names(given: QueryDict, name: str) -> list[str]:
    """Several names, by commas or by repeating the parameter."""
    return [part.strip() for text in given.getlist(name) for part in text.split(",") if part.strip()]


def _one(given: QueryDict, name: str) -> str:
    values = given.getlist(name)
    if len(values) > 1:
        raise InvalidInput(f"{name} is given {len(values)} times.", where=name, fix="Give it once.")
    return values[0].strip() if values else ""


def _limit(given: QueryDict, usual: int | None) -> int | None:
    text = _one(given, "limit")
    if not text:
        return usual
    try:
        return int(text)
    except ValueError:
        raise InvalidInput(f"{text!r} is not a number of lines.", where="limit", fix="Send a whole number.") from None
