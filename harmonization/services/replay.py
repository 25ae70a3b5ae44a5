"""Replay: a contract was put right, and what waited in quarantine is read anew under it."""

from __future__ import annotations

from dataclasses import dataclass

from accounts import selectors as rights
from accounts import services as people
from accounts.models import User
from harmonization import selectors
from harmonization.models import Load, MappingContract
from harmonization.services.loads import start_load
from jobs.models import Job
from tenants.core.problems import Conflict, QuotaExceeded


@dataclass(frozen=True)
class Replays:
    """Jobs of a replay of many loads; `left` could not be submitted now, for too many jobs wait."""

    jobs: list[Job]
    left: int


def replay_load(*, actor: User, load: Load) -> Job:
    """Read the file of a load anew, as a job, under the version of its contract that is in force now.

    The new reading replaces the load. The same load under the same version is one job.

    Raises:
        Conflict: the load is not in force, or was read under that version already.
    """
    people.require(user=actor, permission="uploads.create", brand=load.upload.brand_id)
    contract = _contract_of(load)
    if load.status != Load.Status.PUBLISHED:
        raise Conflict(
            f"The load is {load.get_status_display()}; there is nothing of it to replay.",
            fix="Replay the newest load of the file.",
        )
    if contract.published_id == load.contract_version_id:
        raise Conflict(
            f"The load was read under {load.contract_version}, which is in force.",
            where="mapping",
            fix="Put the mapping right and publish it, then replay.",
        )
    return start_load(
        actor=actor,
        upload=load.upload,
        contract=contract.name,
        whole=load.whole,
        parameters=selectors.answers_of(load=load),
    )


def replay_contract(*, actor: User, contract: MappingContract) -> Replays:
    """Replay every load in force of a contract with rows in quarantine, where the actor may send files.

    Loads that were read under the version in force are left alone: they would come out the same.
    """
    people.require_somewhere(user=actor, permission="uploads.create")
    waiting = list(
        selectors.loads_visible(user=actor)
        .filter(status=Load.Status.PUBLISHED, rows_quarantined__gt=0, contract_version__contract=contract)
        .exclude(contract_version=contract.published)
        .order_by("published_at")
    )
    allowed = [
        load for load in waiting if rights.may(user=actor, permission="uploads.create", brand=load.upload.brand_id)
    ]
    started: list[Job] = []
    for load in allowed:
        try:
            started.append(replay_load(actor=actor, load=load))
        except QuotaExceeded:
            break
    return Replays(started, len(allowed) - len(started))


def _contract_of(load: Load) -> MappingContract:
    if load.contract_version is None:
        raise Conflict("The load names no mapping; there is nothing to replay.", fix="Harmonise the file.")
    return load.contract_version.contract
