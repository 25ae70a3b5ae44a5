"""Addresses of a tenant's host."""

from django.contrib.auth.decorators import login_required
from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from accounts import urls as accounts_urls
from tenants.admin import tenant_site

api_urlpatterns = [
    # accounts
    *accounts_urls.api_urlpatterns,
    # the API about itself
    path("schema", SpectacularAPIView.as_view(), name="api-schema"),
    path("docs", login_required(SpectacularSwaggerSplitView.as_view(url_name="api-schema")), name="api-docs"),
]

urlpatterns = [
    # accounts
    path("accounts/", include("allauth.urls")),
    path("", include(accounts_urls.urlpatterns)),
    path("admin/", tenant_site.urls),
    # API
    path("api/v1/", include(api_urlpatterns)),
]

handler400 = "rmn_site.ui.errors.bad_request"
handler403 = "rmn_site.ui.errors.not_allowed"
handler404 = "rmn_site.ui.errors.not_found"
handler500 = "rmn_site.ui.errors.server_error"
