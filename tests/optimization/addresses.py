"""The addresses of a tenant's host with those of this app, wherever the site lists them yet."""

from django.urls import include, path

from optimization import urls as optimization
from planning import urls as planning
from rmn_site.urls import *  # noqa: F403
from rmn_site.urls import urlpatterns as site

urlpatterns = [
    path("api/v1/", include([*optimization.api_urlpatterns, *planning.api_urlpatterns])),
    *planning.urlpatterns,
    *site,
]
