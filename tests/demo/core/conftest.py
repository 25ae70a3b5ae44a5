from __future__ import annotations

import pytest

from tests.demo.core.samples import Sample, make_sample


@pytest.fixture(scope="session")
def acme(tmp_path_factory: pytest.TempPathFactory) -> Sample:
    return make_sample(tmp_path_factory.mktemp("acme"), profile="acme", scale=0.25)


@pytest.fixture(scope="session")
def birch(tmp_path_factory: pytest.TempPathFactory) -> Sample:
    return make_sample(tmp_path_factory.mktemp("birch"), profile="birch")
