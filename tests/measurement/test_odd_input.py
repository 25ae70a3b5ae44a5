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
        api_of(alice).get(f"/api/v1/experiments/{one.pk}/assignment.csv").content.decode(),
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


def test_odd_files_are_refused_with_words(experiment: Any, alice: User) -> None:
    api = api_of(alice)
    geo, users = experiment(currency=""), experiment(kind="ab")
    rows = geo_rows(date(2026, 5, 20))
    arm = '{"sum": 1, "sum_of_squares": 1, "n": 2}'
    files = {
        "header with a huge field": (geo, b'"' + b"x" * 200_000 + b'",date,geo,sales\n'),
        "carriage returns alone": (geo, b"date,geo,sales\r2020-01-01,x,1\r"),
        "NUL in the header": (geo, b"date,geo,sales,a\x00b\n2020-01-01,x,1,2\n"),
        "NUL in a unit": (geo, named("a\x00b")),
        "long unit": (geo, named("u" * 121)),
        "long currency": (
            geo, as_csv([(*row, "USDOLLARS") for row in rows], ("date", "geo", "sales", "spend", "currency")),
        ),
        "integer of 400 digits": (
            users, f'{{"treated": {arm.replace("1", "1" + "0" * 400, 1)}, "control": {arm}}}'.encode(),
        ),
        "sum that has no square": (users, f'{{"treated": {arm.replace("1", "1e200", 1)}, "control": {arm}}}'.encode()),
        "deep brackets": (users, b"[" * 100_000),
        "currency of a half sign": (users, summary(currency="\ud800")),
    }  # fmt: skip
    with all_cases() as case:
        for name, (one, content) in files.items():
            with case(name):
                file = SimpleUploadedFile("x.csv", content)
                answer = api.post(f"/api/v1/experiments/{one.pk}/panels/", {"file": file}, format="multipart")
                assert answer.status_code == 400, answer.content[:200]
                assert answer.json()["detail"]


def test_odd_assignments_are_refused_with_words(experiment: Any, send: Any, alice: User) -> None:
    one = experiment()
    send(one, named())
    with all_cases() as case:
        for name in ("q" * 121, "q\x00q"):
            with case(name):
                content = as_csv([("geo 00", "treated"), ("geo 01", "control"), (name, "excluded")], ("unit", "group"))
                answer = api_of(alice).post(
                    f"/api/v1/experiments/{one.pk}/assignment/",
                    {"file": SimpleUploadedFile("a.csv", content)}, format="multipart",
                )  # fmt: skip
                assert answer.status_code == 400, answer.content[:200]


def test_odd_requests_are_refused_with_words(experiment: Any, alice: User, chips: Brand) -> None:
    api = api_of(alice)
    for body in (
        {"name": "x", "kind": "ab", "start_date": "9999-12-31", "end_date": "9999-12-31"},
        {"name": "\ud800", "kind": "ab"},
        {"name": "n", "settings": {"effects": [0]}},
    ):
        content = json.dumps(body | {"brand": str(chips.pk)})
        assert api.post("/api/v1/experiments/", content, content_type="application/json").status_code == 400
    users = experiment(kind="ab", end_date=None, settings={"baseline_rate": 0.1, "daily_users": 2, "effects": [0.001]})
    services.design_experiment(experiment=fresh(users))
    here = f"/api/v1/experiments/{users.pk}/"
    chosen = api.post(f"{here}candidate/", {"choice": 0}, format="json")
    assert (chosen.status_code, "days" in chosen.json()["detail"]) == (400, True)
    assert api.post(f"{here}design/", HTTP_IDEMPOTENCY_KEY="k" * 201).status_code == 400
    assert Experiment.objects.count() == 1


def test_what_the_schema_does_not_allow_is_refused(experiment: Any, alice: User, chips: Brand) -> None:
    api, one = api_of(alice), experiment()
    assert api.get("/api/v1/experiments/?state=bogus").status_code == 400
    assert api.get("/api/v1/experiments/?state=draft").json()["results"][0]["id"] == str(one.pk)
    for body in ({"name": ["x"]}, {"name": "n", "settings": {"cells": [{}]}}, {"name": "n", "retailer": {}}):
        assert api.post("/api/v1/experiments/", body | {"brand": str(chips.pk)}, format="json").status_code == 400
    for timing in ({"crontab": "* * * * *"}, {"crontab": "*/5 6 * * *"}, {"every_seconds": 60}):
        body = {"on": True, "source": {"kind": "events", "unit": "sku"}, **timing}
        assert api.post(f"/api/v1/experiments/{one.pk}/refreshes/", body, format="json").status_code == 400
    assert services.schedule_of(fresh(one)) is None


def test_data_that_were_there_are_not_said_to_be_new(experiment: Any, alice: User) -> None:
    one, codes = experiment(), []
    for _ in range(2):
        file = SimpleUploadedFile("x.csv", named())
        answer = api_of(alice).post(f"/api/v1/experiments/{one.pk}/panels/", {"file": file}, format="multipart")
        codes.append(answer.status_code)
    assert codes == [201, 200]
