"""What a proof is, and which there are: every module of this package that has a `PROOF`."""

from __future__ import annotations

import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any, Protocol


class Cases(Protocol):
    """What a proof is given: its seed, its options, and a memory of the cases that are through.

    A proof that is stopped goes on where it was: `case` runs nothing twice under the same seed, options and sources.
    """

    @property
    def seed(self) -> int: ...

    @property
    def options(self) -> Mapping[str, int]: ...

    def case(
        self, name: str, run: Callable[[], Mapping[str, Any]], covers: tuple[str, ...] | None = None
    ) -> dict[str, Any]:
        """What `run` returned (JSON-able), now or when it was run before. What it raises ends the proof.

        Args:
            covers: globs of the sources that this case hangs on, where they are fewer than those of the proof: a change
                in another one leaves it standing.
        """

    def say(self, line: str) -> None:
        """A line for whoever watches."""


@dataclass(frozen=True, kw_only=True)
class Proof:
    """A claim that is shown by long work.

    Attributes:
        title: the claim, one sentence.
        covers: globs below the project's folder; a change in one of these files makes the proof out of date.
        run: returns the figures that are kept (JSON-able), or raises `AssertionError` where the claim does not hold.
        options: numbers that the command line may change, with their defaults.
    """

    name: str
    title: str
    covers: tuple[str, ...]
    run: Callable[[Cases], Mapping[str, Any]]
    options: Mapping[str, int] = field(default_factory=dict)


def proofs() -> dict[str, Proof]:
    """Every proof, by name.

    Raises:
        ValueError: two have the same name.
    """
    import proofs as package

    found: dict[str, Proof] = {}
    for module in sorted(info.name for info in pkgutil.iter_modules(package.__path__)):
        proof = None if module.startswith("_") else getattr(import_module(f"proofs.{module}"), "PROOF", None)
        if proof is None:
            continue
        if proof.name in found:
            raise ValueError(f"two proofs are called {proof.name!r}")
        found[proof.name] = proof
    return found
