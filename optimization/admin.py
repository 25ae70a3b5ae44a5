"""Curves, what people lay over them, and solves in the admin. Nothing is changed here: overrides and priors are added
and revoked, through the same services as everywhere."""

from __future__ import annotations

from typing import Any, cast

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from accounts.models import User
from optimization import learning_admin as learning_admin  # registers its pages
from optimization import services
from optimization.models import CurveAdjustment, CurveVersion, Solve
from tenants.admin import GuardedAdmin, tenant_site
from tenants.core.problems import Problem


@admin.register(CurveVersion, site=tenant_site)
class CurveVersionAdmin(GuardedAdmin):
    view_permission = "curves.view"
    list_display = ["__str__", "data_version", "data_start", "data_end", "cells", "created_at"]
    list_filter = ["brand"]
    list_select_related = ["brand"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[CurveVersion]:
        return super().get_queryset(request).defer("curves", "draws")

    @admin.display
    def cells(self, version: CurveVersion) -> int:
        return int(version.diagnostics.get("cells", 0))


class AdjustmentAdminForm(forms.ModelForm):  # type: ignore[type-arg]
    """A new override or prior, checked by the service that makes it."""

    class Meta:
        model = CurveAdjustment
        fields = [
            "brand", "kind", "retailer", "placement", "sku", "family", "a", "k", "exponent", "roas", "scale", "spread",
            "reason", "expires_on",
        ]  # fmt: skip

    actor: User

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = dict(super().clean() or {})
        if not self.errors:
            try:
                self.made = services.adjust_curves(actor=self.actor, **given)
            except Problem as problem:
                for error in problem.errors or [{"where": problem.where, "detail": problem.detail}]:
                    self.add_error(error["where"] if error["where"] in self.fields else None, error["detail"])
        return given

    def _post_clean(self) -> None:
        """The row is made already; there is no other to check."""


@admin.register(CurveAdjustment, site=tenant_site)
class CurveAdjustmentAdmin(GuardedAdmin):
    view_permission, manage_permission = "curves.view", "curves.fit"
    can_change = can_delete = False
    form = AdjustmentAdminForm
    list_display = ["kind", "scope", "brand", "reason", "created_by", "created_at", "expires_on", "revoked_at"]
    list_filter = ["kind", "brand"]
    list_select_related = ["brand", "created_by"]
    search_fields = ["sku", "retailer", "reason"]
    actions = ["revoke"]

    def get_form(self, request: HttpRequest, *args: Any, **options: Any) -> Any:
        made = super().get_form(request, *args, **options)
        return type(made.__name__, (made,), {"actor": request.user})

    def save_form(self, request: HttpRequest, form: Any, change: bool) -> CurveAdjustment:
        return cast(CurveAdjustment, form.made)

    def save_model(self, request: HttpRequest, obj: CurveAdjustment, form: Any, change: bool) -> None:
        """The service has made it."""

    def save_related(self, request: HttpRequest, form: Any, *args: Any) -> None:
        """It has no rows of its own."""

    @admin.action(description="Revoke", permissions=["add"])
    def revoke(self, request: HttpRequest, chosen: QuerySet[CurveAdjustment]) -> None:
        for one in chosen:
            try:
                services.revoke_adjustment(
                    actor=cast(User, request.user), adjustment_id=one.pk, reason="Revoked among the records"
                )
            except Problem as problem:
                messages.error(request, f"{one}: {problem}")


@admin.register(Solve, site=tenant_site)
class SolveAdmin(GuardedAdmin):
    view_permission = "scenarios.view"
    list_display = ["id", "brand", "status", "engine", "objective", "gap", "seconds", "created_at"]
    list_filter = ["status", "brand"]
    list_select_related = ["brand"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Solve]:
        return super().get_queryset(request).defer("problem", "solution", "current", "inputs")
