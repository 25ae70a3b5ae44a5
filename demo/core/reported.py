"""What a network would have reported of the facts on a given day.

Attributed figures of a day grow until its window has closed; an export taken earlier shows less, and a later one
restates it. Spend, clicks and impressions are final at once. All columns are integers; money is in cents.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from demo.core.arrays import Bools, Floats, Ints
from demo.core.days import FIRST_DAY_SEEN, Facts, Units

# Sales and units of these columns move together when a report is turned into another currency.
MONEY = (
    "spend",
    "sales",
    "sales_same",
    "sales_other",
    "sales_short",
    "sales_long",
    "sales_long_same",
    "sales_long_other",
    "sales_online",
    "sales_store",
    "sales_pickup",
    "sales_delivery",
    "ntb_sales",
)


@dataclass(frozen=True)
class Report:
    """Rows as of one date: `columns` maps a name to an integer array; those in `MONEY` are in cents."""

    first: dt.date
    as_of: dt.date
    columns: Mapping[str, Ints]

    def __getitem__(self, name: str) -> Ints:
        return self.columns[name]

    def __len__(self) -> int:
        return len(self.columns["day"])

    def take(self, rows: Bools | Ints) -> Report:
        return replace(self, columns={name: column[rows] for name, column in self.columns.items()})

    def between(self, first: dt.date, last: dt.date) -> Report:
        """The rows of these days, both included, in order of day."""
        low, high = (first - self.first).days, (last - self.first).days
        rows = np.flatnonzero((self["day"] >= low) & (self["day"] <= high))
        return self.take(rows[np.argsort(self["day"][rows], kind="stable")])

    def priced(self, factor: int) -> Report:
        """The same report with all money times a whole factor: an account in another currency."""
        return replace(
            self, columns={name: col * factor if name in MONEY else col for name, col in self.columns.items()}
        )

    def date_of(self, day: int) -> dt.date:
        return self.first + dt.timedelta(days=day)


def seen_after(age: Ints, days: int) -> Floats:
    """The part of a day's final units known `age` days later; all of them once the `days` are over."""
    left = np.clip(1.0 - age / days, 0.0, 1.0)
    return 1.0 - (1.0 - FIRST_DAY_SEEN) * left**2


def report(facts: Facts, as_of: dt.date) -> Report:
    """The rows of all days before `as_of`, as the network showed them on that day.

    A unit, once reported, stays: the report of a later date is never below that of an earlier one.
    """
    network, outcomes = facts.network, facts.outcomes
    age = (as_of - facts.first).days - facts.day
    known = age > 0

    def so_far(units: Units, days: int) -> Units:
        part = seen_after(age, days)[:, None]
        return Units(
            np.floor(units.same * part + facts.lag[:, 0]).astype(np.int64),
            np.floor(units.other * part + facts.lag[:, 1]).astype(np.int64),
        )

    def within(units: Units, limit: Units) -> Units:
        return Units(np.minimum(units.same, limit.same), np.minimum(units.other, limit.other))

    def joined(first: Units, second: Units) -> Units:
        return Units(first.same + second.same, first.other + second.other)

    main = so_far(outcomes.units, network.matures_days)
    short = within(so_far(outcomes.short, network.short_days), main)
    ntb = within(so_far(outcomes.ntb, network.matures_days), main)
    long = joined(main, so_far(outcomes.late, network.long_days))

    columns: dict[str, Ints] = {
        "day": facts.day,
        "cell": facts.cell,
        "split": facts.split,
        "impressions": facts.traffic.impressions,
        "clicks": facts.traffic.clicks,
        "spend": facts.traffic.spend,
    }
    columns |= outcome_columns(main, facts.economics.price, facts.economics.other_price)
    later = outcome_columns(long, facts.economics.price, facts.economics.other_price)
    columns |= {
        name.replace("sales", "sales_long").replace("units", "units_long").replace("orders", "orders_long"): column
        for name, column in later.items()
        if name in {"sales", "sales_same", "sales_other", "units", "units_same", "units_other", "orders"}
    }
    columns["sales_short"] = worth(short, facts.economics.price, facts.economics.other_price).sum(axis=1)
    columns["ntb_sales"] = worth(ntb, facts.economics.price, facts.economics.other_price).sum(axis=1)
    columns["ntb_units"] = ntb.total
    return Report(first=facts.first, as_of=as_of, columns=columns).take(known)


def worth(units: Units, price: Ints, other_price: Ints) -> Ints:
    """Revenue in cents by channel, shape [rows, channels]."""
    revenue: Ints = units.same * price[:, None] + units.other * other_price[:, None]
    return revenue


def orders_of(units: Ints) -> Ints:
    """Whole orders: at least one where anything was sold, never more than units, about 88 per 100 units."""
    orders: Ints = -(-units * 22 // 25)
    return orders


def outcome_columns(units: Units, price: Ints, other_price: Ints) -> dict[str, Ints]:
    """Units, orders and sales of one window: in total, by product scope, and by channel where there are several."""
    same, other = units.same.sum(axis=1), units.other.sum(axis=1)
    columns = {
        "units": same + other,
        "units_same": same,
        "units_other": other,
        "orders": orders_of(same + other),
        "sales": same * price + other * other_price,
        "sales_same": same * price,
        "sales_other": other * other_price,
    }
    by_channel = worth(units, price, other_price)
    if by_channel.shape[1] > 1:
        online, store, pickup, delivery = by_channel.T
        columns |= {
            "sales_online": online,
            "sales_store": store,
            "sales_pickup": pickup,
            "sales_delivery": delivery,
        }
    return columns


def joined(parts: Sequence[Report]) -> Report:
    """One report of several, in their order; the date is that of the last."""
    return replace(
        parts[-1],
        columns={name: np.concatenate([part[name] for part in parts]) for name in parts[-1].columns},
    )
