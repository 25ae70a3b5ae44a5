"""Addresses of figures: `urlpatterns` for pages, `api_urlpatterns` below /api/v1/."""

from django.urls import path

from metrics import api, views

urlpatterns = [
    path("performance/", views.performance, name="performance"),
    path("performance/export/", views.export_performance, name="performance-export"),
    path("performance/views/", views.save_view, name="performance-views"),
    path("performance/views/<uuid:view_id>/delete/", views.delete_view, name="performance-view-delete"),
    path("performance/factors/", views.factors, name="metric-factors"),
    path("performance/definitions/", views.definitions, name="metric-definitions"),
]

api_urlpatterns = [
    path("metrics/query/", api.MetricQueryView.as_view(), name="api-metrics-query"),
    path("metrics/definitions/", api.MetricDefinitionsView.as_view(), name="api-metrics-definitions"),
    path("metrics/factors/", api.FactorSetList.as_view(), name="api-metrics-factors"),
    path("metrics/views/", api.SavedViewList.as_view(), name="api-metrics-views"),
    path("metrics/views/<uuid:view_id>/", api.SavedViewDetail.as_view(), name="api-metrics-view"),
    path("metrics/export/", api.MetricExportView.as_view(), name="api-metrics-export"),
]
