"""From weekly truth to daily rows of whole clicks, units and cents.

Spend is fixed first, as whole clicks at prices in whole cents; the week's true revenue follows from the spend that
was really made; and units follow from the revenue. Every figure here is an integer. Splits are drawn at the lowest
level (units of the advertised or another product, per sales channel) and every total is a sum of them.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np

from demo.core.arrays import Bools, Floats, Ints
from demo.core.profiles import NetworkProfile
from demo.core.streams import stream
from demo.core.world import OUT_OF_STOCK_SHARE, World

WEEKDAY_SHARES = np.array([0.94, 0.92, 0.93, 0.97, 1.04, 1.12, 1.08])  # Monday first
MAIN_WITHIN_SHORT = 0.78  # of the units of the main window, those already in the shorter one
LONG_BEYOND_MAIN = 0.06  # units that only the longer window sees, per unit of the main one
FIRST_DAY_SEEN = 0.45  # of a day's final attributed units, what is known on the day itself


@dataclass(frozen=True)
class Units:
    """Units sold per row, of the advertised product and of others, by sales channel: shape [rows, channels]."""

    same: Ints
    other: Ints

    @property
    def total(self) -> Ints:
        total: Ints = (self.same + self.other).sum(axis=1)
        return total


@dataclass(frozen=True)
class Economics:
    """What a unit is worth and where it sells; arrays of shape [rows], money in cents."""

    price: Ints
    other_price: Ints
    same_share: Floats
    ntb_share: Floats


@dataclass(frozen=True)
class Outcomes:
    """Final attributed units of the main window, and their parts: new to brand, seen early, seen only later."""

    units: Units
    ntb: Units
    short: Units
    late: Units

    def take(self, rows: Bools) -> Outcomes:
        def part(units: Units) -> Units:
            return Units(units.same[rows], units.other[rows])

        return Outcomes(part(self.units), part(self.ntb), part(self.short), part(self.late))


@dataclass(frozen=True)
class Traffic:
    """Impressions, clicks and spend in cents, per row."""

    impressions: Ints
    clicks: Ints
    spend: Ints


@dataclass(frozen=True)
class Facts:
    """All rows of one network: `day` counts from the world's first day, `cell` indexes the world's cells."""

    network: NetworkProfile
    first: dt.date
    day: Ints
    cell: Ints
    split: Ints
    traffic: Traffic
    economics: Economics
    outcomes: Outcomes
    lag: Floats  # [rows, 2, channels]: which part of a fraction of a unit has been reported already

    def __len__(self) -> int:
        return len(self.day)


def draw_traffic(rng: np.random.Generator, target: Floats, cost_per_click: Floats, click_rate: Floats) -> Traffic:
    """Whole clicks that cost about `target` (currency units), in whole cents, with their impressions."""
    price = cost_per_click * np.exp(rng.normal(0.0, 0.06, target.shape))
    clicks = np.floor(target / price + rng.random(target.shape)).astype(np.int64)
    spend = np.rint(100.0 * clicks * price).astype(np.int64)
    unclicked = rng.poisson(np.maximum(target / price, 0.05) / click_rate * rng.uniform(0.85, 1.15, target.shape))
    return Traffic(impressions=clicks + unclicked, clicks=clicks, spend=spend)


def draw_outcomes(
    rng: np.random.Generator, same: Ints, other: Ints, ntb_share: Floats, channel_shares: tuple[float, ...]
) -> Outcomes:
    """Spread whole units over channels, and draw which of them are new to the brand, early and late."""
    shares = np.array(channel_shares)
    if shares[0] == 1.0:
        units = Units(same[:, None], other[:, None])
    else:
        units = Units(rng.multinomial(same, shares), rng.multinomial(other, shares))

    def thinned(share: Floats | float) -> Units:
        odds = np.broadcast_to(np.asarray(share, dtype=np.float64)[..., None], units.same.shape)
        return Units(rng.binomial(units.same, odds), rng.binomial(units.other, odds))

    return Outcomes(
        units=units, ntb=thinned(ntb_share), short=thinned(MAIN_WITHIN_SHORT), late=thinned(LONG_BEYOND_MAIN)
    )


def make_facts(world: World, network: NetworkProfile) -> Facts:
    """The final rows of one network: one per cell, campaign type or environment, and day with impressions."""
    rng = stream(world.seed, world.profile.key, network.key, "days")
    cells = world.cells_of(network.key)
    shape = (len(cells), world.days, len(network.splits))

    week = np.arange(world.days) // 7
    weekday = (world.first.weekday() + np.arange(world.days)) % 7
    day_share = WEEKDAY_SHARES[weekday] / WEEKDAY_SHARES.sum()
    split_share = rng.dirichlet(np.full(shape[2], 12.0), size=len(cells))
    target = (
        world.planned_spend[week][:, cells].T[:, :, None]
        * day_share[None, :, None]
        * split_share[:, None, :]
        * np.exp(rng.normal(0.0, 0.12, shape))
    )
    own = np.exp(rng.normal(0.0, 0.18, (2, len(cells))))
    cost_per_click = np.array([world.cells[i].placement.cost_per_click for i in cells]) * own[0]
    click_rate = np.array([world.cells[i].placement.click_rate for i in cells]) * own[1]
    traffic = draw_traffic(rng, target, cost_per_click[:, None, None], click_rate[:, None, None])

    expected = _row_revenue(world, cells, traffic.spend, traffic.clicks, rng)
    gone = _days_out_of_stock(world, network, cells)[:, :, None]
    expected = np.where(gone, OUT_OF_STOCK_SHARE * expected, expected)

    price = np.array([world.cells[i].sku.price_cents for i in cells], dtype=np.int64)
    other_price = np.array([_price_of_others(world, int(i)) for i in cells], dtype=np.int64)
    same_share = rng.uniform(0.62, 0.85, len(cells))
    ntb_share = rng.uniform(0.18, 0.42, len(cells))
    of_same = np.where(gone, 0.0, same_share[:, None, None]) * expected
    same = _whole_units(rng, 100.0 * of_same / price[:, None, None])
    other = _whole_units(rng, 100.0 * (expected - of_same) / other_price[:, None, None])

    seen = (traffic.impressions > 0).ravel()
    index = np.indices(shape, dtype=np.int64).reshape(3, -1)[:, seen]
    row = index[0]
    outcomes = draw_outcomes(rng, same.ravel()[seen], other.ravel()[seen], ntb_share[row], network.channel_shares)
    return Facts(
        network=network,
        first=world.first,
        day=index[1],
        cell=cells[row],
        split=index[2],
        traffic=Traffic(traffic.impressions.ravel()[seen], traffic.clicks.ravel()[seen], traffic.spend.ravel()[seen]),
        economics=Economics(price[row], other_price[row], same_share[row], ntb_share[row]),
        outcomes=outcomes,
        lag=rng.random((len(row), 2, outcomes.units.same.shape[1])),
    )


def _row_revenue(world: World, cells: Ints, spend: Ints, clicks: Ints, rng: np.random.Generator) -> Floats:
    """True expected revenue per row: the week's revenue at the spend really made, spread over the rows by clicks."""
    count, days, splits = spend.shape
    weeks = days // 7
    weekly_spend = np.zeros((weeks, len(world.cells)))
    weekly_spend[:, cells] = spend.reshape(count, weeks, 7 * splits).sum(axis=2).T / 100.0
    weekly = (world.curves.revenue(weekly_spend) * world.demand * world.noise)[:, cells].T
    weight = (clicks * np.exp(rng.normal(0.0, 0.15, clicks.shape))).reshape(count, weeks, 7 * splits)
    share = weight / np.maximum(weight.sum(axis=2, keepdims=True), 1e-9)
    revenue: Floats = (weekly[:, :, None] * share).reshape(spend.shape)
    return revenue


def _days_out_of_stock(world: World, network: NetworkProfile, cells: Ints) -> Bools:
    gone = np.zeros((len(cells), world.days), dtype=np.bool_)
    for episode in world.out_of_stock:
        if episode.network == network.key:
            hit = np.array([world.cells[i].sku == episode.sku for i in cells])
            gone[hit, (episode.first - world.first).days : (episode.last - world.first).days + 1] = True
    return gone


def _price_of_others(world: World, cell: int) -> int:
    """What a basket of the brand's other products costs per unit, to the cent."""
    sku = world.cells[cell].sku
    prices = [other.price_cents for other in world.catalogue if other.brand == sku.brand and other != sku]
    return round(sum(prices) / len(prices)) if prices else sku.price_cents


def _whole_units(rng: np.random.Generator, expected: Floats) -> Ints:
    """Round to whole units so that the rounding error of a cell never exceeds one unit over any run of days."""
    flat = expected.reshape(expected.shape[0], -1)
    counted = np.floor(np.cumsum(flat, axis=1) + rng.random((flat.shape[0], 1)))
    return np.diff(counted, axis=1, prepend=0.0).astype(np.int64).reshape(expected.shape)
