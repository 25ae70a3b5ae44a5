"""Several treatments against one shared control, with the errors of all comparisons held together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal

import numpy as np
from scipy.optimize import brentq
from scipy.stats import norm

from measurement.core.assignment import Assigned, Assignment, InvalidDesign, ordered
from measurement.core.features import rows_of
from measurement.core.panel import Panel
from measurement.core.stratified import strata_of
from measurement.core.words import count_of

Multiplicity = Literal["bonferroni", "dunnett"]
#: More cells than this leave each too little; Dunnett's integral is also kept small by it.
MOST_CELLS: Final = 8


def draw_cells(
    panel: Panel,
    *,
    cells: Sequence[str],
    seed: int,
    control_weight: int | None = None,
    per_cell: int | None = None,
    exclude: Sequence[str] = (),
) -> Assignment:
    """Cells of like units and a shared control, drawn within strata of like units.

    In a stratum every cell gets one unit and the control `control_weight` units. The control serves every comparison:
    by default it gets the square root of the number of cells times as many units as a cell (Dunnett 1955), rounded.

    Args:
        panel: the history before the test.
        cells: names of the treatments, at least two, different in any case of letters.
        seed: of the draw.
        control_weight: control units for each unit of a cell.
        per_cell: units of each cell; by default as many as there are whole strata.
        exclude: units that stay out.

    Raises:
        InvalidDesign: too few or too many cells or units, a name twice, or a unit that is not there.
    """
    names = [cell.strip() for cell in cells]
    if len({name.casefold() for name in names}) < len(names) or not all(names):
        raise InvalidDesign("Two cells have one name, or one has none.", where="cells", fix="Name each cell once.")
    if not 2 <= len(names) <= MOST_CELLS:
        raise InvalidDesign(f"{count_of(len(names), 'cell')}.", where="cells", fix=f"Give 2 to {MOST_CELLS} cells.")
    weight = round(np.sqrt(len(names))) if control_weight is None else control_weight
    size = len(names) + weight
    out = set(rows_of(panel, exclude, "exclude"))
    rows = [row for row in range(len(panel.units)) if row not in out]
    strata = [stratum for stratum in strata_of(panel, rows, size) if len(stratum) >= size] if rows else []
    most = len(strata)
    if weight < 1 or most < 1 or not 1 <= (per_cell or 1) <= most:
        raise InvalidDesign(
            f"{len(rows)} units cannot fill {per_cell or 1} for each of {len(names)} cells and the control.",
            fix=f"Each stratum takes {size} units; ask for 1 to {most} per cell." if most else f"Give {size} units.",
        )
    rng = np.random.default_rng(seed)
    chosen = set(rng.choice(most, per_cell or most, replace=False).tolist())
    drawn = [Assigned(unit=panel.units[row], group="excluded", why="excluded by request") for row in sorted(out)]
    for number, stratum in enumerate(strata):
        order = rng.permutation(len(stratum))
        for place, at in enumerate(order):
            unit, name = panel.units[stratum[at]], f"S{number + 1:02d}"
            if number in chosen and place < len(names):
                drawn.append(Assigned(unit=unit, group="treated", cell=names[place], stratum=name))
            else:
                drawn.append(Assigned(unit=unit, group="control", stratum=name))
    return ordered(drawn, seed=seed, notes=(multiplicity_note(len(names)),))


def cell_alpha(alpha: float, cells: int, method: Multiplicity = "bonferroni", *, control_weight: float = 1.0) -> float:
    """Two-sided level of each comparison that holds the chance of any false one at `alpha`.

    Args:
        alpha: of the family.
        cells: comparisons with the shared control.
        method: `bonferroni` needs nothing; `dunnett` uses that estimates share a control (correlation
            1 / (1 + control_weight)) and are normal.
        control_weight: control units for each unit of a cell.

    Raises:
        InvalidDesign: a level out of range, or no cells.
    """
    if not 0.0 < alpha < 1.0 or not 1 <= cells <= MOST_CELLS:
        raise InvalidDesign(
            f"A level of {alpha:g} for {cells} cells.", fix=f"Give a level between 0 and 1, 1 to {MOST_CELLS} cells."
        )
    if cells == 1 or method == "bonferroni":
        return alpha / cells
    shared = 1.0 / (1.0 + control_weight)
    nodes, weights = np.polynomial.hermite_e.hermegauss(80)

    def excess(critical: float) -> float:
        # Given the control's error, the comparisons are independent: one integral instead of `cells`.
        centre = np.sqrt(shared) * nodes
        spread = np.sqrt(1.0 - shared)
        inside = norm.cdf((critical - centre) / spread) - norm.cdf((-critical - centre) / spread)
        return float(1.0 - (weights @ inside**cells) / weights.sum() - alpha)

    critical = brentq(excess, 0.0, float(norm.isf(alpha / cells / 2.0)) + 1.0)
    return float(2.0 * norm.sf(critical))


def multiplicity_note(cells: int) -> str:
    """What a reader must know of several comparisons."""
    return (
        f"{cells} cells are compared with one control: each is judged at alpha / {cells} (Bonferroni), p-value and "
        f"interval alike."
    )
