"""Mutated exports: a named problem or rows that are all accounted for, and nothing else, ever."""

from __future__ import annotations

import pytest

from harmonization.core.library import find_contract
from tests.harmonization.core.exports import SEARCH_TERM, csv_bytes, search_term_row
from tests.harmonization.core.fuzz import judge as judging
from tests.harmonization.core.fuzz.campaign import make_mutant, run_fuzz
from tests.harmonization.core.fuzz.judge import WrongError, judge

SEED, COUNT = 20_261_125, 300


def test_mutants_end_well() -> None:
    found = run_fuzz(SEED, COUNT)
    assert found["wrong"] == []
    assert sum(found["ended"].values()) == COUNT
    assert found["ended"]["read"] > COUNT / 4, "mutants that nobody reads show little"
    assert found["rows_quarantined"] > 0


def test_a_mutant_is_made_of_its_number_alone() -> None:
    once, again, other = make_mutant(1, 7), make_mutant(1, 7), make_mutant(1, 8)
    assert (once.name, once.content, once.how) == (again.name, again.content, again.how)
    assert once.content != other.content


CONTENT = csv_bytes([SEARCH_TERM, search_term_row("a"), search_term_row("b")])


def test_a_lost_row_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    real = judging.harmonize_file

    def lossy(path, *args, **options):
        path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-1]))
        return real(path, *args, **options)

    contract = find_contract("amazon_sp_search_term")
    assert judge("a.csv", CONTENT, contract).rows == 2
    monkeypatch.setattr(judging, "harmonize_file", lossy)
    with pytest.raises(WrongError, match="1 rows in, 2 records in the file"):
        judge("a.csv", CONTENT, contract)


def test_an_error_without_a_name_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(*args, **options):
        raise KeyError("spend")

    monkeypatch.setattr(judging, "harmonize_file", crash)
    with pytest.raises(WrongError, match="KeyError: 'spend'"):
        judge("a.csv", CONTENT, find_contract("amazon_sp_search_term"))


def test_a_crash_of_the_process_is_named_and_the_rest_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    found = run_fuzz(SEED, 2, memory_mb=1)
    assert len(found["wrong"]) == 2
    assert all("the process ended with" in sentence for sentence in found["wrong"])
