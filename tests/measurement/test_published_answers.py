"""Answers that others have published, through the commands: each line of the references is one test.

GeoLift 2.7 (walk-through), matched_markets 1.0 (TBR and trimmed match), synthdid 0.0.9 (Proposition 99), Bojinov,
Simchi-Levi and Zhao 2023 (switchback), the usual sample-size formulas. Where a program prints fewer digits, so does the
test.
"""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from measurement.core.conformal import conformal_p_value
from measurement.core.geo_question import read_question
from measurement.core.reading_panels import read_panel
from measurement.core.trimmed_match import trimmed_match
from tests.measurement.doors import analyzed, needs_reference, printed, reference

GEOLIFT = ("--date", "date", "--geo", "location", "--outcome", "Y", "--treated", "chicago,portland")
PROP_99 = ("--date", "Year", "--geo", "State", "--outcome", "PacksPerCapita", "--treated", "California", "--start", 20)
TBR = ("--date", "date", "--geo", "geo", "--outcome", "sales", "--cost", "cost", "--method", "tbr")


@pytest.fixture(scope="module")
def geolift() -> dict[str, Any]:
    return analyzed("GeoLift_Test.csv", *GEOLIFT, "--start", 91, "--end", 105, "--method", "sc")


@needs_reference
@pytest.mark.reference
class TestGeoLift:
    def test_effect_per_day_and_market(self, geolift: dict[str, Any]) -> None:
        assert geolift["att"] == pytest.approx(155.556, abs=0.02)

    def test_lift(self, geolift: dict[str, Any]) -> None:
        assert geolift["lift"] == pytest.approx(0.054, abs=0.0005)

    def test_incremental(self, geolift: dict[str, Any]) -> None:
        assert geolift["incremental"] == pytest.approx(4667, abs=2)

    def test_imbalance(self, geolift: dict[str, Any]) -> None:
        assert geolift["l2_imbalance"] == pytest.approx(909.489, abs=0.05)

    @pytest.mark.parametrize(
        ("city", "weight"),
        [
            ("cincinnati", 0.2272),
            ("miami", 0.2028),
            ("baton rouge", 0.1335),
            ("minneapolis", 0.0900),
            ("dallas", 0.0739),
        ],
    )
    def test_weights(self, geolift: dict[str, Any], city: str, weight: float) -> None:
        assert geolift["weights"][city] == pytest.approx(weight, abs=0.001)

    def test_weights_are_of_a_mean(self, geolift: dict[str, Any]) -> None:
        assert sum(geolift["weights"].values()) == pytest.approx(1.0, abs=1e-6)
        assert not {"chicago", "portland"} & set(geolift["weights"])

    @pytest.mark.parametrize(("permutations", "p", "within"), [("iid", 0.012, 0.005), ("block", 0.048, 0.001)])
    def test_conformal_p(self, permutations: Any, p: float, within: float) -> None:
        panel = read_panel(reference("GeoLift_Test.csv"), date="date", unit="location", outcome="Y")
        test, _ = read_question(
            panel, treated=["chicago", "portland"], assignment=None, start=91, end=105, cooldown=0, exclude=()
        )
        assert conformal_p_value(test, effect=0.0, permutations=permutations, seed=1) == pytest.approx(p, abs=within)

    def test_conformal_p_is_told_beside_the_reading(self) -> None:
        found = analyzed("GeoLift_Test.csv", *GEOLIFT, "--start", 91)
        beside = {one["method"]: one["p_value"] for one in found["sensitivity"]}
        assert beside["conformal_iid"] == pytest.approx(0.012, abs=0.005)
        assert beside["conformal_block"] == pytest.approx(0.048, abs=0.001)

    def test_end_of_the_file_is_the_default_end(self, geolift: dict[str, Any]) -> None:
        found = analyzed("GeoLift_Test.csv", *GEOLIFT, "--start", "2021-04-01", "--method", "sc")
        assert found["att"] == geolift["att"]
        assert found["p_value"] == geolift["p_value"]

    def test_two_markets_of_forty_are_read_by_indexed_synthetic_control(self, geolift: dict[str, Any]) -> None:
        found = analyzed("GeoLift_Test.csv", *GEOLIFT, "--start", 91, "--method", "auto")
        assert (found["method"], geolift["method"]) == ("sc_indexed", "sc")
        low, high = geolift["ci"]
        assert low < found["att"] < high
        assert "own mean before the test" in found["why_method"]
        beside = {one["method"]: one["lift"] for one in found["sensitivity"]}
        assert beside["sc"] == pytest.approx(geolift["lift"])


