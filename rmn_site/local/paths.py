"""Where the embedded servers keep their data, and the addresses that follow from it.

Importing this module, and calling anything in it but `prepare_home`, touches nothing on disk.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

from tenants.core.problems import Conflict, InvalidInput

# sockaddr_un.sun_path holds 108 bytes on Linux and 104 on macOS, the closing zero included.
SOCKET_PATH_LIMIT = 100
POSTGRES_PORT = 5432  # over a Unix socket only part of the socket's file name
DATABASE_NAME = "rmn"
DATABASE_SUPERUSER = "postgres"
_MARKER = ".rmn-home"


def project_root() -> Path:
    """The folder that holds `manage.py`."""
    return Path(__file__).resolve().parents[2]


def data_home(environ: Mapping[str, str] | None = None, project: Path | None = None, uid: int | None = None) -> Path:
    """The folder of everything this checkout stores on this machine.

    `RMN_DATA_HOME` decides where it is set. Otherwise it is `.rmn` in the project, so that two checkouts never share
    data and deleting a checkout deletes its data, except where the embedded servers could not work there:

    - root's PostgreSQL runs as `nobody`, who must be able to reach the folder (it cannot below /root);
    - the path of a Unix socket is limited to about 100 bytes, which a deep checkout exceeds.

    Then it is a folder of /var/tmp (which, unlike /tmp, survives a restart) named by user and project path.
    """
    environ = os.environ if environ is None else environ
    uid = os.geteuid() if uid is None else uid
    if given := environ.get("RMN_DATA_HOME"):
        return Path(given).expanduser().absolute()
    project = (project or project_root()).resolve()
    home = project / ".rmn"
    if socket_paths_fit(home) and (uid != 0 or parents_traversable(home)):
        return home
    name = hashlib.sha256(os.fsencode(project)).hexdigest()[:12]
    return _shared_folder() / f"rmn-{uid}-{name}"


def _shared_folder() -> Path:
    lasting = Path("/var/tmp")  # noqa: S108 - prepare_home refuses a folder there that belongs to somebody else
    return lasting if os.access(lasting, os.W_OK) else Path(tempfile.gettempdir()).resolve()


def postgres_data(home: Path) -> Path:
    """PostgreSQL's data folder, which also holds its socket: mode 0700, so only its owner (and root) can connect."""
    return home / "pgdata"


def postgres_socket(home: Path) -> Path:
    return postgres_data(home) / f".s.PGSQL.{POSTGRES_PORT}"


def valkey_data(home: Path) -> Path:
    return home / "valkey"


def valkey_socket(home: Path) -> Path:
    return valkey_data(home) / "valkey.sock"


def logs_folder(home: Path) -> Path:
    return home / "logs"


def storage_root(home: Path) -> Path:
    """The default of `RMN_STORAGE_ROOT`: uploads and event tables, one folder per tenant."""
    return home / "storage"


def embedded_database_url(home: Path | None = None, database: str = DATABASE_NAME) -> str:
    """`postgresql://postgres@/rmn?host=<socket folder>`, as libpq and psycopg read it."""
    folder = quote(str(postgres_data(home or data_home())), safe="/")
    return f"postgresql://{DATABASE_SUPERUSER}@/{database}?host={folder}"


def embedded_redis_url(home: Path | None = None) -> str:
    """`unix://<socket>`, as redis-py and Django's Redis cache read it."""
    return "unix://" + quote(str(valkey_socket(home or data_home())), safe="/")


def socket_paths_fit(home: Path) -> bool:
    """Whether every socket below `home` is short enough for the kernel."""
    return all(len(os.fsencode(path)) <= SOCKET_PATH_LIMIT for path in (postgres_socket(home), valkey_socket(home)))


def parents_traversable(path: Path) -> bool:
    """Whether a user who owns nothing can pass through every existing folder above `path`."""
    return all(parent.stat().st_mode & 0o001 for parent in path.resolve().parents if parent.exists())


def prepare_home(home: Path) -> Path:
    """Create the data home, or check that the existing one is this user's. Idempotent.

    Raises:
        InvalidInput: the sockets would not fit, or root's `nobody` could not reach them.
        Conflict: the folder belongs to another user. In /var/tmp anyone could have put it there.
    """
    if not socket_paths_fit(home):
        raise InvalidInput(
            f"The path is too long for a Unix socket: {postgres_socket(home)} exceeds {SOCKET_PATH_LIMIT} bytes.",
            where=str(home),
            fix="Set RMN_DATA_HOME to a shorter path.",
        )
    as_root = os.geteuid() == 0
    if as_root and not parents_traversable(home):
        raise InvalidInput(
            "PostgreSQL refuses to run as root and runs as `nobody`, who cannot reach this folder.",
            where=str(home),
            fix="Set RMN_DATA_HOME to a folder whose parents all have the x permission for others.",
        )
    mode = 0o711 if as_root else 0o700
    try:
        home.parent.mkdir(parents=True, exist_ok=True)
        home.mkdir(mode=mode)
    except PermissionError as error:
        raise Conflict(
            f"You may not create the data folder here ({error.strerror}).",
            where=str(home),
            fix="Set RMN_DATA_HOME to a folder of your own.",
        ) from error
    except FileExistsError:
        owner = home.lstat().st_uid
        if home.is_symlink() or not home.is_dir() or owner != os.geteuid():
            raise Conflict(
                f"The data folder is a link, a file, or another user's (uid {owner}, yours is {os.geteuid()}).",
                where=str(home),
                fix="Continue as that user, or set RMN_DATA_HOME to a folder of your own.",
            ) from None
    home.chmod(mode)  # mkdir's mode is cut by the umask
    logs_folder(home).mkdir(mode=0o700, exist_ok=True)
    (home / _MARKER).touch()
    return home


def is_data_home(home: Path) -> bool:
    """Whether `prepare_home` made this folder, so that a reset may delete it."""
    return (home / _MARKER).is_file() and not home.is_symlink()
