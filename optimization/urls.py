"""Addresses of curves and solves below /api/v1/; people meet them on the pages of scenarios."""

from django.urls import path

from optimization import api

api_urlpatterns = [
    path("curves/", api.CurveVersions.as_view(), name="api-curves"),
    path("curves/<uuid:version_id>/", api.OneCurveVersion.as_view(), name="api-curve-version"),
    path("solves/", api.Solves.as_view(), name="api-solves"),
    path("solves/<uuid:solve_id>/", api.OneSolve.as_view(), name="api-solve"),
]
