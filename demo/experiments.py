"""The finished geo test of a demo tenant, brought in as a person would: data, groups, plan, reading."""

from __future__ import annotations

import csv
import io
import json
from datetime import date
from pathlib import Path
from typing import Any, Final
from uuid import NAMESPACE_URL, uuid5

from accounts.models import User
from demo.core.exports import GEO_DESIGN_FILE, GEO_FILE
from harmonization.core.placements import placement_words
from harmonization.models import Retailer
from jobs.models import Job
from measurement import services as measurement
from measurement.models import Experiment

_CHUNK: Final = 1 << 20
#: Id of the test in every demo tenant, by which it is found again.
_MARK: Final = uuid5(NAMESPACE_URL, "rmn:demo/geo-test")
_HYPOTHESIS: Final = (
    "More spend on search placements sells more than it costs. Brought in after it had ended, as the plan says: its "
    "markets were chosen and its days set by whoever ran it."
)


def bring_in_geo_test(*, owner: User, exports: Path) -> Job | None:
    """Take the company's own geo test over, and have it read.

    Its plan is written down after the fact, for it ended before this product saw it, and says so. Found again, it goes
    on where it stopped. Returns the job that reads it; None where the company has none, or where it has been read or
    given up.
    """
    if not (exports / GEO_DESIGN_FILE).exists():
        return None
    design = json.loads((exports / GEO_DESIGN_FILE).read_text(encoding="utf-8"))
    experiment = _brought_in(design) or _draft(owner, design)
    if experiment.state == Experiment.State.CANCELLED:
        # Somebody gave it up: that is their last word.
        return None
    if not experiment.is_registered:
        with (exports / GEO_FILE).open("rb") as file:
            measurement.add_panel(
                actor=owner, experiment=experiment, chunks=iter(lambda: file.read(_CHUNK), b""), file_name=GEO_FILE
            )
        measurement.assign_units(actor=owner, experiment=experiment, content=_groups(exports / GEO_FILE, design))
        experiment = measurement.register_experiment(actor=owner, experiment=experiment, retrospective=True)
    if experiment.started_at is None:
        experiment = measurement.start_experiment(actor=owner, experiment=experiment)
    if experiment.readings.exists():
        return None
    return measurement.request_analysis(actor=owner, experiment=experiment)


def _brought_in(design: dict[str, Any]) -> Experiment | None:
    """The test by its own mark, whatever people call it, or call theirs; or as releases before the mark left it."""
    rows = Experiment.objects.select_related("brand", "retailer")
    before = rows.filter(name=design["name"], hypothesis=_HYPOTHESIS, brand=None).order_by("number")
    return rows.filter(pk=_MARK).first() or before.first()


def _draft(owner: User, design: dict[str, Any]) -> Experiment:
    retailer = Retailer.objects.get(name=design["retailer"])
    start, end = (date.fromisoformat(day) for day in design["test_period"])
    cooled = date.fromisoformat(design["cooldown_period"][1])
    return measurement.create_experiment(
        actor=owner,
        experiment_id=_MARK,
        given={
            "name": design["name"],
            "hypothesis": _HYPOTHESIS,
            "kind": "geo",
            "action": "heavy_up",
            "retailer": retailer.slug,
            "placement": placement_words(retailer.network)[design["placement"]],
            "outcome": "sales",
            "currency": design["currency"],
            "start_date": start,
            "end_date": end,
            "cooldown_days": (cooled - end).days,
            "planned_spend": design["extra_spend"],
        },
    )


def _groups(sales: Path, design: dict[str, Any]) -> bytes:
    """Who was treated, as a file of unit and group; every other market that has sales is a control."""
    with sales.open(encoding="utf-8", newline="") as file:
        markets = sorted({row["state"] for row in csv.DictReader(file)})
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(("unit", "group"))
    writer.writerows((market, "treated" if market in design["treated"] else "control") for market in markets)
    return out.getvalue().encode()
