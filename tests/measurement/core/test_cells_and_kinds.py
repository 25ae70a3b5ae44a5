"""Several cells with a shared control, holdouts of SKUs, and what kinds of tests cost."""

import numpy as np
import pytest
from scipy.stats import norm

from measurement.core.assignment import InvalidDesign
from measurement.core.design_kinds import KINDS, extra_spend, kind_of
from measurement.core.multi_cell import cell_alpha, draw_cells
from measurement.core.sku_holdout import draw_skus
from tests.measurement.core.histories import history


def test_cells_are_of_one_size_and_drawn_in_every_stratum():
    panel = history(units=24)
    drawn = draw_cells(panel, cells=["low", "high"], seed=1, control_weight=2)
    assert drawn.cells == ("high", "low")
    assert len(drawn.of("treated", "low")) == len(drawn.of("treated", "high")) == 6
    assert len(drawn.of("control")) == 12
    for stratum in {row.stratum for row in drawn.rows}:
        assert sorted(row.cell for row in drawn.rows if row.stratum == stratum) == ["", "", "high", "low"]
    assert drawn == draw_cells(panel, cells=["low", "high"], seed=1, control_weight=2)
    assert drawn != draw_cells(panel, cells=["low", "high"], seed=2, control_weight=2)


def test_the_note_on_several_cells_tells_the_level_that_is_used():
    (note,) = draw_cells(history(units=24), cells=["low", "high"], seed=1).notes
    assert "each is judged at alpha / 2 (Bonferroni), p-value and interval alike" in note
    assert cell_alpha(0.05, 2) == 0.025


def test_units_left_over_are_controls():
    drawn = draw_cells(history(units=25), cells=["low", "high"], seed=1, per_cell=2, exclude=["m00"])
    assert [len(drawn.of(group)) for group in ("treated", "control", "excluded")] == [4, 20, 1]


@pytest.mark.parametrize(("cells", "critical"), [(2, 2.21), (3, 2.35), (4, 2.44), (5, 2.51)])
def test_dunnett_has_the_published_critical_values(cells, critical):
    """Dunnett (1964), two-sided 5 %, infinitely many degrees of freedom."""
    assert norm.isf(cell_alpha(0.05, cells, "dunnett") / 2) == pytest.approx(critical, abs=0.006)


def test_dunnett_holds_the_family_in_simulation():
    rng = np.random.default_rng(1)
    control = rng.normal(0, np.sqrt(1 / 2), (100_000, 1))
    z = np.abs(rng.normal(size=(100_000, 3)) - control) / np.sqrt(1.5)
    level = cell_alpha(0.05, 3, "dunnett", control_weight=2.0)
    assert np.mean((z > norm.isf(level / 2)).any(axis=1)) == pytest.approx(0.05, abs=0.003)


def test_levels_of_comparisons():
    assert cell_alpha(0.05, 1) == 0.05
    assert cell_alpha(0.05, 4) == 0.0125
    assert 0.0125 < cell_alpha(0.05, 4, "dunnett") < 0.05


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"cells": ["one"]}, "1 cell"),
        ({"cells": ["one", "One"]}, "one name"),
        ({"cells": ["one", " "]}, "has none"),
        ({"cells": list("abcdefghi")}, "9 cells"),
        ({"cells": ["one", "two"], "per_cell": 5}, "cannot fill"),
        ({"cells": ["one", "two"], "control_weight": 0}, "cannot fill"),
        ({"cells": list("abcdefgh"), "control_weight": 9}, "cannot fill"),
    ],
)
def test_cells_that_cannot_be_filled(given, words):
    with pytest.raises(InvalidDesign, match=words):
        draw_cells(history(units=12), seed=1, **given)


def test_levels_out_of_range():
    with pytest.raises(InvalidDesign):
        cell_alpha(0.0, 2)
    with pytest.raises(InvalidDesign):
        cell_alpha(0.05, 0)


def shelf(panel, names="ab"):
    return {sku: names[number % len(names)] for number, sku in enumerate(panel.units)}


