"""Addresses of readings and their files: `urlpatterns` for pages, `api_urlpatterns` below /api/v1/."""

from django.urls import path

from measurement import readout_api as api
from measurement import readout_views as views

urlpatterns = [
    path("experiments/<uuid:experiment_id>/reading/", views.experiment_reading, name="experiment-reading"),
    path(
        "experiments/<uuid:experiment_id>/planning/", views.experiment_planning, name="experiment-planning"
    ),
    path(
        "experiments/<uuid:experiment_id>/report.csv", views.experiment_report, {"kind": "csv"},
        name="experiment-report-csv",
    ),
    path(
        "experiments/<uuid:experiment_id>/report.pdf", views.experiment_report, {"kind": "pdf"},
        name="experiment-report-pdf",
    ),
]  # fmt: skip

api_urlpatterns = [
    path("experiments/<uuid:experiment_id>/planning/", api.Planning.as_view(), name="api-experiment-planning"),
    path(
        "experiments/<uuid:experiment_id>/report.csv", api.ReportCsv.as_view(), name="api-experiment-report-csv"
    ),
    path(
        "experiments/<uuid:experiment_id>/report.pdf", api.ReportPdf.as_view(), name="api-experiment-report-pdf"
    ),
]  # fmt: skip
