"""The world behind the sample exports: what is true, before anything is formatted.

One cell is a retailer, a placement and a product. Each has a true response curve; a plan says what is spent week by
week; seasons, common shocks and noise move the result; some products run out of stock. Exports show what a network
would report of this world, so whatever the product infers from them can be compared with what is true.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np

from demo.core.arrays import Floats, Ints
from demo.core.catalogue import Sku, make_catalogue
from demo.core.curves import Curves, best_allocation, loss_against_best
from demo.core.profiles import GeoTestProfile, NetworkKey, NetworkProfile, PlacementProfile, Profile
from demo.core.season import Event, events_between, weekly_factors
from demo.core.streams import stream
from tenants.core.problems import InvalidInput

NOISE_SIGMA = 0.12  # of the logarithm of a cell's weekly revenue
COMMON_SIGMA = 0.03  # of the logarithm of the shock that all cells of a network share in a week
OUT_OF_STOCK_SHARE = 0.08  # of sales that remain, all of them of other products
OUT_OF_STOCK_DAYS = 21
FLIGHT_LEVELS = (0.35, 0.6, 1.0, 1.5, 2.2)  # weekly spend against the usual, held for some weeks
LOWEST_SCALE, HIGHEST_SCALE = 0.1, 2.0


@dataclass(frozen=True)
class Cell:
    """A retailer, a placement and a product, and what the export calls them."""

    network: NetworkProfile
    placement: PlacementProfile
    sku: Sku

    @property
    def name(self) -> str:
        return f"{self.network.retailer_id}/{self.placement.raw or '-'}/{self.sku.sku}"


@dataclass(frozen=True)
class OutOfStock:
    """A product is gone from one retailer's shelf while its advertising runs on. Both days included."""

    network: NetworkKey
    sku: Sku
    first: dt.date
    last: dt.date
    still_out: bool


@dataclass(frozen=True)
class World:
    """Everything that is true. Arrays have shape [cells] or [weeks, cells]; money here is float, in the currency.

    `usual_spend`: the weekly mix by habit. `planned_spend`: that mix with flights, events and tests, week by week.
    `demand`: factor on the curve's revenue known to nobody in advance. `noise`: the cell's own.
    """

    profile: Profile
    seed: int
    first: dt.date
    last: dt.date
    catalogue: tuple[Sku, ...]
    cells: tuple[Cell, ...]
    curves: Curves
    usual_spend: Floats
    planned_spend: Floats
    demand: Floats
    noise: Floats
    events: tuple[Event, ...]
    out_of_stock: tuple[OutOfStock, ...]

    @property
    def weeks(self) -> int:
        return self.profile.weeks

    @property
    def days(self) -> int:
        return 7 * self.profile.weeks

    def cells_of(self, network: NetworkKey) -> Ints:
        return np.array([i for i, cell in enumerate(self.cells) if cell.network.key == network], dtype=np.int64)

    def cells_out_of_stock_at_the_end(self) -> Ints:
        gone = {(episode.network, episode.sku.sku) for episode in self.out_of_stock if episode.still_out}
        return np.array(
            [i for i, cell in enumerate(self.cells) if (cell.network.key, cell.sku.sku) in gone], dtype=np.int64
        )

    def test_cells(self, test: GeoTestProfile) -> Ints:
        """The cells whose spend the geo test raises."""
        return np.array(
            [
                i
                for i, cell in enumerate(self.cells)
                if cell.network.key == test.network and cell.placement.raw == test.placement
            ],
            dtype=np.int64,
        )


def make_world(profile: Profile, *, seed: int, until: dt.date, scale: float = 1.0) -> World:
    """Fix the world whose last day is `until`. `scale` multiplies the number of products.

    Raises:
        InvalidInput: the scale is out of range.
    """
    if not LOWEST_SCALE <= scale <= HIGHEST_SCALE:
        raise InvalidInput(
            f"A scale of {scale} is not possible.",
            where="scale",
            fix=f"Use a value between {LOWEST_SCALE} and {HIGHEST_SCALE}.",
        )
    first = until - dt.timedelta(days=7 * profile.weeks - 1)
    catalogue = make_catalogue(profile, max(6, round(profile.sku_count * scale)), seed)
    cells = _make_cells(profile, catalogue, seed)
    curves, usual = _make_curves(profile, cells, seed)
    events = events_between(first, until)
    demand, planned = _make_plan(profile, cells, usual, events, first, seed)
    rng = stream(seed, profile.key, "noise")
    noise = np.exp(rng.normal(-(NOISE_SIGMA**2) / 2, NOISE_SIGMA, size=planned.shape))
    return World(
        profile=profile,
        seed=seed,
        first=first,
        last=until,
        catalogue=catalogue,
        cells=cells,
        curves=curves,
        usual_spend=usual,
        planned_spend=planned,
        demand=demand,
        noise=noise,
        events=events,
        out_of_stock=_make_out_of_stock(cells, usual, first, until),
    )


