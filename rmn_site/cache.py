"""The cache, which may be lost at any moment without anybody being refused for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import structlog
from django.core.cache.backends.redis import RedisCache
from redis.exceptions import RedisError

log = structlog.get_logger(__name__)


def _tolerant(name: str, otherwise: Callable[..., Any]) -> Callable[..., Any]:
    operation = getattr(RedisCache, name)

    def attempt(self: RedisCache, *args: Any, **options: Any) -> Any:
        try:
            return operation(self, *args, **options)
        except RedisError as error:
            log.warning("cache_unavailable", operation=name, error=str(error))
            return otherwise(*args, **options)

    attempt.__name__ = name
    return attempt


class TolerantRedisCache(RedisCache):
    """Django's Redis cache, empty while its server is away.

    Nothing in it is the truth: counters of rates are not kept meanwhile (failed logins are counted in PostgreSQL), and
    what was cached is worked out anew. To learn whether the server answers, ask it and not the cache.
    """

    add = _tolerant("add", lambda *_, **__: True)
    get = _tolerant("get", lambda key, default=None, version=None: default)
    set = _tolerant("set", lambda *_, **__: None)
    touch = _tolerant("touch", lambda *_, **__: False)
    delete = _tolerant("delete", lambda *_, **__: False)
    get_many = _tolerant("get_many", lambda *_, **__: {})
    has_key = _tolerant("has_key", lambda *_, **__: False)
    incr = _tolerant("incr", lambda key, delta=1, version=None: delta)
    set_many = _tolerant("set_many", lambda *_, **__: [])
    delete_many = _tolerant("delete_many", lambda *_, **__: None)
