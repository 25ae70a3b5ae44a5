"""Learning programmes in the admin: looked at and changed nowhere."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from optimization.learning_models import LearningObservation, LearningProgramme, LearningWeek
from tenants.admin import GuardedAdmin, tenant_site


@admin.register(LearningProgramme, site=tenant_site)
class LearningProgrammeAdmin(GuardedAdmin):
    view_permission = "scenarios.view"
    list_display = ["__str__", "brand", "status", "weekly_budget", "first_week", "created_at"]
    list_filter = ["status", "brand"]
    list_select_related = ["brand"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[LearningProgramme]:
        return super().get_queryset(request).defer("problem", "prior")


@admin.register(LearningWeek, site=tenant_site)
class LearningWeekAdmin(GuardedAdmin):
    view_permission = "scenarios.view"
    list_display = ["__str__", "number", "status", "decided_by", "decided_at", "created_at"]
    list_filter = ["status"]
    list_select_related = ["programme", "decided_by"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[LearningWeek]:
        return super().get_queryset(request).defer("decision", "lines")


@admin.register(LearningObservation, site=tenant_site)
class LearningObservationAdmin(GuardedAdmin):
    view_permission = "scenarios.view"
    list_display = ["__str__", "number", "version", "data_version", "created_at"]
    list_select_related = ["programme"]
