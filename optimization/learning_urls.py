"""Addresses of learning programmes: `urlpatterns` for pages, `api_urlpatterns` below /api/v1/."""

from django.urls import path

from optimization import learning_api as api
from optimization import learning_views as views

urlpatterns = [
    path("learning/", views.programme_list, name="learning-list"),
    path("learning/new/<uuid:solve_id>/", views.programme_new, name="learning-new"),
    path("learning/<uuid:programme_id>/", views.programme_detail, name="learning-detail"),
    path("learning/<uuid:programme_id>/run/", views.programme_run, name="learning-run"),
    path("learning/<uuid:programme_id>/status/", views.programme_status, name="learning-status"),
    path("learning/<uuid:programme_id>/schedule/", views.programme_schedule, name="learning-schedule"),
    path("learning/<uuid:programme_id>/log/", views.programme_log, name="learning-log"),
    path("learning/weeks/<uuid:week_id>/decide/", views.week_decide, name="learning-decide"),
]

api_urlpatterns = [
    path("learning/", api.Programmes.as_view(), name="api-learning"),
    path("learning/<uuid:programme_id>/", api.OneProgramme.as_view(), name="api-learning-programme"),
    path("learning/<uuid:programme_id>/status/", api.ProgrammeStatus.as_view(), name="api-learning-status"),
    path("learning/<uuid:programme_id>/run/", api.RunProgramme.as_view(), name="api-learning-run"),
    path("learning/<uuid:programme_id>/weeks/", api.ProgrammeWeeks.as_view(), name="api-learning-weeks"),
    path("learning/<uuid:programme_id>/log/", api.ProgrammeLog.as_view(), name="api-learning-log"),
    path("learning/<uuid:programme_id>/replay/", api.ReplayProgramme.as_view(), name="api-learning-replay"),
    path("learning/<uuid:programme_id>/estimate/", api.EstimateProgramme.as_view(), name="api-learning-estimate"),
    path("learning/weeks/<uuid:week_id>/", api.OneWeek.as_view(), name="api-learning-week"),
    path("learning/weeks/<uuid:week_id>/decide/", api.DecideWeek.as_view(), name="api-learning-decide"),
]
