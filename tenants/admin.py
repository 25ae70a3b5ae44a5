"""The two admins: `platform_site` for operators, on the platform's host, and `tenant_site` for each tenant, on its own.

Apps register with the site they belong to, by name. Nothing is registered with Django's default site, which is mounted
nowhere: an app of somebody else would otherwise show its tables here without anybody having decided so.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import admin
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, resolve_url
from django_celery_beat.admin import CrontabScheduleAdmin as BeatCrontabScheduleAdmin
from django_celery_beat.admin import PeriodicTaskAdmin as BeatPeriodicTaskAdmin
from django_celery_beat.admin import PeriodicTaskForm, TaskSelectWidget
from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask
from unfold.admin import ModelAdmin, TabularInline
from unfold.sites import UnfoldAdminSite
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from tenants import services
from tenants.core.problems import NotAllowed
from tenants.models import Domain, Tenant


class PlatformSite(UnfoldAdminSite):
    """An admin whose login is that of the pages, with its lock-out and second factor, not a second way in."""

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        if self.has_permission(request):
            return redirect("admin:index")
        if request.user.is_authenticated:
            raise NotAllowed("Your roles do not open the admin.", fix="Ask an owner for a role that does.")
        return redirect_to_login(request.GET.get("next", request.get_full_path()), resolve_url(settings.LOGIN_URL))

    def get_sidebar_list(self, request: HttpRequest) -> list[dict[str, Any]]:
        """Everything the person may see, by app: what is registered needs no second list."""
        return [
            {
                "title": app["name"],
                "separator": True,
                "items": self._get_navigation_items(
                    request, [{"title": model["name"], "link": model["admin_url"]} for model in app["models"]], []
                ),
            }
            for app in self.get_app_list(request)
        ]

    def extra_context(self, context: dict[str, Any], request: HttpRequest) -> dict[str, Any]:
        return {**context, "site_title": self.site_title, "site_header": self.site_header}


class TenantSite(PlatformSite):
    """The admin of one tenant; which roles open it stands in the table of permissions."""

    def has_permission(self, request: HttpRequest) -> bool:
        return request.user.is_active and bool(request.user.has_perm("admin.open"))


# Both are called "admin": each is the only one in its host's addresses, and the theme's templates ask for that name.
platform_site = PlatformSite(name="admin")
platform_site.site_title = platform_site.site_header = "RMN platform"
platform_site.index_title = "Tenants and schedules"
tenant_site = TenantSite(name="admin")
tenant_site.site_title = tenant_site.site_header = "RMN"
tenant_site.index_title = "Administration"


class GuardedAdmin(ModelAdmin):
    """Rows that are seen and changed by permissions of `accounts.core.permissions`, held for the whole tenant.

    Attributes:
        view_permission: who sees the rows.
        manage_permission: who adds, changes and removes them; without one the rows are read only.
        can_add, can_change, can_delete: what `manage_permission` covers.
    """

    view_permission: str
    manage_permission = ""
    can_add = can_change = can_delete = True

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.has_perm(self.view_permission))

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        return self.can_add and self._manages(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.can_change and self._manages(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.can_delete and self._manages(request)

    def _manages(self, request: HttpRequest) -> bool:
        return bool(self.manage_permission) and bool(request.user.has_perm(self.manage_permission))


class DomainInline(TabularInline):
    model = Domain
    extra = 0
    tab = True


@admin.register(Tenant, site=platform_site)
class TenantAdmin(ModelAdmin):
    """Tenants and their limits. Deleting one is an operator's command, not a button."""

    list_display = ["name", "schema_name", "status", "hosts", "base_currency", "created_at"]
    list_filter = ["status"]
    search_fields = ["name", "schema_name", "domains__domain"]
    inlines = [DomainInline]
    actions = ["suspend", "reactivate"]
    fields = [
        "schema_name", "name", "base_currency", "status", "api_rate_per_minute", "storage_quota_mb",
        "max_running_jobs", "max_waiting_jobs", "created_at",
    ]  # fmt: skip
    readonly_fields = ["schema_name", "status", "created_at"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.display(description="host names")
    def hosts(self, tenant: Tenant) -> str:
        return ", ".join(domain.domain for domain in tenant.domains.all())

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).prefetch_related("domains")

    @admin.action(description="Suspend")
    def suspend(self, request: HttpRequest, tenants: Any) -> None:
        self._set_status(request, tenants, Tenant.Status.SUSPENDED)

    @admin.action(description="Reactivate")
    def reactivate(self, request: HttpRequest, tenants: Any) -> None:
        self._set_status(request, tenants, Tenant.Status.ACTIVE)

    def _set_status(self, request: HttpRequest, tenants: Any, status: Tenant.Status) -> None:
        chosen = [tenant for tenant in tenants if not tenant.is_platform]
        for tenant in chosen:
            services.set_tenant_status(tenant=tenant, status=status)
        self.message_user(request, f"{len(chosen)} tenants are {status.label} now.")


@admin.register(Domain, site=platform_site)
class DomainAdmin(ModelAdmin):
    list_display = ["domain", "tenant", "is_primary"]
    search_fields = ["domain", "tenant__name"]
    list_select_related = ["tenant"]
    autocomplete_fields = ["tenant"]


class _TaskSelect(UnfoldAdminSelectWidget, TaskSelectWidget):  # type: ignore[misc]
    pass


class ScheduleForm(PeriodicTaskForm):
    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["task"].widget = UnfoldAdminTextInputWidget()
        self.fields["regtask"].widget = _TaskSelect()


@admin.register(PeriodicTask, site=platform_site)
class PeriodicTaskAdmin(BeatPeriodicTaskAdmin, ModelAdmin):
    form = ScheduleForm
    change_form_template = None  # theirs carries a script in the page, which no policy of ours lets run


@admin.register(IntervalSchedule, site=platform_site)
class IntervalScheduleAdmin(ModelAdmin):
    list_display = ["every", "period"]


@admin.register(CrontabSchedule, site=platform_site)
class CrontabScheduleAdmin(BeatCrontabScheduleAdmin, ModelAdmin):
    pass