def test_a_holdout_takes_its_share_of_every_category():
    panel = history(units=24, names="sku {}")
    drawn = draw_skus(panel, categories=shelf(panel), seed=2, holdout_share=1 / 3)
    held = drawn.of("treated")
    assert len(held) == 8
    assert sorted(shelf(panel)[sku] for sku in held) == ["a"] * 4 + ["b"] * 4
    assert drawn == draw_skus(panel, categories=shelf(panel), seed=2, holdout_share=1 / 3)


def test_one_sku_of_a_family_is_in_the_test_and_the_sisters_say_why():
    panel = history(units=12, names="sku {}")
    families = {"sku 0": "chips", "SKU 2": "Chips", "sku 4": "chips"}
    sales = dict(zip(panel.units, panel.outcome.mean(axis=1), strict=True))
    largest = max(["sku 0", "sku 2", "sku 4"], key=sales.get)
    for seed in range(10):
        drawn = draw_skus(panel, categories=shelf(panel), families=families, seed=seed)
        out = {row.unit: row.why for row in drawn.rows if row.group == "excluded"}
        assert out.keys() == {"sku 0", "sku 2", "sku 4"} - {largest}
        assert all(f"substitute of {largest}" in why for why in out.values())
    assert "count twice" in drawn.notes[0]


def test_sisters_of_an_excluded_sku_stay():
    panel = history(units=6, names="sku {}")
    drawn = draw_skus(
        panel, categories=shelf(panel, "a"), families={"sku 0": "f", "sku 1": "f"}, seed=1, exclude=["sku 0"]
    )
    assert drawn.of("excluded") == ("sku 0",)


def test_a_lonely_category_is_excluded():
    panel = history(units=5, names="sku {}")
    categories = shelf(panel, "a") | {"sku 4": "lonely"}
    drawn = draw_skus(panel, categories=categories, seed=1)
    assert [row.why for row in drawn.rows if row.unit == "sku 4"] == ["nothing else to compare with in category lonely"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"categories": {}}, "have no category"),
        ({"holdout_share": 0.6}, "holdout share of 0.6"),
        ({"families": {f"sku {number}": "all" for number in range(4)}}, "No category has two"),
    ],
)
def test_holdouts_that_cannot_be_drawn(change, words):
    panel = history(units=4, names="sku {}")
    with pytest.raises(InvalidDesign, match=words):
        draw_skus(panel, **({"categories": shelf(panel, "a"), "seed": 1} | change))


def spend(kind, **given):
    return extra_spend(kind_of(kind), **({"treated_cost": 100.0, "treated_sales": 1000.0, "effect": 0.1} | given))


def test_a_go_dark_saves_what_was_spent():
    assert spend("go_dark") == -100.0
    assert spend("go_dark", change=-0.5) == -50.0
    assert spend("go_dark", treated_cost=None, cost_per_incremental=2.0) == -200.0


def test_a_heavy_up_costs_its_change_or_what_the_lift_costs():
    assert spend("heavy_up", change=0.5) == 50.0
    assert spend("heavy_up", cost_per_incremental=2.0) == 200.0
    assert spend("holdback", treated_cost=None, cost_per_incremental=2.0) == 200.0
    assert spend("heavy_up") is None


@pytest.mark.parametrize(("kind", "change"), [("go_dark", 0.5), ("heavy_up", -0.5), ("go_dark", -1.5)])
def test_spend_cannot_change_the_other_way(kind, change):
    with pytest.raises(InvalidDesign, match="cannot change spend"):
        spend(kind, change=change)


def test_negative_costs_and_unknown_kinds():
    with pytest.raises(InvalidDesign, match="out of range"):
        spend("holdback", cost_per_incremental=-1.0)
    with pytest.raises(InvalidDesign, match="no kind 'lift'"):
        kind_of("lift")


def test_the_dark_arm_is_the_holdout():
    assert {key: kind.dark for key, kind in KINDS.items()} == {
        "holdback": "control",
        "heavy_up": "control",
        "go_dark": "treated",
    }
