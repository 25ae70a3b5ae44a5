"""Modules of `measurement.core` that the cases of the proof `measurement` hang on: a change asks for new ones."""

from __future__ import annotations

from typing import Final

#: Readings of chosen markets, of pairs, and of what is no panel.
GEO: Final = (
    "geo", "geo_choice", "geo_methods", "geo_reading", "log_did", "placebo", "placebo_finding", "returns", "sc_ttest",
    "synthetic_control", "tbr", "time_weights", "treated_panel",
)  # fmt: skip
PAIRS: Final = (
    "drawn_reading", "inversion", "known_cost", "log_effects", "pair_panel", "pairs", "returns", "signflip",
)  # fmt: skip
USERS: Final = (
    "always_valid", "few_clusters", "power", "regression", "sequential", "switchback", "switchback_design",
    "trimmed_match", "user_test",
)  # fmt: skip
