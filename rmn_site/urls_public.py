"""Addresses of the platform's own host: health, metrics, the operators' admin, and the API named by `X-Tenant-ID`."""

from django.urls import include, path

from rmn_site import health

urlpatterns = [
    path("health", health.health, name="health"),
    path("health/ready", health.ready, name="health-ready"),
    path("metrics", health.metrics, name="metrics"),
    path("accounts/", include("allauth.urls")),
]
