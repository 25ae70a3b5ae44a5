"""Curves and solves in the admin: immutable, so looked at and changed nowhere."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from optimization import learning_admin as learning_admin  # registers its pages
from optimization.models import CurveVersion, Solve
from tenants.admin import GuardedAdmin, tenant_site


@admin.register(CurveVersion, site=tenant_site)
class CurveVersionAdmin(GuardedAdmin):
    view_permission = "curves.view"
    list_display = ["__str__", "data_version", "data_start", "data_end", "cells", "created_at"]
    list_filter = ["brand"]
    list_select_related = ["brand"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[CurveVersion]:
        return super().get_queryset(request).defer("curves")

    @admin.display
    def cells(self, version: CurveVersion) -> int:
        return int(version.diagnostics.get("cells", 0))


@admin.register(Solve, site=tenant_site)
class SolveAdmin(GuardedAdmin):
    view_permission = "scenarios.view"
    list_display = ["id", "brand", "status", "engine", "objective", "gap", "seconds", "created_at"]
    list_filter = ["status", "brand"]
    list_select_related = ["brand"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Solve]:
        return super().get_queryset(request).defer("problem", "solution", "current")
