"""Mapping contracts: the shipped ones, and versions that people write."""

from __future__ import annotations

from functools import cache, lru_cache

from django.db import transaction

from accounts import services as people
from accounts.models import User
from harmonization.core import library
from harmonization.core.contract import Contract, parse_contract
from harmonization.models import ContractVersion, MappingContract
from tenants.core.problems import InvalidInput

# Read once a process: they are part of the product, as its code is.
shipped_contracts = cache(library.shipped_contracts)


def ensure_shipped_contracts() -> None:
    """Bring the tenant's shipped contracts up to the product's. A contract that people changed keeps their version."""
    shipped = shipped_contracts().values()
    known = set(
        ContractVersion.objects.filter(sha256__in=[contract.digest for contract in shipped]).values_list(
            "contract__name", "sha256"
        )
    )
    for contract in shipped:
        if (contract.name, contract.digest) not in known:
            _ship(contract)


@lru_cache(maxsize=256)
def check_contract(*, text: str) -> Contract:
    """Parse and validate a contract. Equal texts are parsed once: pages ask for those in force again and again.

    Raises:
        InvalidContract: every finding, each with its line.
    """
    return parse_contract(text)


def save_contract(*, actor: User, text: str, note: str = "") -> ContractVersion:
    """Add a version from YAML and publish it. The same text again is the version that has it.

    Raises:
        InvalidContract: the text is not a valid contract.
        InvalidInput: the contract's name belongs to another network.
    """
    people.require(user=actor, permission="mappings.manage")
    contract = parse_contract(text)
    with transaction.atomic():
        row, created = MappingContract.objects.get_or_create(name=contract.name, defaults={"network": contract.network})
        row = MappingContract.objects.select_for_update().get(pk=row.pk)
        if not created and row.network != contract.network:
            raise InvalidInput(
                f"{contract.name!r} reads reports of {row.network}, not of {contract.network}.",
                where="network",
                fix="Give the contract another name.",
            )
        version = row.versions.filter(sha256=contract.digest).first() or _add_version(
            row, contract, actor=actor, note=note
        )
        row.published = version
        row.save(update_fields=["published"])
    return version


def _ship(contract: Contract) -> None:
    with transaction.atomic():
        MappingContract.objects.get_or_create(name=contract.name, defaults={"network": contract.network})
        # Locked: of two first requests at the same time one adds the version, the other finds it.
        row = MappingContract.objects.select_for_update().get(name=contract.name)
        if row.versions.filter(sha256=contract.digest).exists():
            return
        edited = row.versions.filter(created_by__isnull=False).exists()
        version = _add_version(row, contract, actor=None, note="shipped with the product")
        if not edited:
            row.published = version
            row.save(update_fields=["published"])


def _add_version(row: MappingContract, contract: Contract, *, actor: User | None, note: str) -> ContractVersion:
    last = row.versions.order_by("-number").values_list("number", flat=True).first() or 0
    return ContractVersion.objects.create(
        contract=row, number=last + 1, text=contract.text, sha256=contract.digest, created_by=actor, note=note
    )
