"""Public identifiers."""

from __future__ import annotations

from uuid import UUID

from uuid_utils.compat import uuid7


def new_id() -> UUID:
    """A UUID version 7 (RFC 9562): unguessable enough for a public id, and ordered by time of creation."""
    return uuid7()
