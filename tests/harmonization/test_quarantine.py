from __future__ import annotations

import csv
import io
import json
from decimal import Decimal

import polars as pl
import pytest
from django.core.management import call_command

from accounts.core.permissions import Role
from harmonization import selectors as data
from harmonization import services
from harmonization.loads import selectors
from harmonization.models import Load
from jobs.draining import run_queued_jobs
from tenants.core.problems import Conflict, NotAllowed
from tests.conftest import api_of
from tests.factories import BrandFactory, person
from tests.harmonization.conftest import walmart_csv, walmart_row

BAD = walmart_row("2026-11-03", spend="-5.00")
PAGE = "/data/quarantine/"


@pytest.fixture
def mend(alice):
    """`mend()`: publish a version of the mapping that lets negative spend pass."""

    def _mend(version: int = 2) -> None:
        text = data.contract_named(name="walmart_search_item").published.text
        rule = next(line for line in text.splitlines() if "spend_not_negative" in line)
        mended = text.replace(rule + "\n", "").replace(f"version: {version - 1}\n", f"version: {version}\n", 1)
        examples = mended.index("examples:")
        services.save_contract(actor=alice, text=mended[:examples])

    return _mend


@pytest.fixture
def waiting(load, walmart) -> Load:
    load(walmart_csv(walmart_row(spend="10.00"), BAD, walmart_row("2026-11-04", spend="-6.00")), walmart)
    return Load.objects.get()


def spend(account) -> Decimal:
    view = data.published_events(brand_ids=[account.brand_id])
    return view.rows.select(pl.col("spend").sum()).collect().item()


def test_rules_with_rows_and_money(waiting, alice):
    (load,) = selectors.quarantined_loads(user=alice)
    (rule,) = selectors.broken_rules([load])
    assert (rule.rule, rule.loads, rule.rows) == ("spend_not_negative", 1, 2)
    assert rule.spend == {"USD": Decimal("-11.00")}
    assert not selectors.quarantined_loads(user=alice, rule="another")
    assert not selectors.quarantined_loads(user=alice, contract="another")


def test_rows_have_their_cells_and_the_broken_rule(waiting):
    count, rows = selectors.quarantine_of(waiting, rule="spend_not_negative", offset=1)
    assert (count, [row.source_row for row in rows]) == (2, [4])
    assert rows[0].raw["adSpend"] == "-6.00"
    assert rows[0].findings[0]["column"] == "spend"
    assert selectors.quarantine_of(waiting, rule="another") == (0, [])


def test_replay_rescues_rows_and_replaces_the_load(waiting, walmart, alice, mend):
    assert spend(walmart) == Decimal("10.00")
    mend()
    job = services.replay_load(actor=alice, load=waiting)
    assert services.replay_load(actor=alice, load=waiting) == job
    run_queued_jobs()
    waiting.refresh_from_db()
    assert waiting.status == "replaced"
    now = Load.objects.get(status="published")
    outcome = selectors.replay_of(now)
    assert (outcome.before, outcome.rescued, outcome.now, outcome.newly) == (2, 2, 0, 0)
    assert outcome.rescued_spend == {"USD": "-11.000000"}
    assert spend(walmart) == Decimal("-1.00")
    with pytest.raises(Conflict):
        services.replay_load(actor=alice, load=waiting)


def test_replay_under_the_same_version_is_refused(waiting, alice):
    with pytest.raises(Conflict, match="in force"):
        services.replay_load(actor=alice, load=waiting)


def test_all_loads_of_a_mapping(load, walmart, alice, mend):
    load(walmart_csv(walmart_row(), BAD), walmart)
    load(walmart_csv(walmart_row("2026-10-01"), walmart_row("2026-10-02", spend="-1.00")), walmart, "october.csv")
    load(walmart_csv(walmart_row("2026-09-01")), walmart, "september.csv")
    contract = data.contract_named(name="walmart_search_item")
    assert services.replay_contract(actor=alice, contract=contract).jobs == []
    mend()
    contract.refresh_from_db()
    done = services.replay_contract(actor=alice, contract=contract)
    assert (len(done.jobs), done.left) == (2, 0)
    run_queued_jobs()
    assert not selectors.quarantined_loads(user=alice).exists()
    assert services.replay_contract(actor=alice, contract=contract).jobs == []


