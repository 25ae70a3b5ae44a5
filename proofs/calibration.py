"""Calibration pays: what tests of some cells say of all places money better, and says how sure it is.

Two parts. Portfolios with a known truth, of eight kinds of worlds, judged by the share of the best incremental revenue
that each way of using tests misses. And generated tenants as the product would see them: reports, curves, a geo test
read by the product's own analysis, factors, another allocation, valued by what is true. Settings were chosen on
portfolios of seed 7 and on tenants 100 to 111 and 5000 to 5059; those judged here are others.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from measurement.core.arrays import Floats
from proofs.registry import Cases, Proof

#: A case of this many portfolios is remembered as one.
AT_ONCE = 20
COVERAGE = (0.87, 0.95)
#: The world that the claim is made of; the others are figures.
JUDGED = "usual"
SEEDS_FROM, TENANTS_FROM = 1000, 3000
#: Tests of one tenant: the demo's, then those that `next_tests` suggests.
TESTS = 4
#: The first test alone is judged over more tenants: one test moves little, and twenty tell its mean roughly.
MORE_FROM = 4000
#: Other ways to count after one test, for comparison: the posterior of somebody who knows how factors were drawn, which
#: nobody can beat on the mean; and the mean of exp(phi), where plans count with exp of the mean.
OTHER_RULES = ("drawing known", "mean of the factor")


def portfolios(world: str, seed: int, first: int) -> dict[str, Any]:
    """What `Portfolio.judged` says of some portfolios, by number of experiments."""
    from measurement.core.portfolio import EXPERIMENTS, Portfolio

    drawn = [Portfolio.drawn(world, seed=seed, number=number) for number in range(first, first + AT_ONCE)]
    return {"rows": {str(count): [one.judged(count) for one in drawn] for count in EXPERIMENTS}}


def world_figures(found: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, float]]:
    """Means over the portfolios of one world, by number of experiments."""
    from measurement.core.portfolio import EXPERIMENTS, summary

    return {
        str(count): {
            name: round(value, 5)
            for name, value in summary([row for part in found for row in part["rows"][str(count)]]).items()
        }
        for count in EXPERIMENTS
    }


def faults(figures: Mapping[str, Mapping[str, float]]) -> list[str]:
    """What of the claim does not hold in the figures of the judged world, in words."""
    wrong = []
    for count, one in figures.items():
        if one["regret hierarchical"] >= one["regret attributed"]:
            wrong.append(f"after {count} experiments calibration misses no less than attributed sales do")
        if not COVERAGE[0] <= one["coverage"] <= COVERAGE[1]:
            wrong.append(f"after {count} experiments {one['coverage']:.3f} of the intervals hold")
    return wrong


def tenant(number: int, *, scale: float = 1.0, tests: int = TESTS) -> dict[str, Any]:
    """One generated tenant: its tests as read, and what its allocation truly earns after each of them."""
    from measurement.core.calibration import calibrate
    from proofs._tested_tenants import TestedTenant, usual_cell

    held = TestedTenant(number, scale)
    truth = np.array([held.factors[cell] for cell in held.cells])
    budget = float(held.usual.sum())
    known: list[Any] = []
    found: dict[str, Any] = {"tenant": number, "lines": len(held.curves), "tests": []}
    for change in (0.5, None):
        lines = held.lines(change=change)
        before = held.worth(lines.allocate(np.ones((1, truth.size)), budget)[0])
        found[_name(change)] = {"best": held.best(change=change), "worth": [before]}
    cell = usual_cell()
    for at in range(tests):
        told = held.tested(cell, label=f"test {at + 1}")
        known.append(told.test)
        after = calibrate(held.cells, known, draws=1)
        factor = after.of(cell)
        if factor is None or told.reading.iroas is None:
            raise AssertionError("a tested cell has a factor, and a panel with costs a return")
        read = told.reading.iroas
        ends = (-math.inf if read.low is None else read.low, math.inf if read.high is None else read.high)
        within = [one.low <= true <= one.high for one, true in zip(after.factors, truth, strict=True)]
        found["tests"].append(
            {
                "cell": " ".join(cell).strip(), "true_return": told.true_return, "iroas": read.value,
                "low": read.low, "high": read.high, "held": bool(ends[0] <= told.true_return <= ends[1]),
                "true_factor": told.true_factor, "factor": factor.value,
                "factor_held": bool(factor.low <= told.true_factor <= factor.high),
                "cells_held": int(np.sum(within)), "cells": len(within),
            }
        )  # fmt: skip
        for change in (0.5, None):
            lines = held.lines(change=change)
            found[_name(change)]["worth"].append(held.worth(lines.allocate(after.value[None], budget)[0]))
            if at == 0:
                others = [rule[None] for rule in _other_rules(held, after, told.test).values()]
                worths = [held.worth(lines.allocate(rule, budget)[0]) for rule in others]
                found[_name(change)] |= dict(zip(OTHER_RULES, worths, strict=True))
        if at + 1 == tests:
            break
        cell = _next(held, after, [test.cell for test in known])
    return found


def _other_rules(held: Any, after: Any, test: Any) -> dict[str, Floats]:
    """What plans could count with instead after one test: see `OTHER_RULES`."""
    # Of a return near zero no normal says what is expected who knows the drawing.
    informed = held.informed(test) if test.iroas > 2.0 * test.se else after.value
    return dict(zip(OTHER_RULES, (informed, after.belief.factor[: len(held.cells)]), strict=True))


def _name(change: float | None) -> str:
    return "limited" if change is not None else "free"


def _next(held: Any, after: Any, tested: Sequence[Any]) -> Any:
    """The untested cell whose test is worth most for its cost: a heavy-up like the demo's, as sure as its money is
    large."""
    from measurement.core.next_test import Candidate, log_error, next_tests

    spend = dict.fromkeys(held.cells, 0.0)
    for line, usual in zip(held.lines(change=None).cell, held.usual, strict=True):
        spend[held.cells[line]] += float(usual)
    # The demo's test of search at Walmart reads its factor within a tenth or so.
    noise = 0.1 * spend[tested[0]]
    candidates = [
        Candidate(retailer=one[0], placement=one[1], cost=spend[one], log_se=max(log_error(noise, spend[one]), 0.05))
        for one in held.cells
        if one not in tested
    ]
    lines = held.lines(change=0.5)
    ranked = next_tests(after, lines, float(held.usual.sum()), candidates, reserve=math.inf)
    # All of them will be run in the end, so the most valuable comes first; costs decide between equals.
    return max(ranked, key=lambda one: one.value).candidate.cell


def tenant_figures(found: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Over all tenants: how often intervals hold the truth, and how the true worth of the allocation rises."""
    first = [one["tests"][0] for one in found]
    every = [test for one in found for test in one["tests"]]
    figures: dict[str, Any] = {
        "tenants": len(found),
        "first_test_held": sum(one["held"] for one in first),
        "tests": len(every),
        "tests_held": sum(one["held"] for one in every),
        "factors_held": sum(one["factor_held"] for one in every),
        "cells_held": round(sum(one["cells_held"] for one in every) / sum(one["cells"] for one in every), 4),
    }
    for change in ("limited", "free"):
        worth = np.array([one[change]["worth"] for one in found])
        best = np.array([one[change]["best"] for one in found])
        for tests in sorted({1, worth.shape[1] - 1}):
            figures[f"{change}_after_{tests}"] = _rise(worth[:, tests] / worth[:, 0] - 1.0) | {
                "regret_before": round(float((1.0 - worth[:, 0] / best).mean()), 5),
                "regret": round(float((1.0 - worth[:, tests] / best).mean()), 5),
            }
        for name in OTHER_RULES:
            figures[f"{change}: {name}"] = _rise(np.array([one[change][name] for one in found]) / worth[:, 0] - 1.0)
    return figures


