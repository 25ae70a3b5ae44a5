"""What is kept of a proof: figures in docs/proofs/NAME.json; what an unfinished one has done, in var/proofs/."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from proofs.registry import Proof

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Folders:
    """Where things lie; tests have folders of their own."""

    root: Path = ROOT
    kept: Path = ROOT / "docs" / "proofs"
    unfinished: Path = ROOT / "var" / "proofs"

    def record(self, name: str) -> Path:
        """The kept record of a proof."""
        return self.kept / f"{name}.json"

    def notebook(self, name: str) -> Path:
        """The finished cases of a proof that has not ended."""
        return self.unfinished / f"{name}.json"


def digest_of(covers: tuple[str, ...], root: Path) -> str:
    """SHA-256 over the names and contents of the files that `covers` match below `root`, in the order of their names.

    Raises:
        FileNotFoundError: a glob matches nothing, as after a file was renamed: the proof would cover less in silence.
    """
    files: set[Path] = set()
    for glob in covers:
        found = {path for path in root.glob(glob) if path.is_file() and "__pycache__" not in path.parts}
        if not found:
            raise FileNotFoundError(f"{glob} matches no file below {root}")
        files |= found
    digest = hashlib.sha256()
    for path in sorted(files):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(root).as_posix()} {len(content)}\n".encode() + content)
    return digest.hexdigest()


class Notebook:
    """The cases of one run, each written down as soon as it is through."""

    def __init__(
        self,
        proof: Proof,
        *,
        seed: int,
        options: Mapping[str, int],
        folders: Folders,
        say: Callable[[str], None],
    ) -> None:
        self.seed = seed
        self.options = dict(options)
        self.say = say
        self.resumed = 0
        self._path = folders.notebook(proof.name)
        self._covers, self._root = proof.covers, folders.root
        self._digests: dict[tuple[str, ...], str] = {}
        self._same = {"seed": seed, "options": self.options}
        self._cases: dict[str, dict[str, Any]] = self._read()

    def _read(self) -> dict[str, dict[str, Any]]:
        if not self._path.exists():
            return {}
        before = json.loads(self._path.read_text(encoding="utf-8"))
        # Cases of another seed or other sizes prove nothing about these.
        if {name: before.get(name) for name in self._same} != self._same:
            return {}
        cases: dict[str, dict[str, Any]] = before["cases"]
        return cases

    def case(
        self, name: str, run: Callable[[], Mapping[str, Any]], covers: tuple[str, ...] | None = None
    ) -> dict[str, Any]:
        """As `registry.Cases`."""
        digest = self._digest(self._covers if covers is None else covers)
        kept = self._cases.get(name, {})
        if kept.get("digest") == digest:
            self.resumed += 1
            before: dict[str, Any] = kept["found"]
            return before
        # Through JSON, so that what is given back is the same whether it was run now or earlier.
        found: dict[str, Any] = json.loads(json.dumps(dict(run())))
        self._cases[name] = {"digest": digest, "found": found}
        self._path.parent.mkdir(parents=True, exist_ok=True)
        partial = self._path.with_suffix(".part")
        partial.write_text(json.dumps({**self._same, "cases": self._cases}), encoding="utf-8")
        partial.replace(self._path)
        return found

    def _digest(self, covers: tuple[str, ...]) -> str:
        # Once for each: what is run was imported before, so that a file changed meanwhile is not what ran.
        if covers not in self._digests:
            self._digests[covers] = digest_of(covers, self._root)
        return self._digests[covers]

    def close(self) -> None:
        """Forget the cases: the proof has ended."""
        self._path.unlink(missing_ok=True)


def keep(
    proof: Proof, figures: Mapping[str, Any], *, seed: int, options: Mapping[str, int], folders: Folders
) -> dict[str, Any]:
    """Write the record of a proof that held, and return it."""
    record = {
        "proof": proof.name,
        "title": proof.title,
        "commit": _commit(folders.root),
        "seed": seed,
        "options": dict(options),
        "machine": {"cores": os.cpu_count(), "processor": platform.machine(), "python": platform.python_version()},
        "figures": dict(figures),
        "covers": list(proof.covers),
        "digest": digest_of(proof.covers, folders.root),
    }
    path = folders.record(proof.name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    return record


def out_of_date(proof: Proof, folders: Folders) -> str | None:
    """Why a proof says nothing about the present sources; None where it does."""
    path = folders.record(proof.name)
    if not path.exists():
        return "was never run"
    record = json.loads(path.read_text(encoding="utf-8"))
    if record["digest"] != digest_of(proof.covers, folders.root):
        return f"its sources have changed since {record['commit']}"
    return None


def _commit(root: Path) -> str:
    """The commit that is checked out, with a + where files differ from it; `unknown` outside of git."""
    command = ["git", "-C", str(root), "describe", "--always", "--abbrev=12", "--dirty=+", "--exclude=*"]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    return done.stdout.strip() or "unknown"