def test_replay_needs_the_right_to_send(waiting, mend):
    mend()
    carol = person("carol", Role.ANALYST)
    with pytest.raises(NotAllowed):
        services.replay_load(actor=carol, load=waiting)
    with pytest.raises(NotAllowed):
        services.replay_contract(actor=carol, contract=data.contract_named(name="walmart_search_item"))


def test_page_shows_and_filters(waiting, browser):
    page = browser.get(PAGE).content.decode()
    assert "item.csv" in page
    assert "spend_not_negative" in page
    assert "item.csv" not in browser.get(PAGE, {"rule": "another"}).content.decode()
    rows = browser.get(f"/data/loads/{waiting.pk}/quarantine/").content.decode()
    assert "-6.00" in rows
    assert "Search Ingrid" in rows


def test_replay_buttons(waiting, browser, mend):
    refused = browser.post(f"/data/loads/{waiting.pk}/replay/", follow=True)
    assert "in force" in refused.content.decode()
    mend()
    assert "put right since" in browser.get(PAGE).content.decode()
    assert browser.post("/data/mappings/walmart_search_item/replay/").status_code == 302
    run_queued_jobs()
    now = Load.objects.get(status="published")
    assert "Rescued" in browser.get(f"/data/loads/{now.pk}/quarantine/").content.decode()
    assert "Nothing waits" in browser.get(PAGE).content.decode()


def test_file_has_no_formulas(load, walmart, browser):
    load(walmart_csv(walmart_row().replace("Sea Salt", "=cmd|' /C calc'!A0"), BAD.replace("Sea Salt", "=1+1")), walmart)
    waiting = Load.objects.get()
    answer = browser.get(f"/data/loads/{waiting.pk}/quarantine/export/?export=csv")
    lines = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
    name = lines[0].index("itemName")
    assert lines[1][name] == "'=1+1"
    assert lines[1][0] == "3"
    xlsx = browser.get(f"/data/loads/{waiting.pk}/quarantine/export/?export=xlsx")
    frame = pl.read_excel(io.BytesIO(xlsx.content), engine="calamine", sheet_id=1)
    assert frame["itemName"].to_list() == ["=1+1"]
    assert browser.get(f"/data/loads/{waiting.pk}/quarantine/export/?export=exe").status_code == 400


def test_rest(waiting, api, mend):
    (told,) = api.get("/api/v1/quarantine/").json()["results"]
    assert (told["id"], told["rows_quarantined"], told["can_replay"]) == (str(waiting.pk), 2, False)
    assert api.get("/api/v1/quarantine/", {"rule": "another"}).json()["results"] == []
    body = api.get(f"/api/v1/loads/{waiting.pk}/quarantine/", {"offset": 1}).json()
    assert (body["rows_matching"], body["rows"][0]["raw"]["adSpend"]) == (2, "-6.00")
    assert api.post(f"/api/v1/loads/{waiting.pk}/replay/").status_code == 409
    mend()
    answer = api.post("/api/v1/mappings/walmart_search_item/replay/")
    assert (answer.status_code, len(answer.json()["jobs"])) == (202, 1)


def test_other_brand_sees_nothing(waiting, storage):
    carol = api_of(person("carol", Role.ANALYST, brand=BrandFactory(slug="pretzels")))
    assert carol.get("/api/v1/quarantine/").json()["results"] == []
    for part in ("quarantine/", "quarantine/export/", "history/"):
        assert carol.get(f"/api/v1/loads/{waiting.pk}/{part}").status_code == 404


def test_command(waiting, alice, capsys, tmp_path, mend):
    def call(*arguments: str):
        capsys.readouterr()
        call_command("quarantine", "--tenant", "acme", "--as", alice.email, "--json", *arguments)
        return json.loads(capsys.readouterr().out)

    assert call("list")["rules"][0]["rule"] == "spend_not_negative"
    assert call("show", str(waiting.pk))["matching"] == 2
    call("show", str(waiting.pk), f"--out={tmp_path / 'rows.csv'}")
    assert "-6.00" in (tmp_path / "rows.csv").read_text("utf-8-sig")
    mend()
    assert call("replay", f"--load={waiting.pk}")["state"] == "queued"
