"""Published answers of the estimators, on the data they were published with."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from measurement.core.conformal import conformal_p_value
from measurement.core.geo import analyze_geo
from measurement.core.geo_question import read_question
from measurement.core.panel import Panel
from measurement.core.reading_assignments import read_assignment
from measurement.core.reading_panels import read_panel

FOLDER = (
    Path(os.environ["RMN_REFERENCE_DATA"]) / "measurement" if os.environ.get("RMN_REFERENCE_DATA") else Path("unset")
)

pytestmark = [
    pytest.mark.reference,
    pytest.mark.skipif(
        not os.environ.get("RMN_REFERENCE_DATA"), reason="RMN_REFERENCE_DATA is not set: see docs/reference-data.md"
    ),
]

FAST = {"placebos": 40, "sensitivity": False}


@pytest.fixture(scope="module")
def geolift() -> Panel:
    return read_panel(FOLDER / "GeoLift_Test.csv", date="date", unit="location", outcome="Y")


@pytest.fixture(scope="module")
def tobacco() -> Panel:
    return read_panel(FOLDER / "california_prop99.csv", date="Year", unit="State", outcome="PacksPerCapita")


def test_synthetic_control_of_geolift(geolift: Panel) -> None:
    reading = analyze_geo(geolift, treated=["chicago", "portland"], start=91, end=105, method="sc", **FAST)
    assert reading.att.value == pytest.approx(155.556, abs=0.02)
    assert reading.lift.value == pytest.approx(0.054, abs=0.0005)
    assert reading.incremental.value == pytest.approx(4667, abs=2)
    assert reading.l2_imbalance == pytest.approx(909.489, abs=0.01)
    largest = {
        "cincinnati": 0.2272, "miami": 0.2028, "baton rouge": 0.1335, "minneapolis": 0.0900, "dallas": 0.0739,
    }  # fmt: skip
    assert list(reading.weights)[:5] == list(largest)
    for unit, weight in largest.items():
        assert reading.weights[unit] == pytest.approx(weight, abs=0.001)


def test_conformal_p_values_of_geolift(geolift: Panel) -> None:
    test, _ = read_question(
        geolift, treated=["chicago", "portland"], assignment=None, start=91, end=105, cooldown=0, exclude=()
    )
    assert conformal_p_value(test, effect=0.0, permutations="iid", seed=1) == pytest.approx(0.012, abs=0.004)
    assert conformal_p_value(test, effect=0.0, permutations="block", seed=1) == pytest.approx(5 / 105)


def test_time_based_regression_of_sales_and_cost() -> None:
    panel = read_panel(
        FOLDER / "salesandcost.csv", date="date", unit="geo", outcome="sales", cost="cost", missing="zero"
    )
    assignment = read_assignment(FOLDER / "geoassignment.csv")
    reading = analyze_geo(
        panel, assignment=assignment, start="2015-02-16", end="2015-03-15", method="tbr", alpha=0.2, **FAST
    )
    assert len(panel.units) == 100
    assert len(panel.periods) == 93
    assert any("counted as zero, without a row" in warning for warning in reading.warnings)
    assert reading.cost == pytest.approx(50_000.0)
    assert reading.iroas.value == pytest.approx(2.946742, abs=1e-6)
    assert reading.incremental.value == pytest.approx(147_337.12, abs=0.01)
    # A one-sided bound at 90 % is the end of the two-sided interval at 80 %.
    assert reading.iroas.value - reading.iroas.low == pytest.approx(0.120548, abs=1e-6)
    assert reading.details["iroas_half_width_one_sided_90"] == pytest.approx(0.120548, abs=1e-6)


def test_california(tobacco: Panel) -> None:
    def att(method: str, **options: bool) -> float:
        return analyze_geo(tobacco, treated=["California"], start=1989, method=method, **FAST, **options).att.value

    assert att("sdid") == pytest.approx(-15.604, abs=0.005)
    assert att("sc", unit_effects=False) == pytest.approx(-19.620, abs=0.3)
    assert att("did") == pytest.approx(-27.349, abs=0.001)
