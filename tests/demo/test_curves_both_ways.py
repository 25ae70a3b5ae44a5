"""One generated tenant through the whole product, and by the short way of the proof: the same curves."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from accounts.core.permissions import Role
from demo import services as demo
from demo.core.exports import write_sample_exports
from jobs.draining import run_queued_jobs
from optimization.core.stored_curves import StoredCurve
from optimization.services import fit_curves
from proofs._generated_tenants import GeneratedTenant
from tenants.models import Tenant
from tests import factories

SEED = 2000


def test_the_short_way_of_the_proof_sees_what_the_product_sees(acme: Tenant, storage: Path, tmp_path: Path) -> None:
    owner = factories.person("olive", Role.OWNER)
    write_sample_exports(tmp_path, seed=SEED, profile="birch")
    truth = json.loads((tmp_path / "truth.json").read_text())
    demo._load_catalogue(owner, tmp_path / "catalogue.csv")
    accounts = demo._accounts(owner, truth)
    files = [entry for entry in truth["files"] if entry["set"] == "demo" and entry["contract"]]
    jobs = [demo._upload(owner, tmp_path / entry["file"], accounts[demo._key(entry)]) for entry in files]
    run_queued_jobs()
    states = {}
    for job, entry in zip(jobs, files, strict=True):
        job.refresh_from_db()
        states[entry["file"]] = job.state
    broken = {entry["file"] for entry in files if entry.get("broken")}
    assert {name for name, state in states.items() if state != "succeeded"} == broken

    product = {curve.key: curve for curve in map(StoredCurve.of, fit_curves().version.curves)}
    short = GeneratedTenant.drawn(SEED, "birch").stored
    assert set(product) == {curve.key for curve in short}
    for curve in short:
        spend = curve.reference_spend * np.array([0.5, 1.0, 2.0])
        other = product[curve.key]
        assert other.n_weeks == curve.n_weeks
        assert other.revenue(spend) == pytest.approx(curve.revenue(spend), rel=1e-9)
        np.testing.assert_allclose(other.interval(spend), curve.interval(spend), rtol=1e-9)
