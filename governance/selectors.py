"""Reads of policies."""

from __future__ import annotations

from datetime import date

from django.db.models import Q, QuerySet

from governance.models import PolicyRule


def rules_in_force(*, on: date | None = None) -> QuerySet[PolicyRule]:
    """Rules in force on a day; all of them with no day given."""
    if on is None:
        return PolicyRule.objects.all()
    started = Q(effective_from__isnull=True) | Q(effective_from__lte=on)
    running = Q(effective_to__isnull=True) | Q(effective_to__gte=on)
    return PolicyRule.objects.filter(started & running)
