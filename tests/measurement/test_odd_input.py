"""Experiments and data as nobody should send them: answered with words, never with a crash."""

from __future__ import annotations

import csv
import io
import json
from datetime import date
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command

from accounts.models import Brand, User
from measurement import services
from measurement.models import Experiment
from tests.cases import all_cases
from tests.conftest import api_of, browser_of
from tests.measurement.conftest import GEOS, as_csv, fresh, geo_rows, summary

FORMULA = '=HYPERLINK("http://x.test")'


def named(*names: str) -> bytes:
    """The history with the first markets under other names."""
    other = dict(zip(GEOS, names, strict=False))
    return as_csv([(day, other.get(geo, geo), sales, cost) for day, geo, sales, cost in geo_rows(date(2026, 8, 19))])


def test_an_assignment_file_holds_no_formula_and_keeps_commas(
    experiment: Any, send: Any, alice: User, capsys: pytest.CaptureFixture[str]
) -> None:
    one = experiment()
    send(one, named(FORMULA, "Portland, OR"))
    services.design_experiment(experiment=fresh(one))
    services.choose_candidate(actor=alice, experiment=fresh(one), choice=0)
    call_command("experiments", "--tenant", "acme", "assignment", one.label)
    texts = (
        api_of(alice).get(f"/api/v1/experiments/{one.pk}/assignment/").content.decode(),
        browser_of(alice).get(f"/experiments/{one.pk}/assignment.csv").content.decode(),
        capsys.readouterr().out,
    )
    for text in texts:
        rows = list(csv.DictReader(io.StringIO(text)))
        units = {row["unit"] for row in rows}
        assert f"'{FORMULA}" in units
        assert "Portland, OR" in units
        assert {row["group"] for row in rows} == {"treated", "control"}
    again = services.assign_units(actor=alice, experiment=fresh(one), content=texts[0].encode())
    assert again.units.filter(unit=FORMULA).exists()
