"""Experiments in the admin: seen there; changed through pages, API and command line, which keep the plan."""

from __future__ import annotations

from django.contrib import admin

from measurement.models import Calibration, Experiment, ExperimentUnit, PanelRemoval, PanelVersion, Reading
from tenants.admin import GuardedAdmin, tenant_site


@admin.register(Experiment, site=tenant_site)
class ExperimentAdmin(GuardedAdmin):
    view_permission = "experiments.view"
    list_display = ["label", "name", "brand", "kind", "state", "start_date", "end_date", "registered_at", "created_at"]
    list_filter = ["state", "kind", "brand"]
    list_select_related = ["brand"]
    search_fields = ["name"]


@admin.register(ExperimentUnit, site=tenant_site)
class ExperimentUnitAdmin(GuardedAdmin):
    view_permission = "experiments.view"
    list_display = ["unit", "group", "cell", "pair", "stratum", "experiment"]
    list_filter = ["group"]
    list_select_related = ["experiment"]
    search_fields = ["unit"]


@admin.register(PanelVersion, site=tenant_site)
class PanelVersionAdmin(GuardedAdmin):
    view_permission = "experiments.view"
    list_display = ["experiment", "number", "file_name", "origin", "first_day", "last_day", "created_at"]
    list_filter = ["origin", "format"]
    list_select_related = ["experiment"]


@admin.register(PanelRemoval, site=tenant_site)
class PanelRemovalAdmin(GuardedAdmin):
    view_permission = "experiments.view"
    list_display = ["experiment", "panel", "reason", "removed_by", "created_at"]
    list_filter = ["reason"]
    list_select_related = ["panel__experiment", "removed_by"]

    @admin.display(ordering="panel__experiment__number")
    def experiment(self, removal: PanelRemoval) -> str:
        return str(removal.panel.experiment)


@admin.register(Reading, site=tenant_site)
class ReadingAdmin(GuardedAdmin):
    view_permission = "experiments.view"
    list_display = ["experiment", "number", "interim", "method", "evidence", "code_version", "created_at"]
    list_filter = ["evidence", "interim"]
    list_select_related = ["experiment"]


@admin.register(Calibration, site=tenant_site)
class CalibrationAdmin(GuardedAdmin):
    view_permission = "experiments.view"
    list_display = ["reading", "factor_set", "curve_version", "published_by", "published_at"]
    list_select_related = ["reading", "reading__experiment", "factor_set", "curve_version", "published_by"]
