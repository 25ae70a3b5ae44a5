"""`manage.py quarantine --tenant acme --as dana@acme.example list|show|replay`: rows kept back, and replays of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import UUID

from django.core.management.base import CommandParser

from accounts import services as authority
from accounts.models import User
from harmonization import selectors as data
from harmonization import services
from harmonization.core.table_file import FILE_KINDS, FileKind
from harmonization.loads import selectors
from harmonization.loads.files import quarantine_file
from harmonization.management.tenant_command import TenantCommand, job_outcome


class Command(TenantCommand):
    help = "List quarantines, show or save the rows of one, and replay loads after a mapping was put right."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        acts = parser.add_subparsers(dest="act_name", required=True)
        listing = acts.add_parser("list", help="loads with rows in quarantine, the newest first")
        listing.add_argument("--contract", default="", help="read by this mapping")
        listing.add_argument("--rule", default="", help="with rows that broke this rule")
        show = acts.add_parser("show", help="rows of a load, or with --out all of them in a file")
        show.add_argument("load", type=UUID)
        show.add_argument("--rule", default="")
        show.add_argument("--limit", type=int, default=20)
        show.add_argument("--out", type=Path, help=f"a file to write, {' or '.join(f'.{kind}' for kind in FILE_KINDS)}")
        replay = acts.add_parser("replay", help="read anew under the version of the mapping in force")
        which = replay.add_mutually_exclusive_group(required=True)
        which.add_argument("--load", type=UUID)
        which.add_argument("--contract", help="every load of this mapping with rows in quarantine")
        replay.add_argument("--wait", action="store_true", help="until the jobs have ended (workers must be up)")

    def act(self, *, actor: User, **options: Any) -> dict[str, Any]:
        act_name = options.pop("act_name")
        authority.require_somewhere(user=actor, permission="uploads.view")
        found: dict[str, Any] = getattr(self, f"_{act_name}")(actor, **options)
        return found

    def _list(self, actor: User, *, contract: str, rule: str, **_: Any) -> dict[str, Any]:
        loads = list(selectors.quarantined_loads(user=actor, contract=contract, rule=rule))
        rules = [
            {"rule": one.rule, "loads": one.loads, "rows": one.rows, "spend": {k: str(v) for k, v in one.spend.items()}}
            for one in selectors.broken_rules(loads)
        ]
        lines = [
            {"load": str(load.pk), "file": load.upload.file_name, "mapping": str(load.contract_version),
             "rows": load.rows_quarantined, "spend": load.report.get("spend_quarantined", {})}
            for load in loads
        ]  # fmt: skip
        return {"loads": lines, "rules": rules}

    def _show(self, actor: User, *, load: UUID, rule: str, limit: int, out: Path | None, **_: Any) -> dict[str, Any]:
        found = data.load_visible(user=actor, load_id=load)
        if out is not None:
            kind: FileKind = "xlsx" if out.suffix == ".xlsx" else "csv"
            out.write_bytes(quarantine_file(found, kind, rule=rule).content)
            return {"file": str(out)}
        count, rows = selectors.quarantine_of(found, rule=rule, limit=max(limit, 0))
        lines = [{"row": one.source_row, "rules": ",".join(one.rules), "cells": one.raw} for one in rows]
        return {"matching": count, "rows": lines}

    def _replay(self, actor: User, *, load: UUID | None, contract: str | None, wait: bool, **_: Any) -> dict[str, Any]:
        if load is not None:
            job = services.replay_load(actor=actor, load=data.load_visible(user=actor, load_id=load))
            return job_outcome(job, wait=wait)
        done = services.replay_contract(actor=actor, contract=data.contract_named(name=str(contract)))
        return {"jobs": [job_outcome(job, wait=wait) for job in done.jobs], "left": done.left}
