"""What is true of a world: identity, curves, mixes, the geo test."""

from __future__ import annotations

import csv
import datetime as dt
import math
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
from stdnum import ean

from demo.core.catalogue import check_digit
from demo.core.curves import Curves, best_allocation, loss_against_best
from demo.core.days import make_facts
from demo.core.exports import write_sample_exports
from demo.core.profiles import ACME, BIRCH
from demo.core.reported import report
from demo.core.season import events_between
from demo.core.streams import stream
from demo.core.world import World, make_world
from tenants.core.problems import InvalidInput
from tests.demo.core.reading import read
from tests.demo.core.samples import Sample

UNTIL = dt.date(2026, 11, 22)


@pytest.fixture(scope="module")
def world() -> World:
    return make_world(ACME, seed=7, until=UNTIL)


def test_same_seed_same_bytes(acme: Sample, tmp_path: Path) -> None:
    again = write_sample_exports(tmp_path, profile="acme", scale=0.25)
    for file in again.files:
        assert (tmp_path / file.name).read_bytes() == acme.path(file.name).read_bytes(), file.name
    assert again.truth_path.read_bytes() == acme.manifest.truth_path.read_bytes()


def test_other_seed_other_figures(acme: Sample, tmp_path: Path) -> None:
    other = write_sample_exports(tmp_path, profile="acme", scale=0.25, seed=8, networks=["criteo"])
    (first, *_) = other.paths("criteo_performance")
    assert first.read_bytes() != acme.path(first.name).read_bytes()


