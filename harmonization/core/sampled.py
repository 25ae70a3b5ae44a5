"""The first rows of an export, kept aside so that looking at them again under another contract reads nothing.

What is kept depends on the content and on how it is read alone: encoding, delimiter, sheet, place of the records, and
from which row on. A contract that reads otherwise has the file opened anew.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, fields
from pathlib import Path
from typing import Final, Protocol

import polars as pl

from harmonization.core.contract import Contract
from harmonization.core.reading import open_source
from harmonization.core.source_file import Head, Limits, OpenedFile

#: A sample of rows so wide is read anew rather than kept.
LARGEST: Final = 4 * 1024**2


class Memory(Protocol):
    """Keeps bytes under a name for a while. It may forget, and may be down: then it has nothing."""

    def get(self, key: str) -> bytes | None:
        """What was set under `key`."""

    def set(self, key: str, value: bytes) -> None:
        """Keep `value`, if it can be kept."""


class Forgetful:
    """Keeps nothing."""

    def get(self, key: str) -> bytes | None:
        """Nothing."""
        return None

    def set(self, key: str, value: bytes) -> None:
        """Let go of it."""


@contextmanager
def open_sampled(
    path: Path, contract: Contract, *, content: str, rows: int, scratch: Path, limits: Limits, memory: Memory
) -> Iterator[OpenedFile]:
    """`open_source` of the first `rows` rows; the file is opened only for what `memory` does not have.

    Args:
        content: names the bytes of the file: its hash.

    Raises:
        UnreadableFile, FileTooLarge: as `open_source`.
    """
    source = contract.source
    # What another release kept in another shape is not taken for this one's.
    shape = [one.name for one in fields(Head)]
    how = [content, path.suffix, source.encoding, source.delimiter, source.sheet, source.records, shape]
    name = hashlib.sha256(json.dumps(how).encode()).hexdigest()
    with ExitStack() as stack:
        opened: list[OpenedFile] = []

        def tables() -> list[OpenedFile]:
            if not opened:
                file = stack.enter_context(
                    open_source(
                        path,
                        encoding=source.encoding,
                        delimiter=source.delimiter,
                        sheet=source.sheet,
                        records=source.records,
                        scratch=scratch,
                        limits=limits,
                    )
                )
                opened.extend([file, *file.others])
            return opened

        def first_rows(table: int, header_row: int, width: int) -> pl.LazyFrame:
            key = f"{name}:{table}:{header_row}:{width}:{rows}"
            if (kept := memory.get(key)) is not None:
                return pl.read_ipc(io.BytesIO(kept)).lazy()
            frame = tables()[table].rows(header_row, width).head(rows).collect()
            buffer = io.BytesIO()
            frame.write_ipc(buffer, compression="zstd")
            _keep(memory, key, buffer.getvalue())
            return frame.lazy()

        def sampled(table: int, head: Head, others: tuple[OpenedFile, ...] = ()) -> OpenedFile:
            return OpenedFile(head, lambda header_row, width: first_rows(table, header_row, width), others=others)

        kept = memory.get(f"{name}:heads")
        heads = _heads(kept) if kept is not None else [table.head for table in tables()]
        if kept is None:
            _keep(memory, f"{name}:heads", json.dumps([asdict(head) for head in heads]).encode())
        others = tuple(sampled(number, head) for number, head in enumerate(heads[1:], start=1))
        yield sampled(0, heads[0], others)


def _heads(kept: bytes) -> list[Head]:
    return [
        Head(**{**told, "rows": tuple(map(tuple, told["rows"])), "sheets": tuple(told["sheets"])})
        for told in json.loads(kept)
    ]


def _keep(memory: Memory, key: str, value: bytes) -> None:
    if len(value) <= LARGEST:
        memory.set(key, value)
