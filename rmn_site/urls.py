"""Addresses of a tenant's host: each app brings pages (`urlpatterns`) and a part of the API (`api_urlpatterns`)."""

from django.contrib.auth.decorators import login_required
from django.urls import URLPattern, URLResolver, include, path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from accounts import urls as accounts
from governance import urls as governance
from harmonization import urls as harmonization
from jobs import urls as jobs
from measurement import urls as measurement
from metrics import urls as metrics
from optimization import urls as optimization
from planning import urls as planning
from tenants.admin import tenant_site

APPS = (accounts, jobs, governance, harmonization, metrics, optimization, measurement, planning)

Addresses = list[URLPattern | URLResolver]

api_urlpatterns: Addresses = [
    *(pattern for app in APPS for pattern in app.api_urlpatterns),
    path("schema", SpectacularAPIView.as_view(), name="api-schema"),
    path("docs", login_required(SpectacularSwaggerSplitView.as_view(url_name="api-schema")), name="api-docs"),
]

urlpatterns: Addresses = [
    path("accounts/", include(accounts.login_urlpatterns)),
    path("admin/", tenant_site.urls),
    path("api/v1/", include(api_urlpatterns)),
    *(pattern for app in APPS for pattern in getattr(app, "urlpatterns", ())),
]

handler400 = "rmn_site.ui.errors.bad_request"
handler403 = "rmn_site.ui.errors.not_allowed"
handler404 = "rmn_site.ui.errors.not_found"
handler500 = "rmn_site.ui.errors.server_error"
