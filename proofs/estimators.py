"""Which estimator, scored by which statistic, sees most through placebo in space: the evidence for the default.

Every set of `PER_WINDOW` random sets of geos is taken as treated in turn, the others being its placebos: all have the
nominal level by construction, so that only power is in question. Contrasts are linear in the sales
after the start, hence an effect is put into each set without fitting anything again. Sets share a window and a panel;
windows (of the public panel) and panels (generated) are few, and the standard error is over them.

Synthetic difference in differences is not among them: its time weights are fitted to what is sold after the start, by
all geos but the treated, and would have to be fitted anew for each set. The proof `measurement` draws tests for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, Final

import numpy as np

from proofs import _panels
from proofs.registry import Cases, Proof

SOURCES: Final = ("geolift", "plain", "heteroscedastic")
SIZES: Final = (2, 5)
PER_WINDOW: Final = 240
ALPHA: Final = 0.05
LIFTS: Final = (0.0, 0.05, 0.10)
#: (estimator, statistic) that the product uses.
DEFAULT: Final = ("sc of indexed sales", "misfit^3/4 x sales^1/4")
#: How much more power at a lift of 5 % another statistic of the same estimator may have on the mean over panels.
SLACK: Final = 0.02


def window(source: str, treated: int, seed: int, number: int) -> dict[str, Any]:
    """Share of sets that each (estimator, statistic) rejects in one window, by lift."""
    from measurement.core.placebo import shares_of
    from measurement.core.synthetic_control import demeaned, simplex_weights

    rng = np.random.default_rng([seed, number])
    kinds: Mapping[str, _panels.Kind] = {"plain": "plain", "heteroscedastic": "heteroscedastic"}
    panel = _panels.pre_test() if source == "geolift" else _panels.generated(rng, kinds[source])
    start = int(rng.integers(_panels.LEAST_HISTORY, panel.shape[1] - _panels.LENGTH + 1))
    panel = panel[:, : start + _panels.LENGTH]
    units = len(panel)
    sets = np.array([np.sort(rng.choice(units, treated, replace=False)) for _ in range(PER_WINDOW)])
    shares = shares_of(sets, units)
    donors = shares == 0.0

    def contrasts(values: Any, parts: Any = shares) -> Any:
        return parts - simplex_weights(values @ values.T, parts, donors).weights

    even = shares - donors / donors.sum(axis=1, keepdims=True)
    past, logs = panel[:, :start], np.log(panel)
    centred, log_centred = demeaned(past, slice(0, start)), demeaned(logs[:, :start], slice(0, start))
    scaled = panel / past.mean(axis=1, keepdims=True)
    # The index of a set is that of what its geos sold together.
    parts = shares * past.mean(axis=1)
    parts /= parts.sum(axis=1, keepdims=True)
    indexed = contrasts(demeaned(scaled[:, :start], slice(0, start)), parts)
    plain = np.full(start, 1.0 / start)
    # Estimator -> what it compares, its contrasts, and what the past counts for; logarithms add their effects.
    fits = {
        "sc": (panel, contrasts(centred), plain, False),
        "sc without unit effects": (panel, contrasts(past), np.zeros(start), False),
        "sc of indexed sales": (scaled, indexed, plain, False),
        "sc of logs": (logs, contrasts(log_centred), plain, True),
        "did": (panel, even, plain, False),
        "did of logs": (logs, even, plain, True),
    }
    found = {}
    for estimator, (values, contrast, weight, log) in fits.items():
        gap = contrast @ (values[:, start:].mean(axis=1) - values[:, :start] @ weight)
        after = values[:, start:].mean(axis=1)
        # Column i: what an effect of one in the geos of set i moves; a log effect moves each by the same.
        moves = contrast @ sets_of_sales(shares, np.ones(units) if log else after)
        gaps = contrast @ demeaned(values[:, :start], slice(0, start))
        misfit = np.sqrt(np.square(gaps).mean(axis=1))
        own = parts if estimator == "sc of indexed sales" else shares
        sales = np.ones(len(sets)) if log else (own @ values[:, :start]).mean(axis=1)
        statistics = {
            "plain": np.ones(len(sets)), "over sales": sales, "over misfit": misfit,
            "sqrt(misfit x sales)": np.sqrt(misfit * sales), "misfit^3/4 x sales^1/4": misfit**0.75 * sales**0.25,
        }  # fmt: skip
        for name, scale in statistics.items():
            found[f"{estimator} | {name}"] = [_rejected(gap, moves, scale, lift, log) for lift in LIFTS]
    return found


def sets_of_sales(shares: Any, after: Any) -> Any:
    """Sales after the start of the geos of each set, others none; shape [units, sets]."""
    return (shares > 0.0).T * after[:, None]


def _rejected(gap: Any, moves: Any, scale: Any, lift: float, log: bool) -> float:
    effect = float(np.log1p(lift)) if log else lift
    size = np.abs(gap[:, None] + effect * moves) / scale[:, None]
    larger = (size >= np.diagonal(size)[None, :]).sum(axis=0)
    return float((larger / len(gap) < ALPHA).mean())


def prove(cases: Cases) -> Mapping[str, Any]:
    """Power of every (estimator, statistic) by panel and size, and the best of them.

    Raises:
        AssertionError: another estimator, or with the default's another statistic, sees more on the mean over panels
            and sizes.
    """
    figures: dict[str, Any] = {}
    means: dict[str, list[float]] = {}
    for source in SOURCES:
        for treated in SIZES:
            windows = [
                cases.case(f"{source} | {treated} | {number}", partial(window, source, treated, cases.seed, number))
                for number in range(cases.options["windows"])
            ]
            rows = {}
            for name in windows[0]:
                values = np.array([one[name] for one in windows])
                none, weak, strong = values.mean(axis=0)
                error = float(values[:, 1].std() / np.sqrt(len(windows)))
                rows[name] = {
                    "false_positives": round(float(none), 4), "power_5": round(float(weak), 3),
                    "power_10": round(float(strong), 3), "se_5": round(error, 3),
                }  # fmt: skip
                means.setdefault(name, []).append(float(weak))
            figures[f"{source}, {treated} treated"] = rows
            cases.say(f"{source}, {treated} treated: {rows[' | '.join(DEFAULT)]}")
    power = {name: float(np.mean(values)) for name, values in means.items()}
    ranked = sorted(power, key=lambda name: -power[name])
    figures["mean_power_5"] = {name: round(power[name], 3) for name in ranked}
    mine = " | ".join(DEFAULT)
    best = next(name for name in ranked if name.startswith(f"{DEFAULT[0]} | "))
    other = next(name for name in ranked if not name.startswith(f"{DEFAULT[0]} | "))
    cases.say("\n".join(f"{name:45} {power[name]:.3f}" for name in ranked))
    assert power[mine] >= power[other], f"{other} sees {power[other]:.3f}, the default {power[mine]:.3f}"
    assert power[best] - power[mine] <= SLACK, f"{best} sees {power[best]:.3f} where the default sees {power[mine]:.3f}"
    return figures


PROOF = Proof(
    name="estimators",
    title="Of the estimators and statistics tried in placebo in space the default sees most, or hardly less.",
    covers=(
        "proofs/estimators.py",
        "proofs/_panels.py",
        "measurement/core/synthetic_control.py",
        "measurement/core/placebo.py",
    ),
    run=prove,
    options={"windows": 4},
)
