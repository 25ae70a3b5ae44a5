"""How the product reads the tests that are drawn: by its defaults, and by the other methods it offers."""

from __future__ import annotations

from functools import partial
from typing import Final

from measurement.core.answers import PanelReading
from measurement.core.geo import analyze_geo
from measurement.core.pairs import analyze_pairs
from proofs._error_rates import Answer, Situation
from proofs._panels import Draw, random_pairs, random_test

#: Fewer than the product's: 61 sets make a level of 3 / 61 = .0492, 401 one of .0499, and it is the time that counts.
PLACEBOS: Final = 60


def defaults() -> tuple[Situation, ...]:
    """The situations that `measurement` has a default for."""
    return (
        Situation(name="twenty pairs", draw=random_pairs, read=_pairs),
        Situation(name="two markets", draw=partial(random_test, treated=2), read=_chosen, conservative=True),
        Situation(name="one market", draw=partial(random_test, treated=1), read=_chosen, conservative=True),
        Situation(
            name="eight markets", draw=partial(random_test, treated=8), read=_chosen, conservative=True, share=0.25
        ),
    )


def others() -> tuple[Situation, ...]:
    """Other methods on two markets of forty, and the t-test over time on one: their rates are told, not judged."""
    one, two = partial(random_test, treated=1), partial(random_test, treated=2)
    by_two = [
        Situation(name=f"two markets by {method}", draw=two, read=partial(_asked, method), conservative=True)
        for method in ("sdid", "asc", "log_did", "did", "sc_t", "tbr")
    ]
    return (*by_two, Situation(name="one market by sc_t", draw=one, read=partial(_asked, "sc_t")))


def _pairs(draw: Draw, lift: float, number: int) -> Answer:
    return answer(analyze_pairs(draw.panel(lift), pairs=draw.pair_names, start=draw.start))


def _chosen(draw: Draw, lift: float, number: int) -> Answer:
    reading = _geo(draw, lift, number, "auto")
    assert reading.method == "sc", f"{draw.treated.size} markets are read by {reading.method}, not by sc"
    return answer(reading)


def _asked(method: str, draw: Draw, lift: float, number: int) -> Answer:
    return answer(_geo(draw, lift, number, method))


def _geo(draw: Draw, lift: float, number: int, method: str) -> PanelReading:
    return analyze_geo(
        draw.panel(lift),
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
