"""Addresses of the platform's own host: health, metrics, the operators' admin, and the API named by `X-Tenant-ID`."""

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.urls import include, path
from django.views.decorators.csrf import csrf_exempt
from django.views.generic import RedirectView

from accounts.urls import login_urlpatterns
from rmn_site import health
from tenants.admin import platform_site
from tenants.core.problems import InvalidInput


@login_not_required
@csrf_exempt
def api_without_tenant(request: HttpRequest, rest: str) -> HttpResponse:
    """The API has no tenant here until one is named."""
    raise InvalidInput(
        "This request names no tenant.",
        where="X-Tenant-ID",
        fix="Send the tenant's slug in X-Tenant-ID, or use the tenant's own host.",
    )


urlpatterns = [
    path("health", health.health, name="health"),
    path("health/ready", health.ready, name="health-ready"),
    path("metrics", health.metrics, name="metrics"),
    # tenants, accounts
    path("", RedirectView.as_view(pattern_name="admin:index"), name="home"),
    path("accounts/", include(login_urlpatterns)),
    path("admin/", platform_site.urls),
    path("api/<path:rest>", api_without_tenant),
]

handler400 = "rmn_site.ui.errors.bad_request"
handler403 = "rmn_site.ui.errors.not_allowed"
handler404 = "rmn_site.ui.errors.not_found"
handler500 = "rmn_site.ui.errors.server_error"
