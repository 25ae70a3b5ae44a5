"""Files of experiments' data share the tenant's storage, tell of nobody, and go when nothing needs them."""

from __future__ import annotations

import hashlib
import os
from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.core.permissions import Role
from jobs.models import Job
from measurement import selectors, services
from measurement.core.personal_data import personal_data
from measurement.models import PanelRemoval
from measurement.presenters import spend_so_far
from measurement.services import panel_files, panels
from tenants.core.problems import Conflict, InvalidInput, NotAllowed, QuotaExceeded, TooLarge
from tenants.services.storage import storage_used
from tests import factories
from tests.jobs.attempts import Killed, work_off
from tests.measurement.conftest import END, START, SUMMARY, as_csv, fresh, geo_rows, summary, treated_of

HISTORY = as_csv(geo_rows(START - timedelta(13)))
LONG_AGO = (timezone.now() - timedelta(days=40)).timestamp()


def _kept(storage):
    return {path.name for path in (storage / "tenants/acme/experiments").rglob("*") if path.is_file()}


def _aged(storage):
    for path in storage.rglob("*"):
        os.utime(path, (LONG_AGO, LONG_AGO))


def _killed(*_, **__):
    raise Killed


@pytest.fixture
def tidied(alice):
    def _tidied(days=0):
        outcome, _ = work_off(services.start_tidying(actor=alice, days=days))
        return outcome["files"]

    return _tidied


def test_they_fill_the_storage_of_the_tenant(experiment, send, acme):
    one = experiment()
    send(one, HISTORY)
    send(experiment(name="The same file"), HISTORY)
    assert storage_used()["data of experiments"] == len(HISTORY)
    acme.storage_quota_mb = 0
    with pytest.raises(QuotaExceeded, match="data of experiments"):
        send(one, as_csv(geo_rows(START)))
    assert one.panels.count() == 1


HASHED = hashlib.sha256(b"ann@example.com").hexdigest()


@pytest.mark.parametrize(("cell", "told"), [("ann@example.com", "e-mail address"), (HASHED, "hash of an identifier")])
def test_a_file_that_tells_of_people_is_refused(experiment, send, storage, cell, told):
    """In whatever column: the file is kept whole."""
    rows = [(*row, cell if at > 2 else "none") for at, row in enumerate(geo_rows(START - timedelta(13)))]
    one = experiment()
    content = as_csv(rows, ("date", "geo", "sales", "spend", "buyer"))
    with pytest.raises(InvalidInput, match=rf"{told}.*line 5 first") as caught:
        send(one, content)
    assert cell not in str(caught.value.as_dict())
    with pytest.raises(InvalidInput, match=told):
        send(one, content.decode().encode("utf-16"))
    assert not one.panels.exists()
    assert not [path for path in storage.rglob("*") if path.is_file()]


def test_what_is_of_nobody_is_not_taken_for_people():
    sku = "550e8400e29b41d4a716446655440000"
    text = f"date,sku,sales\n2026-05-01,{sku},12\n2026-05-01,Chips @ home,{'1' * 64}\n2026-05-01,{'ab' * 40},3\n"
    assert personal_data(text.encode()) == ()


