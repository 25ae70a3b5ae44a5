"""Posterior curves from Parquet: what a version keeps of them, and what is refused by row and column."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from optimization.core import posterior_import
from optimization.core.posterior_import import KEPT_DRAWS, InvalidDraws, Known, drawn_curves, read_draws
from optimization.core.responses import Family
from optimization.core.stored_curves import StoredCurve
from tenants.core.problems import TooLarge

DRAWS = 200
KNOWN = Known(
    retailers=["Amazon"], placements=["onsite_display", "unknown"], products=[("Amazon", "S1"), ("Amazon", "S2")],
    records={"Amazon|onsite_display|S2": {"reference_spend": 40.0, "observed_spend": {"min": 10.0, "max": 90.0}}},
)  # fmt: skip


def frame(draws: int = DRAWS, **columns: Any) -> pl.DataFrame:
    rng = np.random.default_rng(5)
    sku = np.repeat(["S1", "S2"], draws)
    given = {
        "retailer": ["Amazon"] * sku.size, "placement": ["onsite_display"] * sku.size, "sku": sku,
        "draw": np.tile(np.arange(draws), 2), "family": ["michaelis_menten"] * sku.size,
        "a": 500.0 * np.exp(0.2 * rng.normal(size=sku.size)), "k": 100.0 * np.exp(0.4 * rng.normal(size=sku.size)),
    }  # fmt: skip
    return pl.DataFrame(given | columns)


def read(rows: pl.DataFrame) -> posterior_import.Imported:
    out = io.BytesIO()
    rows.write_parquet(out)
    return read_draws(out.getvalue(), KNOWN, source="PyMC-Marketing", n_weeks=52)


def faults(rows: pl.DataFrame) -> list[str]:
    with pytest.raises(InvalidDraws) as told:
        read(rows)
    assert all(error["detail"] and error["fix"] for error in told.value.errors)
    return [error["where"] for error in told.value.errors]


def changed(column: str, row: int, value: Any) -> pl.DataFrame:
    rows = frame()
    values = rows[column].to_list()
    values[row] = value
    return rows.with_columns(pl.Series(column, values))


def test_the_curve_returns_what_the_draws_return_on_average():
    rows = frame(reference_spend=[80.0] * (2 * DRAWS))
    found = read(rows)
    one = rows.filter(pl.col("sku") == "S1")
    sold = (one["a"] * 80.0 / (one["k"] + 80.0)).to_numpy()
    curve = StoredCurve.of(found.records[0])
    assert float(curve.revenue(80.0)) == pytest.approx(sold.mean())
    assert curve.k == pytest.approx(float(np.exp(np.log(one["k"].to_numpy()).mean())))
    assert curve.reference_relative_se == pytest.approx(sold.std(ddof=1) / sold.mean())
    assert curve.log_scale_sd == pytest.approx(0.4, rel=0.15)
    assert curve.notes == (f"Imported from PyMC-Marketing, {DRAWS} draws.",)


def test_the_interval_covers_as_many_draws_as_it_says():
    # Return of the usual spend and scale known apart, as data tell them.
    rng = np.random.default_rng(6)
    k = 100.0 * np.exp(0.4 * rng.normal(size=4000))
    a = 200.0 * np.exp(0.1 * rng.normal(size=4000)) * (k + 80.0) / 80.0
    rows = frame(draws=2000, a=a, k=k, reference_spend=[80.0] * 4000).filter(pl.col("sku") == "S1")
    curve = StoredCurve.of(read(rows).records[0])
    for spend in (20.0, 80.0, 300.0):
        low, high = curve.interval(spend)
        sold = (rows["a"] * spend / (rows["k"] + spend)).to_numpy()
        assert 0.76 < float(np.mean((sold >= float(low)) & (sold <= float(high)))) < 0.84, spend


def test_what_the_file_leaves_out_is_taken_from_the_newest_version():
    found = {one["sku"]: one for one in read(frame()).records}
    assert (found["S2"]["reference_spend"], found["S2"]["observed_spend"]) == (40.0, {"min": 10.0, "max": 90.0})
    assert found["S1"]["reference_spend"] == pytest.approx(found["S1"]["params"]["k"])


def test_a_limited_number_of_draws_is_kept_and_belongs_together():
    rows = frame(draws=400)
    found = read(rows)
    curves = drawn_curves(found.records, found.draws)
    assert {len(told) for told in curves.values()} == {KEPT_DRAWS}
    first, last = curves["Amazon|onsite_display|S1"][0], curves["Amazon|onsite_display|S2"][-1]
    assert (first.family, first.a) == (Family.MICHAELIS_MENTEN, rows["a"][0])
    assert last.k == rows["k"][-1]


def test_the_order_of_rows_does_not_matter():
    assert read(frame().sample(fraction=1.0, shuffle=True, seed=1)) == read(frame())


def test_a_family_with_an_exponent():
    rows = frame(family=["hill"] * (2 * DRAWS), exponent=[1.5, 2.5] * DRAWS)
    record = read(rows).records[0]
    assert record["params"]["n"] == pytest.approx(2.0)
    assert StoredCurve.of(record).exponent == pytest.approx(2.0)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("a", float("nan")), ("a", float("inf")), ("a", -1.0), ("a", None), ("a", 1e16), ("k", 0.0), ("k", -5.0),
        ("k", float("nan")), ("family", "cubic"), ("family", None), ("retailer", "Nowhere"), ("placement", "shelf"),
        ("sku", "S9"), ("sku", ""), ("draw", -1), ("draw", None),
    ],
)  # fmt: skip
def test_a_wrong_value_is_named_by_row_and_column(column, value):
    assert f"row 12, column {column}" in faults(changed(column, 11, value))


@pytest.mark.parametrize(
    ("columns", "where"),
    [
        ({"exponent": [2.0] * (2 * DRAWS)}, "row 1, column exponent"),
        ({"family": ["hill"] * (2 * DRAWS)}, "row 1, column exponent"),
        ({"family": ["power"] * (2 * DRAWS), "exponent": [1.2] * (2 * DRAWS)}, "row 1, column exponent"),
        ({"carry_over": [1.0] * (2 * DRAWS)}, "row 1, column carry_over"),
        ({"carry_over": [None, *[0.2] * (2 * DRAWS - 1)]}, "row 1, column carry_over"),
        ({"reference_spend": [0.0] * (2 * DRAWS)}, "row 1, column reference_spend"),
        ({"reference_spend": [1.0, 2.0] * DRAWS}, "row 1, column reference_spend"),
        ({"family": ["log", "michaelis_menten"] * DRAWS}, "row 1, column family"),
        ({"draw": [0] * (2 * DRAWS)}, "row 1, column draw"),
        ({"a": ["500"] * (2 * DRAWS)}, "column a"),
        ({"draw": [0.5] * (2 * DRAWS)}, "column draw"),
        ({"beta": [1.0] * (2 * DRAWS)}, "column beta"),
    ],
)
def test_a_wrong_column_is_named(columns, where):
    assert where in faults(frame(**columns))


def test_too_few_draws_and_missing_ones_are_told():
    assert faults(frame(draws=49)) == ["row 1, column draw", "row 50, column draw"]
    assert faults(frame().filter(~((pl.col("sku") == "S2") & (pl.col("draw") == 7)))) == [
        f"row {DRAWS + 1}, column draw"
    ]


def test_a_missing_column_and_a_file_that_is_none():
    assert faults(frame().drop("k")) == ["column k"]
    for content in (b"", b"retailer,placement\n", b"PAR1" + b"\x00" * 40 + b"PAR1"):
        with pytest.raises(InvalidDraws, match="Parquet"):
            read_draws(content, KNOWN, source="x", n_weeks=1)
    with pytest.raises(InvalidDraws, match="no rows"):
        read(frame().clear())


def test_a_file_beyond_the_limit(monkeypatch):
    monkeypatch.setattr(posterior_import, "MOST_ROWS", 10)
    with pytest.raises(TooLarge, match="more than 10 rows"):
        read(frame())


def test_many_faults_are_told_up_to_a_limit():
    rows = frame().with_columns(a=pl.lit(-1.0), k=pl.lit(0.0), sku=pl.lit("S9"), family=pl.lit("cubic"))
    told = faults(rows)
    assert len(told) <= posterior_import.MOST_TOLD
    assert {where.rpartition(" ")[2] for where in told} == {"a", "k", "sku", "family"}


def test_the_lines_of_the_documentation_write_such_a_file(tmp_path):
    page = Path(__file__).parents[3] / "docs" / "curve-import.md"
    written = page.read_text().partition("```python\n")[2].partition("```")[0]
    scope: dict[str, Any] = {}
    exec(compile(written, page.name, "exec"), scope)  # noqa: S102 - the project's own page
    rng = np.random.default_rng(2)
    a, k = rng.lognormal(5.0, 0.1, (800, 2)), rng.lognormal(4.0, 0.3, (800, 2))
    cells = [("Amazon", "onsite_display", "S1"), ("Amazon", "onsite_display", "S2")]
    for family, exponent in (("log", None), ("hill", np.full((800, 2), 1.4))):
        scope["write_draws"](tmp_path / "draws.parquet", cells, a, k, family=family, exponent=exponent)
        found = read_draws((tmp_path / "draws.parquet").read_bytes(), KNOWN, source="x", n_weeks=4)
        assert (len(found.records), found.draw_count) == (2, 500)


def test_the_columns_are_documented():
    page = Path(__file__).parents[3] / "docs" / "curve-import.md"
    told = [line.split("`")[1] for line in page.read_text().splitlines() if line.startswith("| `")]
    assert set(told) == {*posterior_import.REQUIRED, *posterior_import.OPTIONAL}
