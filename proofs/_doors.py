"""How the product reads the tests that are drawn: by its defaults, and by the other methods it offers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any, Final

import numpy as np

from measurement.core.answers import PanelReading
from measurement.core.geo import analyze_geo
from measurement.core.geo_methods import INDEXED
from measurement.core.pairs import analyze_pairs
from measurement.core.panel import Panel
from proofs._covered import GEO, PAIRS
from proofs._error_rates import Answer, Situation
from proofs._panels import Draw, random_pairs, random_test, sized_test

#: Fewer than the product's: 61 sets make a level of 3 / 61 = .0492, 401 one of .0499, and it is the time that counts.
PLACEBOS: Final = 60


#: Where markets were chosen by their size no placebo test of sets drawn at random is exact; twice its level is allowed.
BY_SIZE: Final = 0.10


def defaults() -> tuple[Situation, ...]:
    """The situations that `measurement` has a default for."""
    return (
        Situation(name="twenty pairs", draw=random_pairs, read=_pairs, covers=PAIRS),
        _markets("two markets", partial(random_test, treated=2)),
        _markets("one market", partial(random_test, treated=1)),
        _markets("eight markets", partial(random_test, treated=8), share=0.25),
    )


def by_size() -> tuple[Situation, ...]:
    """Tests whose markets were chosen for being small or large, where a shared trend moves markets by their size."""
    return tuple(
        _markets(
            f"three {which} of {units}",
            partial(sized_test, treated=3, largest=which == "largest", units=units),
            sources=("trending", "heteroscedastic"),
            allowed=BY_SIZE,
        )
        for units in (20, 40)
        for which in ("smallest", "largest")
    )


def returns() -> tuple[Situation, ...]:
    """iROAS of two markets. Spend is put in so that it is the lift: known, or with noise in every market."""
    two = partial(random_test, treated=2)
    return (
        _markets("two markets, iROAS, known spend", two, read=partial(_return, 0.0)),
        _markets("two markets, iROAS, noisy spend", two, read=partial(_return, 0.1)),
    )


def others() -> tuple[Situation, ...]:
    """Other methods on two markets of forty, and the t-test over time on one: their rates are told, not judged."""
    one, two = partial(random_test, treated=1), partial(random_test, treated=2)
    sized = {
        which: partial(sized_test, treated=3, largest=which == "largest", units=20) for which in ("smallest", "largest")
    }
    return (
        *(
            _markets(f"two markets by {method}", two, read=partial(_asked, method))
            for method in ("sc", "sdid", "asc", "log_did", "did", "sc_t", "tbr")
        ),
        _markets("one market by sc_t", one, read=partial(_asked, "sc_t")),
        *(
            _markets(f"three {which} of 20 by {method}", draw, read=partial(_asked, method), sources=("trending",))
            for which, draw in sized.items()
            for method in ("sc", "log_did")
        ),
    )


def _markets(name: str, draw: Callable[..., Draw], read: Callable[..., Answer] | None = None, **more: Any) -> Situation:
    return Situation(name=name, draw=draw, read=read or _chosen, conservative=True, covers=GEO, **more)


def _pairs(draw: Draw, lift: float, number: int) -> Answer:
    return answer(analyze_pairs(draw.panel(lift), pairs=draw.pair_names, start=draw.start))


def _chosen(draw: Draw, lift: float, number: int) -> Answer:
    reading = _geo(draw, lift, number, "auto")
    assert reading.method == INDEXED, f"{draw.treated.size} markets are read by {reading.method}, not by {INDEXED}"
    return answer(reading)


def _return(noise: float, draw: Draw, lift: float, number: int) -> Answer:
    """The iROAS: what is spent beside what would have been sold makes it the lift. Noise is a share of daily sales."""
    panel = draw.panel(lift, spend=float(draw.untouched[draw.treated, draw.start :].sum()))
    assert panel.cost is not None
    rng = np.random.default_rng([number, 21])
    usual = draw.untouched[:, : draw.start].mean(axis=1, keepdims=True)
    cost = panel.cost + noise * usual * rng.gamma(4.0, 0.25, panel.cost.shape)
    reading = _read(replace(panel, cost=cost), draw, number, "auto")
    iroas = reading.iroas
    # None is told where spend did not clearly change: nothing is left out, so nothing is wrong.
    value, low, high = (lift, None, None) if iroas is None else (iroas.value, iroas.low, iroas.high)
    return Answer(1.0 if iroas is None else reading.p_value, value, low, high)


def _asked(method: str, draw: Draw, lift: float, number: int) -> Answer:
    return answer(_geo(draw, lift, number, method))


def _geo(draw: Draw, lift: float, number: int, method: str) -> PanelReading:
    return _read(draw.panel(lift), draw, number, method)


def _read(panel: Panel, draw: Draw, number: int, method: str) -> PanelReading:
    return analyze_geo(
        panel,
        treated=draw.treated_names,
        start=draw.start + 1,
        method=method,
        seed=number + 1,
        placebos=PLACEBOS,
        sensitivity=False,
    )


def answer(reading: PanelReading) -> Answer:
    """What the judge asks of a reading."""
    return Answer(reading.p_value, reading.lift.value, reading.lift.low, reading.lift.high)
