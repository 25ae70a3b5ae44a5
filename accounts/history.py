"""The row history: who changed what, from what to what. pghistory's triggers write it, this module reads it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.apps import apps
from django.db import models
from django.db.models import Value
from pghistory.models import Event, Events

from accounts.models import User
from tenants.core.problems import InvalidInput

_IDS = ("id", "public_id")
_VERBS = {"insert": "created", "update": "changed", "delete": "removed"}


@dataclass(frozen=True, slots=True)
class Change:
    """One change of one row.

    Attributes:
        id: of the event, unique in the tenant.
        action: created, changed or removed.
        kind, object_id: what was changed (`accounts.User` and its id; None where the rows have no public id).
        noun: the kind in words.
        who: e-mail address of the person, None for the system; `via` is the address or command it happened through.
        before, after: the fields that differ; all of them when the row was created or removed.
    """

    id: str
    at: datetime
    action: str
    kind: str
    noun: str
    object_id: str | None
    who: str | None
    via: str
    before: Mapping[str, Any]
    after: Mapping[str, Any]


def tracked_kinds() -> dict[str, type[Event]]:
    """Every kind of row with a history in the tenant, and the table of its events."""
    events: list[Any] = [model for model in apps.get_models() if issubclass(model, Event)]
    return {model.pgh_tracked_model._meta.label: model for model in events if model.pgh_tracked_model is not None}


def nouns() -> list[tuple[str, str]]:
    """Every kind with its name in words, in the order of the words."""
    named = [(kind, str(apps.get_model(kind)._meta.verbose_name)) for kind in tracked_kinds()]
    return sorted(named, key=lambda pair: pair[1].lower())


def changes(
    *, kind: str = "", object_id: UUID | str | None = None, before: datetime | None = None, limit: int = 50
) -> list[Change]:
    """The latest changes, newest first, of all kinds or one.

    Args:
        kind: `app.Model` as in `Change.kind`.
        object_id: changes of this row only.
        before: changes older than this; the time of the last one seen gives the next page.

    Raises:
        InvalidInput: no rows of that kind are tracked.
    """
    kinds = tracked_kinds()
    if kind and kind not in kinds:
        raise InvalidInput(f"{kind!r} has no history.", where="kind", fix=f"Use one of {', '.join(sorted(kinds))}.")
    chosen = [kinds[kind]] if kind else list(kinds.values())
    keys = _latest_keys(chosen, object_id, before, limit)
    if not keys:
        return []
    events = (
        Events.objects.across(*{model for model in chosen if model._meta.label in {label for label, _ in keys}})
        # The ids alone reach the tables' own indexes; the slugs then tell tables apart.
        .filter(pgh_id__in={number for _, number in keys}, pgh_slug__in=[f"{label}:{number}" for label, number in keys])
        .order_by("-pgh_created_at", "-pgh_id")
    )
    return _as_changes(list(events))


def _latest_keys(
    event_models: Sequence[type[Event]], object_id: UUID | str | None, before: datetime | None, limit: int
) -> list[tuple[str, int]]:
    """(event model, id) of the newest events, each table contributing at most `limit` through its primary key."""
    found: list[tuple[datetime, int, str]] = []
    for model in event_models:
        rows = model.objects.order_by("-pgh_id")
        if before is not None:
            rows = rows.filter(pgh_created_at__lt=before)
        if object_id is not None:
            public = [f.name for f in model._meta.fields if f.name in _IDS and isinstance(f, models.UUIDField)]
            rows = rows.filter(**{public[0]: object_id}) if public else rows.none()
        label = Value(model._meta.label, output_field=models.CharField())
        found += rows.values_list("pgh_created_at", "pgh_id", label)[:limit]
    return [(label, number) for _, number, label in sorted(found, reverse=True)[:limit]]


def _as_changes(events: Iterable[Events]) -> list[Change]:
    events = list(events)
    ids = {context["user"] for event in events if (context := event.pgh_context or {}).get("user")}
    people = {str(pk): email for pk, email in User.objects.filter(pk__in=ids).values_list("pk", "email")}
    return [_as_change(event, people) for event in events]


def _as_change(event: Events, people: Mapping[str, str]) -> Change:
    context = event.pgh_context or {}
    data, diff = dict(event.pgh_data or {}), event.pgh_diff or {}
    before: dict[str, Any] = {}
    after: dict[str, Any] = {}
    if event.pgh_label == "insert":
        after = data
    elif event.pgh_label == "delete":
        before = data
    else:
        before = {field: values[0] for field, values in diff.items()}
        after = {field: values[1] for field, values in diff.items()}
    who = context.get("user")
    return Change(
        id=event.pgh_slug,
        at=event.pgh_created_at,
        action=_VERBS[event.pgh_label],
        kind=event.pgh_obj_model,
        noun=str(apps.get_model(event.pgh_obj_model)._meta.verbose_name),
        object_id=event.pgh_obj_id or data.get("public_id"),
        who=people.get(str(who), "somebody who was removed") if who else None,
        via=str(context.get("source") or context.get("url") or ""),
        before=before,
        after=after,
    )
