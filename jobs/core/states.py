"""The life of a job."""

from __future__ import annotations

from enum import StrEnum


class State(StrEnum):
    """Where a job stands.

    `failed` is an answer: the handler found something that a person has to change, and said what. `dead` is not: the
    job's process was lost as often as its kind allows.
    """

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    DEAD = "dead"
    CANCELLED = "cancelled"

    @property
    def is_final(self) -> bool:
        """Whether nothing more happens unless a person retries the job."""
        return self not in _OPEN

    @property
    def may_be_retried(self) -> bool:
        return self in _RETRIED


_OPEN = frozenset({State.QUEUED, State.RUNNING})
_RETRIED = frozenset({State.FAILED, State.DEAD, State.CANCELLED})
OPEN_STATES = tuple(state.value for state in State if not state.is_final)
FINAL_STATES = tuple(state.value for state in State if state.is_final)
