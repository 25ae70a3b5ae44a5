"""`python -m proofs [NAME ...]`: show by long work that what is claimed holds, and keep the figures in docs/proofs/.

A run that is stopped goes on where it was. `--stale` names the proofs whose sources have changed since, and nothing is
run; `--list` names all.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence

from proofs.records import Folders, Notebook, keep, out_of_date
from proofs.registry import Proof, proofs


def main(arguments: Sequence[str] | None = None, *, folders: Folders = Folders()) -> int:  # noqa: B008
    """0 where every proof asked for holds; with `--stale` and `--list` always."""
    known = proofs()
    parser = argparse.ArgumentParser(prog="python -m proofs", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"some of {', '.join(known)}; all by default")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--option", action="append", default=[], metavar="NAME=NUMBER", help="another size")
    parser.add_argument("--again", action="store_true", help="begin anew, even where an unfinished run could go on")
    parser.add_argument("--stale", action="store_true", help="only name proofs whose sources have changed since")
    parser.add_argument("--list", action="store_true", help="only name the proofs")
    asked = parser.parse_args(arguments)
    if unknown := sorted(set(asked.names) - set(known)):
        parser.error(f"there is no proof {', '.join(unknown)}; there are {', '.join(known)}")
    chosen = [known[name] for name in asked.names or known]
    if asked.list:
        for proof in chosen:
            _print(f"{proof.name:12} {proof.title}")
        return 0
    if asked.stale:
        for proof in chosen:
            if why := out_of_date(proof, folders):
                _print(f"warning: the proof {proof.name} {why}; make prove ARGS={proof.name}")
        return 0
    changes = _numbers(parser, asked.option)
    return sum(not _prove(proof, asked.seed, changes, folders, again=asked.again) for proof in chosen) and 1


def _prove(proof: Proof, seed: int, changes: dict[str, int], folders: Folders, *, again: bool) -> bool:
    options = {**proof.options, **{name: value for name, value in changes.items() if name in proof.options}}
    if again:
        folders.notebook(proof.name).unlink(missing_ok=True)
    _print(f"== {proof.name}: {proof.title}")
    notebook = Notebook(proof, seed=seed, options=options, folders=folders, say=_print)
    began = time.perf_counter()
    try:
        figures = proof.run(notebook)
    except AssertionError as refuted:
        _print(f"{proof.name} does not hold: {refuted}")
        return False
    seconds = round(time.perf_counter() - began, 1)
    if notebook.resumed:
        _print(f"{notebook.resumed} cases were through before")
    keep(proof, figures, seed=seed, options=options, folders=folders)
    notebook.close()
    for name, value in figures.items():
        _print(f"{name:28} {value}")
    _print(f"holds, {seconds} s; kept in {folders.record(proof.name).relative_to(folders.root)}")
    return True


def _numbers(parser: argparse.ArgumentParser, pairs: list[str]) -> dict[str, int]:
    numbers = {}
    for pair in pairs:
        name, _, value = pair.partition("=")
        try:
            numbers[name] = int(value.replace("_", ""))
        except ValueError:
            parser.error(f"--option {pair}: write NAME=NUMBER, such as rows=1000000")
    return numbers


def _print(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
