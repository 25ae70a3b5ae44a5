"""What is known beside the reports: audiences, policies and exchange rates, from files that are taken whole or not."""

from __future__ import annotations

from django.db import transaction

from accounts import services as people
from accounts.models import User
from governance import services as governance
from harmonization import selectors
from harmonization.core.audience_file import read_audiences
from harmonization.core.fx_file import read_rates
from harmonization.core.policy_file import read_policies
from harmonization.models import Audience, FxRate, Upload
from tenants.selectors import current_tenant

_BATCH = 2_000


def import_audiences(*, actor: User, upload: Upload) -> dict[str, int]:
    """Take an account's audiences; those that the file does not name stay.

    Raises:
        InvalidInput: the file's findings.
    """
    account = upload.account
    assert account is not None, "audiences have an account: the database checks it"
    people.require(user=actor, permission="catalogue.manage", brand=account.brand_id)
    rows = read_audiences(selectors.stored_file(upload))
    with transaction.atomic():
        known = Audience.objects.filter(account=account, external_id__in=[row.external_id for row in rows]).count()
        Audience.objects.bulk_create(
            [
                Audience(
                    account=account, external_id=row.external_id, name=row.name, kind=row.kind,
                    size_bucket=row.size_bucket, min_cell=row.min_cell, ntb=row.ntb, consent_basis=row.consent_basis,
                )
                for row in rows
            ],
            batch_size=_BATCH,
            update_conflicts=True,
            unique_fields=["account", "external_id"],
            update_fields=["name", "kind", "size_bucket", "min_cell", "ntb", "consent_basis"],
        )  # fmt: skip
    return {"rows": len(rows), "audiences_created": len(rows) - known, "audiences_updated": known}


def import_policies(*, actor: User, upload: Upload) -> dict[str, int]:
    """Take rules of networks into the policies that governance keeps.

    Raises:
        InvalidInput: the file's findings.
    """
    people.require(user=actor, permission="policies.manage")
    rows = read_policies(selectors.stored_file(upload))
    added, changed = governance.save_rules(
        actor=actor,
        rules=[
            governance.NewRule(
                network=row.network, rule_id=row.rule_id, scope=row.scope, severity=row.severity,
                statement=row.statement, parameters=row.parameters, min_cell_k=row.min_cell_k, source=row.source,
                effective_from=row.effective_from, effective_to=row.effective_to,
            )
            for row in rows
        ],
    )  # fmt: skip
    return {"rows": len(rows), "rules_added": added, "rules_changed": changed}


def import_rates(*, actor: User, upload: Upload) -> dict[str, int]:
    """Take exchange rates to the tenant's base currency. A rate of a day that is there already is replaced.

    Loads that were published before keep the rate they were converted by; harmonise their files again to change that.

    Raises:
        InvalidInput: the file's findings, or no rate of it leads to the base currency.
    """
    people.require(user=actor, permission="catalogue.manage")
    base = current_tenant().base_currency
    rates = read_rates(selectors.stored_file(upload), base=base)
    FxRate.objects.bulk_create(
        [
            FxRate(day=rate.day, currency=rate.currency, base=base, rate=rate.rate, source=upload.file_name[:80])
            for rate in rates
        ],
        batch_size=_BATCH,
        update_conflicts=True,
        unique_fields=["day", "currency", "base"],
        update_fields=["rate", "source"],
    )
    return {"rows": len(rates), "currencies": len({rate.currency for rate in rates})}
