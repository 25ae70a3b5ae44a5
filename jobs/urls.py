"""Addresses of jobs: `urlpatterns` for pages, `api_urlpatterns` below /api/v1/."""

from django.urls import path

from jobs import api, views

urlpatterns = [
    path("jobs/", views.job_list, name="job-list"),
    path("jobs/<uuid:job_id>/", views.job_detail, name="job-detail"),
    path("jobs/<uuid:job_id>/log/", views.job_log, name="job-log"),
    path("jobs/<uuid:job_id>/cancel/", views.job_cancel, name="job-cancel"),
    path("jobs/<uuid:job_id>/retry/", views.job_retry, name="job-retry"),
]

api_urlpatterns = [
    path("jobs/", api.Jobs.as_view(), name="api-jobs"),
    path("jobs/<uuid:job_id>/", api.OneJob.as_view(), name="api-job"),
    path("jobs/<uuid:job_id>/logs/", api.JobLogs.as_view(), name="api-job-logs"),
    path("jobs/<uuid:job_id>/cancel/", api.CancelJob.as_view(), name="api-job-cancel"),
    path("jobs/<uuid:job_id>/retry/", api.RetryJob.as_view(), name="api-job-retry"),
    path("schedules/", api.Schedules.as_view(), name="api-schedules"),
    path("schedules/<uuid:schedule_id>/", api.OneSchedule.as_view(), name="api-schedule"),
]
