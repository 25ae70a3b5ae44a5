"""What a proposal says: per column a target, how sure, why, and what else; and the contract drafted of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from harmonization.core.matching.meaning import Outcome, Unit
from harmonization.core.matching.units import Currency, Transform


@dataclass(frozen=True, slots=True)
class Alternative:
    target: str | None
    attribution: Outcome | None
    confidence: float
    reason: str

    def as_dict(self) -> dict[str, Any]:
        return {
            "target": self.target,
            "attribution": self.attribution.as_dict() if self.attribution else None,
            "confidence": self.confidence,
            "reason": self.reason,
        }


@dataclass(frozen=True, slots=True)
class ProposedColumn:
    """One column of the file. `target` is a canonical column, an outcome's metric (then `attribution` has its
    qualifiers), or None: nothing fits. `confidence` is the chance that this is right, also where it is None.
    """

    source: str
    position: int
    target: str | None
    attribution: Outcome | None
    unit: Unit | None
    transforms: tuple[Transform, ...]
    formats: tuple[str, ...]
    confidence: float
    reason: str
    alternatives: tuple[Alternative, ...]
    samples: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        return {
            "source": self.source,
            "target": self.target,
            "attribution": self.attribution.as_dict() if self.attribution else None,
            "unit": self.unit,
            "transforms": list(self.transforms),
            "confidence": self.confidence,
            "reason": self.reason,
            "alternatives": [alternative.as_dict() for alternative in self.alternatives],
        }


@dataclass(frozen=True, slots=True)
class Proposal:
    """A proposed contract. `decisions` are questions that only a person can answer, `notes` what to know beside them.

    `nearest` is the known contract most like the file, with the share of headers that it knows.
    """

    columns: tuple[ProposedColumn, ...]
    contract_yaml: str
    currency: Currency
    decimal_sign: str
    grain: str
    timezone: str | None
    header_row: int
    nearest: str | None
    nearest_share: float
    notes: tuple[str, ...]
    decisions: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        return {
            "columns": [column.as_dict() for column in self.columns],
            "contract_yaml": self.contract_yaml,
            "currency": {"how": self.currency.how, "code": self.currency.code},
            "decimal_sign": self.decimal_sign,
            "grain": self.grain,
            "timezone": self.timezone,
            "header_row": self.header_row,
            "nearest_contract": self.nearest,
            "nearest_share": round(self.nearest_share, 4),
            "notes": list(self.notes),
            "decisions": list(self.decisions),
        }
