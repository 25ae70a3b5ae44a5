"""What a design found, in one form for every kind of experiment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Designed:
    """What a design found; stored in `Experiment.design`.

    Attributes:
        kind: how units come to be treated: search, pairs, stratified, cells, sku, switchback, ab.
        panel: number of the data it was made on. history: its first and last period and their number.
        step: days of a period.
        candidates: best first; each with `treated` (units, empty where they are drawn once it is chosen), `duration`
            in periods, `days`, `mde`, `power`, `investment`, and what its kind adds.
        power_curve: of the best candidate, `{effect, power}`.
        mde_by_duration: the best that each length reaches, `{duration, mde}`.
        fit: of the history, `{periods, treated, counterfactual}`, summed over treated units of the best.
        frontier: what cannot be improved in MDE, length, money and holdout at once.
        notes: what a reader must know.
    """

    kind: str
    panel: int | None = None
    history: dict[str, Any] = field(default_factory=dict)
    step: int = 1
    candidates: list[dict[str, Any]] = field(default_factory=list)
    power_curve: list[dict[str, float]] = field(default_factory=list)
    mde_by_duration: list[dict[str, float]] = field(default_factory=list)
    fit: dict[str, Any] = field(default_factory=dict)
    frontier: list[dict[str, Any]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    periods_needed: int | None = None
    randomise_at: list[int] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """As JSON has it."""
        return asdict(self)

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Designed | None:
        """What was stored; None where nothing was designed."""
        if not document.get("kind"):
            return None
        return cls(**{name: document[name] for name in cls.__dataclass_fields__ if name in document})
