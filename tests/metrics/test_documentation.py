"""docs/metrics.md says what the registry does."""

from __future__ import annotations

from pathlib import Path

import pytest

from metrics.core.conversion import OLDEST_RATE_DAYS
from metrics.core.definitions import DIMENSIONS, METRICS, additive_parts
from metrics.core.incrementality import EVIDENCE
from metrics.core.request import ATTRIBUTIONS, COMPARISONS, DEFAULT_MATCH, DEFAULT_WINDOW

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "metrics.md").read_text(encoding="utf-8")


def rows_under(heading: str) -> list[list[str]]:
    section = PAGE.split(f"## {heading}\n")[1].split("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("|") and not line.startswith("|---")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines[1:]]


def test_metrics_are_told_as_they_are_computed() -> None:
    assert rows_under("Metrics") == [
        [
            metric.name,
            metric.label,
            metric.unit,
            metric.formula,
            metric.description,
            metric.standard,
            metric.standing,
        ]
        for metric in METRICS.values()
    ]


def test_dimensions_are_told_as_they_are() -> None:
    assert rows_under("Dimensions") == [
        [
            dimension.name,
            dimension.label,
            "yes" if dimension.can_filter else "no",
            ", ".join(dimension.within) or "-",
            dimension.description,
        ]
        for dimension in DIMENSIONS.values()
    ]


def test_evidence_and_fits_are_told_as_they_are() -> None:
    told = dict(rows_under("Attribution"))
    assert {f"`{name}`": words for name, words in EVIDENCE.items()}.items() <= told.items()
    assert {"`exact`", "`nearest`", "`none`"} <= told.keys()


def test_the_usual_rule_is_told() -> None:
    page = " ".join(PAGE.split())
    assert f"(`window`, {DEFAULT_WINDOW} where none is said)" in page
    assert f"`match`, `{DEFAULT_MATCH}` where none is said" in page
    assert f"up to {OLDEST_RATE_DAYS} days before" in page


@pytest.mark.parametrize("word", [*COMPARISONS[1:], *ATTRIBUTIONS, "repeats", "straddles", "clicked_only"])
def test_words_of_the_answers_are_explained(word: str) -> None:
    assert f"`{word}`" in PAGE or f": {word}`" in PAGE or f"reason `{word}`" in PAGE


def test_every_ratio_is_made_of_additive_figures() -> None:
    for metric in METRICS.values():
        assert all(METRICS[part].additive for part in additive_parts([metric.name]))
        assert metric.ratio != bool(metric.column or metric.outcome)
        assert metric.ratio or metric.unique or metric.additive
