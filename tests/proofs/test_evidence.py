"""The page of evidence says what the kept records say."""

from __future__ import annotations

import pytest

from proofs import _doors
from proofs._evidence import EVIDENCE, filled, kept, tables
from proofs.measurement import HARDER, LIFTS, told
from proofs.records import Folders


def figures() -> dict[str, dict[str, float]]:
    """What the proof keeps of every situation, all alike."""
    one = {
        "draws": 2000, "rejected": 0.0495, "coverage": 0.9505, "rmse": 0.01, "half_width": 0.02, "unbounded": 0.0,
        "disagree": 0,
    }  # fmt: skip
    row = told(dict.fromkeys(LIFTS, one))
    defaults = _doors.defaults()
    judged = (*defaults, *_doors.by_size(), *_doors.returns(), *_doors.others())
    names = {f"{situation.name}, {source}" for situation in judged for source in situation.sources}
    return dict.fromkeys(names | {f"{one.name}, {source}" for one in defaults for source in HARDER}, row)


def test_every_table_has_its_place_and_takes_what_the_proof_keeps() -> None:
    found = tables({"measurement": figures()})
    page = filled(EVIDENCE.read_text(encoding="utf-8"), found)
    assert "| two markets, indexed synthetic control | GeoLift | 2,000 | .050 | .951 | .951 | 0.05 | 0.05 |" in page
    assert filled(page, found) == page
    with pytest.raises(KeyError, match="new"):
        filled(page, {"new": ""})


def test_the_page_says_what_was_kept() -> None:
    page = EVIDENCE.read_text(encoding="utf-8")
    assert filled(page, tables(kept(Folders()))) == page
