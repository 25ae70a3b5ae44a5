"""One experiment that is asked, and one that was read, of whoever a thing is made for."""

from __future__ import annotations

from datetime import UTC, date, datetime

from accounts.models import Brand, User
from measurement.core.reading_json import reading_as_dict
from measurement.models import Experiment, ExperimentUnit, PanelVersion, Reading
from tests.measurement.readings import a_reading


def experiments_of(slug: str, key: str, brand: Brand | None, number: int, owner: User) -> dict[str, str]:
    """Ids by kind: `experiment` a draft without data, `read_experiment` with its `reading`."""
    asked = Experiment.objects.create(
        number=2 * number, brand=brand, name=f"{slug} {key}", kind="geo", created_by=owner
    )
    read = Experiment.objects.create(
        number=2 * number + 1, brand=brand, name=f"{slug} {key} read", kind="geo", start_date=date(2026, 9, 1),
        end_date=date(2026, 9, 28), currency="USD", created_by=owner,
    )  # fmt: skip
    said = a_reading()
    for group, units in (("treated", said.treated), ("control", said.controls)):
        for unit in units:
            ExperimentUnit.objects.create(experiment=read, unit=unit, group=group)
    now = datetime(2026, 8, 20, tzinfo=UTC)
    read.analysis_plan, read.plan_sha256 = {"format": "test", "of": f"{slug} {key}"}, f"{number:064d}"
    read.registered_at = read.started_at = now
    read.registered_by = read.started_by = owner
    read.state = Experiment.State.READ
    read.save()
    panel = PanelVersion.objects.create(
        experiment=read, number=1, format="panel", origin="file", file_name=f"{slug}-{key}.csv",
        sha256=f"{number:064d}",
        size=1, columns={"date": "date"}, unit_count=2, period_count=2, created_by=owner,
    )  # fmt: skip
    reading = Reading.objects.create(
        experiment=read, panel=panel, number=1, result=reading_as_dict(said), method=said.method,
        evidence=said.evidence, plan_sha256=read.plan_sha256, code_version="test", seed=1, seconds=0.1,
    )  # fmt: skip
    return {"experiment": str(asked.pk), "read_experiment": str(read.pk), "reading": str(reading.pk)}
