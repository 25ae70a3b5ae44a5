"""`manage.py run_jobs`: run what waits, in this process, without Celery."""

from __future__ import annotations

import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from jobs.draining import run_queued_jobs

_PAUSE = 1.0  # seconds between two looks at empty queues


class Command(BaseCommand):
    help = "Run waiting jobs of all tenants in this process, one after the other; with --once, end when none waits."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--once", action="store_true", help="end when nothing waits any more")

    def handle(self, *args: Any, once: bool, **options: Any) -> None:
        try:
            while True:
                ran = run_queued_jobs()
                if ran or once:
                    self.stdout.write(f"{ran} attempts ran")
                if once:
                    return
                time.sleep(_PAUSE)
        except KeyboardInterrupt:
            self.stdout.write("interrupted")
