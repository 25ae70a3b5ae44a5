"""The forward pass of a small BERT encoder in numpy, from the weights as they are packaged.

Method: Devlin et al. 2019, BERT, as MiniLM (Wang et al. 2020) has it, and the mean over tokens of Sentence-BERT
(Reimers and Gurevych 2019). PyTorch gives the same vectors to six digits; it takes four seconds of processor time to
load, and a person waits for a proposal.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from math import sqrt
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from safetensors.numpy import load_file
from scipy.special import erf
from tokenizers import Tokenizer

Array = npt.NDArray[np.float32]

#: Tokens of a text that are looked at; names and descriptions of columns have fewer.
_LONGEST: Final = 48
#: Far below any score, so that what fills up a short text gets no attention.
_NOTHING: Final = np.float32(-1e9)


class Encoder:
    """A model of a folder with `config.json`, `model.safetensors` and `tokenizer.json`."""

    def __init__(self, folder: Path) -> None:
        config: dict[str, Any] = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        self._layers = int(config["num_hidden_layers"])
        self._heads = int(config["num_attention_heads"])
        self._epsilon = np.float32(config["layer_norm_eps"])
        self._weights: dict[str, Array] = {
            name: values.astype(np.float32, copy=False)
            for name, values in load_file(folder / "model.safetensors").items()
            if not name.endswith("position_ids")
        }
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.enable_truncation(_LONGEST)
        self._tokenizer.enable_padding(pad_id=int(config["pad_token_id"]))

    def encode(self, texts: Sequence[str]) -> Array:
        """Vectors of length one of a batch of texts, shape (n, width)."""
        encoded = self._tokenizer.encode_batch(list(texts))
        tokens = np.array([each.ids for each in encoded])
        there = np.array([each.attention_mask for each in encoded], dtype=np.float32)
        words, places, kinds = (
            self._weights[f"embeddings.{name}_embeddings.weight"] for name in ("word", "position", "token_type")
        )
        states = self._normal(words[tokens] + places[: tokens.shape[1]] + kinds[0], "embeddings.LayerNorm")
        mask = (1 - there)[:, None, None, :] * _NOTHING
        for layer in range(self._layers):
            states = self._layer(states, mask, f"encoder.layer.{layer}.")
        mean = (states * there[:, :, None]).sum(axis=1) / there.sum(axis=1, keepdims=True)
        vectors: Array = mean / np.linalg.norm(mean, axis=1, keepdims=True)
        return vectors

    def _layer(self, states: Array, mask: Array, name: str) -> Array:
        texts, length, width = states.shape
        each = width // self._heads
        query, key, value = (
            self._linear(states, f"{name}attention.self.{part}")
            .reshape(texts, length, self._heads, each)
            .transpose(0, 2, 1, 3)
            for part in ("query", "key", "value")
        )
        scores = query @ key.transpose(0, 1, 3, 2) / np.float32(sqrt(each)) + mask
        scores = np.exp(scores - scores.max(axis=-1, keepdims=True))
        scores /= scores.sum(axis=-1, keepdims=True)
        seen = (scores @ value).transpose(0, 2, 1, 3).reshape(texts, length, width)
        seen = self._linear(seen, f"{name}attention.output.dense")
        states = self._normal(states + seen, f"{name}attention.output.LayerNorm")
        inner = self._linear(states, f"{name}intermediate.dense")
        inner = inner * np.float32(0.5) * (1 + erf(inner * np.float32(1 / sqrt(2))))
        return self._normal(states + self._linear(inner, f"{name}output.dense"), f"{name}output.LayerNorm")

    def _linear(self, states: Array, name: str) -> Array:
        # Two dimensions: with three, numpy multiplies text by text.
        flat = states.reshape(-1, states.shape[-1]) @ self._weights[f"{name}.weight"].T
        made: Array = (flat + self._weights[f"{name}.bias"]).reshape(*states.shape[:-1], -1)
        return made

    def _normal(self, states: Array, name: str) -> Array:
        centred = states - states.mean(axis=-1, keepdims=True)
        spread = np.sqrt((centred * centred).mean(axis=-1, keepdims=True) + self._epsilon)
        made: Array = centred / spread * self._weights[f"{name}.weight"] + self._weights[f"{name}.bias"]
        return made
