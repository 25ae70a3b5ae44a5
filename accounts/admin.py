"""Admin of a tenant: people, roles, brands, tokens and their history; and, for operators, opening a tenant.

The admin is one more door to the services: it changes nothing by itself.
"""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest
from pghistory.models import Event
from unfold.admin import ModelAdmin

from accounts import services
from accounts.core.grants import Grant
from accounts.core.permissions import Role
from accounts.models import ApiToken, Brand, RoleGrant, User
from accounts.password_links import owner_link
from tenants.admin import GuardedAdmin, TenantAdmin, platform_site, tenant_site
from tenants.models import Tenant


@admin.register(User, site=tenant_site)
class UserAdmin(GuardedAdmin):
    """People. They are invited on the page of users, which shows the link for their password."""

    view_permission, manage_permission = "users.view", "users.manage"
    can_add = can_delete = False
    list_display = ["email", "name", "is_active", "last_login"]
    list_filter = ["is_active", "grants__role"]
    search_fields = ["email", "name"]
    fields = ["email", "name", "is_active", "last_login", "created_at"]
    readonly_fields = ["email", "last_login", "created_at"]

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        services.update_user(actor=_actor(request), user_id=obj.pk, name=obj.name, is_active=obj.is_active)


@admin.register(RoleGrant, site=tenant_site)
class RoleGrantAdmin(GuardedAdmin):
    view_permission, manage_permission = "users.view", "users.manage"
    can_change = False
    list_display = ["user", "role", "brand", "created_at"]
    list_filter = ["role", "brand"]
    list_select_related = ["user", "brand"]
    search_fields = ["user__email", "user__name"]
    fields = ["user", "role", "brand"]
    autocomplete_fields = ["user"]

    def save_model(self, request: HttpRequest, obj: RoleGrant, form: Any, change: bool) -> None:
        wanted = [*_held(obj.user), Grant(Role(obj.role), obj.brand_id)]
        services.update_user(actor=_actor(request), user_id=obj.user_id, grants=wanted)
        saved = RoleGrant.objects.get(user=obj.user, role=obj.role, brand=obj.brand)
        obj.pk, obj.created_at = saved.pk, saved.created_at

    def delete_model(self, request: HttpRequest, obj: RoleGrant) -> None:
        withdrawn = Grant(Role(obj.role), obj.brand_id)
        kept = [grant for grant in _held(obj.user) if grant != withdrawn]
        services.update_user(actor=_actor(request), user_id=obj.user_id, grants=kept)

    def delete_queryset(self, request: HttpRequest, queryset: Any) -> None:
        for grant in queryset:
            self.delete_model(request, grant)


@admin.register(Brand, site=tenant_site)
class BrandAdmin(GuardedAdmin):
    view_permission, manage_permission = "brands.view", "brands.manage"
    list_display = ["name", "slug", "created_at"]
    search_fields = ["name", "slug"]
    fields = ["name", "slug"]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return ["slug"] if obj else []

    def save_model(self, request: HttpRequest, obj: Brand, form: Any, change: bool) -> None:
        if change:
            services.update_brand(actor=_actor(request), brand_id=obj.pk, name=obj.name)
        else:
            obj.pk = services.create_brand(actor=_actor(request), name=obj.name, slug=obj.slug).pk

    def delete_model(self, request: HttpRequest, obj: Brand) -> None:
        services.delete_brand(actor=_actor(request), brand_id=obj.pk)

    def delete_queryset(self, request: HttpRequest, queryset: Any) -> None:
        for brand in queryset:
            self.delete_model(request, brand)


