"""One large Walmart export, for showing and measuring speed."""

from __future__ import annotations

import csv
import datetime as dt
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from demo.core.days import make_facts
from demo.core.measures import WALMART, attributed, totals
from demo.core.profiles import find_profile
from demo.core.reported import Report, report
from demo.core.world import make_world
from demo.core.writers import walmart_item
from tenants.core.problems import InvalidInput

DEFAULT_ROWS = 1_000_000


@dataclass(frozen=True)
class BulkExport:
    """The file, its rows, and its true totals in the form of truth.json."""

    path: Path
    rows: int
    truth: dict[str, Any]


def write_bulk_walmart(
    path: Path, *, rows: int = DEFAULT_ROWS, seed: int, until: dt.date, profile: str = "acme"
) -> BulkExport:
    """Write exactly `rows` rows: the company's year at Walmart, over and over, each time with further campaigns.

    Every row has a key of its own (date, ad group, item, placement). Memory does not grow with `rows`.

    Raises:
        InvalidInput: no such profile, or not a positive number of rows.
    """
    if rows < 1:
        raise InvalidInput(f"{rows} rows cannot be written.", where="rows", fix="Ask for at least one row.")
    world = make_world(find_profile(profile), seed=seed, until=until)
    network = next(network for network in world.profile.networks if network.key == "walmart_connect")
    as_of = until + dt.timedelta(days=1)
    sums: dict[str, int] = {}
    written = campaign = 0
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(walmart_item.HEADER)
        while written < rows:
            # The same plan and curves, days drawn anew: a further set of campaigns.
            again = replace(world, seed=seed + campaign)
            part = report(make_facts(again, network), as_of).between(world.first, until)
            part = part.take(np.arange(min(len(part), rows - written)))
            writer.writerows(walmart_item.rows(again, part, campaign))
            for name, column in part.columns.items():
                sums[name] = sums.get(name, 0) + int(column.sum())
            written += len(part)
            campaign += 1
    whole = Report(world.first, as_of, {name: np.array([total]) for name, total in sums.items()})
    return BulkExport(
        path,
        written,
        {
            "contract": "walmart_search_item",
            "rows": written,
            "totals": totals(whole, network.currency),
            "attributed": attributed(whole, WALMART),
        },
    )
