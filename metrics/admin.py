"""Factors and saved views in the admin: factors stay as they were published."""

from __future__ import annotations

from django.contrib import admin

from metrics.models import FactorSet, IncrementalityFactor, SavedView
from tenants.admin import GuardedAdmin, tenant_site


@admin.register(FactorSet, site=tenant_site)
class FactorSetAdmin(GuardedAdmin):
    """Sets of factors, the latest first."""

    view_permission = "metrics.view"
    list_display = ["version", "source", "brand", "published_by", "published_at"]
    list_select_related = ["brand", "published_by"]
    search_fields = ["source", "note"]


@admin.register(IncrementalityFactor, site=tenant_site)
class IncrementalityFactorAdmin(GuardedAdmin):
    """The factors of all sets."""

    view_permission = "metrics.view"
    list_display = [
        "factor_set",
        "outcome",
        "retailer",
        "placement",
        "campaign_type",
        "low",
        "value",
        "high",
        "evidence",
    ]
    list_select_related = ["factor_set", "retailer"]
    list_filter = ["evidence", "outcome"]


@admin.register(SavedView, site=tenant_site)
class SavedViewAdmin(GuardedAdmin):
    """Saved views: people change their own on the page; owners may take away anybody's."""

    view_permission, manage_permission = "users.manage", "users.manage"
    can_add = can_change = False
    list_display = ["name", "owner", "shared", "brand", "updated_at"]
    list_select_related = ["owner", "brand"]
    search_fields = ["name"]
