"""Telling workers that there is something to do.

The message carries nothing but the name of a queue. It may be lost, doubled or late: what is to be done stands in
PostgreSQL, and the reaper tells again what nobody acted on.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import structlog
from django.conf import settings
from django.utils.module_loading import import_string
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from jobs.dispatch import leases
from tenants.models import PUBLIC_SCHEMA

log = structlog.get_logger(__name__)

RUN_NEXT = "jobs.run_next"


def wake_workers(*, queue: str, job_ids: Sequence[UUID] = ()) -> bool:
    """Send one message to a queue; False when the broker cannot be reached, which is no error: it is sent again later.

    Args:
        job_ids: what the message is for, to be marked as told of.
    """
    app = import_string(settings.JOB_CELERY_APP)
    try:
        # Serving no tenant in particular, it says so: a task without a tenant in its header is refused.
        app.send_task(RUN_NEXT, args=[queue], queue=queue, headers={"_schema_name": PUBLIC_SCHEMA}, retry=False)
    except (OperationalError, RedisError, OSError) as error:
        log.warning("broker_unreachable", queue=queue, error=str(error))
        return False
    if job_ids:
        leases.mark_sent(job_ids=job_ids)
    return True


def wake_for_claimable() -> None:
    """One message for each queue in which a job could run now."""
    for queue in leases.claimable_queues():
        wake_workers(queue=queue)