def test_one_network_alone_is_the_same(acme: Sample, tmp_path: Path) -> None:
    alone = write_sample_exports(tmp_path, profile="acme", scale=0.25, networks=["walmart_connect"])
    assert {file.network for file in alone.files} == {"walmart_connect", None}
    for path in alone.paths("walmart_search_item"):
        assert path.read_bytes() == acme.path(path.name).read_bytes()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"profile": "cedar"}, "cedar"),
        ({"networks": ["instacart"]}, "instacart"),
        ({"scale": 0.0}, "scale"),
        ({"scale": math.nan}, "scale"),
    ],
)
def test_impossible_wishes_write_nothing(tmp_path: Path, options: dict[str, object], message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        write_sample_exports(tmp_path / "out", **options)  # type: ignore[arg-type]
    assert not (tmp_path / "out").exists()


def test_gtins(world: World) -> None:
    assert check_digit("0003600029145") == "2"  # UPC-A 0 36000 29145 2, filled to 14 digits
    gtins = [sku.gtin14 for sku in world.catalogue]
    assert len(set(gtins)) == len(gtins) == 40
    assert all(len(gtin) == 14 and ean.is_valid(gtin) for gtin in gtins)


def test_products_are_told_apart(world: World) -> None:
    for field in ("sku", "asin", "walmart_item_id", "criteo_product_id", "product_name"):
        assert len({getattr(sku, field) for sku in world.catalogue}) == 40, field


def test_companies_share_nothing(acme: Sample, birch: Sample) -> None:
    def identifiers(sample: Sample) -> set[str]:
        names = ("sku", "gtin14", "asin", "walmart_item_id", "criteo_product_id", "brand", "product_name")
        shelf = read(sample.path("catalogue.csv"))[1]
        found = {row[name] for row in shelf for name in names}
        for contract, columns in (
            ("walmart_search_item", ("campaignName", "itemId")),
            ("criteo_performance", ("accountId", "retailerId", "retailerName", "campaignName", "productId")),
        ):
            for file in sample.files(contract)[-1:]:
                found |= {row[name] for row in read(sample.path(file["file"]))[1] for name in columns}
        return found

    assert not identifiers(acme) & identifiers(birch)


def test_two_equal_cells_share_equally() -> None:
    pair = Curves(np.array([True, True]), np.array([900.0, 900.0]), np.array([50.0, 50.0]), np.array([True, True]))
    best = best_allocation(pair, 400.0)
    assert best.spend == pytest.approx([200.0, 200.0])
    assert best.revenue == pytest.approx(2 * 900 * math.log(5))
    assert best.price == pytest.approx(900 / 250)


def test_no_other_split_is_better(world: World) -> None:
    budget = float(world.usual_spend.sum())
    best = best_allocation(world.curves, budget)
    assert best.spend.sum() == pytest.approx(budget)
    rng = stream(1, "splits")
    for size in (1e-3, 1e-1, 1.0):
        moved = best.spend * np.exp(rng.normal(0, size, len(world.curves)))
        moved *= budget / moved.sum()
        assert world.curves.revenue(moved).sum() < best.revenue


@pytest.mark.parametrize("seed", [1, 7, 42])
@pytest.mark.parametrize("profile", [ACME, BIRCH], ids=lambda profile: profile.key)
def test_the_usual_mix_leaves_money_behind(profile: object, seed: int) -> None:
    made = make_world(profile, seed=seed, until=UNTIL)  # type: ignore[arg-type]
    assert 0.05 < loss_against_best(made.curves, made.usual_spend) < 0.20


def test_mixes_in_the_truth(acme: Sample) -> None:
    gone = {cell["cell"] for cell in acme.truth["world"]["cells"] if not cell["in_stock_at_the_end"]}
    assert gone
    for mix in acme.truth["world"]["mixes"].values():
        assert 0.05 < mix["all_in_stock"]["loss"] < 0.20
        end = mix["as_at_the_end"]
        assert sum(end["best_spend"][name] for name in gone) == 0
        assert sum(end["best_spend"].values()) == pytest.approx(end["budget"], abs=0.01)
        assert end["loss"] > mix["all_in_stock"]["loss"]


def test_curves_can_be_learned_from_the_exports(world: World) -> None:
    """Plain least squares per cell on what the exports show beats the usual mix by far."""
    fitted_a, fitted_k = np.zeros(len(world.cells)), np.ones(len(world.cells))
    for network in world.profile.networks:
        facts = make_facts(world, network)
        rows = report(facts, UNTIL + dt.timedelta(days=31))
        spend, sales = np.zeros((2, world.weeks, len(world.cells)))
        np.add.at(spend, (rows["day"] // 7, rows["cell"]), rows["spend"] / 100)
        np.add.at(sales, (rows["day"] // 7, rows["cell"]), rows["sales"] / 100)
        for cell in world.cells_of(network.key):
            x, y = spend[:, cell], sales[:, cell]
            sold = y > 0.3 * np.median(y / x) * x  # without the weeks out of stock
            x, y = x[sold], y[sold]
            trials = []
            for k in np.median(x) * np.geomspace(0.05, 20, 60):
                shape = np.log1p(x / k) if world.curves.is_log[cell] else x / (k + x)
                a = float(shape @ y / (shape @ shape))
                trials.append((float(((y - a * shape) ** 2).sum()), a, k))
            _, fitted_a[cell], fitted_k[cell] = min(trials)
    fitted = replace(world.curves, a=fitted_a, k=fitted_k)
    learned = best_allocation(fitted, float(world.usual_spend.sum())).spend
    assert loss_against_best(world.curves, learned) < 0.5 * loss_against_best(world.curves, world.usual_spend)


def test_rows_follow_the_curves(world: World) -> None:
    """Over the year the sales of the exports are what curve, demand and stock promise, up to noise."""
    for network in world.profile.networks:
        facts = make_facts(world, network)
        cells = world.cells_of(network.key)
        spend = np.zeros((world.weeks, len(world.cells)))
        np.add.at(spend, (facts.day // 7, facts.cell), facts.traffic.spend / 100)
        promised = float((world.curves.revenue(spend) * world.demand)[:, cells].sum())
        rows = report(facts, UNTIL + dt.timedelta(days=31))
        assert int(rows["sales"].sum()) / 100 == pytest.approx(promised, rel=0.03)


def test_windows_and_channels_nest(world: World) -> None:
    for network in world.profile.networks:
        rows = report(make_facts(world, network), UNTIL + dt.timedelta(days=1))
        assert (rows["sales_short"] <= rows["sales"]).all()
        assert (rows["sales"] <= rows["sales_long"]).all()
        assert rows["sales_long"].sum() > rows["sales"].sum() > rows["sales_short"].sum()
        assert (rows["sales_same"] + rows["sales_other"] == rows["sales"]).all()
        if network.key == "walmart_connect":
            channels = sum(rows[f"sales_{channel}"] for channel in ("online", "store", "pickup", "delivery"))
            assert (channels == rows["sales"]).all()


def test_events_fall_into_the_range() -> None:
    names = [event.name for event in events_between(dt.date(2026, 10, 31), dt.date(2026, 12, 13))]
    assert names == ["Halloween"]


def test_geo_panel_shows_the_lift(acme: Sample) -> None:
    truth = acme.truth["geo_test"]
    design = truth["design"]
    with acme.path("geo_sales.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == truth["rows"]
    start, end = design["test_period"]
    treated = set(design["treated"])

    def mean_log(is_treated: bool, during: bool) -> float:
        values = [
            math.log(float(row["sales"]))
            for row in rows
            if (row["state"] in treated) == is_treated
            and (start <= row["date"] <= end if during else row["date"] < start)
        ]
        return sum(values) / len(values)

    effect = mean_log(True, True) - mean_log(True, False) - mean_log(False, True) + mean_log(False, False)
    assert math.exp(effect) - 1 == pytest.approx(truth["lift"], abs=0.03)
    during = sum(
        (Decimal(row["sales"]) for row in rows if row["state"] in treated and start <= row["date"] <= end), Decimal(0)
    )
    assert during == Decimal(truth["sales_without_the_test"]) + Decimal(truth["incremental_sales"])


def test_geo_test_and_exports_tell_one_story(acme: Sample) -> None:
    truth = acme.truth["geo_test"]
    start, end = truth["design"]["test_period"]
    spend = sum(
        (
            Decimal(row["adSpend"])
            for file in acme.files("walmart_search_item")[:-1]
            for row in read(acme.path(file["file"]))[1]
            if row["placement"] == "Search Ingrid" and start <= row["date"] <= end
        ),
        Decimal(0),
    )
    extra = Decimal(truth["design"]["extra_spend"])
    assert ACME.geo_test is not None
    assert float(extra / spend) == pytest.approx(1 - 1 / ACME.geo_test.heavy_up, abs=1e-6)
    gained = Decimal(truth["incremental_sales"])
    assert float(gained / extra) == pytest.approx(truth["incremental_return"], abs=1e-5)
    assert truth["incrementality_factor"] == pytest.approx(ACME.geo_test.incrementality, rel=1e-3)
