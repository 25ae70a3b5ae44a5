"""Which keys there were before, in memory that does not grow with the file.

A filter of fixed size says of most keys that they are new; a row with a key of which it does not know is put aside and
compared later. For that the key and the number of every row that was written are kept on disk, 16 bytes a row.
"""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Final, cast

import numpy as np
import polars as pl

from harmonization.core.batch_cells import Flags, Words
from harmonization.core.digests import compiled

#: 64 MiB: of 40 million keys fewer than one in a hundred is put aside for nothing.
_MOST_WORDS: Final = 2**23
_LEAST_WORDS: Final = 2**12
_CHUNK: Final = 2**18
_MARKS: Final = 2**20
_ENTRY: Final = np.dtype([("key", "<u8"), ("row", "<i8")])


class SeenKeys:
    """Keys of the good rows of one call, of one file or of several."""

    def __init__(self, folder: Path, expected: int) -> None:
        words = min(max(_LEAST_WORDS, 1 << max(expected // 2, 1).bit_length()), _MOST_WORDS)
        self._shift = np.uint64(64 - (words.bit_length() - 1))
        self._filter: Words = np.zeros(words, np.uint64)
        self._folder = folder
        self._spills: list[BinaryIO] = []

    def __enter__(self) -> SeenKeys:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for spill in self._spills:
            spill.close()

    def next_file(self) -> None:
        """The rows that follow are of another file."""
        self._spills.append((self._folder / f"keys-{len(self._spills)}").open("w+b"))

    def forget_file(self) -> None:
        """Of the file begun last nothing was written after all. Its keys stay in the filter, which may say too much."""
        self._spills.pop().close()

    def maybe_seen(self, keys: Words) -> Flags:
        """Add keys; True where one may have been there before, and certainly where it was."""
        return cast(Flags, compiled().add_to_filter(self._filter, keys, self._shift))

    def close_filter(self) -> None:
        """No more keys come: what was written can still be searched."""
        self._filter = np.zeros(0, np.uint64)

    def written(self, keys: Words, rows: np.ndarray[Any, np.dtype[np.int64]]) -> None:
        """Note that rows of the present file were written."""
        entries = np.empty(keys.size, _ENTRY)
        entries["key"], entries["row"] = keys, rows
        self._spills[-1].write(entries.tobytes())

    def rows_with(self, keys: Words) -> tuple[np.ndarray[Any, np.dtype[np.int64]], bool]:
        """Rows of the present file that were written under one of `keys`, and whether files before it have one."""
        *before, present = self._spills
        return self._search(present, keys)["row"], any(self._search(spill, keys).size for spill in before)

    def _search(self, spill: BinaryIO, keys: Words) -> np.ndarray[Any, Any]:
        wanted = pl.Series(np.unique(keys)).implode()
        marks = np.zeros(_MARKS, np.bool_)
        marks[keys & np.uint64(_MARKS - 1)] = True
        found = [np.empty(0, _ENTRY)]
        spill.flush()
        spill.seek(0)
        while content := spill.read(_CHUNK * _ENTRY.itemsize):
            entries = np.frombuffer(content, _ENTRY)
            likely = entries[marks[entries["key"] & np.uint64(_MARKS - 1)]]
            if likely.size:
                found.append(likely[pl.Series(likely["key"].copy()).is_in(wanted).to_numpy()])
        spill.seek(0, 2)
        return np.concatenate(found)
