"""Allocations over random problems of every kind: within their constraints, proven, priced, and explained.

The problems and the judges are those of the tests, many more of them: each problem is made of its number alone, so a
run that was stopped goes on where it was, and one that is wrong can be drawn again.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from proofs.registry import Cases, Proof


def prove(cases: Cases) -> Mapping[str, Any]:
    """Figures over all trees, prices and conflicts.

    Raises:
        AssertionError: something does not hold; each problem is named by its number.
    """
    # Only here: `python -m proofs --list` needs no tests and no engine.
    from tests.optimization.core.campaign.contradictions import conflict_summary, contradicted
    from tests.optimization.core.campaign.prices import price_summary, priced
    from tests.optimization.core.campaign.run import judged, summary
    from tests.optimization.core.campaign.scoped import scoped_judged, scoped_summary

    seed, options = cases.seed, cases.options
    trees = [cases.case(f"tree {number}", partial(judged, seed, number)) for number in range(options["trees"])]
    found = {"trees": summary(trees)}
    cases.say(f"{len(trees)} trees, {len(found['trees']['wrong'])} wrong")
    scoped = [
        cases.case(f"scoped {number}", partial(scoped_judged, seed, number)) for number in range(options["scoped"])
    ]
    found["scoped"] = scoped_summary(scoped)
    cases.say(f"{len(scoped)} with limits over scopes, {len(found['scoped']['wrong'])} wrong")
    prices = [cases.case(f"price {number}", partial(priced, seed, number)) for number in range(options["prices"])]
    found["prices"] = price_summary(prices)
    cases.say(f"{len(prices)} problems priced, {len(found['prices']['wrong'])} wrong")
    conflicts: list[dict[str, Any]] = []
    while sum(row["infeasible"] for row in conflicts) < options["conflicts"]:
        number = len(conflicts)
        conflicts.append(cases.case(f"conflict {number}", partial(contradicted, seed, number)))
    found["conflicts"] = conflict_summary(conflicts)
    wrong = [line for part in found.values() for line in part.pop("wrong")]
    assert not wrong, "\n".join(wrong)
    return {f"{part}_{name}": value for part, figures in found.items() for name, value in figures.items()}


PROOF = Proof(
    name="optimize",
    title="Every allocation keeps its constraints and its certified gap; prices and conflicts are what they say.",
    covers=(
        "proofs/optimize.py",
        "optimization/core/*.py",
        "tests/optimization/core/campaign/*.py",
    ),
    run=prove,
    options={"trees": 200, "scoped": 150, "prices": 50, "conflicts": 100},
)
