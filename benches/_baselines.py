"""Schema matchers of others on the same labels: they see headers and the schema's names, or descriptions.

Each gets the threshold that is best for it on the very labels it is scored on, which flatters it. Outcomes may be given
to many columns, every other target to one: the best pair first.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from benches._label_scores import Answer, Labels, Score, score
from harmonization.core import rmis
from harmonization.core.matching.candidates import describe, targets
from harmonization.core.matching.embedder import Embedder
from harmonization.core.matching.words import split_words

#: Similarities of a report's headers (rows) with `targets()` (columns).
Similarity = Callable[[Labels], "np.ndarray[Any, Any]"]


def by_difflib(labels: Labels) -> np.ndarray[Any, Any]:
    """Ratio of matching characters (Ratcliff and Obershelp)."""
    return np.array(
        [
            [difflib.SequenceMatcher(None, header.casefold(), target.replace("_", " ")).ratio() for target in targets()]
            for header in labels.headers
        ]
    )


def by_minilm(embedder: Embedder, *, described: bool) -> Similarity:
    """Cosine of the packaged MiniLM's vectors of names, or of names with descriptions."""

    def similarity(labels: Labels) -> np.ndarray[Any, Any]:
        spelled = [describe(target) if described else target.replace("_", " ") for target in targets()]
        headers = [" ".join(split_words(header)) or header for header in labels.headers]
        return np.asarray(embedder.embed(headers) @ embedder.embed(spelled).T)

    return similarity


def by_coma() -> Similarity | None:
    """COMA (Do and Rahm 2002) as valentine implements it; None where valentine is not installed."""
    try:
        import pandas as pd
        from valentine import valentine_match
        from valentine.algorithms import Coma
    except ImportError:
        return None

    def similarity(labels: Labels) -> np.ndarray[Any, Any]:
        names = [f"{position}::{header}" for position, header in enumerate(labels.headers)]
        source = pd.DataFrame({header: label["samples"] for header, label in zip(names, labels.columns, strict=True)})
        schema = pd.DataFrame(columns=list(targets()))
        # COMA's own selection keeps only what is near each column's best; here the threshold selects.
        found = valentine_match([source, schema], Coma(max_n=0, use_instances=False, delta=1.0))
        scores = np.zeros((len(names), len(targets())))
        for pair, value in found.items():
            scores[names.index(pair.source_column), targets().index(pair.target_column)] = value
        return scores

    return similarity


def baseline(similarity: Similarity, reports: Sequence[Labels]) -> dict[str, Any]:
    """Scores of a similarity over all reports, at its best threshold."""
    matrices = [similarity(labels) for labels in reports]
    best: tuple[float, float, Score] | None = None
    for threshold in np.arange(0.0, 1.0, 0.02):
        total = Score()
        for labels, matrix in zip(reports, matrices, strict=True):
            total.add(score(labels, _answers(matrix, float(threshold)), "none"))
        f1 = float(total.as_dict()["field_f1"])
        if best is None or f1 > best[0]:
            best = (f1, float(threshold), total)
    assert best is not None
    kept = (
        "precision",
        "recall",
        "field_f1",
        "recall_at_1",
        "recall_at_5",
        "mrr",
        "abstained_rightly",
        "abstained_wrongly",
    )
    figures = best[2].as_dict()
    return {"threshold": round(best[1], 2)} | {key: figures[key] for key in kept}


def _answers(matrix: np.ndarray[Any, Any], threshold: float) -> list[Answer]:
    names = targets()
    metrics = set(rmis.Metric.__args__)  # type: ignore[attr-defined]
    chosen: list[str | None] = [None] * len(matrix)
    taken: set[str] = set()
    for flat in np.argsort(-matrix, axis=None):
        row, place = divmod(int(flat), len(names))
        if matrix[row, place] < threshold:
            break
        name = names[place]
        if chosen[row] is None and (name in metrics or name not in taken):
            chosen[row] = name
            taken.add(name)
    return [
        Answer(target, tuple(names[int(place)] for place in np.argsort(-matrix[row])[:5]))
        for row, target in enumerate(chosen)
    ]
