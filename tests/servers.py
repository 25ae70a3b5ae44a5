"""Loaded by pytest before Django's settings: says which servers the tests use, and starts them where none are given.

A pytest plugin of its own, because pytest-django reads the settings before any conftest is loaded.
"""

from __future__ import annotations

import os
import tempfile
from typing import Any

import pytest

from rmn_site.local.testing import TestServers, start_test_servers

_started: TestServers | None = None


def _prepare_environment() -> None:
    os.environ["RMN_ENV"] = "test"
    os.environ.setdefault("POLARS_MAX_THREADS", "1")
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    os.environ.setdefault("RMN_STORAGE_ROOT", tempfile.mkdtemp(prefix="rmn-storage-"))
    # Files of a test run lie in a temporary folder, and the home must not be the developer's.
    os.environ.setdefault("RMN_DATA_HOME", tempfile.mkdtemp(prefix="rmn-home-"))


def _start() -> None:
    global _started
    if "DATABASE_URL" in os.environ and "REDIS_URL" in os.environ:
        return
    _started = start_test_servers()
    os.environ.setdefault("DATABASE_URL", _started.database_url)
    os.environ.setdefault("REDIS_URL", _started.redis_url)


_prepare_environment()
_start()


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: Any) -> None:
    """The process that started the servers stops them; workers of xdist only used them."""
    if _started is not None:
        _started.stop()
