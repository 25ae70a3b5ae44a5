"""A load that is killed at any moment ends as if it had not been.

Real servers, real worker processes with leases of seconds, and SIGKILL: to the worker or to the child that runs the
job. Most moments are drawn at random over the time that an undisturbed load takes; some are aimed at the narrow place,
between the first file that reaches the event table and the end of the database's transaction. Afterwards every row of
the account, its quarantine and its counts have to be those of an account whose load nobody disturbed.
"""

from __future__ import annotations

import hashlib
import os
import random
import signal
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from proofs.registry import Cases, Proof
from proofs.sample_export import CONTRACT, write_export

if TYPE_CHECKING:
    from accounts.models import User
    from harmonization.models import Account
    from jobs.models import Job
    from tests.jobs.workers import Site

#: Columns that name the account or the load; all others have to be the same in every account.
_OWN = ("event_key", "load_id", "account_id", "account_name", "brand_id", "brand_name")

#: Seconds: more than a busy machine keeps a worker from renewing, so that every lost attempt is one that was killed.
LEASE = 10
#: How often a moment is drawn anew that came when the load had ended.
_TRIES = 4

Moment = Callable[["Watched"], None]


@dataclass
class Watched:
    """A load under way."""

    site: Site
    job: Job
    began: float

    def wait_until(self, seconds: float) -> None:
        """Until so long after its first sign of life, or until it has ended."""
        while time.monotonic() - self.began < seconds and not self.ended:
            time.sleep(0.02)

    def wait_for(self, sign: Callable[[], bool]) -> None:
        """Until a sign shows; looked for far more often than anything here takes."""
        while not sign() and not self.ended:
            time.sleep(0.001)

    @property
    def ended(self) -> bool:
        """Whether it ended before anybody killed it."""
        self.job.refresh_from_db(fields=["state"])
        return self.job.is_final


def at(seconds: float) -> Moment:
    """So long after the load began."""
    return lambda watched: watched.wait_until(seconds)


def when_a_file_reaches_the_table(watched: Watched) -> None:
    """The first rows are in the table's folder, and nothing is committed."""
    _when_more(watched, "proof_network/*.parquet")


def when_the_version_is_written(watched: Watched) -> None:
    """The version is in the log of the table, and the database does not name it."""
    _when_more(watched, "_delta_log/*.json")


def _when_more(watched: Watched, glob: str) -> None:
    from harmonization import selectors

    folder = selectors.events_folder().folder
    before = len(list(folder.glob(glob)))
    watched.wait_for(lambda: len(list(folder.glob(glob))) > before)