def _rise(rise: Floats) -> dict[str, Any]:
    """Mean with its 95 % interval over tenants, in how many it rose, and by how much it fell at most."""
    from scipy.stats import t

    mean = float(rise.mean())
    se = float(rise.std(ddof=1) / math.sqrt(rise.size)) if rise.size > 1 else 0.0
    half = float(t.ppf(0.975, rise.size - 1)) * se if rise.size > 1 else 0.0
    return {
        "rise": round(mean, 5),
        "rise_se": round(se, 5),
        "low": round(mean - half, 5),
        "high": round(mean + half, 5),
        "rose": int((rise > 0.0).sum()),
        "worst": round(float(rise.min()), 5),
        "by_tenant": [round(float(one), 5) for one in rise],
    }


def tenant_faults(figures: Mapping[str, Any], *, sure: bool = False) -> list[str]:
    """What of the claim does not hold over the tenants, in words; `sure` asks for a rise that is no chance."""
    wrong = []
    # At 95 % fewer than this of 20 hold by chance once in a thousand.
    for name, of in (("first_test_held", "tenants"), ("tests_held", "tests")):
        if figures[name] < least_held(figures[of]):
            wrong.append(f"{figures[name]} of {figures[of]} intervals hold the true return")
    for key, one in figures.items():
        if "_after_" in key and one["low" if sure else "rise"] <= 0.0:
            wrong.append(f"{key}: the allocation earns {one['rise']:+.3%} of its worth, {one['low']:+.3%} at least")
    return wrong


