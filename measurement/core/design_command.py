"""What `manage.py design_geo` prints: the designs found, as JSON or as lines for people."""

from __future__ import annotations

import json
from typing import Any

from measurement.core.design import GeoDesigns
from measurement.core.market_selection import GeoCandidate
from measurement.core.words import count_of


def designs_as_dict(designs: GeoDesigns, *, top: int | None = None) -> dict[str, Any]:
    """Designs, ready for JSON.

    Args:
        designs: as found.
        top: how many candidates; all by default. The frontier is told whole.
    """
    return {
        "kind": designs.kind.key,
        "alpha": designs.alpha,
        "target_power": designs.target_power,
        "windows": [start + 1 for start in designs.windows.starts],
        "candidates": [_candidate(candidate) for candidate in designs.candidates[:top]],
        "frontier": [_candidate(candidate) for candidate in designs.frontier],
        "considered": len(designs.candidates),
        "refused": designs.refused,
        "over_budget": designs.over_budget,
        "warnings": list(designs.warnings),
        "seed": designs.seed,
    }


def designs_text(designs: GeoDesigns, *, as_json: bool, top: int) -> str:
    """One JSON object, or a table of the best with what to know of it."""
    if as_json:
        return json.dumps(designs_as_dict(designs, top=top), allow_nan=False)
    effects = list(designs.candidates[0].power)
    header = ["rank", "periods", "MDE", *(f"power {effect:+.0%}" for effect in effects)]
    header += ["A/A bias", "RMSE", "spend", "holdout", "treated"]
    rows = [_cells(candidate) for candidate in designs.candidates[:top]]
    widths = [max(len(row[at]) for row in [header, *rows]) for at in range(len(header))]
    lines = [
        f"{designs.kind.title}: {designs.kind.measures}",
        f"{count_of(len(designs.candidates), 'candidate')}, {len(designs.frontier)} that no other beats; MDE at power "
        f"{designs.target_power:g}, alpha {designs.alpha:g}, from {len(designs.windows.starts)} A/A windows",
        *("  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in [header, *rows]),
    ]
    if designs.over_budget:
        lines.append(f"note: over the budget: {count_of(designs.over_budget, 'candidate')}.")
    return "\n".join([*lines, *(f"note: {warning}" for warning in designs.warnings)])


def _cells(candidate: GeoCandidate) -> list[str]:
    return [
        str(candidate.rank),
        str(candidate.duration),
        "never" if candidate.mde is None else f"{candidate.mde:.1%}",
        *(f"{chance:.0%}" for chance in candidate.power.values()),
        f"{candidate.aa_bias:+.2%}",
        f"{candidate.rmse:.2%}",
        "unknown" if candidate.investment is None else f"{candidate.investment:,.0f}",
        f"{candidate.holdout_share:.0%}",
        ", ".join(candidate.treated),
    ]


def _candidate(candidate: GeoCandidate) -> dict[str, Any]:
    return {
        "rank": candidate.rank,
        "treated": list(candidate.treated),
        "duration": candidate.duration,
        "method": candidate.method,
        "mde": candidate.mde,
        "power": {f"{effect:g}": chance for effect, chance in candidate.power.items()},
        "power_checked": {f"{effect:g}": chance for effect, chance in candidate.power_checked.items()},
        "investment": candidate.investment,
        "aa_bias": candidate.aa_bias,
        "rmse": candidate.rmse,
        "se": candidate.se,
        "critical": candidate.critical,
        "baseline": candidate.baseline,
        "treated_share": candidate.treated_share,
        "holdout_share": candidate.holdout_share,
        "controls": candidate.controls,
    }
