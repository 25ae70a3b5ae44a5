"""A process that is lost before or after its curves are written: done again there is one version of them."""

from __future__ import annotations

import pytest

from optimization import services
from optimization.models import CurveVersion
from tests.jobs.attempts import LostAfter, lose, moments, work_off


@pytest.fixture(autouse=True)
def _no_cache(fresh_cache: None) -> None:
    """Figures are kept under the version of the data, which starts anew in every test."""


@moments
def test_a_fit(market, chips, alice, lost):
    job = services.request_fit(actor=alice, brand=chips)
    lose(job, lost)
    assert CurveVersion.objects.count() == (lost is LostAfter)
    told, _ = work_off(job)
    version = CurveVersion.objects.get()
    assert (told["number"], told["curve_version"], version.job_id) == (1, str(version.pk), job.pk)
    assert version.curves