@admin.register(ApiToken, site=tenant_site)
class ApiTokenAdmin(GuardedAdmin):
    """Tokens can be looked at and revoked; their text is nowhere, and their hash is nobody's business."""

    view_permission, manage_permission = "users.view", "users.manage"
    can_add = can_change = False
    list_display = ["name", "user", "token_key", "created", "expiry", "last_used_at"]
    list_select_related = ["user"]
    search_fields = ["name", "user__email"]
    fields = ["name", "user", "token_key", "created", "expiry", "last_used_at"]

    def delete_model(self, request: HttpRequest, obj: ApiToken) -> None:
        services.revoke_token(actor=_actor(request), token_id=obj.public_id)

    def delete_queryset(self, request: HttpRequest, queryset: Any) -> None:
        for token in queryset:
            self.delete_model(request, token)


class HistoryAdmin(GuardedAdmin):
    """The events of one kind of row, newest first; the page "History" shows all kinds with what differs."""

    view_permission = "history.view"
    list_filter = ["pgh_label"]
    ordering = ["-pgh_id"]
    list_select_related = ["pgh_context"]
    show_full_result_count = False

    def get_list_display(self, request: HttpRequest) -> list[str]:
        own = [field.name for field in self.model._meta.fields if not field.name.startswith(("pgh_", "is_s"))]
        return ["pgh_created_at", "pgh_label", "by", *own]

    @admin.display(description="by")
    def by(self, event: Any) -> str:
        context = event.pgh_context.metadata if event.pgh_context else {}
        return f"{context.get('user') or 'the system'} ({context.get('source') or context.get('url') or 'no context'})"


def register_history(*models: Any) -> None:
    """Show the events of tracked models in the tenant's admin."""
    for model in models:
        events: type[Event] = model.pgh_event_model
        events._meta.verbose_name = f"change of {model._meta.verbose_name}"
        events._meta.verbose_name_plural = f"history of {model._meta.verbose_name_plural}"
        tenant_site.register(events, HistoryAdmin)


register_history(User, RoleGrant, Brand, ApiToken)


class OpenTenantForm(forms.ModelForm):  # type: ignore[type-arg]
    """A new tenant and the address of its first owner."""

    owner_email = forms.EmailField(help_text="gets the first owner's account; the link for the password is shown next")

    class Meta:
        model = Tenant
        fields = ["schema_name", "name", "base_currency"]


platform_site.unregister(Tenant)


@admin.register(Tenant, site=platform_site)
class TenantWithOwnerAdmin(TenantAdmin):
    """Tenants, opened together with their first owner."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.is_superuser)  # type: ignore[union-attr]

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **options: Any) -> Any:
        if obj is None:
            options |= {"form": OpenTenantForm, "fields": [*OpenTenantForm.Meta.fields, "owner_email"]}
        return super().get_form(request, obj, change=change, **options)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return list(self.fields) if obj else [*OpenTenantForm.Meta.fields, "owner_email"]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return list(self.readonly_fields) if obj else []

    def get_inlines(self, request: HttpRequest, obj: Any) -> list[Any]:
        return list(self.inlines) if obj else []

    def save_model(self, request: HttpRequest, obj: Tenant, form: Any, change: bool) -> None:
        if change:
            super().save_model(request, obj, form, change)
            return
        tenant, owner = services.open_tenant(
            slug=obj.schema_name,
            name=obj.name,
            base_currency=obj.base_currency,
            owner_email=form.cleaned_data["owner_email"],
        )
        obj.pk, obj.created_at = tenant.pk, tenant.created_at
        link = owner_link(tenant, owner, request)
        messages.success(request, f"{tenant} is open. {owner.email} sets the password at {link}")


@admin.register(User, site=platform_site)
class OperatorAdmin(ModelAdmin):
    """Platform operators. A new one is made by `prepare_platform --operator-email`."""

    list_display = ["email", "name", "is_active", "is_superuser", "last_login"]
    fields = ["email", "name", "is_active", "is_staff", "is_superuser", "last_login"]
    readonly_fields = ["last_login"]
    search_fields = ["email", "name"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False


def _actor(request: HttpRequest) -> User:
    assert isinstance(request.user, User)
    return request.user


def _held(user: User) -> list[Grant]:
    return [Grant(Role(grant.role), grant.brand_id) for grant in RoleGrant.objects.filter(user=user)]
