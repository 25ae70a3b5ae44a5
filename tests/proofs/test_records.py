from __future__ import annotations

import json
from pathlib import Path

import pytest

from proofs import __main__ as command
from proofs import registry
from proofs.records import Folders, Notebook, digest_of, out_of_date
from proofs.registry import Proof


@pytest.fixture
def folders(tmp_path: Path) -> Folders:
    (tmp_path / "sums.py").write_text("one")
    return Folders(root=tmp_path, kept=tmp_path / "docs", unfinished=tmp_path / "var")


def counting(cases: registry.Cases) -> dict[str, int]:
    """A proof of numbers below `most`; `bad` is the first that refutes it."""
    total = 0
    for number in range(cases.options["most"]):
        total += cases.case(str(number), lambda: _one(number, cases))["value"]  # noqa: B023
    return {"total": total}


def _one(number: int, cases: registry.Cases) -> dict[str, int]:
    cases.say(f"ran {number}")
    assert number != cases.options["bad"], f"{number} is bad"
    return {"value": number}


PROOF = Proof(name="sums", title="Sums add up.", covers=("*.py",), run=counting, options={"most": 5, "bad": -1})


def prove(folders: Folders, monkeypatch: pytest.MonkeyPatch, *arguments: str, proof: Proof = PROOF) -> int:
    monkeypatch.setattr(command, "proofs", lambda: {proof.name: proof})
    return command.main(list(arguments), folders=folders)


def test_record_has_figures_seed_and_digest(folders, monkeypatch):
    assert prove(folders, monkeypatch, "--seed", "3") == 0
    record = json.loads(folders.record("sums").read_text())
    assert record["figures"] == {"total": 10}
    assert record["seed"] == 3
    assert record["digest"] == digest_of(("*.py",), folders.root)
    assert out_of_date(PROOF, folders) is None


def test_refuted_proof_goes_on_where_it_stopped(folders, monkeypatch, capsys):
    assert prove(folders, monkeypatch, "--option", "bad=3") == 1
    assert not folders.record("sums").exists()
    assert "ran 3" in capsys.readouterr().out
    assert prove(folders, monkeypatch, "--option", "bad=3") == 1
    told = capsys.readouterr().out
    assert "ran 2" not in told
    assert "3 is bad" in told
    assert prove(folders, monkeypatch, "--option", "bad=3", "--again") == 1
    assert "ran 0" in capsys.readouterr().out


def test_cases_of_other_sources_are_not_taken(folders):
    make = lambda: Notebook(PROOF, seed=1, options={"most": 2}, folders=folders, say=str)  # noqa: E731
    assert make().case("a", lambda: {"value": 1}) == {"value": 1}
    assert make().case("a", lambda: {"value": 2}) == {"value": 1}
    (folders.root / "sums.py").write_text("two")
    assert make().case("a", lambda: {"value": 2}) == {"value": 2}


def test_a_case_hangs_on_its_own_sources_alone(folders):
    (folders.root / "other.py").write_text("one")
    make = lambda: Notebook(PROOF, seed=1, options={"most": 2}, folders=folders, say=str)  # noqa: E731
    assert make().case("a", lambda: {"value": 1}, ("other.py",)) == {"value": 1}
    (folders.root / "sums.py").write_text("two")
    assert make().case("a", lambda: {"value": 2}, ("other.py",)) == {"value": 1}
    (folders.root / "other.py").write_text("two")
    assert make().case("a", lambda: {"value": 2}, ("other.py",)) == {"value": 2}


def test_stale_names_what_changed_and_fails_nothing(folders, monkeypatch, capsys):
    assert prove(folders, monkeypatch, "--stale") == 0
    assert "never run" in capsys.readouterr().out
    prove(folders, monkeypatch)
    capsys.readouterr()
    assert prove(folders, monkeypatch, "--stale") == 0
    assert capsys.readouterr().out == ""
    (folders.root / "sums.py").write_text("two")
    assert prove(folders, monkeypatch, "--stale") == 0
    assert "sources have changed" in capsys.readouterr().out


def test_cover_that_matches_nothing_is_an_error(folders):
    with pytest.raises(FileNotFoundError, match=r"gone\.py"):
        digest_of(("gone.py",), folders.root)


def test_every_proof_covers_files_that_exist():
    for proof in registry.proofs().values():
        digest_of(proof.covers, Folders().root)
