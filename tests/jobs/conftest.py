"""Helpers of the job tests."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from accounts.models import User
from jobs.models import Job
from jobs.services import submit_job


@pytest.fixture
def submit(alice: User) -> Callable[..., Job]:
    """`submit("count", to=3)`: a job of kind `test.count` by alice."""

    def _submit(kind: str = "count", **params: Any) -> Job:
        return submit_job(kind=f"test.{kind}", params=params, actor=alice)

    return _submit
