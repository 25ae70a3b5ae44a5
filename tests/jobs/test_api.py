"""Jobs and schedules over REST."""

from __future__ import annotations

from uuid import uuid4

import pytest
from django_celery_beat.models import PeriodicTask

from accounts.core.permissions import Role
from jobs.core.states import State
from jobs.dispatch.models import Dispatch
from jobs.draining import run_queued_jobs
from jobs.models import Job
from jobs.services import submit_job
from tests import factories
from tests.conftest import api_of, inside

pytestmark = pytest.mark.usefixtures("storage")
JOBS, SCHEDULES = "/api/v1/jobs/", "/api/v1/schedules/"


def test_list_filters(api, submit):
    done = submit("count")
    run_queued_jobs()
    waiting = submit("refuse")
    assert [row["id"] for row in api.get(JOBS).json()["results"]] == [str(waiting.pk), str(done.pk)]
    assert [row["id"] for row in api.get(JOBS, {"state": "queued"}).json()["results"]] == [str(waiting.pk)]
    assert [row["id"] for row in api.get(JOBS, {"kind": "test.count"}).json()["results"]] == [str(done.pk)]


@pytest.mark.parametrize("query", [{"state": "asleep"}, {"stat": "queued"}, {"brand": "x"}])
def test_list_refuses_what_it_does_not_know(api, query):
    answer = api.get(JOBS, query)
    assert answer.status_code == 400
    assert answer.json()["where"].split("[")[0] == next(iter(query))


def test_detail_and_logs(api, submit):
    job = submit("refuse")
    run_queued_jobs()
    body = api.get(f"{JOBS}{job.pk}/").json()
    assert (body["state"], body["problem"]["where"], body["actor"]) == ("failed", "line 1", "alice@example.com")
    lines = api.get(f"{JOBS}{job.pk}/logs/").json()["results"]
    assert [line["level"] for line in lines] == ["info", "info", "error"]
    errors = api.get(f"{JOBS}{job.pk}/logs/", {"level": "error"}).json()["results"]
    assert [line["message"] for line in errors] == [lines[2]["message"]]
    assert api.get(f"{JOBS}{job.pk}/logs/", {"after": lines[1]["id"]}).json()["count"] == 1


def test_cancel_and_retry(api, submit):
    job = submit("count")
    assert api.post(f"{JOBS}{job.pk}/cancel/").json()["state"] == "cancelled"
    assert api.post(f"{JOBS}{job.pk}/cancel/").status_code == 409
    assert api.post(f"{JOBS}{job.pk}/retry/").json()["state"] == "queued"
    assert Dispatch.objects.filter(job_id=job.pk).count() == 1


def test_anonymous_gets_401(acme, submit):
    job = submit("count")
    for path in (JOBS, f"{JOBS}{job.pk}/", f"{JOBS}{job.pk}/logs/", SCHEDULES):
        assert api_of(None).get(path).status_code == 401


def test_foreign_and_missing_look_alike(acme, birch, alice, bob, submit):
    job = submit("count")
    with inside(birch):
        stranger = api_of(bob, host="birch.localhost")
    for method, tail in (("get", ""), ("get", "logs/"), ("post", "cancel/"), ("post", "retry/")):
        answers = []
        for job_id in (job.pk, uuid4()):
            answer = getattr(stranger, method)(f"{JOBS}{job_id}/{tail}")
            body = {name: value for name, value in answer.json().items() if name not in ("instance", "request_id")}
            answers.append((answer.status_code, body))
        assert answers[0] == answers[1]
        assert answers[0][0] == 404
    with inside(acme):
        job.refresh_from_db()
        assert job.state == State.QUEUED


def test_role_of_one_brand(alice):
    mine, other = factories.BrandFactory(), factories.BrandFactory()
    seen = submit_job(kind="test.count", params={}, actor=alice, brand=mine)
    for brand in (other, None):
        submit_job(kind="test.count", params={}, actor=alice, brand=brand)
    viewer = api_of(factories.person("vera", Role.VIEWER, brand=mine))
    assert [row["id"] for row in viewer.get(JOBS).json()["results"]] == [str(seen.pk)]
    assert viewer.post(f"{JOBS}{seen.pk}/cancel/").status_code == 403
    assert Job.objects.filter(state=State.QUEUED).count() == 3


def test_adops_may_not_list(acme):
    adops = api_of(factories.person("rita", Role.RETAILER_ADOPS))
    assert adops.get(JOBS).status_code == 403


def test_schedule_life(api, alice):
    made = api.post(SCHEDULES, {"kind": "test.count", "params": {"to": 2}, "crontab": "15 6 * * *"})
    assert made.status_code == 201, made.json()
    one = f"{SCHEDULES}{made.json()['id']}/"
    assert api.get(one).json()["crontab"] == "15 6 * * *"
    changed = api.patch(one, {"every_seconds": 600, "enabled": False}).json()
    assert (changed["every_seconds"], changed["crontab"], changed["enabled"]) == (600, "", False)
    assert [row["id"] for row in api.get(SCHEDULES).json()["results"]] == [made.json()["id"]]
    assert api.delete(one).status_code == 204
    assert api.get(one).status_code == 404
    assert not PeriodicTask.objects.filter(name__startswith="acme/").exists()


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ({"kind": "test.count"}, "every_seconds"),
        ({"kind": "test.count", "every_seconds": 5}, "every_seconds"),
        ({"kind": "test.count", "every_seconds": 600, "crontab": "1 1 * * *"}, "every_seconds"),
        ({"kind": "test.count", "crontab": "often"}, "crontab"),
        ({"kind": "test.count", "crontab": "99 1 * * *"}, "crontab"),
        ({"kind": "test.nothing", "every_seconds": 600}, "kind"),
        ({"kind": "test.count", "every_seconds": 600, "owner": "me"}, "owner"),
    ],
)
def test_schedule_refused(api, body, where):
    answer = api.post(SCHEDULES, body)
    assert answer.status_code == 400
    assert answer.json()["where"] == where
    assert not PeriodicTask.objects.filter(name__startswith="acme/").exists()


def test_schedules_of_another_tenant_do_not_exist(api, alice, birch, bob):
    with inside(birch):
        owner = api_of(bob, host="birch.localhost")
    made = owner.post(SCHEDULES, {"kind": "test.count", "every_seconds": 600}).json()
    assert api.get(SCHEDULES).json()["count"] == 0
    for method in ("get", "patch", "delete"):
        assert getattr(api, method)(f"{SCHEDULES}{made['id']}/").status_code == 404
    assert PeriodicTask.objects.filter(name=f"birch/{made['id']}").exists()


def test_viewer_may_not_schedule(acme):
    viewer = api_of(factories.person("vera", Role.VIEWER))
    assert viewer.get(SCHEDULES).status_code == 403
    assert viewer.post(SCHEDULES, {"kind": "test.count", "every_seconds": 600}).status_code == 403
