"""The product's synthetic control, synthetic DiD and DiD beside those of other hands, on the same drawn tests."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from measurement.core.geo import analyze_geo
from proofs import _peers
from proofs._error_rates import panel_for
from proofs._panels import Draw, names, random_test

#: Differences in lift (a fraction of the treated sales) that are put down to where each search ends.
SLACK: Final = {"sc": 0.001, "sdid": 0.001, "did": 1e-9}
_OF: Final = {"sc": "pysyncon", "sdid": "synthdid-py", "did": "synthdid-py"}


def compared(seed: int, draws: int) -> dict[str, Any]:
    """Largest difference of each estimate over `draws` tests on each panel, or that the peer is not installed."""
    found: dict[str, Any] = {"wrong": [], "draws": draws}
    for method, peer in _OF.items():
        if not _peers.installed(peer):
            found[method] = f"{peer} is not installed"
            continue
        apart, misfit = [], []
        for source in ("geolift", "plain"):
            for number in range(draws):
                rng = np.random.default_rng([seed, 20, number])
                draw = random_test(rng, panel_for(source, rng), 2)
                ours = analyze_geo(
                    draw.panel(0.05), treated=draw.treated_names, start=draw.start + 1, method=method, placebos=19,
                    sensitivity=False,
                )  # fmt: skip
                att, imbalance = _peer(method, draw)
                apart.append(abs(ours.att.value - att) / float(draw.untouched[draw.treated, draw.start :].mean()))
                if imbalance is not None and ours.l2_imbalance is not None:
                    misfit.append(ours.l2_imbalance / imbalance)
        found[method] = {
            "peer": peer,
            "most_apart": float(f"{max(apart):.2e}"),
            "median": float(f"{np.median(apart):.2e}"),
        }
        if misfit:
            # Both minimise it: ours must not be larger.
            found[method]["misfit_over_peer"] = {"most": round(max(misfit), 6), "least": round(min(misfit), 6)}
            if max(misfit) > 1.0 + 1e-5:
                found["wrong"].append(f"{method}: {peer} fits better, by {max(misfit) - 1.0:.1e}")
        if float(np.median(apart)) > SLACK[method]:
            found["wrong"].append(f"{method}: {np.median(apart):.2e} apart from {peer}, allowed {SLACK[method]}")
    return found


def _peer(method: str, draw: Draw) -> tuple[float, float | None]:
    """The peer's effect per treated unit and day, and its misfit before the test."""
    outcome, start = draw.outcome(0.05), draw.start
    donors = np.setdiff1d(np.arange(len(names(outcome.shape[0]))), draw.treated).astype(np.int64)
    if method == "sc":
        _, gap = _peers.pysyncon_gap(outcome, draw.treated, donors, start)
        return float(gap[start:].mean()), float(np.sqrt(np.square(gap[:start]).sum()))
    if method == "sdid":
        return _peers.synthdid_att(outcome, draw.treated, donors, start), None
    return _peers.did_att(outcome, draw.treated, donors, start), None
