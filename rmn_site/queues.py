"""Broker address."""

from __future__ import annotations


def celery_url(redis_url: str) -> str:
    """Celery's spelling of a Redis URL: a Unix socket is `redis+socket://` there, `unix://` everywhere else."""
    return redis_url.replace("unix://", "redis+socket://", 1) if redis_url.startswith("unix://") else redis_url