@pytest.mark.parametrize(
    "text",
    [
        "geo 1,anna@müller.de\n",
        "geo 1,ANNA@EXAMPLE.COM\n",
        "geo 1,Anna@Example.Com\n",
        f"geo 1,0x{'ab' * 32}\n",
        f"geo 1,u_{'ab' * 20}\n",
        '{"note": "ann\\u0040example.com"}',
        '{"note": "' + "\\u0061b" * 32 + '"}',
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-8-sig", "latin-1"])
def test_people_are_found_however_they_are_written(text, encoding):
    assert personal_data(text.encode(encoding))


@pytest.mark.parametrize("text", ["Store@Mall.East,1\n", "logo@2x.png,1\n", "3@1.50,1\n", f"0x{'1' * 64}\n"])
def test_marks_that_are_no_address_are_left_alone(text):
    assert personal_data(text.encode()) == ()


def test_a_file_is_gone_through_once():
    """Looking back from every place took minutes of a file without a blank."""
    for text in (b"a" * 2**22 + b"@", b"a@" * 2**21, b"a@" + b"a." * 2**21 + b"1"):
        assert personal_data(text) == ()


@pytest.mark.parametrize("further", [{"users": ["Ann Smith"]}, {"treated": {**SUMMARY["treated"], "who": "Ann Smith"}}])
def test_sums_have_nothing_beside_them(experiment, send, further):
    one = experiment(kind="ab", settings={"baseline_rate": 0.1, "effects": [0.2], "daily_users": 1000})
    with pytest.raises(InvalidInput, match=r"Nothing is read from (users|treated\.who)"):
        send(one, summary(**further), "sums.json")
    assert not one.panels.exists()


def test_what_plan_and_reading_were_made_from_stays(running, send, alice, today, storage, tidied):
    one = running()
    rows = [geo_rows(START + timedelta(days), treated=treated_of(one)) for days in (1, 2)]
    between = [send(one, as_csv(each)) for each in rows]
    last = send(one, as_csv(geo_rows(END, treated=treated_of(one))))
    today(END + timedelta(1))
    services.analyse_experiment(experiment=fresh(one), actor=alice)
    later = send(one, as_csv(geo_rows(END + timedelta(1), treated=treated_of(one))))
    assert (tidied(), len(_kept(storage))) == (2, 3)
    plan = one.analysis_plan["data"]["sha256"]
    assert _kept(storage) == {plan, last.sha256, later.sha256}
    assert one.panels.count() == 5
    with pytest.raises(Conflict, match="The file of data 2 was removed"):
        services.panel_data(between[0])
    assert send(one, as_csv(rows[0])).number == 2
    assert services.panel_data(between[0]).units


def test_what_is_recent_stays(experiment, send, storage, tidied):
    one = experiment()
    send(one, HISTORY)
    send(one, as_csv(geo_rows(START)))
    assert (tidied(days=30), len(_kept(storage))) == (0, 2)


def test_the_data_of_what_was_given_up_are_erased(experiment, send, alice, storage):
    one, other = experiment(), experiment(name="It has one of them, too")
    send(one, HISTORY)
    send(other, HISTORY)
    own = send(one, as_csv(geo_rows(START)))
    with pytest.raises(Conflict, match="not given up"):
        services.erase_panels(actor=alice, experiment=fresh(one))
    services.cancel_experiment(actor=alice, experiment=one, reason="The wrong file.")
    with pytest.raises(NotAllowed):
        services.erase_panels(actor=factories.person("victor", Role.VIEWER), experiment=fresh(one))
    assert selectors.erasable(fresh(one)) == selectors.Erasable(files=1, shared=1)
    done = services.erase_panels(actor=alice, experiment=fresh(one))
    assert (done.files, done.bytes, done.shared) == (1, own.size, 1)
    with pytest.raises(Conflict, match="erased by a person"):
        services.panel_data(own)
    assert own.sha256 not in _kept(storage)
    assert len(_kept(storage)) == 1
    assert spend_so_far(fresh(one), selectors.latest_panel(one)) is None
    removal = PanelRemoval.objects.get()
    assert (removal.panel, removal.reason, removal.removed_by) == (own, "erased", alice)
    assert list(selectors.removals_of([own])) == [own.pk]
    assert selectors.erasable(fresh(other)) == selectors.Erasable()


def test_erasing_has_a_page_and_an_address(experiment, send, alice, browser, api, storage):
    one = experiment()
    own = send(one, HISTORY)
    page = f"/experiments/{one.pk}/"
    erase, panels = f"{page}erase/", f"/api/v1{page}panels/"
    assert "Erase the data" not in browser.get(page).content.decode()
    assert "was not given up" in browser.post(erase, follow=True).content.decode()
    assert api.delete(panels).status_code == 409
    services.cancel_experiment(actor=alice, experiment=fresh(one), reason="The wrong file.")
    assert "Erase the data" in browser.get(page).content.decode()
    assert "1 file removed" in browser.post(erase, follow=True).content.decode()
    shown = browser.get(page).content.decode()
    assert "Erase the data" not in shown
    assert f"by {alice.name}: erased by a person." in shown
    (told,) = api.get(panels).json()
    assert (told["id"], told["removed"]["reason"], told["removed"]["removed_by"]) == (str(own.pk), "erased", alice.name)
    assert api.get(f"/api/v1{page}").json()["panel"]["removed"]["reason"] == "erased"
    assert api.delete(panels).json() == {"files": 0, "bytes": 0, "shared": 0}
    assert PanelRemoval.objects.count() == 1


def test_what_another_brand_has_too_is_not_erased_and_not_told_of(experiment, send, alice, browser, storage):
    nutter = factories.person("nutter", Role.ANALYST, brand=factories.BrandFactory(slug="nuts"))
    theirs = experiment(name="Older data of a draft")
    old, _ = send(theirs, HISTORY), send(theirs, as_csv(geo_rows(START)))
    given_up = experiment(name="Given up, too")
    send(given_up, HISTORY)
    services.cancel_experiment(actor=alice, experiment=given_up, reason="Later.")
    mine = experiment(name="The same file", brand=nutter.grants.get().brand)
    send(mine, HISTORY)
    services.cancel_experiment(actor=nutter, experiment=mine, reason="The wrong file.")
    assert services.erase_panels(actor=nutter, experiment=fresh(mine)) == panel_files.Tidied(shared=1)
    assert old.sha256 in _kept(storage)
    assert not PanelRemoval.objects.exists()
    assert "Erase the data" not in browser.get(f"/experiments/{mine.pk}/").content.decode()


def test_a_file_that_is_gone_has_its_row(experiment, send, alice, monkeypatch, storage):
    """Lost between the two: the row is there, and the next one ends what was begun."""
    one = experiment()
    own = send(one, HISTORY)
    services.cancel_experiment(actor=alice, experiment=one, reason="The wrong file.")
    with monkeypatch.context() as patched:
        patched.setattr(Path, "unlink", _killed)
        with pytest.raises(Killed):
            services.erase_panels(actor=alice, experiment=fresh(one))
    assert (own.sha256 in _kept(storage), PanelRemoval.objects.count()) == (True, 1)
    assert selectors.removals_of([own]) == {}
    assert services.erase_panels(actor=alice, experiment=fresh(one)).files == 1
    assert list(selectors.removals_of([own])) == [own.pk]
    assert PanelRemoval.objects.count() == 1


def test_what_was_sent_again_is_not_told_to_be_removed(experiment, send, alice, tidied):
    one = experiment()
    first = send(one, HISTORY)
    send(one, as_csv(geo_rows(START)))
    assert tidied() == 1
    removal = PanelRemoval.objects.get()
    assert (removal.panel, removal.reason, removal.removed_by) == (first, "retention", None)
    assert selectors.removals_of([first]) == {first.pk: removal}
    assert send(one, HISTORY) == first
    assert selectors.removals_of([first]) == {}


def test_what_a_lost_process_left_is_swept(experiment, send, storage, tidied):
    send(experiment(), HISTORY)
    _aged(storage)
    stray = storage / "tenants/acme/experiments/ab/abcdef"
    partial = storage / "tenants/acme/incoming/x.part"
    for path in (stray, partial):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"half")
    assert tidied(days=30) == 0
    for path in (stray, partial):
        os.utime(path, (LONG_AGO, LONG_AGO))
    assert tidied(days=30) == 2
    assert len(_kept(storage)) == 1


def test_a_file_that_goes_while_others_are_counted(experiment, send, storage, tidied, monkeypatch):
    """A tidy run beside an upload."""
    one = experiment()
    first, second = send(one, HISTORY), send(one, as_csv(geo_rows(START)))
    gone, stat = selectors.stored_panel(first), Path.stat

    def vanishing(path, **how):
        if path == gone:
            path.unlink(missing_ok=True)
        return stat(path, **how)

    monkeypatch.setattr(Path, "stat", vanishing)
    assert selectors.panel_bytes() == second.size
    assert tidied() == 0
    assert _kept(storage) == {second.sha256}


@pytest.mark.parametrize("days", ["abc", "5", 2.5, None, True])
def test_a_schedule_whose_days_are_none_says_so(alice, days):
    job = services.start_tidying(actor=alice)
    job.params = {"days": days}
    with pytest.raises(InvalidInput, match=r"are no days\."):
        work_off(job)


def test_of_a_removed_file_only_its_own_experiments_are_asked(experiment, send, tidied):
    for number in (1, 2):
        one = experiment(name=f"Test {number}")
        for days in (number, 10 + number):
            send(one, as_csv(geo_rows(START - timedelta(days))))
    with CaptureQueriesContext(connection) as asked:
        assert tidied() == 2
    highest = [one["sql"] for one in asked if 'MAX("measurement_panelversion"."number")' in one["sql"]]
    assert [" IN (SELECT " in one for one in highest].count(False) == 1, "the first look alone is over all"


def test_operators_tidy_by_command(experiment, alice):
    out = StringIO()
    call_command("experiments", "--tenant", "acme", "--as", alice.email, "tidy", "--days", "5", stdout=out)
    job = Job.objects.get(kind=services.TIDY)
    assert (job.params, str(job.pk) in out.getvalue()) == ({"days": 5}, True)
    with pytest.raises(InvalidInput, match="out of range"):
        services.start_tidying(actor=alice, days=-1)


def test_a_reading_parses_each_file_once(readable, alice, monkeypatch):
    one, parsed, read = readable(), [], panels.read_panel
    monkeypatch.setattr(panels, "read_panel", lambda content, **how: parsed.append(content) or read(content, **how))
    services.analyse_experiment(experiment=one, actor=alice)
    assert len(parsed) == len(set(parsed)) == 2
    assert selectors.latest_reading(one).number == 1


def test_what_is_over_the_limits_is_not_read_to_its_end(experiment, send, alice, monkeypatch, storage):
    one, taken = experiment(), []
    monkeypatch.setattr(panel_files, "LARGEST", 3 * len(HISTORY))

    def chunks():
        for _ in range(100):
            taken.append(HISTORY)
            yield HISTORY

    with pytest.raises(TooLarge, match="larger than"):
        services.add_panel(actor=alice, experiment=one, chunks=chunks(), file_name="panel.csv")
    assert len(taken) == 4
    with pytest.raises(TooLarge, match="larger than 8 MiB"):
        services.assign_units(actor=alice, experiment=one, content=b"unit,group\n" * 1_000_000)
    assert not [path for path in storage.rglob("*") if path.is_file()]
