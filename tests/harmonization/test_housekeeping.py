from __future__ import annotations

from datetime import timedelta

import pytest
from deltalake import DeltaTable
from django.utils import timezone

from harmonization import selectors, services
from harmonization.models import EventTable, Load, TableVersion
from jobs import attempts
from jobs.models import Job
from jobs.services import cancel_job, sweep_staging
from tenants.core.problems import InvalidInput, QuotaExceeded
from tenants.selectors import tenant_folder
from tests.harmonization.conftest import DirectContext, walmart_csv, walmart_row


def data_files():
    return sorted(path.name for path in selectors.events_folder().folder.glob("walmart_connect/*.parquet"))


@pytest.fixture
def vacuum(tmp_path, alice):
    def _vacuum(days):
        job = services.start_vacuum(actor=alice, days=days)
        (tmp_path / "storage" / "vacuum").mkdir(parents=True, exist_ok=True)
        return services.vacuum_events(context=DirectContext(job, tmp_path / "storage" / "vacuum"))

    return _vacuum


def test_vacuum_deletes_what_no_version_in_reach_needs(load, walmart, vacuum):
    load(walmart_csv(), walmart)
    load(walmart_csv(walmart_row(spend="12.00")), walmart, "later.csv")
    between = TableVersion.objects.first().published_at - timedelta(microseconds=1)
    assert len(data_files()) == 2
    assert vacuum(1)["files"] == 0
    assert selectors.published_events(brand_ids=[walmart.brand_id], as_of=between) is not None
    before = EventTable.objects.get().size
    done = vacuum(0)
    assert (done["files"], done["versions"]) == (1, 1)
    assert len(data_files()) == 1
    assert EventTable.objects.get().size == before - done["bytes"]
    assert selectors.published_events(brand_ids=[walmart.brand_id]).rows.collect().height == 1
    with pytest.raises(InvalidInput, match="no longer kept"):
        selectors.published_events(brand_ids=[walmart.brand_id], as_of=between)


def test_vacuum_deletes_the_torso_of_a_dead_publisher(load, send, walmart, vacuum, tmp_path):
    load(walmart_csv(), walmart)
    taken = send(walmart_csv(walmart_row("2026-11-05")), walmart, "second.csv")
    (tmp_path / "storage" / "dying").mkdir()
    context = DirectContext(taken.job, tmp_path / "storage" / "dying")
    context.fail_after_publish = True
    with pytest.raises(ConnectionError):
        services.harmonize_upload(context=context)
    assert len(data_files()) == 2
    assert vacuum(30)["files"] == 1
    assert len(data_files()) == 1


def test_versions_whose_log_is_gone_count_as_deleted(load, walmart, vacuum):
    load(walmart_csv(), walmart)
    load(walmart_csv(walmart_row(spend="12.00")), walmart, "later.csv")
    between = TableVersion.objects.first().published_at - timedelta(microseconds=1)
    folder = selectors.events_folder().folder
    DeltaTable(str(folder)).create_checkpoint()
    (folder / "_delta_log" / f"{0:020}.json").unlink()
    done = vacuum(30)
    assert (done["files"], done["versions"]) == (1, 1)
    assert selectors.published_events(brand_ids=[walmart.brand_id]).rows.collect().height == 1
    with pytest.raises(InvalidInput, match="no longer kept"):
        selectors.published_events(brand_ids=[walmart.brand_id], as_of=between)


def test_vacuum_of_nothing(acme, storage, vacuum):
    assert vacuum(0) == {"files": 0, "bytes": 0, "versions": 0, "days": 0}
    with pytest.raises(InvalidInput):
        vacuum(-1)


def test_events_count_against_the_quota(load, walmart, acme):
    load(walmart_csv(), walmart)
    EventTable.objects.update(size=acme.storage_quota_mb * 2**20)
    with pytest.raises(QuotaExceeded):
        load(walmart_csv(walmart_row("2026-11-05")), walmart, "next.csv")


def running_load(taken):
    return Load.objects.create(upload=taken.upload, job_id=taken.job.pk, status="running")


def test_load_of_a_dead_job_does_not_run_on(send, walmart):
    taken = send(walmart_csv(), walmart)
    load = running_load(taken)
    for _ in range(3):
        claim = attempts.begin_attempt(queues=["harmonize"], lease_seconds=60, worker="here")
        attempts.crash(claim=claim, reason="its process was killed (SIGKILL)")
        if claim.attempt < 3:
            load.refresh_from_db()
            assert load.status == "running"
    load.refresh_from_db()
    assert load.status == "failed"
    assert "SIGKILL" in load.problem["detail"]


def test_load_of_a_job_cancelled_between_attempts_does_not_run_on(send, walmart, alice):
    taken = send(walmart_csv(), walmart)
    load = running_load(taken)
    cancel_job(job_id=taken.job.pk, actor=alice)
    load.refresh_from_db()
    assert load.status == "failed"
    assert "cancelled" in load.problem["detail"]


def test_published_load_stays_when_its_job_is_abandoned(load, walmart):
    load(walmart_csv(), walmart)
    published = Load.objects.get()
    from harmonization.services.housekeeping import note_abandoned

    note_abandoned(published.job_id, None)
    published.refresh_from_db()
    assert published.status == "published"
    assert timezone.now() > published.published_at


def test_staging_of_ended_jobs_is_swept(load, send, walmart, tmp_path):
    load(walmart_csv(), walmart)
    ended, waiting = Load.objects.get().job_id, send(walmart_csv(walmart_row("2026-11-09")), walmart, "b.csv").job.pk
    Job.objects.filter(pk=ended).update(state="succeeded", finished_at=timezone.now())
    staging = tenant_folder() / "staging"
    for name in (ended, waiting, "not an id"):
        (staging / str(name) / "1").mkdir(parents=True)
    assert sweep_staging() == 1
    assert sorted(path.name for path in staging.iterdir()) == sorted([str(waiting), "not an id"])
