"""The errors that people see.

Every rule of the product that can be broken by input raises a `Problem`. It says what is wrong, where, and what
would fix it; the API renders it as RFC 9457 problem details, pages and commands print the same three sentences.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar


class Problem(Exception):  # noqa: N818  the word of RFC 9457
    """Base of all errors meant for people.

    Args:
        detail: what is wrong, naming the field, row or rule.
        where: the place, as a reader would look for it (`line 12`, `column "Spend"`, `row 4711`).
        fix: the next move, one sentence in the imperative.
        errors: further findings of the same kind, each a mapping with at least `detail`.
    """

    status: ClassVar[int] = 400
    code: ClassVar[str] = "problem"
    title: ClassVar[str] = "The request cannot be carried out"

    def __init__(
        self,
        detail: str,
        *,
        where: str = "",
        fix: str = "",
        errors: Sequence[Mapping[str, Any]] = (),
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.where = where
        self.fix = fix
        self.errors = [dict(error) for error in errors]

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        move = f" {self.fix}" if self.fix else ""
        return f"{place}{self.detail}{move}"

    def __reduce__(self) -> tuple[Any, ...]:
        # Exceptions with keyword-only arguments do not survive pickling between processes without this.
        return (_rebuild, (type(self), self.detail, self.where, self.fix, self.errors))

    def as_dict(self) -> dict[str, Any]:
        """The members of a problem document, without the HTTP parts."""
        document: dict[str, Any] = {"code": self.code, "title": self.title, "detail": self.detail}
        if self.where:
            document["where"] = self.where
        if self.fix:
            document["fix"] = self.fix
        if self.errors:
            document["errors"] = self.errors
        return document


def _rebuild(kind: type[Problem], detail: str, where: str, fix: str, errors: list[dict[str, Any]]) -> Problem:
    return kind(detail, where=where, fix=fix, errors=errors)


class InvalidInput(Problem):
    """The input breaks a rule that its sender can satisfy."""

    status = 400
    code = "invalid-input"
    title = "The input is not valid"


class NotAuthenticated(Problem):
    """Nobody is logged in, or the token is not of this tenant."""

    status = 401
    code = "not-authenticated"
    title = "Log in first"


class NotAllowed(Problem):
    """The person is known but may not do this."""

    status = 403
    code = "not-allowed"
    title = "Your role does not allow this"


class TenantSuspended(Problem):
    """The platform's operators closed the tenant for the time being."""

    status = 403
    code = "tenant-suspended"
    title = "This tenant is suspended"


class NotFound(Problem):
    """No such thing here, or none that this person may know of: the two are not told apart."""

    status = 404
    code = "not-found"
    title = "Not found"


class Conflict(Problem):
    """The state of the thing does not allow the change, or the same key was used for something else."""

    status = 409
    code = "conflict"
    title = "This conflicts with the current state"


class TooLarge(Problem):
    """A file or a request exceeds its limit."""

    status = 413
    code = "too-large"
    title = "Too large"


class QuotaExceeded(Problem):
    """The tenant used up what it is allotted."""

    status = 429
    code = "quota-exceeded"
    title = "The tenant's quota is used up"


class Unavailable(Problem):
    """A server the product depends on does not answer."""

    status = 503
    code = "unavailable"
    title = "Not available right now"