def _make_cells(profile: Profile, catalogue: tuple[Sku, ...], seed: int) -> tuple[Cell, ...]:
    cells = []
    for network in profile.networks:
        rng = stream(seed, profile.key, network.key, "cells")
        listed = rng.permutation(len(catalogue))[: max(4, round(network.listed_share * len(catalogue)))]
        for placement in network.placements:
            advertised = sorted(rng.permutation(listed)[: max(2, round(placement.sku_share * len(listed)))])
            cells += [Cell(network, placement, catalogue[number]) for number in advertised]
    return tuple(cells)


def _make_curves(profile: Profile, cells: tuple[Cell, ...], seed: int) -> tuple[Curves, Floats]:
    """True curves, and a usual mix that leaves `profile.mix_loss` of the attainable revenue behind.

    The usual mix is the best mix bent towards habit; how far is found by bisection on the loss.
    """
    rng = stream(seed, profile.key, "curves")
    count = len(cells)
    scale = np.array([cell.placement.weekly_spend for cell in cells]) * np.exp(rng.normal(0.0, 0.6, count))
    ratio = np.array([cell.placement.return_on_spend for cell in cells]) * np.exp(rng.normal(0.0, 0.35, count))
    is_log = rng.random(count) < 0.5
    k = scale * rng.uniform(0.6, 1.8, count)
    # The amplitude follows from the return at the cell's scale.
    a = np.where(is_log, ratio * scale / np.log1p(scale / k), ratio * (k + scale))
    curves = Curves(is_log=is_log, a=a, k=k, in_stock=np.ones(count, dtype=np.bool_))

    budget = float(scale.sum())
    best = np.maximum(best_allocation(curves, budget).spend, 0.05 * scale)
    habit = scale * np.exp(rng.normal(0.0, 0.9, count))

    def mix(bend: float) -> Floats:
        bent = best * (habit / best) ** bend
        spend: Floats = bent * (budget / bent.sum())
        return spend

    low, high = 0.0, 3.0
    for _ in range(60):
        bend = (low + high) / 2
        if loss_against_best(curves, mix(bend)) < profile.mix_loss:
            low = bend
        else:
            high = bend
    return curves, mix(high)


def _make_plan(
    profile: Profile,
    cells: tuple[Cell, ...],
    usual: Floats,
    events: tuple[Event, ...],
    first: dt.date,
    seed: int,
) -> tuple[Floats, Floats]:
    """Demand factors and planned spend, both [weeks, cells].

    Flights (levels held for two to five weeks, cell by cell) spread the spend of a cell over a range of about six to
    one, without which no curve could be told from a straight line.
    """
    weeks, count = profile.weeks, len(cells)
    demand, planned = np.ones((weeks, count)), np.tile(usual, (weeks, 1))
    for network in profile.networks:
        mine = np.array([cell.network.key == network.key for cell in cells])
        rng = stream(seed, profile.key, network.key, "plan")
        demand_factor, spend_factor = weekly_factors(events, network.key, first, weeks)
        shock = np.exp(rng.normal(-(COMMON_SIGMA**2) / 2, COMMON_SIGMA, weeks))
        demand[:, mine] = (demand_factor * shock)[:, None]
        planned[:, mine] *= spend_factor[:, None]
        flights = np.empty((weeks, int(mine.sum())))
        for column in range(flights.shape[1]):
            week = 0
            while week < weeks:
                held = int(rng.integers(2, 6))
                flights[week : week + held, column] = rng.choice(FLIGHT_LEVELS)
                week += held
        # Flights move spend in time; over the year the cell keeps its usual mean.
        flights /= flights.mean(axis=0)
        planned[:, mine] *= flights * np.exp(rng.normal(0.0, 0.1, flights.shape))
    test = profile.geo_test
    if test is not None:
        tested = [cell.network.key == test.network and cell.placement.raw == test.placement for cell in cells]
        weeks_on = slice(test.first_week, test.first_week + test.weeks)
        planned[weeks_on, np.array(tested)] *= test.heavy_up
    return demand, planned


def _make_out_of_stock(cells: tuple[Cell, ...], usual: Floats, first: dt.date, last: dt.date) -> tuple[OutOfStock, ...]:
    """One episode that is over and one that still runs, each of a product that much is spent on at its retailer."""
    middle = first + dt.timedelta(days=((last - first).days // 14) * 7)
    span = dt.timedelta(days=OUT_OF_STOCK_DAYS - 1)
    return (
        OutOfStock("amazon_ads", _well_funded(cells, usual, "amazon_ads"), middle, middle + span, still_out=False),
        OutOfStock("walmart_connect", _well_funded(cells, usual, "walmart_connect"), last - span, last, still_out=True),
    )


def _well_funded(cells: tuple[Cell, ...], usual: Floats, network: NetworkKey) -> Sku:
    spend: dict[Sku, float] = {}
    for cell, amount in zip(cells, usual, strict=True):
        if cell.network.key == network:
            spend[cell.sku] = spend.get(cell.sku, 0.0) + float(amount)
    # The second: the first would take too much of the retailer's revenue with it.
    return sorted(spend, key=lambda sku: -spend[sku])[1]
