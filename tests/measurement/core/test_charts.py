"""The pictures hold the figures of the reading, and say what they show."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from measurement.core.answers import Estimate, PanelReading
from measurement.core.charts import (
    axis_start,
    bin_edges,
    counterfactual_chart,
    cumulative_chart,
    effect_chart,
    placebo_chart,
)
from measurement.core.geography import STATES
from measurement.core.tile_map import are_states, state_tiles, unit_name
from tests.measurement.readings import STATES as TREATED
from tests.measurement.readings import a_reading, some_facts


def series(spec, name):
    return next(one for one in spec["option"]["series"] if one["name"] == name)


def test_observed_and_counterfactual_are_drawn_as_they_are():
    reading = a_reading()
    spec = counterfactual_chart(reading, some_facts())
    assert series(spec, "Observed")["data"] == [round(float(one), 2) for one in reading.observed]
    assert series(spec, "Counterfactual")["data"][-1] == pytest.approx(reading.counterfactual[-1], abs=0.01)
    assert spec["option"]["xAxis"]["data"][0] == "2026-06-15"


def test_the_interval_is_drawn_only_where_there_is_one():
    reading = a_reading()
    spec = counterfactual_chart(reading, some_facts())
    band = series(spec, "95% interval")["data"]
    assert band[0][0] == reading.periods[reading.start].isoformat()
    assert len(band) == len(reading.periods) - reading.start
    nothing = np.full(len(reading.periods), np.nan)
    bare = counterfactual_chart(replace(reading, low=nothing, high=nothing), some_facts())
    assert series(bare, "95% interval")["data"] == []


def test_the_test_and_its_cool_down_are_shaded():
    reading = a_reading()
    areas = series(counterfactual_chart(reading, some_facts()), "Observed")["markArea"]["data"]
    assert [(one[0]["xAxis"], one[1]["xAxis"]) for one in areas] == [
        ("2026-09-14", "2026-10-11"), ("2026-10-11", "2026-10-25"),
    ]  # fmt: skip
    none = replace(reading, cooldown_end=reading.end)
    assert len(series(counterfactual_chart(none, some_facts()), "Observed")["markArea"]["data"]) == 1


def test_the_axis_starts_at_zero_unless_the_series_lie_far_above():
    reading = a_reading()
    start = axis_start(reading)
    assert 0 < start < reading.observed.min()
    near = replace(reading, observed=reading.observed - 0.95 * reading.observed.min())
    assert axis_start(near) == 0


def test_a_long_history_is_cut_before_the_test():
    many = 700
    reading = a_reading()
    long = replace(
        reading, periods=tuple(range(many)), start=600, end=640, cooldown_end=640, observed=np.ones(many),
        counterfactual=np.ones(many), low=np.ones(many), high=np.ones(many), cumulative=np.ones(41),
        cumulative_low=np.ones(41), cumulative_high=np.ones(41),
    )  # fmt: skip
    shown = counterfactual_chart(long, some_facts())["option"]["xAxis"]["data"]
    assert shown[0] == str(600 - 164)
    assert shown[-1] == "699"


def test_the_path_ends_at_the_total_and_carries_the_spend():
    reading = a_reading()
    spec = cumulative_chart(reading, some_facts())
    line = series(spec, "Estimate")
    assert line["data"][-1] == pytest.approx(reading.incremental.value, abs=0.01)
    assert line["markLine"]["data"] == [{"yAxis": 184_200.0}]
    assert line["markArea"]["data"][0][0]["name"] == "Cool-down"
    axis = spec["option"]["yAxis"]
    assert axis["min"] <= min(0, reading.cumulative_low.min())
    assert axis["max"] >= reading.cumulative_high.max()
    assert "markLine" not in series(cumulative_chart(replace(reading, cost=None), some_facts()), "Estimate")


def test_the_effect_is_drawn_with_its_interval_and_those_of_other_methods():
    reading = replace(a_reading(), lift=Estimate(0.05, None, 0.09))
    spec = effect_chart(reading)
    rows = spec["option"]["yAxis"]["data"]
    assert rows == ["Time-based regression", "Difference in differences", "Synthetic DiD", "Synthetic control"]
    at, low, high, _ = series(spec, "_seg")["data"][-1]
    # The end that the data do not bound goes to the edge of the picture.
    assert (at, low, high) == (3, spec["option"]["xAxis"]["min"], 9.0)
    assert series(spec, "Lift")["data"][-1] == [5.0, 3]
    assert "0 lies inside" in spec["alt"]


def test_every_placebo_is_in_one_bin():
    reading = a_reading()
    spec = placebo_chart(reading)
    assert spec is not None
    bins = [one["value"] for one in series(spec, "Placebos")["data"]]
    assert sum(count for *_, count in bins) == len(reading.placebos)
    assert series(spec, "Actual")["markLine"]["data"] == [{"xAxis": round(100 * reading.lift.value, 4)}]
    for left, right, count in bins:
        inside = (100 * reading.placebos >= left) & (100 * reading.placebos < right)
        assert inside.sum() == count


def test_no_placebos_no_picture():
    assert placebo_chart(replace(a_reading(), placebos=np.array([]))) is None


@pytest.mark.parametrize("seed", range(20))
def test_bins_hold_all_values_and_have_an_edge_at_zero(seed):
    rng = np.random.default_rng(seed)
    values = rng.normal(rng.normal(), 10.0 ** rng.uniform(-3, 3), 50)
    actual = float(rng.normal(0, 10.0) * values.std())
    edges = bin_edges(values, actual)
    assert edges[0] <= min(values.min(), actual)
    assert edges[-1] > max(values.max(), actual)
    assert 0.0 in edges
    assert len(edges) <= 76
    assert np.allclose(np.diff(edges), edges[1] - edges[0])


def test_placebos_far_below_the_actual_lift_keep_their_shape():
    rng = np.random.default_rng(1)
    lifts = rng.normal(0, 0.3, 400)
    counts, _ = np.histogram(lifts, bin_edges(lifts, 6.4))
    assert (counts > 0).sum() >= 8


def test_specs_are_json_with_a_sentence():
    reading = a_reading()
    for spec in (
        counterfactual_chart(reading, some_facts()),
        cumulative_chart(reading, some_facts()),
        placebo_chart(reading),
    ):
        assert spec is not None
        json.dumps(spec, allow_nan=False)
        assert spec["alt"].endswith(".")


def test_other_currencies_carry_no_dollar():
    reading: PanelReading = a_reading()
    spec = cumulative_chart(reading, some_facts(currency="EUR"))
    assert spec["option"]["yAxis"]["axisLabel"]["formatter"] == "@nk"
    assert "€" in spec["alt"]


def test_numbered_periods_are_labelled_by_number():
    reading = a_reading()
    numbered = replace(reading, periods=tuple(range(1, len(reading.periods) + 1)))
    spec = counterfactual_chart(numbered, some_facts())
    assert spec["option"]["xAxis"]["axisLabel"] == {}
    assert spec["tip"]["head"] == "text"


def test_states_are_known_by_code_and_name():
    assert unit_name("mn") == "Minnesota"
    assert unit_name("Chicago") == "Chicago"
    assert not are_states(["MN", "Minnesota"])


def test_the_map_shows_every_state_once_with_its_group():
    tiles = state_tiles(TREATED, ["OH", "NY"])
    assert tiles is not None
    assert len({(one.column, one.row) for one in tiles}) == len(STATES) == 51
    assert {one.label for one in tiles if one.group == "treated"} == set(TREATED)
    assert sum(one.group == "control" for one in tiles) == 2
    assert state_tiles(["chicago"], ["OH"]) is None
