"""Addresses of data."""

from django.urls import path

from harmonization import api, views
from harmonization.editor import views as editor

urlpatterns = [
    path("data/uploads/", views.uploads, name="upload-list"),
    path("data/uploads/<uuid:upload_id>/", views.upload, name="upload-detail"),
    path("data/uploads/<uuid:upload_id>/harmonize/", views.harmonize, name="upload-harmonize"),
    path("data/mappings/", views.mappings, name="mapping-list"),
    path("data/mappings/<slug:name>/", views.mapping, name="mapping-detail"),
    path("data/mappings/<slug:name>/edit/", editor.edit, name="mapping-edit"),
    path("data/uploads/<uuid:upload_id>/propose/", editor.propose, name="upload-propose"),
    path("data/drafts/<uuid:draft_id>/", editor.draft, name="mapping-draft"),
    path("data/drafts/<uuid:draft_id>/do/", editor.act, name="mapping-draft-act"),
    path("data/catalogue/", views.catalogue, name="catalogue"),
]

api_urlpatterns = [
    path("retailers/", api.RetailerList.as_view(), name="api-retailers"),
    path("accounts/", api.AccountList.as_view(), name="api-accounts"),
    path("uploads/", api.UploadList.as_view(), name="api-uploads"),
    path("uploads/<uuid:upload_id>/", api.UploadDetail.as_view(), name="api-upload"),
    path("uploads/<uuid:upload_id>/harmonize/", api.UploadHarmonize.as_view(), name="api-upload-harmonize"),
    path("loads/", api.LoadList.as_view(), name="api-loads"),
    path("loads/<uuid:load_id>/", api.LoadDetail.as_view(), name="api-load"),
    path("loads/<uuid:load_id>/quarantine/", api.LoadQuarantine.as_view(), name="api-load-quarantine"),
    path("mappings/", api.MappingList.as_view(), name="api-mappings"),
    path("mappings/check/", api.MappingCheck.as_view(), name="api-mapping-check"),
    path("mappings/<slug:name>/", api.MappingDetail.as_view(), name="api-mapping"),
    path("products/", api.ProductList.as_view(), name="api-products"),
    path("campaigns/", api.CampaignList.as_view(), name="api-campaigns"),
    path("placements/", api.PlacementList.as_view(), name="api-placements"),
]
