"""Addresses of curves and solves: `urlpatterns` for pages, `api_urlpatterns` below /api/v1/."""

from django.urls import path

from optimization import api, views

urlpatterns = [
    path("curves/", views.curve_list, name="curve-list"),
    path("curves/fit/", views.fit, name="curve-fit"),
    path("curves/import/", views.import_curves, name="curve-import"),
    path("curves/refits/", views.refits, name="curve-refits"),
    path("curves/factors/", views.factors, name="curve-factors"),
    path("curves/adjustments/<uuid:adjustment_id>/revoke/", views.revoke, name="curve-adjustment-revoke"),
    path("curves/<uuid:version_id>/", views.curve_version, name="curve-version"),
    path("curves/<uuid:version_id>/cell/", views.curve_cell, name="curve-cell"),
    path("curves/<uuid:version_id>/export/", views.export, name="curve-export"),
]

api_urlpatterns = [
    path("curves/", api.CurveVersions.as_view(), name="api-curves"),
    path("curves/adjustments/", api.Adjustments.as_view(), name="api-curve-adjustments"),
    path("curves/adjustments/<uuid:adjustment_id>/", api.OneAdjustment.as_view(), name="api-curve-adjustment"),
    path(
        "curves/adjustments/<uuid:adjustment_id>/revoke/",
        api.RevokeAdjustment.as_view(),
        name="api-curve-adjustment-revoke",
    ),
    path("curves/factors/", api.CurveFactors.as_view(), name="api-curve-factors"),
    path("curves/imports/", api.CurveImports.as_view(), name="api-curve-imports"),
    path("curves/<uuid:version_id>/file/", api.CurveFile.as_view(), name="api-curve-file"),
    path("curves/<uuid:version_id>/", api.OneCurveVersion.as_view(), name="api-curve-version"),
    path("solves/", api.Solves.as_view(), name="api-solves"),
    path("solves/<uuid:solve_id>/", api.OneSolve.as_view(), name="api-solve"),
]
