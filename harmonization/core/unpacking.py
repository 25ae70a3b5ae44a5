"""Packed exports: gzip, Zstandard and zip, unpacked to plain files before anything reads them.

What is packed is written to disk in pieces and counted as it is written, never by what an archive declares, so that an
archive that expands without end is refused after a bounded part of it. Members of a zip never choose where they are
written; one that tries to, a link or an encrypted one is refused by its name.
"""

from __future__ import annotations

import gzip
import stat
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, Final, TypeVar

import zstandard

from harmonization.core.source_file import SUFFIXES, FileTooLarge, Limits, UnreadableFile, sniff_kind
from tenants.core.problems import Unavailable

Written = TypeVar("Written")

PACKINGS: Final = frozenset({"gz", "zst", "zip"})
MAX_MEMBERS: Final = 1000
_CHUNK: Final = 1024**2
#: An archive may always expand to this much, however small it is.
_ALWAYS: Final = 16 * 1024**2
_DEPTH: Final = 2
_WINDOW: Final = 128 * 1024**2
_FED: Final = 2048
_TABLES: Final = tuple(suffix for suffix in SUFFIXES if suffix != ".zip")


class CannotUnpack(Unavailable):
    """What an archive holds could not be written down; nothing is wrong with the archive."""

    code = "cannot-unpack"
    title = "There is no room to unpack the file"


@dataclass(frozen=True, slots=True)
class Unpacked:
    """The plain files of an archive by their names in it, and members that are no tables."""

    files: tuple[Path, ...]
    left: tuple[str, ...] = ()


class _Budget:
    """How many bytes an archive may still expand to."""

    def __init__(self, path: Path, limits: Limits) -> None:
        self.name = path.name
        self.allowed = min(limits.file_size, max(path.stat().st_size * limits.expansion_ratio, _ALWAYS))
        self.used = 0

    def take(self, size: int) -> None:
        self.used += size
        if self.used > self.allowed:
            raise FileTooLarge(
                f"The archive expands to more than {self.allowed:,} bytes.",
                where=self.name,
                fix="Send the export unpacked, in parts if it is large.",
            )


def unpack(path: Path, scratch: Path, limits: Limits) -> Unpacked:
    """Unpack `path` (gz, zst or zip by content) below `scratch`; a member that is packed again is unpacked too.

    Files keep the name of their archive and, in a zip, of their member: errors about them say where to look.

    Raises:
        UnreadableFile: damaged, encrypted, a member that leaves the archive, nothing in it that could be a table.
        FileTooLarge: it expands beyond the limits, or has too many members.
        CannotUnpack: `scratch` takes no more, as on a full disk.
    """
    folder = scratch / "unpacked"
    folder.mkdir(exist_ok=True)
    return _unpack(path, folder, _Budget(path, limits), _DEPTH)


def _unpack(path: Path, folder: Path, budget: _Budget, depth: int) -> Unpacked:
    kind = sniff_kind(path, named=depth == _DEPTH)
    if kind not in PACKINGS:
        return Unpacked((path,))
    if depth == 0:
        raise UnreadableFile(
            "The archive holds an archive that holds an archive.",
            where=path.name,
            fix="Send the export in one archive, or unpacked.",
        )
    if kind == "zip":
        if depth < _DEPTH:
            raise UnreadableFile("The archive holds a zip archive.", where=path.name, fix="Unpack the outer one.")
        inside, left = _unzip(path, folder, budget)
    else:
        inside, left = [_expand(path, kind, folder, budget)], []
    files: list[Path] = []
    for number, file in enumerate(inside):
        deeper = folder / f"inside {number}"
        deeper.mkdir()
        files += _unpack(file, deeper, budget, depth - 1).files
    return Unpacked(tuple(files), tuple(left))


def _expand(path: Path, kind: str, folder: Path, budget: _Budget) -> Path:
    suffix = f".{kind}"
    name = path.name[: -len(suffix)] if path.name.lower().endswith(suffix) else path.name
    target = folder / name
    try:
        with path.open("rb") as packed:
            _write(_gunzip(packed) if kind == "gz" else _unzstd(packed), target, budget)
    except (EOFError, OSError, zlib.error, zstandard.ZstdError) as error:
        raise UnreadableFile(
            f"The archive is damaged: {_reason(error)}.", where=path.name, fix="Download the export again."
        ) from error
    return target


def _write(pieces: Iterator[bytes], target: Path, budget: _Budget) -> None:
    """Errors of `pieces` are the archive's and pass; those of writing are not, and say so."""
    sink = _or_no_room(target, lambda: target.open("xb"))
    with sink:
        for piece in pieces:
            budget.take(len(piece))
            _or_no_room(target, partial(sink.write, piece))
        # What is left in the buffer would fail at the end of the block, outside of what is told apart here.
        _or_no_room(target, sink.flush)


