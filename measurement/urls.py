"""Addresses of experiments: `urlpatterns` for pages, `api_urlpatterns` below /api/v1/."""

from django.urls import path

from measurement import api, next_test_api, next_test_views, readout_urls, views, work_api

_ONE = "experiments/<uuid:experiment_id>/"

urlpatterns = [
    path("experiments/", views.experiment_list, name="experiment-list"),
    path("experiments/new/", views.experiment_new, name="experiment-new"),
    path("experiments/next/", next_test_views.experiment_next, name="experiment-next"),
    path(_ONE, views.experiment_detail, name="experiment-detail"),
    path(f"{_ONE}edit/", views.experiment_edit, name="experiment-edit"),
    path(f"{_ONE}data/", views.experiment_data, name="experiment-data"),
    path(f"{_ONE}design/", views.experiment_design, name="experiment-design"),
    path(f"{_ONE}choose/", views.experiment_choose, name="experiment-choose"),
    path(f"{_ONE}assignment.csv", views.experiment_assignment, name="experiment-assignment"),
    path(f"{_ONE}register/", views.experiment_register, name="experiment-register"),
    path(f"{_ONE}start/", views.experiment_start, name="experiment-start"),
    path(f"{_ONE}cancel/", views.experiment_cancel, name="experiment-cancel"),
    path(f"{_ONE}erase/", views.experiment_erase, name="experiment-erase"),
    path(f"{_ONE}analyse/", views.experiment_analyse, name="experiment-analyse"),
    path(f"{_ONE}refreshes/", views.experiment_refreshes, name="experiment-refreshes"),
    path(f"{_ONE}duplicate/", views.experiment_duplicate, name="experiment-duplicate"),
    path(f"{_ONE}delete/", views.experiment_delete, name="experiment-delete"),
    *readout_urls.urlpatterns,
]

api_urlpatterns = [
    path("experiments/", api.Experiments.as_view(), name="api-experiments"),
    path("experiments/next/", next_test_api.NextTest.as_view(), name="api-next-test"),
    path(_ONE, api.OneExperiment.as_view(), name="api-experiment"),
    path(f"{_ONE}duplicate/", api.DuplicateExperiment.as_view(), name="api-experiment-duplicate"),
    path(f"{_ONE}panels/", work_api.Panels.as_view(), name="api-experiment-panels"),
    path(f"{_ONE}panels/events/", work_api.EventPanels.as_view(), name="api-experiment-event-panels"),
    path(f"{_ONE}design/", work_api.DesignExperiment.as_view(), name="api-experiment-design"),
    path(f"{_ONE}candidate/", api.ChooseCandidate.as_view(), name="api-experiment-candidate"),
    path(f"{_ONE}assignment/", api.Assignment.as_view(), name="api-experiment-assignment"),
    path(f"{_ONE}assignment.csv", api.AssignmentFile.as_view(), name="api-experiment-assignment-file"),
    path(f"{_ONE}plan/", api.Plan.as_view(), name="api-experiment-plan"),
    path(f"{_ONE}register/", api.RegisterExperiment.as_view(), name="api-experiment-register"),
    path(f"{_ONE}start/", api.StartExperiment.as_view(), name="api-experiment-start"),
    path(f"{_ONE}cancel/", api.CancelExperiment.as_view(), name="api-experiment-cancel"),
    path(f"{_ONE}analyse/", work_api.AnalyseExperiment.as_view(), name="api-experiment-analyse"),
    path(f"{_ONE}reading/", work_api.ExperimentReading.as_view(), name="api-experiment-reading"),
    path(f"{_ONE}refreshes/", work_api.Refreshes.as_view(), name="api-experiment-refreshes"),
    *readout_urls.api_urlpatterns,
]
