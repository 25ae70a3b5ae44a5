"""Ids in the one spelling that events have."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from uuid import UUID

from tenants.core.problems import InvalidInput


def with_plain_ids(filters: Mapping[str, Iterable[str]]) -> dict[str, list[str]]:
    """Filters with brands in one spelling: a UUID may be sent in capitals or without hyphens.

    Raises:
        InvalidInput: what stands for a brand is no UUID.
    """
    plain = {name: list(members) for name, members in filters.items()}
    if "brand" in plain:
        plain["brand"] = [str(brand_id(text)) for text in plain["brand"]]
    return plain


def brand_id(text: str) -> UUID:
    """The id that a text spells.

    Raises:
        InvalidInput: it spells none.
    """
    try:
        return UUID(text)
    except ValueError:
        raise InvalidInput(f"{text!r} is not the id of a brand.", where="brand", fix="Send its UUID.") from None
