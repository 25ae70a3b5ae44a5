"""Places that are watched for files: folders and object-store prefixes, below roots that the operator allows.

A person names a place; the operator's roots say for each tenant what may be named. Nothing a person writes chooses a
host, an endpoint or credentials, and neither `..` nor a symbolic link leads out of a root.
"""

from __future__ import annotations

import fnmatch
import os
import stat
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
#: Of any kind, markers and hidden ones too; a look goes no further.
MOST_ENTRIES: Final = 50_000
LONGEST_PATH: Final = 1_000
_CHUNK: Final = 1 << 20
_EPOCH: Final = datetime.fromtimestamp(0, UTC)


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


@dataclass(frozen=True, slots=True)
class Listed:
    """Files of a place, and what was passed over: its name is no text or too long, or it cannot be looked at."""

    files: list[SeenFile]
    passed_over: list[str]


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
    try:
        resolved = Path(folder).resolve()
    except RuntimeError as error:  # links that lead to themselves
        raise _outside(roots) from error
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


def list_files(place: Place, glob: str) -> Listed:
    """Files of a place whose path below it, or name, matches `glob`, the oldest first; markers and hidden ones not.

    Of a folder, links to other folders are not followed: one to a folder above would never end.

    Raises:
        NotFound: the place is not there. Unavailable: it cannot be listed. InvalidInput: too many files.
    """
    found, passed_over = [], []
    for one in _of_folder(place) if place.kind == "folder" else _of_store(place):
        if isinstance(one, str):
            passed_over += [one] if one.endswith("/") or _is_wanted(one, glob) else []
        elif _is_wanted(one.path, glob) and _is_inside(place, f"{place.path}/{one.path}"):
            if _can_be_kept(one.path):
                found.append(one)
            else:
                passed_over.append(one.path)
    if len(found) > MOST_FILES:
        raise _too_many(place, MOST_FILES)
    shown = [path.encode(errors="backslashreplace").decode()[:LONGEST_PATH] for path in sorted(passed_over)]
    return Listed(sorted(found, key=lambda one: (one.modified, one.path)), shown)


def _of_folder(place: Place) -> Iterator[SeenFile | str]:
    """Plain files below a folder; the path alone of what cannot be looked at."""
    seen, folders = 0, [""]
    while folders:
        below = folders.pop()
        try:
            with os.scandir(f"{place.path}/{below}") as entries:
                for entry in entries:
                    if (seen := seen + 1) > MOST_ENTRIES:
                        raise _too_many(place, MOST_ENTRIES)
                    path = f"{below}{entry.name}"
                    if entry.name.startswith("."):
                        continue
                    try:
                        if entry.is_dir(follow_symlinks=False):
                            folders.append(f"{path}/")
                        elif stat.S_ISREG((told := entry.stat()).st_mode):
                            yield SeenFile(path, told.st_size, _moment(told.st_mtime_ns))
                    except FileNotFoundError:
                        continue  # gone meanwhile, or a link to nothing
                    except OSError:
                        yield path
        except OSError as error:
            if below:
                yield below
            elif isinstance(error, FileNotFoundError):
                raise _gone(place) from error
            else:
                raise _unlisted(place, error) from error


def _of_store(place: Place) -> Iterator[SeenFile]:
    try:
        infos = _store(place).get_file_info(fs.FileSelector(place.path, recursive=True))
    except FileNotFoundError as error:
        raise _gone(place) from error
    except OSError as error:
        raise _unlisted(place, error) from error
    if len(infos) > MOST_ENTRIES:
        raise _too_many(place, MOST_ENTRIES)
    for info in infos:
        path = PurePosixPath(info.path).relative_to(place.path)
        if info.type == fs.FileType.File and not any(part.startswith(".") for part in path.parts):
            yield SeenFile(path.as_posix(), int(info.size or 0), _instant(info.mtime))


def _is_wanted(path: str, glob: str) -> bool:
    name = path.rsplit("/", 1)[-1]
    return not name.endswith((".part", ".tmp", ".done")) and (
        fnmatch.fnmatch(path, glob) or fnmatch.fnmatch(name, glob)
    )


def _can_be_kept(path: str) -> bool:
    """Whether a path is text, and short enough to be noted."""
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return len(path) <= LONGEST_PATH


def _gone(place: Place) -> NotFound:
    return NotFound(f"{place} is not there.", where="location", fix="Check the path, or create it.")


def _unlisted(place: Place, error: OSError) -> Unavailable:
    return Unavailable(f"{place} cannot be listed: {type(error).__name__}.", where="location")


def _too_many(place: Place, most: int) -> InvalidInput:
    return InvalidInput(
        f"{place} holds more than {most:,} files; so many are not looked through.",
        where="glob",
        fix="Watch a folder further down, or move away what was imported.",
    )


def has_marker(place: Place, path: str) -> bool:
    """Whether `NAME.done` lies beside a file: its sender has finished."""
    store = _store(place)
    info = store.get_file_info(f"{place.path}/{path}.done")
    return bool(info.type == fs.FileType.File)


def read_file(place: Place, path: str) -> Iterator[bytes]:
    """The content of a file of a place, in pieces.

    Raises:
        NotFound: it is gone, or a link leads out of the place's root. Unavailable: it cannot be read now.
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
    except OSError as error:
        raise Unavailable(
            f"{path} cannot be read: {type(error).__name__}.",
            where=path,
            fix="Let the platform's account read it; it is tried again at every look.",
        ) from error


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
    return moment.astimezone(UTC) if moment is not None else _EPOCH


def _moment(nanoseconds: int) -> datetime:
    """The instant of a file's time; the epoch where it is out of all range."""
    try:
        return _EPOCH + timedelta(microseconds=nanoseconds // 1_000)
    except OverflowError:
        return _EPOCH
