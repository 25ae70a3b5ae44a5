"""The same estimators from other hands: pysyncon (synthetic control) and synthdid-py (synthetic DiD), on arrays.

`pip install -c constraints.txt -r benches/requirements-measurement.txt` installs them; the product does without.
"""

from __future__ import annotations

import warnings
from importlib.util import find_spec
from typing import Any, Final

import numpy as np

from measurement.core.arrays import Floats, Ints

#: What each is imported as.
PEERS: Final = {"pysyncon": "pysyncon", "synthdid-py": "synthdid"}


def installed(peer: str) -> bool:
    """Whether a peer is here."""
    return find_spec(PEERS[peer]) is not None


def pysyncon_gap(outcome: Floats, treated: Ints, donors: Ints, start: int) -> tuple[Floats, Floats]:
    """Synthetic control with unit effects of the mean treated unit: weights, shape [donors], and gap, shape [periods].

    pysyncon divides each period by its spread over units; the weights of its loss take that back, so that every day
    before the test counts the same. Its search stays at its start where sales are large numbers, and ends too early
    where they are small ones: a fifth of the spread of the treated history is a unit that it gets on with.
    """
    import pandas as pd
    from pysyncon import Synth

    target = outcome[treated].mean(axis=0)
    rows = outcome[donors] - outcome[donors, :start].mean(axis=1, keepdims=True)
    aim = target - target[:start].mean()
    unit = float(aim[:start].std()) / 5.0
    names = [f"d{number}" for number in donors.tolist()]
    x0 = pd.DataFrame(rows[:, :start].T / unit, columns=names)
    x1 = pd.Series(aim[:start] / unit, name="treated")
    spread = pd.concat([x0, x1], axis=1).std(axis=1).to_numpy()
    synth = Synth()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        synth.fit(X0=x0, X1=x1, Z0=x0, Z1=x1, custom_V=spread**2)
    weights = np.asarray(synth.W, dtype=np.float64)
    return weights, aim - weights @ rows


def synthdid_att(outcome: Floats, treated: Ints, donors: Ints, start: int, **options: Any) -> float:
    """Synthetic difference in differences: effect per treated unit and test period."""
    from synthdid import synthdid_estimate

    ordered = np.vstack([outcome[donors], outcome[treated]])
    return float(synthdid_estimate(ordered, donors.size, start, **options))


def did_att(outcome: Floats, treated: Ints, donors: Ints, start: int) -> float:
    """Difference in differences by the same hand."""
    from synthdid import did_estimate

    return float(did_estimate(np.vstack([outcome[donors], outcome[treated]]), donors.size, start))
