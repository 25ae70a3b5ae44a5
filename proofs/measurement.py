"""Readings that can be believed: how often each default is wrong, on two panels, with an effect and without.

Tests are drawn at random on the public GeoLift pre-test panel and on generated ones (`_panels`); each is read as the
product reads it (`_doors`). So are tests whose markets were chosen by their size, and the iROAS of others. Readings of
other methods on the same tests are told beside them, and the same estimates by other hands where those are installed
(`_peers`). Panels whose noise is worse than assumed are told too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any, Final

from proofs._covered import GEO, PAIRS, USERS
from proofs.registry import Cases, Proof

HARDER: Final = ("heteroscedastic", "outliers", "drifting")
LIFTS: Final = (0.0, 0.05, 0.10)
BATCH: Final = 50
_PANELS: Final = ("proofs/_panels.py", "proofs/_error_rates.py", "proofs/_doors.py")


def prove(cases: Cases) -> Mapping[str, Any]:
    """Error rates of the defaults, of other methods, and of what is not a panel.

    Raises:
        AssertionError: a default is wrong more often than it says, contradicts itself, or a formula is off.
        FileNotFoundError: RMN_REFERENCE_DATA is unset.
    """
    # Only here: `python -m proofs --list` needs no engine.
    from proofs import _doors, _peers_agree, _user_gates

    options = cases.options
    most = dict(zip(LIFTS, (options["draws"], options["weak_draws"], options["lifted_draws"]), strict=True))
    fewer = {lift: options["sized_draws"] // (2 if lift else 1) for lift in LIFTS}
    figures: dict[str, Any] = {}
    wrong: list[str] = []
    judged = (
        *((situation, most) for situation in _doors.defaults()),
        *((situation, fewer) for situation in (*_doors.by_size(), *_doors.returns())),
    )
    for situation, draws in judged:
        for source in situation.sources:
            by_lift = {}
            for lift in LIFTS:
                by_lift[lift] = measured(cases, situation, source, lift, round(situation.share * draws[lift]))
            name = f"{situation.name}, {source}"
            wrong += _error_rates().verdicts(
                name, by_lift, conservative=situation.conservative, allowed=situation.allowed
            )
            figures[name] = told(by_lift)
            cases.say(f"{name}: {figures[name]}")
    for situation in (*_doors.defaults(), *_doors.others()):
        sources = HARDER if situation.name in {one.name for one in _doors.defaults()} else situation.sources
        for source in sources:
            by_lift = {lift: measured(cases, situation, source, lift, options["other_draws"]) for lift in LIFTS}
            figures[f"{situation.name}, {source}"] = told(by_lift)
            cases.say(f"{situation.name}, {source}: {told(by_lift)}")
    for name, gate in _user_gates.gates().items():
        covers = ("proofs/_user_gates.py", "proofs/_panels.py", *_core(USERS))
        found = cases.case(name, partial(gate, cases.seed, options["draws"]), covers)
        wrong += [f"{name}: {line}" for line in found.pop("wrong")]
        figures[name] = found
        cases.say(f"{name}: {found}")
    found = cases.case("peers", partial(_peers_agree.compared, cases.seed, options["peer_draws"]))
    wrong += found.pop("wrong")
    figures["peers"] = found
    cases.say(f"peers: {found}")
    assert not wrong, "\n".join(wrong)
    return figures


def measured(cases: Cases, situation: Any, source: str, lift: float, draws: int) -> dict[str, float]:
    """Rates of one situation on one panel, in batches that a stopped run need not do again."""
    tally = _error_rates().tally
    covers = (*_PANELS, *_core(situation.covers))
    parts = []
    for first in range(0, draws, BATCH):
        numbers = range(first, min(first + BATCH, draws))
        name = f"{situation.name} | {source} | {lift} | {first}+{len(numbers)}"
        parts.append(cases.case(name, partial(tally, situation, source, lift, cases.seed, numbers), covers))
    return _error_rates().rates(parts)


def _core(modules: Iterable[str]) -> tuple[str, ...]:
    return tuple(f"measurement/core/{name}.py" for name in modules)


def told(by_lift: Mapping[float, Mapping[str, float]]) -> dict[str, float]:
    """The figures of a situation in one row: what a reader of a table asks."""
    none, weak, strong = (by_lift[lift] for lift in LIFTS)
    return {
        "draws": int(none["draws"]),
        "false_positives": round(none["rejected"], 4),
        "coverage_none": round(none["coverage"], 4),
        "coverage_10": round(strong["coverage"], 4),
        "power_5": round(weak["rejected"], 3),
        "power_10": round(strong["rejected"], 3),
        "half_width": round(none["half_width"], 4),
        "rmse": round(none["rmse"], 4),
        "unbounded": round(none["unbounded"], 4),
        "contradictions": int(sum(one["disagree"] for one in by_lift.values())),
    }


def _error_rates() -> Any:
    from proofs import _error_rates

    return _error_rates


PROOF = Proof(
    name="measurement",
    title="Readings of experiments are wrong as often as they say: error rates, coverage and power on two panels.",
    covers=(
        "proofs/measurement.py",
        "proofs/_panels.py",
        "proofs/_error_rates.py",
        "proofs/_covered.py",
        "proofs/_doors.py",
        "proofs/_user_gates.py",
        "proofs/_peers.py",
        "proofs/_peers_agree.py",
        *_core(sorted({*GEO, *PAIRS, *USERS})),
    ),
    run=prove,
    options={
        "draws": 2000,
        "lifted_draws": 500,
        "weak_draws": 250,
        "sized_draws": 300,
        "other_draws": 100,
        "peer_draws": 5,
    },
)
