"""SIGKILL to the process that designs or reads: the job is done again, and there is one design, and one reading."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import psutil
import pytest

from jobs.models import Job, JobLog
from measurement import services
from measurement.models import Experiment, Reading
from tests import factories
from tests.jobs.workers import Site, running_site
from tests.measurement.conftest import as_csv, fresh, geo_rows

pytestmark = pytest.mark.processes
#: Days that are over by any clock: the worker has its own.
START, END = date(2026, 8, 1), date(2026, 8, 28)


@pytest.fixture
def site(real_database: str, storage: Path, tmp_path: Path) -> Iterator[Site]:
    with running_site(real_database, tmp_path) as running:
        running.alice()
        running.start_worker(queues="solve")
        yield running


def _killed(site: Site, job: Job, stage: str) -> Job:
    """The job as it ended, its process killed once at a stage."""

    def there(one: Job) -> bool:
        told = one.progress.stages if hasattr(one, "progress") else []
        return one.is_final or stage in [each["name"] for each in told]

    assert not site.job_after(job, there, seconds=60).is_final, "it ended before it could be killed"
    [child] = site.children()
    child.kill()
    psutil.wait_procs([child], timeout=10)
    ended = site.ended(job, seconds=120)
    assert JobLog.objects.filter(job=job, message__contains="SIGKILL").count() == 1
    assert (ended.state, ended.attempt) == ("succeeded", 2)
    return ended


def test_a_killed_design_and_a_killed_reading_are_done_once(site: Site) -> None:
    alice = site.alice()
    given: dict[str, Any] = {
        "name": "Heavier in the north", "kind": "geo", "currency": "USD", "start_date": START, "end_date": END,
        "method": "sdid", "settings": {"design": "search", "durations": [28], "treated_counts": [2, 3, 4]},
    }  # fmt: skip
    one = services.create_experiment(actor=alice, given=given, brand=factories.BrandFactory(slug="chips"))
    rows = [row for row in geo_rows(END) if row[0] < START]
    services.add_panel(actor=alice, experiment=one, chunks=[as_csv(rows)], file_name="panel.csv")
    _killed(site, services.request_design(actor=alice, experiment=fresh(one)), "Search")
    after = fresh(one).design
    assert services.design_experiment(experiment=fresh(one)).design == after

    one = services.choose_candidate(actor=alice, experiment=fresh(one), choice=0)
    one = services.register_experiment(actor=alice, experiment=one, retrospective=True)
    services.start_experiment(actor=alice, experiment=one)
    treated = tuple(one.units.filter(group="treated").values_list("unit", flat=True))
    whole = geo_rows(END + timedelta(1), treated=treated)
    services.add_panel(actor=alice, experiment=one, chunks=[as_csv(whole)], file_name="panel.csv")
    job = _killed(site, services.request_analysis(actor=alice, experiment=fresh(one)), "Placebos")
    assert (Reading.objects.get().job_id, fresh(one).state) == (job.pk, Experiment.State.READ)
    assert not (site.folder / "storage/tenants/acme/staging" / str(job.pk)).exists()
