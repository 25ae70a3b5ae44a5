from __future__ import annotations

import json
import os
import time

import pytest
from django.core.management import call_command

from accounts.core.permissions import Role
from harmonization import services
from harmonization.models import ImportedFile, ImportSource, Load, Upload
from jobs.core.schedules import Timing
from jobs.draining import run_queued_jobs
from jobs.models import Job
from jobs.selectors import schedules_visible
from tenants.core.problems import Conflict, InvalidInput, NotAllowed
from tests.factories import person
from tests.harmonization.conftest import walmart_csv, walmart_row

HOURLY = Timing(every_seconds=3600)


@pytest.fixture
def folder(tmp_path, settings):
    root = tmp_path / "exports"
    root.mkdir()
    settings.IMPORT_ROOTS = [f"acme={root}", f"birch={tmp_path / 'other'}"]
    return root


@pytest.fixture
def source(folder, walmart, alice, storage):
    return services.create_import_source(
        actor=alice, account=walmart, name="Walmart drop", location=f"folder:{folder}", glob="*.csv", timing=HOURLY
    )


def put(folder, name: str, content: bytes, *, age: float = 3600) -> None:
    path = folder / name
    path.write_bytes(content)
    os.utime(path, (time.time() - age,) * 2)


def look(source, actor) -> dict:
    job = services.start_import(actor=actor, source=source)
    run_queued_jobs()
    job.refresh_from_db()
    assert job.state == "succeeded", job.problem
    return job.result


def test_new_file_is_taken_once_and_harmonised(source, folder, alice):
    put(folder, "a.csv", walmart_csv())
    assert look(source, alice)["taken"] == 1
    assert Load.objects.get().status == "published"
    assert look(source, alice) == {
        "source": "Walmart drop",
        "files": 1,
        "taken": 0,
        "failed": 0,
        "waiting": 0,
        "known": 1,
    }
    assert Upload.objects.count() == 1


def test_same_content_under_another_name_is_one_upload(source, folder, alice):
    put(folder, "a.csv", walmart_csv())
    put(folder, "b.csv", walmart_csv())
    assert look(source, alice)["taken"] == 2
    assert Upload.objects.count() == Load.objects.count() == 1


def test_file_that_is_still_written_waits(source, folder, alice):
    put(folder, "a.csv", walmart_csv(), age=0)
    assert look(source, alice)["waiting"] == 1
    assert not Upload.objects.exists()
    put(folder, "a.csv", walmart_csv(walmart_row(), walmart_row("2026-11-03")), age=90)
    assert look(source, alice)["waiting"] == 1, "it has changed since the last look"
    assert look(source, alice)["taken"] == 1
    assert Load.objects.get().rows_in == 2


def test_marker_decides_where_asked_for(source, folder, alice):
    ImportSource.objects.update(needs_marker=True)
    put(folder, "a.csv", walmart_csv())
    assert look(source, alice)["waiting"] == 1
    put(folder, "a.csv.done", b"")
    assert look(source, alice)["taken"] == 1


def test_refused_file_is_told_and_keeps_no_other_back(source, folder, alice):
    put(folder, "a.csv", b"")
    put(folder, "b.csv", walmart_csv())
    result = look(source, alice)
    assert (result["taken"], result["failed"]) == (1, 1)
    refused = ImportedFile.objects.get(state="failed")
    assert "is empty" in refused.problem["detail"]
    assert look(source, alice)["known"] == 2
    put(folder, "a.csv", walmart_csv(walmart_row("2026-11-09")))
    assert look(source, alice)["taken"] == 1


def test_place_that_is_gone_is_told(source, folder, alice):
    folder.rename(folder.parent / "moved")
    job = services.start_import(actor=alice, source=source)
    run_queued_jobs()
    job.refresh_from_db()
    source.refresh_from_db()
    assert (job.state, source.problem["code"]) == ("failed", "not-found")


def test_root_that_was_taken_away_stops_the_import(source, folder, alice, settings):
    put(folder, "a.csv", walmart_csv())
    settings.IMPORT_ROOTS = []
    job = services.start_import(actor=alice, source=source)
    run_queued_jobs()
    job.refresh_from_db()
    assert job.state == "failed"
    assert not Upload.objects.exists()


def test_place_of_another_tenant_is_refused(folder, walmart, alice, tmp_path):
    (tmp_path / "other").mkdir()
    with pytest.raises(InvalidInput, match="outside"):
        services.create_import_source(
            actor=alice, account=walmart, name="x", location=f"folder:{tmp_path / 'other'}", timing=HOURLY
        )
    assert not ImportSource.objects.exists()


def test_planner_may_look_but_not_watch(source, folder, walmart):
    carol = person("carol", Role.PLANNER)
    with pytest.raises(NotAllowed):
        services.create_import_source(
            actor=carol, account=walmart, name="y", location=f"folder:{folder}", timing=HOURLY
        )
    with pytest.raises(NotAllowed):
        services.remove_import_source(actor=carol, source=source)
    assert services.start_import(actor=carol, source=source).state == "queued"


def test_schedule_comes_and_goes_with_the_place(source, alice):
    (schedule,) = schedules_visible(user=alice)
    assert (schedule.id, schedule.params) == (source.schedule_id, {"source_id": str(source.pk)})
    services.remove_import_source(actor=alice, source=source)
    assert not schedules_visible(user=alice)


def test_name_is_taken_once(source, folder, walmart, alice):
    with pytest.raises(Conflict):
        services.create_import_source(
            actor=alice, account=walmart, name="Walmart drop", location=f"folder:{folder}", timing=HOURLY
        )


def test_page_and_rest(folder, walmart, alice, browser, api, storage):
    form = {"name": "Drop", "account": walmart.pk, "location": f"folder:{folder}", "glob": "*", "contract": "auto"}
    refused = browser.post("/data/imports/", {**form, "location": "folder:/etc", "every_minutes": 60})
    assert refused.status_code == 400
    assert "outside" in refused.content.decode()
    assert browser.post("/data/imports/", {**form, "every_minutes": 60}).status_code == 302
    (told,) = api.get("/api/v1/imports/").json()["results"]
    assert told["name"] == "Drop"
    put(folder, "a.csv", walmart_csv())
    assert api.post(f"/api/v1/imports/{told['id']}/run/").status_code == 202
    run_queued_jobs()
    assert "a.csv" in browser.get("/data/imports/").content.decode()
    (file,) = api.get(f"/api/v1/imports/{told['id']}/").json()["files"]
    assert file["state"] == "taken"
    answer = api.post("/api/v1/imports/", {"account": walmart.pk, "name": "N", "location": "s3://x/y"}, format="json")
    assert (answer.status_code, answer.json()["where"]) == (400, "location")
    assert api.delete(f"/api/v1/imports/{told['id']}/").status_code == 204


def test_command(source, folder, alice, capsys):
    put(folder, "a.csv", walmart_csv())
    call_command("import_files", "--tenant", "acme", "--as", alice.email, "--json", "run")
    assert json.loads(capsys.readouterr().out)["jobs"][0]["state"] == "queued"
    run_queued_jobs()
    call_command("import_files", "--tenant", "acme", "--as", alice.email, "--json", "list")
    assert json.loads(capsys.readouterr().out)["places"][0]["taken"] == 1
    assert Job.objects.filter(state="succeeded").count() == 2
