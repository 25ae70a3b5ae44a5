"""Mapping contracts: the shipped ones, and versions that people write."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings
from django.db import transaction

from accounts import services as people
from accounts.models import User
from harmonization.core.contract import Contract, load_contract, parse_contract
from harmonization.models import ContractVersion, MappingContract
from tenants.core.problems import InvalidInput


def shipped_contracts() -> list[Contract]:
    """Contracts that come with the product, from `config/mappings/`."""
    folder = Path(settings.BASE_DIR) / "config" / "mappings"
    return [load_contract(path) for path in sorted(folder.glob("*.yaml"))]


def ensure_shipped_contracts() -> list[MappingContract]:
    """Bring the tenant's shipped contracts up to the product's. A contract that people changed keeps their version."""
    done = []
    for contract in shipped_contracts():
        with transaction.atomic():
            row, _ = MappingContract.objects.get_or_create(name=contract.name, defaults={"network": contract.network})
            known = row.versions.filter(sha256=contract.digest).exists()
            edited = row.versions.filter(created_by__isnull=False).exists()
            if not known:
                version = _add_version(row, contract, actor=None, note="shipped with the product")
                if not edited:
                    row.published = version
                    row.save(update_fields=["published"])
            done.append(row)
    return done


def check_contract(*, text: str) -> Contract:
    """Parse and validate a contract.

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


def _add_version(row: MappingContract, contract: Contract, *, actor: User | None, note: str) -> ContractVersion:
    last = row.versions.order_by("-number").values_list("number", flat=True).first() or 0
    return ContractVersion.objects.create(
        contract=row, number=last + 1, text=contract.text, sha256=contract.digest, created_by=actor, note=note
    )