class Killing:
    """Loads of one export into an account each, on a running site.

    Args:
        rows: of the export; a tenth of it lies there before, as an earlier export of the same days.
    """

    def __init__(self, site: Site, *, rows: int, seed: int) -> None:
        from harmonization import services
        from tests import factories

        self.site, self.rows, self.random = site, rows, random.Random(seed)  # noqa: S311 - no secret
        self.actor: User = site.alice()
        services.save_contract(actor=self.actor, text=CONTRACT)
        self.brand: Any = factories.BrandFactory(slug="proof")
        self.retailer = factories.RetailerFactory(slug="proof", network="proof_network")
        self.earlier = write_export(site.folder / "earlier.csv", rows // 10, seed=seed + 1)
        self.later = write_export(site.folder / "later.csv", rows, seed=seed)
        self.patience = 120 + rows / 2_000
        self.accounts = 0

    def undisturbed(self) -> dict[str, Any]:
        """What the others are compared with, and how long it took."""
        account = self._account()
        self._worker()
        self._load(account, self.earlier)
        job = self._send(account, self.later)
        began = self._begun(job)
        self.site.ended(job, seconds=self.patience)
        return {"seconds": round(time.monotonic() - began, 3), **self._state(account, job)}

    def killed(self, moment: Moment, victim: str) -> dict[str, Any]:
        """An account's load, killed once at a moment; `victim` is `worker` or `child`."""
        account = self._account()
        self._worker()
        self._load(account, self.earlier)
        job = self._send(account, self.later)
        watched = Watched(self.site, job, self._begun(job))
        moment(watched)
        interrupted = not watched.ended
        stage = self._stage(job)
        after = round(time.monotonic() - watched.began, 3)
        self._kill(victim)
        self._worker()
        ended = self.site.ended(job, seconds=self.patience)
        told = {"victim": victim, "after_seconds": after, "stage": stage, "interrupted": interrupted}
        return {**told, "attempts": ended.attempt, **self._state(account, job)}

    def _account(self) -> Account:
        from tests import factories

        self.accounts += 1
        account: Account = factories.AccountFactory(  # type: ignore[assignment]
            brand=self.brand, retailer=self.retailer, external_id=f"proof-{self.accounts}", name=f"P{self.accounts}"
        )
        return account

    def _worker(self) -> None:
        if not any(worker.poll() is None for worker in self.site.workers):
            self.site.start_worker(queues="harmonize")

    def _send(self, account: Account, path: Path) -> Job:
        from harmonization import services

        with path.open("rb") as file:
            taken = services.take_file(
                actor=self.actor,
                chunks=iter(lambda: file.read(1 << 20), b""),
                file_name=path.name,
                account=account,
                contract="proof_daily",
            )
        assert taken.job is not None, "a report has a job"
        return taken.job

    def _load(self, account: Account, path: Path) -> None:
        job = self.site.ended(self._send(account, path), seconds=self.patience)
        assert job.state == "succeeded", f"{path.name}: {job.problem}"

    def _begun(self, job: Job) -> float:
        self.site.job_after(job, lambda fresh: fresh.state != "queued", seconds=self.patience)
        return time.monotonic()

    def _stage(self, job: Job) -> str:
        from jobs.models import JobProgress

        stages = JobProgress.objects.get(job=job).stages
        return str(stages[-1]["name"]) if stages else "start"

    def _kill(self, victim: str) -> None:
        """SIGKILL, and wait until nothing of the attempt is left."""
        import psutil

        children = self.site.children()
        if victim == "child":
            for child in children:
                child.kill()
        else:
            for worker in self.site.workers:
                if worker.poll() is None:
                    worker.send_signal(signal.SIGKILL)
                    worker.wait()
        _, alive = psutil.wait_procs(children, timeout=10)
        assert not alive, "a child outlived its worker"

    def _state(self, account: Account, job: Job) -> dict[str, Any]:
        """Everything about an account that has to be as in the others."""
        import polars as pl

        from harmonization import selectors
        from harmonization.models import Load
        from jobs.services import sweep_staging
        from tenants.selectors import tenant_folder

        job.refresh_from_db()
        # A worker that is killed after a job's end, before it tidied, leaves this to the housekeeping.
        sweep_staging()
        loads = list(Load.objects.filter(upload__account=account).order_by("created_at"))
        view = selectors.published_events(brand_ids=[self.brand.pk])
        assert view is not None, "something was published"
        rows = view.rows.filter(pl.col("account_id") == account.external_id)
        names = sorted(name for name in rows.collect_schema().names() if name not in _OWN and name[:4] != "rmn_")
        # The sum of two digests of each row: the same rows in whatever order, however many there are.
        row = pl.struct(names)
        sums = rows.select(
            pl.len().alias("rows"),
            pl.col("spend").sum().cast(pl.String),
            row.hash(1).sum().alias("a"),
            row.hash(2).sum().alias("b"),
        )
        count, spend, a, b = sums.collect(engine="streaming").row(0)
        quarantine = hashlib.sha256()
        for load in loads:
            if load.quarantine_path:
                frame = pl.read_parquet(tenant_folder() / load.quarantine_path).sort("source_row")
                quarantine.update(frame.write_ndjson().encode())
        return {
            "job": job.state,
            "loads": [
                [load.status, load.rows_in, load.rows_out, load.rows_quarantined, load.rows_skipped] for load in loads
            ],
            "rows": count,
            "spend": spend,
            "digest": f"{a:016x}{b:016x}",
            "quarantine": quarantine.hexdigest(),
            "staging_left": (tenant_folder() / "staging" / str(job.pk)).exists(),
        }


#: What the state of a killed load shares with an undisturbed one.
SAME = ("job", "loads", "rows", "spend", "digest", "quarantine", "staging_left")


def differences(killed: Mapping[str, Any], undisturbed: Mapping[str, Any]) -> dict[str, Any]:
    """Where the two states differ: name to both values; empty where recovery was perfect."""
    return {name: (killed[name], undisturbed[name]) for name in SAME if killed[name] != undisturbed[name]}


def prove(cases: Cases) -> dict[str, Any]:
    """Kill at `kills` moments, each in an account of its own."""
    rows, kills = cases.options["rows"], cases.options["kills"]
    with _site() as site:
        killing = Killing(site, rows=rows, seed=cases.seed)
        # Always anew: the servers are new, and the figures have to be those of the first time.
        undisturbed = killing.undisturbed()
        kept = cases.case("undisturbed", lambda: undisturbed)
        assert not (wrong := differences(undisturbed, kept)), f"two undisturbed loads differ: {wrong}"
        cases.say(f"undisturbed: {undisturbed['seconds']} s")
        draw = random.Random(cases.seed)  # noqa: S311 - no secret
        pace, found, missed = kept["seconds"], [], 0
        for number in range(kills):
            share, victim = draw.random(), draw.choice(["worker", "child"])
            for again in range(_TRIES):
                # Two in ten are aimed where a kill does the most harm.
                name, moment = {
                    3: ("file in the table", when_a_file_reaches_the_table),
                    7: ("version written", when_the_version_is_written),
                }.get(number % 10, (f"{share * pace:.1f} s", at(share * pace)))
                killed = cases.case(f"kill {number}.{again}", lambda: killing.killed(moment, victim))  # noqa: B023
                cases.say(
                    f"kill {number + 1}/{kills}: {victim} at {name} (stage {killed['stage']}), "
                    f"{killed['attempts']} attempts, {'interrupted' if killed['interrupted'] else 'had ended'}"
                )
                assert not (wrong := differences(killed, kept)), f"kill {number + 1} at {name}: {wrong}"
                if killed["interrupted"]:
                    break
                # The machine is less busy than it was: the same share of the time that a load takes now.
                pace, missed = min(pace, killed["after_seconds"]), missed + 1
            found.append({**{key: killed[key] for key in ("victim", "after_seconds", "stage", "attempts")}, "at": name})
        interrupted = sum(one["attempts"] > 1 for one in found)
        assert interrupted == kills, f"only {interrupted} of {kills} kills met a running attempt"
    return {
        "rows": rows,
        "seconds_undisturbed": kept["seconds"],
        "rows_in_force": kept["rows"],
        "kills": kills,
        "attempts_interrupted": interrupted,
        "kills_too_late": missed,
        "tables_that_differ": 0,
        "moments": found,
    }


@contextmanager
def _site() -> Iterator[Site]:
    """Servers, a database and a storage of this process alone."""
    from rmn_site.local.testing import start_test_servers

    with tempfile.TemporaryDirectory(prefix="rmn-kill-") as name:
        servers = start_test_servers()
        try:
            os.environ |= {
                "RMN_ENV": "test",
                "RMN_STORAGE_ROOT": str(Path(name) / "storage"),
                "RMN_DATA_HOME": str(servers.home),
                "RMN_UPLOAD_MAX_MB": "4096",
                "DATABASE_URL": servers.database_url,
                "REDIS_URL": servers.redis_url,
                "DJANGO_SETTINGS_MODULE": "rmn_site.settings",
            }
            import django

            django.setup()
            from tenants.models import Tenant
            from tests.database import copied_database, ensure_template, use_database
            from tests.jobs.workers import running_site

            ensure_template()
            with copied_database("rmn_kill") as database:
                use_database(database)
                base, _, query = servers.database_url.partition("?")
                url = f"{base.rpartition('/')[0]}/{database}" + (f"?{query}" if query else "")
                with running_site(url, Path(name), lease=LEASE) as site:
                    Tenant.objects.filter(schema_name="acme").update(storage_quota_mb=1_000_000)
                    yield site
        finally:
            servers.stop()


PROOF = Proof(
    name="kill",
    title="A load killed at any moment ends, after recovery, in the table of an undisturbed one.",
    covers=(
        "proofs/kill.py",
        "proofs/sample_export.py",
        "harmonization/core/event_table.py",
        "harmonization/core/restatement.py",
        "harmonization/core/engine.py",
        "harmonization/services/loads.py",
        "harmonization/services/publishing.py",
        "jobs/attempts.py",
        "jobs/child.py",
        "jobs/context.py",
        "jobs/execution.py",
        "jobs/reaper.py",
        "jobs/staging.py",
        "jobs/supervisor.py",
        "jobs/dispatch/leases.py",
    ),
    run=prove,
    options={"rows": 10_000_000, "kills": 10},
)
