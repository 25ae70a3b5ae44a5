"""Kinds of long work, and what their code is given while it runs.

An app announces in `AppConfig.ready()` that it has handlers; its module `<app>.handlers` is imported, and its
`register()` called, when a kind of that app is first asked for. So a process that runs one job loads the code of one
app, and the engine names none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Literal, Protocol
from uuid import UUID

from tenants.core.problems import InvalidInput

Level = Literal["info", "warning", "error"]


class JobCancelled(Exception):  # noqa: N818 - a request, no error
    """A person cancelled the job; raised by `JobContext.raise_if_cancelled`, to be left to pass."""


class LostLease(Exception):  # noqa: N818 - as above
    """Another attempt owns the job now; what this one wanted to publish is rolled back. To be left to pass."""


class JobContext(Protocol):
    """One attempt at a job, as its handler sees it. The tenant's schema is active for as long as the handler runs."""

    @property
    def tenant_schema(self) -> str: ...

    @property
    def job_id(self) -> UUID: ...

    @property
    def attempt(self) -> int:
        """1 for the first attempt."""

    @property
    def token(self) -> int:
        """The fencing token: higher for every attempt of any job, never used twice."""

    @property
    def params(self) -> dict[str, Any]: ...

    @property
    def brand_id(self) -> UUID | None: ...

    @property
    def actor_id(self) -> UUID | None: ...

    @property
    def staging(self) -> Path:
        """A folder of this attempt alone, on the tenant's storage; removed after the job."""

    def progress(self, stage: str, done: int, total: int | None = None, unit: str = "rows") -> None:
        """Tell how far `stage` is, in `unit`s. Cheap to call often: it is written at most twice a second.

        A stage that follows another marks that one as done; `total=None` means that nobody knows yet.
        """

    def log(self, level: Level, message: str, **fields: Any) -> None:
        """Add a line to the log that people of the tenant read on the job's page."""

    def raise_if_cancelled(self) -> None:
        """Call between pieces of work.

        Raises:
            JobCancelled: somebody asked for it.
        """

    def publish(self, *, result: Mapping[str, Any] | None = None) -> AbstractContextManager[None]:
        """A transaction that commits only if this attempt still owns the job.

        With `result` (read when the block ends) the job's success is written in the same transaction: what the block
        publishes and the job's end then happen both or not at all, so a process lost right afterwards repeats nothing.

        Raises:
            LostLease: another attempt took over, on entering.
        """


Run = Callable[[JobContext], Mapping[str, Any] | None]
Abandoned = Callable[[UUID, Mapping[str, Any] | None], None]


@dataclass(frozen=True, kw_only=True)
class Handler:
    """One kind of job.

    Args:
        kind: `<app>.<act>`, such as `harmonization.load`.
        queue: one of the setting `JOB_QUEUES`.
        run: does the work and returns what the job's page shows (JSON-able). A `Problem` it raises fails the job with
            that text; any other exception counts as a crash and is tried again.
        title: what people read in the list of jobs, unless the submitter gives a better one.
        permission: who may submit one.
        memory_mb: limit of the child process with all it starts; None means the setting `JOB_MEMORY_MB`.
        timeout_seconds: limit of one attempt.
        max_attempts: crashes after which the job is dead.
        abandoned: told, in the tenant and in the transaction that ends the job, that it ended dead, failed or
            cancelled, for the handler's process may be gone: job id, and the problem where there is one.
    """

    kind: str
    queue: str
    run: Run
    title: str
    permission: str
    memory_mb: int | None = None
    timeout_seconds: int = 3600
    max_attempts: int = 3
    abandoned: Abandoned | None = None


_handlers: dict[str, Handler] = {}
_announced: set[str] = set()


def announce_handlers(app: str) -> None:
    """`<app>.handlers.register()` will make the kinds `<app>.<act>` known when they are needed."""
    _announced.add(app)


def _load(app: str) -> None:
    if app in _announced:
        import_module(f"{app}.handlers").register()
        # Only now: should the import fail, the next one tries again and fails as loudly.
        _announced.discard(app)


def register_handler(handler: Handler) -> Handler:
    """Make a kind of job known.

    Raises:
        ValueError: another handler has that kind.
    """
    if _handlers.setdefault(handler.kind, handler) != handler:
        raise ValueError(f"two handlers for the kind of job {handler.kind!r}")
    return handler


def handler_for(kind: str) -> Handler:
    """The handler of a kind.

    Raises:
        InvalidInput: there is none.
    """
    _load(kind.partition(".")[0])
    try:
        return _handlers[kind]
    except KeyError:
        for app in tuple(_announced):
            _load(app)
        known = ", ".join(sorted(_handlers)) or "none"
        raise InvalidInput(f"There is no kind of job {kind!r}.", where="kind", fix=f"Use one of: {known}.") from None


def handlers() -> tuple[Handler, ...]:
    """All handlers, by kind."""
    for app in tuple(_announced):
        _load(app)
    return tuple(_handlers[kind] for kind in sorted(_handlers))


@dataclass(frozen=True)
class Subject:
    """What a job can be about: `kind:id` in its `subject`, and the page of such a thing."""

    kind: str
    url_name: str
    label: str


_subjects: dict[str, Subject] = {}


def register_subject(*, kind: str, url_name: str, label: str) -> None:
    """Make the page of a kind of thing known, so that a job's page leads there. The same again changes nothing."""
    _subjects[kind] = Subject(kind, url_name, label)


def subject_of(text: str) -> tuple[Subject, str] | None:
    """The registered kind and the id of a job's subject; None where nothing is known of it."""
    kind, _, key = text.partition(":")
    found = _subjects.get(kind)
    return (found, key) if found is not None and key else None
