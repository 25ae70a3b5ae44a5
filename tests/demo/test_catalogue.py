"""The sample catalogues are what the product takes."""

import pytest

from demo.core.exports import write_sample_exports
from harmonization.core.catalogue_file import read_catalogue


@pytest.mark.parametrize("profile", ["acme", "birch"])
def test_the_sample_catalogue_is_taken_whole(tmp_path, profile):
    write_sample_exports(tmp_path, seed=7, profile=profile)
    lines = (tmp_path / "catalogue.csv").read_text(encoding="utf-8-sig").splitlines()
    assert len(read_catalogue(tmp_path / "catalogue.csv")) == len(lines) - 1
