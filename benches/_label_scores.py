"""Labelled reports, and how well matched columns agree with them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import yaml

#: Units whose confusion changes a figure; the others say only how a cell is stored.
SCALES: Final = frozenset({"money", "micros", "cents", "fraction", "percent", "count", "date", "datetime", "gtin"})
MONEY: Final = frozenset({"money", "micros", "cents"})


@dataclass(frozen=True, slots=True)
class Labels:
    """One report with the right answers. `columns` are the entries of the label file."""

    name: str
    network: str
    currency: dict[str, Any]
    columns: tuple[dict[str, Any], ...]

    @property
    def headers(self) -> list[str]:
        return [column["header"] for column in self.columns]

    @property
    def cells(self) -> list[list[str]]:
        return [list(column["samples"]) for column in self.columns]


def read_labels(folder: Path) -> list[Labels]:
    """Every report of a folder, by name."""
    read = []
    for path in sorted(folder.glob("*.yaml")):
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
        read.append(Labels(path.stem, document["network"], document["currency"], tuple(document["columns"])))
    return read


@dataclass(frozen=True, slots=True)
class Answer:
    """What a matcher says of a column. `ranked` are the targets that it considered, the likeliest first."""

    target: str | None
    ranked: tuple[str, ...]
    attribution: dict[str, Any] | None = None
    unit: str | None = None
    confidence: float = 1.0


@dataclass(slots=True)
class Score:
    """Counts over columns; sums of scores are scores."""

    columns: int = 0
    labelled: int = 0
    mapped: int = 0
    right: int = 0
    whole: int = 0
    first: int = 0
    top5: int = 0
    reciprocal: float = 0.0
    nothing: int = 0
    abstained: int = 0
    withheld: int = 0
    calibration: list[tuple[float, bool]] = field(default_factory=list)

    def add(self, other: Score) -> None:
        for name in self.__slots__:
            if name == "calibration":
                self.calibration += other.calibration
            else:
                setattr(self, name, getattr(self, name) + getattr(other, name))

    def as_dict(self) -> dict[str, float | int]:
        """Shares, rounded; F1 is of mapped columns, micro-averaged."""
        return {
            "columns": self.columns,
            "targets": self.labelled,
            "precision": _share(self.right, self.mapped),
            "recall": _share(self.right, self.labelled),
            "field_f1": _f1(self.right, self.mapped, self.labelled),
            "contract_f1": _f1(self.whole, self.mapped, self.labelled),
            "recall_at_1": _share(self.first, self.labelled),
            "recall_at_5": _share(self.top5, self.labelled),
            "mrr": round(self.reciprocal / self.labelled, 4) if self.labelled else 0.0,
            "abstained_rightly": _share(self.abstained, self.nothing),
            "abstained_wrongly": _share(self.withheld, self.labelled),
            "calibration_error": self.calibration_error(),
        }

    def calibration_error(self, bins: int = 10) -> float:
        """Expected calibration error (Naeini et al. 2015): the mean gap of confidence and accuracy over equal bins."""
        gap = 0.0
        for place in range(bins):
            inside = [(c, ok) for c, ok in self.calibration if place == min(bins - 1, int(c * bins))]
            if inside:
                mean = sum(c for c, _ in inside) / len(inside)
                gap += abs(mean - sum(ok for _, ok in inside) / len(inside)) * len(inside)
        return round(gap / len(self.calibration), 4) if self.calibration else 0.0


def score(labels: Labels, answers: Sequence[Answer], currency_how: str, currency_code: str | None = None) -> Score:
    """Answers against labels. A mapped column is right as a field if its target is; as part of a contract if also its
    windows, match, channel, buyers and unit are, and, for money, where the currency is told.
    """
    made = Score()
    currency = _currency_right(labels.currency, currency_how, currency_code)
    for label, answer in zip(labels.columns, answers, strict=True):
        target = label["target"]
        right = answer.target == target
        made.columns += 1
        made.calibration.append((answer.confidence, right))
        made.labelled += target is not None
        made.mapped += answer.target is not None
        made.right += right and target is not None
        made.whole += right and target is not None and whole_is_right(label, answer, currency=currency)
        made.nothing += target is None
        made.abstained += target is None and answer.target is None
        made.withheld += target is not None and answer.target is None
        if target is None:
            continue
        rank = answer.ranked.index(target) + 1 if target in answer.ranked else 0
        made.first += rank == 1
        made.top5 += 0 < rank <= 5
        made.reciprocal += 1.0 / rank if rank else 0.0
    return made


def whole_is_right(label: dict[str, Any], answer: Answer, *, currency: bool) -> bool:
    """Whether a column with the right target is right in all that a contract says of it."""
    said = answer.attribution
    # Labels tell the touch by the windows that are theirs.
    if label["attribution"] != ({key: said[key] for key in said if key != "touch"} if said is not None else None):
        return False
    if label["unit"] != answer.unit and (label["unit"] in SCALES or answer.unit in SCALES - {"count"}):
        return False
    return currency or label["unit"] not in MONEY


def _currency_right(label: dict[str, Any], how: str, code: str | None) -> bool:
    if label["how"] in ("column", "header"):
        return how == label["how"] and (code is None or label.get("code") in (None, code))
    return how not in ("column", "header")


def _share(part: int, whole: int) -> float:
    return round(part / whole, 4) if whole else 0.0


def _f1(right: int, mapped: int, labelled: int) -> float:
    return round(2 * right / (mapped + labelled), 4) if mapped + labelled else 0.0
