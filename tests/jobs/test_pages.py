"""Pages, commands and metrics of jobs."""

from __future__ import annotations

from io import StringIO
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from prometheus_client import CollectorRegistry, generate_latest

from jobs.attempts import begin_attempt
from jobs.core.states import State
from jobs.draining import run_queued_jobs
from jobs.metrics import JobCollector
from jobs.models import JobProgress

pytestmark = pytest.mark.usefixtures("storage")


def command(*arguments: str) -> str:
    out = StringIO()
    call_command("jobs", "--tenant", "acme", *arguments, stdout=out)
    return out.getvalue()


def test_list_and_its_filters(browser, submit):
    submit("count")
    run_queued_jobs()
    submit("refuse")
    text = browser.get("/jobs/").content.decode()
    assert "Test count" in text
    assert "Test refuse" in text
    assert "Test count" not in browser.get("/jobs/?state=queued").content.decode()
    assert "No such jobs" in browser.get("/jobs/?state=dead").content.decode()


def test_empty_list_says_why(browser):
    assert "No jobs yet" in browser.get("/jobs/").content.decode()


def test_running_job_shows_rate_and_polls(browser, submit):
    job = submit("count")
    begin_attempt(queues=["default"], lease_seconds=60, worker="here")
    stage = {"name": "Transform", "status": "running", "done": 734208, "total": 1048212, "unit": "rows", "seconds": 38}
    samples = [[second, 18000 + second] for second in range(5)]
    JobProgress.objects.filter(job=job).update(stages=[stage], rate=18140, eta_seconds=17, samples=samples)
    text = browser.get(f"/jobs/{job.pk}/").content.decode()
    for shown in ("734,208", "of 1,048,212, 70%", "18,140", "17 s", "Cancel job", "every 2s", "Rate: from 18,000"):
        assert shown in text
    part = browser.get(f"/jobs/{job.pk}/", headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in part
    assert 'id="job-live"' in part


def test_failed_job_says_what_where_and_the_next_move(browser, submit):
    job = submit("refuse")
    run_queued_jobs()
    text = browser.get(f"/jobs/{job.pk}/").content.decode()
    for shown in ("Column Spend is missing.", "line 1:", "Export the report with Spend.", "Retry"):
        assert shown in text
    assert "hx-get" not in text


def test_buttons(browser, submit):
    job = submit("count")
    assert browser.post(f"/jobs/{job.pk}/cancel/").url == f"/jobs/{job.pk}/"
    job.refresh_from_db()
    assert job.state == State.CANCELLED
    browser.post(f"/jobs/{job.pk}/retry/")
    job.refresh_from_db()
    assert job.state == State.QUEUED


def test_get_changes_nothing(browser, submit):
    job = submit("count")
    assert browser.get(f"/jobs/{job.pk}/cancel/").status_code == 405


def test_log_file(browser, submit):
    job = submit("crash")
    run_queued_jobs()
    answer = browser.get(f"/jobs/{job.pk}/log/")
    assert answer["Content-Type"].startswith("text/plain")
    assert "an error in the program (ValueError)" in answer.content.decode()


def test_missing_job(browser):
    assert browser.get(f"/jobs/{uuid4()}/").status_code == 404


def test_queries_of_the_list_do_not_grow(browser, submit, django_assert_max_num_queries):
    for _ in range(12):
        submit("count")
    with django_assert_max_num_queries(25):
        browser.get("/jobs/")


def test_commands(submit):
    job = submit("refuse")
    assert f"{job.pk}  queued" in command("list")
    assert command("run-queued") == "1 attempts ran\n"
    shown = command("show", str(job.pk))
    assert "failed, attempt 1 of 3" in shown
    assert "Column Spend is missing." in shown
    assert command("retry", str(job.pk)) == "waiting to run again\n"
    assert command("cancel", str(job.pk)) == "cancelled\n"
    with pytest.raises(CommandError, match="There is no job"):
        command("show", str(uuid4()))


def test_run_jobs_once(submit):
    submit("count")
    out = StringIO()
    call_command("run_jobs", "--once", stdout=out)
    assert out.getvalue() == "1 attempts ran\n"


def test_metrics_by_tenant_and_queue(submit):
    submit("count")
    run_queued_jobs()
    submit("solve")
    registry = CollectorRegistry()
    registry.register(JobCollector())
    text = generate_latest(registry).decode()
    assert 'rmn_jobs{queue="solve",state="waiting",tenant="acme"} 1.0' in text
    assert 'rmn_jobs_oldest_age_seconds{queue="solve",state="waiting",tenant="acme"}' in text
    assert 'rmn_jobs_ended_total{queue="default",state="succeeded",tenant="acme"} 1.0' in text
