"""Addresses of governance."""

from django.urls import path

from governance import api

api_urlpatterns = [path("policies/", api.PolicyRuleList.as_view(), name="api-policies")]
