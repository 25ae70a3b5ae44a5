"""Drafts of mappings that a person may see."""

from __future__ import annotations

from uuid import UUID

from django.db.models import Q, QuerySet

from accounts import selectors as people
from accounts import services as authority
from harmonization import selectors as data
from harmonization.models import MappingDraft
from harmonization.selectors import Person
from tenants.core.problems import NotFound

VIEW = "mappings.view"


def drafts_visible(*, user: Person) -> QuerySet[MappingDraft]:
    """Drafts of contracts, and those of uploads that the person sees: a draft shows cells of its file."""
    authority.require_somewhere(user=user, permission=VIEW)
    return _drafts(user)


def draft_visible(*, user: Person, draft_id: UUID) -> MappingDraft:
    """One draft, or `NotFound` in the words of a nonexistent one."""
    draft = _drafts(user).filter(pk=draft_id).first()
    if draft is None:
        raise NotFound("There is nothing here under that id.")
    return draft


def _drafts(user: Person) -> QuerySet[MappingDraft]:
    seen = Q(upload__in=data.uploads_visible(user=user))
    if people.may_for_some_brand(user=user, permission=VIEW):
        seen |= Q(upload__isnull=True)
    return MappingDraft.objects.filter(seen).select_related(
        "upload__account__retailer", "upload__brand", "contract__published", "created_by"
    )
