"""Drafts of mappings that a person may see."""

from __future__ import annotations

from uuid import UUID

from django.db.models import Q, QuerySet

from accounts import services as authority
from harmonization import selectors as data
from harmonization.models import MappingDraft
from harmonization.selectors import Person
from tenants.core.problems import NotFound

VIEW = "mappings.view"


def drafts_visible(*, user: Person) -> QuerySet[MappingDraft]:
    """Drafts of contracts, and those of uploads that the person sees: a draft shows cells of its file."""
    authority.require_somewhere(user=user, permission=VIEW)
    own = Q(upload__isnull=True) | Q(upload__in=data.uploads_visible(user=user))
    return MappingDraft.objects.filter(own).select_related(
        "upload__account__retailer", "upload__brand", "contract__published", "created_by"
    )


def draft_visible(*, user: Person, draft_id: UUID) -> MappingDraft:
    """One draft, or `NotFound` in the words of a nonexistent one."""
    draft = drafts_visible(user=user).filter(pk=draft_id).first()
    if draft is None:
        raise NotFound("There is nothing here under that id.")
    return draft
