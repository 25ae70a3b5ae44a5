"""Scenarios and budgets in the admin: seen there, changed through the pages and the API."""

from __future__ import annotations

from django.contrib import admin

from planning.models import Budget, Scenario
from tenants.admin import GuardedAdmin, tenant_site


@admin.register(Scenario, site=tenant_site)
class ScenarioAdmin(GuardedAdmin):
    view_permission = "scenarios.view"
    list_display = ["label", "name", "brand", "status", "total_budget", "horizon_start", "horizon_end", "created_at"]
    list_filter = ["status", "brand"]
    list_select_related = ["brand"]
    search_fields = ["name"]


@admin.register(Budget, site=tenant_site)
class BudgetAdmin(GuardedAdmin):
    view_permission = "scenarios.view"
    list_display = ["scope_words", "period_start", "period_end", "amount", "currency", "scenario", "created_by"]
    list_filter = ["brand", "retailer"]
    list_select_related = ["brand", "retailer", "account", "scenario", "created_by"]