@needs_reference
@pytest.mark.reference
class TestTimeBasedRegression:
    """salesandcost.csv, 28 test days; half of a two-sided interval of .8 is one of a one-sided interval of .9."""

    @pytest.fixture(scope="class")
    def reading(self) -> dict[str, Any]:
        return analyzed(
            "salesandcost.csv", *TBR, "--assignment", reference("geoassignment.csv"),
            "--start", "2015-02-16", "--end", "2015-03-15", "--alpha", 0.2,
        )  # fmt: skip

    def test_iroas(self, reading: dict[str, Any]) -> None:
        assert reading["iroas"] == pytest.approx(2.946742, abs=1e-6)

    def test_half_width(self, reading: dict[str, Any]) -> None:
        low, high = reading["iroas_ci"]
        assert reading["iroas"] - low == pytest.approx(0.120548, abs=1e-6)
        assert high - reading["iroas"] == pytest.approx(0.120548, abs=1e-6)

    def test_incremental_response(self, reading: dict[str, Any]) -> None:
        assert reading["incremental"] == pytest.approx(147_337.12, abs=0.01)

    def test_is_labelled_as_what_it_is(self, reading: dict[str, Any]) -> None:
        assert any("tbr" in line.casefold() or "false positives" in line for line in reading["warnings"])

    def test_groups_by_name_read_the_same(self, reading: dict[str, Any], tmp_path: Path) -> None:
        with Path(reference("geoassignment.csv")).open(encoding="utf-8") as rows:
            groups = [(row["geo"], {"1": "control", "2": "treated"}[row["geo.group"]]) for row in csv.DictReader(rows)]
        file = tmp_path / "assignment.csv"
        file.write_text("geo,group\n" + "".join(f"{geo},{group}\n" for geo, group in groups))
        days = ("--start", "2015-02-16", "--end", "2015-03-15")
        found = analyzed("salesandcost.csv", *TBR, "--assignment", file, *days, "--alpha", 0.2)
        assert found["iroas"] == reading["iroas"]


@needs_reference
@pytest.mark.reference
class TestProposition99:
    @pytest.mark.parametrize(
        ("method", "further", "packs", "within"),
        [
            # What is published is where its search stopped; the exact optimum is -15.605.
            ("sdid", (), -15.604, 0.002),
            ("did", (), -27.349, 0.001),
            ("sc", ("--no-unit-effects",), -19.620, 0.3),
        ],
    )
    def test_effect_on_packs_per_head(self, method: str, further: tuple[str, ...], packs: float, within: float) -> None:
        found = analyzed("california_prop99.csv", *PROP_99, "--method", method, *further)
        assert found["att"] == pytest.approx(packs, abs=within)

    def test_unit_effects_change_the_answer(self) -> None:
        found = analyzed("california_prop99.csv", *PROP_99, "--method", "sc")
        assert found["att"] != pytest.approx(-19.620, abs=0.3)


class TestTrimmedMatch:
    def test_two_pairs_trimmed(self) -> None:
        found = trimmed_match([1.0, 10.0, 3.0, 8.0, 5.0], [1.0, 5.0, 2.0, 5.0, 3.0], alpha=0.2)
        assert [found.iroas, found.low, found.high] == pytest.approx([1.600, 1.519, 1.657], abs=0.0005)

    def test_four_pairs_trimmed_up_to_a_quarter(self) -> None:
        found = trimmed_match([1.0, 10.0, 3.0, 8.0], [1.0, 5.0, 2.0, 5.0], alpha=0.1, most_trim=0.25)
        assert [found.iroas, found.low, found.high] == pytest.approx([1.571, -29.374, 1.619], abs=0.0005)


class TestUserTest:
    SUMMARY = {
        "control": {"sum": 1396.87, "sum_of_squares": 52377.9767, "n": 3407},
        "treated": {"sum": 2422.7, "sum_of_squares": 134698.29, "n": 3461},
    }

    @pytest.fixture(scope="class")
    def reading(self, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
        file = tmp_path_factory.mktemp("summary") / "summary.json"
        file.write_text(json.dumps(self.SUMMARY))
        return printed("analyze_ab", file)

    def test_relative_difference(self, reading: dict[str, Any]) -> None:
        assert reading["relative"] == pytest.approx(0.70732, abs=5e-6)

    def test_interval(self, reading: dict[str, Any]) -> None:
        assert reading["ci"] == pytest.approx([-0.03526, 1.44989], abs=5e-6)

    def test_p_value(self, reading: dict[str, Any]) -> None:
        assert reading["p_value"] == pytest.approx(0.06191, abs=5e-6)


class TestSampleSize:
    def test_means(self) -> None:
        found = printed("power", "--test", "means", "--effect", 0.5, "--alpha", 0.05, "--power", 0.8)
        assert found["n_per_group"] == pytest.approx(63.77, abs=0.01)

    def test_proportions(self) -> None:
        found = printed("power", "--test", "proportions", "--p1", 0.10, "--p2", 0.12, "--alpha", 0.05, "--power", 0.8)
        assert found["n_per_group"] == pytest.approx(3840.8, abs=0.1)


class TestSwitchback:
    @pytest.fixture(scope="class")
    def design(self) -> dict[str, Any]:
        return printed("design_switchback", "--periods", 12, "--carryover", 2)

    def test_points_of_randomisation(self, design: dict[str, Any]) -> None:
        assert design["randomise_at"] == [1, 5, 7, 9]

    def test_risk(self, design: dict[str, Any]) -> None:
        assert design["risk"] == pytest.approx(2.56, abs=0.005)
