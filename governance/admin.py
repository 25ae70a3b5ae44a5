"""Admin of policies."""

from django.contrib import admin

from governance.models import PolicyRule
from tenants.admin import GuardedAdmin, tenant_site


@admin.register(PolicyRule, site=tenant_site)
class PolicyRuleAdmin(GuardedAdmin):
    """Rules are edited here; their history is kept."""

    view_permission, manage_permission = "policies.view", "policies.manage"
    list_display = ["network", "rule_id", "scope", "severity", "effective_from", "effective_to"]
    list_filter = ["network", "severity"]
    search_fields = ["rule_id", "statement"]
