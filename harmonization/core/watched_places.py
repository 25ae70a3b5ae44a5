"""Places that are watched for files: folders and object-store prefixes, below roots that the operator allows.

A person names a place; the operator's roots say for each tenant what may be named. Nothing a person writes chooses a
host, an endpoint or credentials, and neither `..` nor a symbolic link leads out of a root.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path, PurePosixPath
from typing import Final, Literal

from pyarrow import fs

from tenants.core.problems import InvalidInput, NotFound, Unavailable

#: Object stores of pyarrow, by scheme; addresses and credentials come from the process's environment alone.
STORES: Final = ("s3", "gs")
MOST_FILES: Final = 10_000
_CHUNK: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Place:
    """A folder (absolute, links resolved) or a prefix (`bucket/prefix`) of a store, within `root`."""

    kind: Literal["folder", "s3", "gs"]
    path: str
    root: str

    def __str__(self) -> str:
        return self.path if self.kind == "folder" else f"{self.kind}://{self.path}"


@dataclass(frozen=True, slots=True)
class SeenFile:
    """A file of a place: its path below it, with forward slashes."""

    path: str
    size: int
    modified: datetime


def roots_of(tenant: str, allowed: Sequence[str]) -> list[str]:
    """What the operator allows a tenant, from entries `tenant=place`."""
    pairs = [entry.partition("=") for entry in allowed]
    return [place.strip() for name, equals, place in pairs if equals and name.strip() == tenant and place.strip()]


def find_place(location: str, roots: Sequence[str]) -> Place:
    """The place that a location names, if a root allows it.

    Args:
        location: `folder:/absolute/path`, an absolute path, or `s3://bucket/prefix`.

    Raises:
        InvalidInput: it is of no such form, or outside every root. Which of the two a path is that exists on this
            machine and one that does not, is not told.
    """
    text = location.strip()
    scheme, colon, rest = text.partition("://")
    if colon and scheme in STORES:
        path = _clean_prefix(rest)
        for root in roots:
            root_scheme, _, root_path = root.partition("://")
            if root_scheme == scheme and _below(path, _clean_prefix(root_path)):
                return Place(scheme, path, _clean_prefix(root_path))  # type: ignore[arg-type]
        raise _outside(roots)
    folder = text.removeprefix("folder:")
    if colon or not folder.startswith("/") or "\0" in folder:
        raise InvalidInput(
            f"{location!r} is no place that can be watched.",
            where="location",
            fix="Write folder:/absolute/path or s3://bucket/prefix.",
        )
    resolved = Path(folder).resolve()
    for root in roots:
        if "://" not in root and (within := _within(resolved, Path(root))):
            return Place("folder", str(resolved), str(within))
    raise _outside(roots)


def _outside(roots: Sequence[str]) -> InvalidInput:
    listed = ", ".join(roots) or "none yet"
    return InvalidInput(
        "That is outside of what this tenant may watch.",
        where="location",
        fix=f"Choose a place below one of: {listed}. The platform's operators set them (RMN_IMPORT_ROOTS).",
    )


def _clean_prefix(text: str) -> str:
    """`bucket/prefix` with neither empty nor dotted parts; an address with a query or a login in it is refused."""
    parts = [part for part in text.split("/") if part]
    if not parts or any(part in (".", "..") for part in parts) or any(sign in text for sign in "?#@\\\0%:"):
        raise InvalidInput(
            "An object store's place is s3://bucket/prefix and no more.",
            where="location",
            fix="Leave out options, logins and dots; the operator configures the store.",
        )
    return "/".join(parts)


def _below(path: str, root: str) -> bool:
    return path == root or path.startswith(f"{root}/")


def _within(path: Path, root: Path) -> Path | None:
    base = root.resolve()
    return base if path == base or base in path.parents else None


def list_files(place: Place, glob: str) -> list[SeenFile]:
    """Files of a place whose path below it, or name, matches `glob`, the oldest first; markers and hidden ones not.

    Raises:
        NotFound: the place is not there. Unavailable: the store does not answer. InvalidInput: too many files.
    """
    store = _store(place)
    try:
        infos = store.get_file_info(fs.FileSelector(place.path, recursive=True))
    except FileNotFoundError as error:
        raise NotFound(f"{place} is not there.", where="location", fix="Check the path, or create it.") from error
    except OSError as error:
        raise Unavailable(f"{place} cannot be listed: {type(error).__name__}.", where="location") from error
    found = []
    for info in infos:
        if info.type != fs.FileType.File:
            continue
        path = PurePosixPath(info.path).relative_to(place.path).as_posix()
        name = PurePosixPath(path).name
        if any(part.startswith(".") for part in PurePosixPath(path).parts) or name.endswith((".part", ".tmp", ".done")):
            continue
        if (fnmatch.fnmatch(path, glob) or fnmatch.fnmatch(name, glob)) and _is_inside(place, info.path):
            found.append(SeenFile(path, int(info.size or 0), _instant(info.mtime)))
    if len(found) > MOST_FILES:
        raise InvalidInput(
            f"{place} holds {len(found):,} files; {MOST_FILES:,} are looked through.",
            where="glob",
            fix="Narrow the pattern, or move away what was imported.",
        )
    return sorted(found, key=lambda one: (one.modified, one.path))


def has_marker(place: Place, path: str) -> bool:
    """Whether `NAME.done` lies beside a file: its sender has finished."""
    store = _store(place)
    info = store.get_file_info(f"{place.path}/{path}.done")
    return bool(info.type == fs.FileType.File)


def read_file(place: Place, path: str) -> Iterator[bytes]:
    """The content of a file of a place, in pieces.

    Raises:
        NotFound: it is gone, or a link leads out of the place's root.
    """
    full = f"{place.path}/{path}"
    if ".." in PurePosixPath(path).parts or not _is_inside(place, full):
        raise NotFound(f"{path} is not there.")
    try:
        with _store(place).open_input_stream(full) as stream:
            while piece := stream.read(_CHUNK):
                yield piece
    except FileNotFoundError as error:
        raise NotFound(f"{path} is not there any more.") from error


def is_settled(now: SeenFile, before: SeenFile | None, *, clock: datetime, settle: timedelta) -> bool:
    """Whether a file in a folder is whole, as far as can be told without a marker: it has stopped changing.

    Seen unchanged at two looks and not written for `settle`; or not written for ten times as long.
    """
    idle = clock - now.modified
    return idle >= 10 * settle or (before == now and idle >= settle)


def _is_inside(place: Place, full: str) -> bool:
    """Whether a file, links resolved, is still below the root."""
    return place.kind != "folder" or _within(Path(full).resolve(), Path(place.root)) is not None


def _store(place: Place) -> fs.FileSystem:
    if place.kind == "folder":
        return fs.LocalFileSystem()
    return fs.S3FileSystem() if place.kind == "s3" else fs.GcsFileSystem()


def _instant(moment: datetime | None) -> datetime:
    return moment.astimezone(UTC) if moment is not None else datetime.fromtimestamp(0, UTC)
