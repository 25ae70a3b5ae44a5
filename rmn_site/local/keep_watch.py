"""The watchdog's own program: `python -m rmn_site.local.keep_watch <data home>`. See `watchdog`."""

from __future__ import annotations

import argparse
import os
import shutil
import signal
from pathlib import Path

from rmn_site.local.paths import is_data_home
from rmn_site.local.processes import end_marked
from rmn_site.local.servers import stop_unused

GRACE = 10.0  # seconds between asking the left-over processes to end and killing them


def keep_watch(home: Path, *, marker: str = "", remove_home: bool = False) -> None:
    """Wait for the end of standard input; then end marked processes, stop unused servers, drop a temporary home."""
    while os.read(0, 4096):
        pass
    if marker:
        end_marked(marker, grace=GRACE)
    if home.is_dir() and stop_unused(home) and remove_home and is_data_home(home):
        shutil.rmtree(home, ignore_errors=True)


def main() -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # it ends when the watched process does, and not before
    parser = argparse.ArgumentParser(prog="python -m rmn_site.local.keep_watch", description=keep_watch.__doc__)
    parser.add_argument("home", type=Path)
    parser.add_argument("--marker", default="")
    parser.add_argument("--remove-home", action="store_true")
    arguments = parser.parse_args()
    keep_watch(arguments.home, marker=arguments.marker, remove_home=arguments.remove_home)


if __name__ == "__main__":
    main()
