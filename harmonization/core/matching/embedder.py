"""Nearness of meaning: texts as vectors, whoever makes them, and files of vectors that were made before.

Nothing here needs a model: `minilm` has the packaged one, and only jobs and commands import it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Protocol
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt

Vectors = npt.NDArray[np.float32]
WIDTH: Final = 384
#: Vectors of the lexicon and of the descriptions of RMIS: `python -m harmonization.core.matching.shipped_vectors`.
SHIPPED: Final = Path(__file__).resolve().parent / "vectors.npz"


class Embedder(Protocol):
    """Texts to vectors of length one, a row each. Told apart by identity: what it said of a text is kept by it."""

    def embed(self, texts: Sequence[str]) -> Vectors: ...

    def __hash__(self) -> int: ...


def read_vectors(path: Path) -> dict[str, Vectors]:
    """Vectors by key from a file; none where there is no file, or one that was cut short."""
    try:
        with np.load(path, allow_pickle=False) as stored:
            keys, vectors = stored["keys"], stored["vectors"].astype(np.float32)
    except (OSError, ValueError, KeyError, BadZipFile):
        return {}
    return dict(zip(keys.tolist(), vectors, strict=True)) if vectors.shape == (len(keys), WIDTH) else {}


def write_vectors(path: Path, vectors: dict[str, Vectors]) -> None:
    """Vectors by key to a file, in half precision: cosines keep three digits."""
    stacked = np.stack(list(vectors.values())) if vectors else np.empty((0, WIDTH))
    np.savez(path, keys=np.array(list(vectors), dtype="U24"), vectors=stacked.astype(np.float16))


def key_of(text: str) -> str:
    """What a text's vector is stored under."""
    return hashlib.sha256(text.encode()).hexdigest()[:24]
