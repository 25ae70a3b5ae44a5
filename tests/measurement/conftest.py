"""Experiments of alice on generated data with a known truth, on a clock that tests set."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from accounts.models import Brand, User
from measurement import selectors, services
from measurement.models import Experiment, PanelVersion
from tests import factories

#: The test of the generated geo panel: 28 days.
START = date(2026, 9, 1)
END = date(2026, 9, 28)
FIRST = date(2026, 5, 1)
LIFT = 0.12
GEOS = tuple(f"geo {number:02d}" for number in range(24))


def geo_rows(last: date = END, *, lift: float = LIFT, treated: tuple[str, ...] = (), geos: tuple[str, ...] = GEOS):
    """(day, geo, sales, spend): markets that move together, and a lift in the treated ones from `START` to `END`."""
    rng = np.random.default_rng(7)
    days = [FIRST + timedelta(n) for n in range(400)]
    shared = 1 + 0.1 * np.sin(np.arange(400) / 7 * 2 * np.pi) + 0.02 * rng.standard_normal(400).cumsum() / 5
    rows = []
    for place, geo in enumerate(GEOS):
        level = 400 + 60 * place
        noise = 1 + 0.03 * rng.standard_normal(400)
        for at, day in enumerate(days):
            inside = geo in treated and START <= day <= END
            sales = level * shared[at] * noise[at] * (1 + lift if inside else 1)
            if day <= last and geo in geos:
                rows.append((day, geo, round(float(sales), 2), round(0.05 * level * (3 if inside else 1), 2)))
    return rows


def as_csv(rows: list[tuple[Any, ...]], header: tuple[str, ...] = ("date", "geo", "sales", "spend")) -> bytes:
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(header)
    writer.writerows(rows)
    return out.getvalue().encode()


SUMMARY: Mapping[str, Any] = {
    "treated": {"sum": 2422.7, "sum_of_squares": 134698.29, "n": 3461},
    "control": {"sum": 1396.87, "sum_of_squares": 52377.9767, "n": 3407},
}


def summary(**further: Any) -> bytes:
    return json.dumps({**SUMMARY, **further}).encode()


@pytest.fixture
def today(monkeypatch: pytest.MonkeyPatch) -> Callable[[date], None]:
    """`today(date(...))`: what the tenant's clock says; the 20th of August until a test says otherwise."""
    now = {"day": date(2026, 8, 20)}
    monkeypatch.setattr(selectors, "today", lambda: now["day"])
    return lambda day: now.update(day=day)


@pytest.fixture
def chips(acme: Any) -> Brand:
    return factories.BrandFactory(slug="chips")


@pytest.fixture
def experiment(chips: Brand, alice: User, storage: Path, today: Any) -> Callable[..., Experiment]:
    """`experiment(kind="geo", ...)`: a draft of chips."""

    def _experiment(*, brand: Brand | None = chips, **changes: Any) -> Experiment:
        given = {
            "name": "Heavier in the north", "kind": "geo", "start_date": START, "end_date": END, "currency": "USD",
            "settings": {"design": "pairs", "durations": [28]},
        } | changes  # fmt: skip
        return services.create_experiment(actor=alice, given=given, brand=brand)

    return _experiment


@pytest.fixture
def send(alice: User) -> Callable[..., PanelVersion]:
    """`send(experiment, content)`: data of it."""

    def _send(one: Experiment, content: bytes, name: str = "panel.csv", **options: Any) -> PanelVersion:
        return services.add_panel(actor=alice, experiment=one, chunks=[content], file_name=name, **options)

    return _send


@pytest.fixture
def designed(experiment: Any, send: Any, alice: User) -> Callable[..., Experiment]:
    """`designed()`: a geo test in pairs with its history, its candidate chosen."""

    def _designed(**changes: Any) -> Experiment:
        one = experiment(**changes)
        send(one, as_csv(geo_rows(date(2026, 8, 19))))
        services.design_experiment(experiment=fresh(one))
        return services.choose_candidate(actor=alice, experiment=fresh(one), choice=0)

    return _designed


@pytest.fixture
def running(designed: Any, alice: User, today: Any) -> Callable[..., Experiment]:
    """`running()`: registered in time and started on its first day."""

    def _running(**changes: Any) -> Experiment:
        one = services.register_experiment(actor=alice, experiment=designed(**changes))
        today(START)
        return services.start_experiment(actor=alice, experiment=one)

    return _running


@pytest.fixture
def readable(running: Any, send: Any, today: Any) -> Callable[..., Experiment]:
    """`readable()`: over, with all its data, and not read yet."""

    def _readable(**changes: Any) -> Experiment:
        one = running(**changes)
        today(END + timedelta(days=1 + one.cooldown_days))
        send(one, as_csv(geo_rows(END + timedelta(days=one.cooldown_days), treated=treated_of(one))))
        services.advance(fresh(one))
        return fresh(one)

    return _readable


def fresh(one: Experiment) -> Experiment:
    return Experiment.objects.select_related("brand", "retailer").get(pk=one.pk)


def treated_of(one: Experiment) -> tuple[str, ...]:
    return tuple(one.units.filter(group="treated").values_list("unit", flat=True))
