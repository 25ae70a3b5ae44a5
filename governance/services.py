"""What can be done with policies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.db import transaction

from accounts import services as people
from accounts.models import User
from governance.models import PolicyRule

_BATCH = 500


@dataclass(frozen=True, kw_only=True)
class NewRule:
    """A rule as somebody states it."""

    network: str
    rule_id: str
    scope: str
    severity: str
    statement: str
    parameters: dict[str, Any] = field(default_factory=dict)
    min_cell_k: int | None = None
    source: str = ""
    effective_from: date | None = None
    effective_to: date | None = None


def save_rules(*, actor: User, rules: Sequence[NewRule]) -> tuple[int, int]:
    """Add rules, or change those of the same network, id and first day; how many were added and changed.

    All of them or none. Rules that are not among them stay.
    """
    people.require(user=actor, permission="policies.manage")
    with transaction.atomic():
        known = {(row.network, row.rule_id, row.effective_from): row for row in PolicyRule.objects.select_for_update()}
        added, changed = [], []
        for rule in rules:
            row = known.get((rule.network, rule.rule_id, rule.effective_from))
            told = {name: getattr(rule, name) for name in rule.__dataclass_fields__}
            if row is None:
                added.append(PolicyRule(**told))
            elif any(getattr(row, name) != value for name, value in told.items()):
                for name, value in told.items():
                    setattr(row, name, value)
                changed.append(row)
        PolicyRule.objects.bulk_create(added, batch_size=_BATCH)
        PolicyRule.objects.bulk_update(
            changed,
            ["scope", "severity", "statement", "parameters", "min_cell_k", "source", "effective_to"],
            batch_size=_BATCH,
        )
    return len(added), len(changed)
