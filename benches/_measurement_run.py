"""One measured step of `benches.measurement` in a process of its own: `python -m benches._measurement_run STEP SEED`.

Prints one JSON object. Panels are drawn and everything is imported before the clock starts; seconds are of the CPU,
user and system, the least of three (of one for what takes longer than ten).
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from importlib import import_module
from typing import Any, Final

import numpy as np

from benches._harmonize_run import peak_mib
from measurement.core.arrays import Floats
from measurement.core.design import design_geo
from measurement.core.geo import analyze_geo
from measurement.core.panel import Panel
from measurement.core.placebo import placebo_sets
from proofs._panels import Draw, generated, names
from proofs._peers import PEERS, pysyncon_gap, synthdid_att

UNITS, PERIODS, LENGTH, TREATED, PLACEBOS = 40, 105, 15, 2, 59
MARKETS, HISTORY = 200, 120
_REPEATS: Final = 3


def draw(seed: int) -> Draw:
    """The test that all steps read: two geos of forty for fifteen days, after ninety."""
    rng = np.random.default_rng(seed)
    panel = generated(rng, units=UNITS, periods=PERIODS)
    treated = np.sort(rng.choice(UNITS, TREATED, replace=False)).astype(np.int64)
    return Draw(untouched=panel, start=PERIODS - LENGTH, treated=treated)


def product(seed: int, method: str, *, placebos: int | None, sensitivity: bool) -> dict[str, Any]:
    """The whole reading: p-value, intervals, path, and the placebos."""
    test = draw(seed)
    panel = test.panel(0.1)
    more: dict[str, Any] = {} if placebos is None else {"placebos": placebos}

    def read() -> dict[str, Any]:
        reading = analyze_geo(
            panel, treated=test.treated_names, start=test.start + 1, method=method, sensitivity=sensitivity, **more
        )
        return {"att": reading.att.value, "placebos": len(reading.placebos), "p_value": reading.p_value}

    return _timed(read)


def market_search(seed: int) -> dict[str, Any]:
    """The search for markets to treat, of 200 with 120 days of history, two durations, the usual numbers of markets."""
    outcome = generated(np.random.default_rng(seed), units=MARKETS, periods=HISTORY)
    panel = Panel(units=names(MARKETS), periods=tuple(range(1, HISTORY + 1)), outcome=outcome)
    told: list[int] = []

    def search() -> dict[str, Any]:
        found = design_geo(panel, durations=(14, 21), progress=lambda done, total: told.append(done))
        return {"candidates": len(found.candidates), "progress_calls": len(told)}

    return _timed(search, repeats=1)


def pysyncon(seed: int) -> dict[str, Any]:
    """Synthetic control of the treated pair and of as many placebo pairs, by pysyncon."""
    return _timed(lambda: _peer(seed, lambda *test: float(pysyncon_gap(*test)[1][test[3] :].mean())), repeats=1)


def synthdid(seed: int) -> dict[str, Any]:
    """Synthetic DiD of the treated pair and of as many placebo pairs, by synthdid-py."""
    return _timed(lambda: _peer(seed, synthdid_att), repeats=1)


def _peer(seed: int, effect: Callable[..., float]) -> dict[str, Any]:
    test = draw(seed)
    outcome: Floats = test.outcome(0.1)
    effects = []
    for pair in placebo_sets(UNITS, test.treated.tolist(), count=PLACEBOS, seed=1):
        donors = np.setdiff1d(np.arange(UNITS), [*pair.tolist(), *test.treated.tolist()]).astype(np.int64)
        effects.append(effect(outcome, pair, donors, test.start))
    return {"att": effects[0], "placebos": len(effects) - 1}


STEPS: Final[dict[str, Callable[[int], dict[str, Any]]]] = {
    "sc": lambda seed: product(seed, "sc", placebos=PLACEBOS, sensitivity=False),
    "sc_indexed": lambda seed: product(seed, "sc_indexed", placebos=PLACEBOS, sensitivity=False),
    "sdid": lambda seed: product(seed, "sdid", placebos=PLACEBOS, sensitivity=False),
    "default": lambda seed: product(seed, "auto", placebos=None, sensitivity=True),
    "market_search": market_search,
    "pysyncon": pysyncon,
    "synthdid-py": synthdid,
}


def _timed(run: Callable[[], dict[str, Any]], repeats: int = _REPEATS) -> dict[str, Any]:
    taken, found = [], {}
    for _ in range(repeats):
        began = time.process_time()
        found = run()
        taken.append(time.process_time() - began)
    return {"seconds": round(min(taken), 4), "first_seconds": round(taken[0], 4), **found}


def main() -> None:
    step, seed = sys.argv[1], int(sys.argv[2])
    try:
        if step in PEERS:
            import_module(PEERS[step])
        found = STEPS[step](seed)
    except ImportError as missing:
        found = {"failed": f"not installed: {missing.name}"}
    sys.stdout.write(json.dumps({**found, "peak_mib": round(peak_mib())}) + "\n")


if __name__ == "__main__":
    main()