def least_held(intervals: int, level: float = 0.95, chance: float = 0.001) -> int:
    """The fewest of so many intervals that may hold without the level being in doubt."""
    from scipy.stats import binom

    return int(binom.ppf(chance, intervals, level))


def prove(cases: Cases) -> Mapping[str, Any]:
    """Figures over all worlds and tenants.

    Raises:
        AssertionError: calibration does not pay in the judged world or over the tenants, or intervals hold too seldom.
    """
    from measurement.core.portfolio import WORLDS

    figures: dict[str, Any] = {}
    for world in (JUDGED, *(one for one in WORLDS if one != JUDGED)):
        count = cases.options["portfolios"] if world == JUDGED else cases.options["others"]
        found = [
            cases.case(f"{world} {first}", partial(portfolios, world, SEEDS_FROM + cases.seed, first), PLACING)
            for first in range(0, count, AT_ONCE)
        ]
        figures[world] = world_figures(found)
        for tests, told in figures[world].items():
            cases.say(f"{world}, {tests} experiments: " + ", ".join(f"{name} {value}" for name, value in told.items()))
    tenants = []
    for number in range(TENANTS_FROM, TENANTS_FROM + cases.options["tenants"]):
        one = cases.case(f"tenant {number}", partial(tenant, number))
        tenants.append(one)
        rise = [worth / one["limited"]["worth"][0] - 1.0 for worth in one["limited"]["worth"][1:]]
        held = ", ".join(test["cell"] + (" held" if test["held"] else " missed") for test in one["tests"])
        cases.say(f"tenant {number}: " + ", ".join(f"{value:+.3%}" for value in rise) + f"; {held}")
    figures["tenants"] = tenant_figures(tenants)
    cases.say(str(figures["tenants"]))
    more = []
    for number in range(MORE_FROM, MORE_FROM + cases.options["more"]):
        one = cases.case(f"first test of tenant {number}", partial(tenant, number, tests=1))
        more.append(one)
        rise = [one[name]["worth"][1] / one[name]["worth"][0] - 1.0 for name in ("limited", "free")]
        cases.say(f"tenant {number}, one test: {rise[0]:+.3%}, free {rise[1]:+.3%}")
    figures["first_tests"] = tenant_figures(more)
    cases.say(str(figures["first_tests"]))
    wrong = (
        faults(figures[JUDGED]) + tenant_faults(figures["tenants"]) + tenant_faults(figures["first_tests"], sure=True)
    )
    assert not wrong, "\n".join(wrong)
    return figures


#: What a portfolio rests on: no panel is read for it.
PLACING = (
    "measurement/core/calibration.py",
    "measurement/core/factor_model.py",
    "measurement/core/next_test.py",
    "measurement/core/portfolio.py",
    "measurement/core/reallocation.py",
    "optimization/core/responses.py",
)

PROOF = Proof(
    name="calibration",
    title="Tests of some cells place money better than attributed sales do, and factors hold the truth as they say.",
    covers=(
        "proofs/calibration.py",
        "proofs/_tested_tenants.py",
        "proofs/_generated_tenants.py",
        "demo/core/*.py",
        *PLACING,
        "measurement/core/increments.py",
        "measurement/core/geo*.py",
        "measurement/core/placebo*.py",
        "measurement/core/synthetic_control.py",
        "optimization/core/curve*.py",
    ),
    run=prove,
    options={"portfolios": 200, "others": 40, "tenants": 20, "more": 40},
)