def _or_no_room(target: Path, act: Callable[[], Written]) -> Written:
    try:
        return act()
    except OSError as error:
        raise CannotUnpack(
            f"What the archive holds could not be written: {error.strerror or _reason(error)}.",
            where=target.name,
            fix="Make room on the server's disk, then load the file again; the file itself may be fine.",
        ) from error


def _gunzip(packed: IO[bytes]) -> Iterator[bytes]:
    with gzip.GzipFile(fileobj=packed) as source:
        while piece := source.read(_CHUNK):
            yield piece


def _unzstd(packed: IO[bytes]) -> Iterator[bytes]:
    """The content of all frames. zstandard's own reader takes a frame that is cut off for one that ends there."""
    decoder = zstandard.ZstdDecompressor(max_window_size=_WINDOW)
    frame, begun = decoder.decompressobj(), False
    # Four bytes can stand for a block of 128 KiB: little is fed at once, so that little comes out at once.
    while data := packed.read(_FED):
        while data:
            begun = True
            yield frame.decompress(data)
            data = b""
            if frame.eof:
                data = frame.unused_data
                frame, begun = decoder.decompressobj(), False
    if begun:
        raise EOFError("it ends amid a frame")


def _unzip(path: Path, folder: Path, budget: _Budget) -> tuple[list[Path], list[str]]:
    try:
        with zipfile.ZipFile(path) as archive:
            members = [member for member in archive.infolist() if not _is_debris(member)]
            if len(members) > MAX_MEMBERS:
                raise FileTooLarge(
                    f"The archive has {len(members):,} files; the limit is {MAX_MEMBERS:,}.",
                    where=path.name,
                    fix="Send the exports in several archives.",
                )
            for member in members:
                _refuse_member(member, path.name)
            tables = [member for member in members if member.filename.lower().endswith(_TABLES)]
            # A read-me beside the export is no export.
            tables = [member for member in tables if not member.filename.lower().endswith(".txt")] or tables
            if not tables:
                raise UnreadableFile(
                    f"The archive holds no export, only {_listed(members)}.",
                    where=path.name,
                    fix="Pack the report as CSV, XLSX, JSON or Parquet.",
                )
            files = []
            for number, member in enumerate(sorted(tables, key=lambda each: each.filename)):
                target = folder / f"member {number}" / _name_of(path.name, member.filename)
                _or_no_room(target, target.parent.mkdir)
                with archive.open(member) as source:
                    _write(iter(partial(source.read, _CHUNK), b""), target, budget)
                files.append(target)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError, ValueError) as error:
        raise UnreadableFile(
            f"The archive is damaged: {_reason(error)}.", where=path.name, fix="Download the export again."
        ) from error
    return files, [member.filename for member in members if member not in tables]


def _is_debris(member: zipfile.ZipInfo) -> bool:
    """Folders, and what macOS and Windows leave in archives."""
    last = member.filename.rsplit("/", 1)[-1]
    # `is_dir` fails on a member without a name.
    return (
        member.filename.endswith("/") or member.filename.startswith("__MACOSX/") or last in (".DS_Store", "Thumbs.db")
    )


def _refuse_member(member: zipfile.ZipInfo, archive: str) -> None:
    parts = member.filename.replace("\\", "/").split("/")
    if not member.filename:
        what, fix = "has no name", "Pack the export anew."
    elif ".." in parts or not parts[0] or (len(parts[0]) == 2 and parts[0][1] == ":"):
        what, fix = "would be written outside the archive's folder", "Pack the export anew, without folders."
    elif stat.S_ISLNK(member.external_attr >> 16):
        what, fix = "is a link", "Pack the file itself."
    elif member.flag_bits & 0x1:
        what, fix = "is encrypted", "Pack it without a password."
    elif member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        what, fix = "is packed by a method that is not read here", "Pack it with the usual one (deflate)."
    else:
        return
    raise UnreadableFile(f"{_shown(member.filename)!r} in the archive {what}.", where=archive, fix=fix)


def _name_of(archive: str, member: str) -> str:
    """How a member is called in errors; a file name that any file system takes."""
    last = _shown(member.rsplit("/", 1)[-1])
    room = 220 - len(last.encode()[-120:])
    return f"{archive.encode()[:room].decode(errors='ignore')} > {last.encode()[-120:].decode(errors='ignore')}"


def _shown(name: str) -> str:
    return "".join(sign if sign.isprintable() and sign != "/" else "_" for sign in name)[:200]


def _listed(members: list[zipfile.ZipInfo]) -> str:
    names = [_shown(member.filename) for member in members]
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return (", ".join(names[:5]) + more) or "nothing"


def _reason(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
