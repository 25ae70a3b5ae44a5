"""Addresses of scenarios and budgets: `urlpatterns` for pages, `api_urlpatterns` below /api/v1/."""

from django.urls import path

from planning import api, compare_views, pacing_api, pacing_views, simulate_views, views, what_if_api
from planning.home_view import home_page

urlpatterns = [
    path("", home_page, name="home"),
    path("pacing/", pacing_views.pacing, name="pacing"),
    path("pacing/<uuid:budget_id>/delete/", pacing_views.budget_delete, name="budget-delete"),
    path("scenarios/<uuid:scenario_id>/budgets/", pacing_views.scenario_budgets, name="scenario-budgets"),
    path("scenarios/", views.scenario_list, name="scenario-list"),
    path("scenarios/new/", views.scenario_new, name="scenario-new"),
    path("scenarios/check/", views.scenario_check, name="scenario-check"),
    path("scenarios/compare/", compare_views.scenario_compare, name="scenario-compare"),
    path("scenarios/compare/export/", compare_views.scenario_compare_export, name="scenario-compare-export"),
    path("scenarios/<uuid:scenario_id>/", views.scenario_detail, name="scenario-detail"),
    path("scenarios/<uuid:scenario_id>/simulate/", simulate_views.scenario_simulate, name="scenario-simulate"),
    path("scenarios/<uuid:scenario_id>/edit/", views.scenario_edit, name="scenario-edit"),
    path("scenarios/<uuid:scenario_id>/solve/", views.scenario_solve, name="scenario-solve"),
    path("scenarios/<uuid:scenario_id>/duplicate/", views.scenario_duplicate, name="scenario-duplicate"),
    path("scenarios/<uuid:scenario_id>/tighten/", views.scenario_tighten, name="scenario-tighten"),
    path("scenarios/<uuid:scenario_id>/relax/", views.scenario_relax, name="scenario-relax"),
    path("scenarios/<uuid:scenario_id>/delete/", views.scenario_delete, name="scenario-delete"),
    path("scenarios/<uuid:scenario_id>/export/", views.scenario_export, name="scenario-export"),
]

api_urlpatterns = [
    path("budgets/", pacing_api.Budgets.as_view(), name="api-budgets"),
    path("budgets/<uuid:budget_id>/", pacing_api.OneBudget.as_view(), name="api-budget"),
    path("pacing/", pacing_api.Pacing.as_view(), name="api-pacing"),
    path("scenarios/<uuid:scenario_id>/budgets/", pacing_api.ScenarioBudgets.as_view(), name="api-scenario-budgets"),
    path("scenarios/", api.Scenarios.as_view(), name="api-scenarios"),
    path("scenarios/check/", api.CheckScenario.as_view(), name="api-scenario-check"),
    path("scenarios/compare/", what_if_api.CompareScenarios.as_view(), name="api-scenario-compare"),
    path("scenarios/compare/lines/", what_if_api.ComparisonLines.as_view(), name="api-scenario-compare-lines"),
    path("scenarios/<uuid:scenario_id>/", api.OneScenario.as_view(), name="api-scenario"),
    path("scenarios/<uuid:scenario_id>/solve/", api.SolveScenario.as_view(), name="api-scenario-solve"),
    path("scenarios/<uuid:scenario_id>/duplicate/", api.DuplicateScenario.as_view(), name="api-scenario-duplicate"),
    path("scenarios/<uuid:scenario_id>/tighten/", what_if_api.TightenScenario.as_view(), name="api-scenario-tighten"),
    path(
        "scenarios/<uuid:scenario_id>/explanation/",
        what_if_api.ExplainScenario.as_view(),
        name="api-scenario-explanation",
    ),
    path("scenarios/<uuid:scenario_id>/relax/", api.RelaxScenario.as_view(), name="api-scenario-relax"),
    path(
        "scenarios/<uuid:scenario_id>/simulate/", what_if_api.SimulateAllocation.as_view(), name="api-scenario-simulate"
    ),
    path("scenarios/<uuid:scenario_id>/lines/", api.ScenarioLines.as_view(), name="api-scenario-lines"),
]
