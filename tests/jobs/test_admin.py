"""Jobs in the tenant's admin, dispatches in the platform's."""

from __future__ import annotations

import pytest
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME

from accounts.core.permissions import Role
from jobs.core.states import State
from tests import factories
from tests.conftest import browser_of

pytestmark = pytest.mark.usefixtures("storage")


def test_owner_sees_cancels_and_cannot_edit(browser, submit):
    job = submit("count")
    assert "Test count" in browser.get("/admin/jobs/job/").content.decode()
    assert browser.get(f"/admin/jobs/job/{job.pk}/change/").status_code == 200
    browser.post(f"/admin/jobs/job/{job.pk}/change/", {"title": "mine"})
    browser.post("/admin/jobs/job/", {"action": "cancel", ACTION_CHECKBOX_NAME: [str(job.pk)]})
    job.refresh_from_db()
    assert (job.title, job.state) == ("Test count", State.CANCELLED)


def test_viewer_cannot_cancel_here_either(acme, submit):
    job = submit("count")
    viewer = browser_of(factories.person("vera", Role.VIEWER))
    viewer.post("/admin/jobs/job/", {"action": "cancel", ACTION_CHECKBOX_NAME: [str(job.pk)]})
    job.refresh_from_db()
    assert job.state == State.QUEUED
