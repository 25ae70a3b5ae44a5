"""What a log is asked for at every visit of a page, and takes seconds: kept until the log says something new."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from functools import cache as once
from importlib.metadata import version
from pathlib import Path
from typing import Final, TypeVar

from django.core.cache import cache

import optimization.core
from optimization.core.learning.log import LearningLog
from optimization.learning_models import LearningProgramme

T = TypeVar("T")

#: Raised when what is kept, or how it is found, changes: what an earlier release kept is then passed over.
_SHAPE: Final = 1
_CACHE_SECONDS: Final = 24 * 3600
_LIBRARIES: Final = ("numpy", "scipy", "highspy", "cvxpy")


def judged_once(programme: LearningProgramme, log: LearningLog, question: str, judge: Callable[[], T]) -> T:
    """The answer of `judge` to a question about a log, found once for a state of the log, the problem behind it and
    the code that decides: another release must decide again before it can say that it decides as this one did.

    Args:
        question: names what is asked, its arguments included.
        judge: what finds the answer; what it raises is not kept.
    """
    digest = hashlib.sha256(json.dumps(programme.problem, sort_keys=True).encode())
    digest.update(code_digest().encode())
    for line in log.to_lines():
        digest.update(line.encode())
    key = f"optimization:learning/{_SHAPE}:{digest.hexdigest()}:{hashlib.sha256(question.encode()).hexdigest()}"
    held: T | None = cache.get(key)
    if held is not None:
        return held
    found = judge()
    cache.set(key, found, _CACHE_SECONDS)
    return found


@once
def code_digest() -> str:
    """A digest of the sources of `optimization.core` and of the libraries that its figures come from."""
    digest = hashlib.sha256()
    for folder in sorted(optimization.core.__path__):
        for source in sorted(Path(folder).rglob("*.py")):
            digest.update(source.name.encode() + b"\0" + source.read_bytes())
    for library in _LIBRARIES:
        digest.update(f"{library} {version(library)}\n".encode())
    return digest.hexdigest()
