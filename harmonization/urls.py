"""Addresses of data."""

from django.urls import path

from harmonization import api, views
from harmonization.catalogue import api as catalogue_api
from harmonization.catalogue import views as catalogue_views
from harmonization.editor import api as editor_api
from harmonization.editor import views as editor
from harmonization.loads import api as loads_api
from harmonization.loads import imports
from harmonization.loads import views as loads_views
from harmonization.quality import api as quality_api
from harmonization.quality import views as quality_views

urlpatterns = [
    path("data/uploads/", views.uploads, name="upload-list"),
    path("data/uploads/<uuid:upload_id>/", views.upload, name="upload-detail"),
    path("data/uploads/<uuid:upload_id>/harmonize/", views.harmonize, name="upload-harmonize"),
    path("data/quarantine/", loads_views.quarantine, name="quarantine"),
    path("data/loads/<uuid:load_id>/quarantine/", loads_views.load_quarantine, name="load-quarantine"),
    path("data/loads/<uuid:load_id>/quarantine/export/", loads_views.quarantine_export, name="quarantine-export"),
    path("data/imports/", imports.imports, name="import-list"),
    path("data/imports/<uuid:import_id>/", imports.act, name="import-act"),
    path("data/lineage/", loads_views.lineage_page, name="lineage"),
    path("data/loads/<uuid:load_id>/row/", loads_views.source_row, name="source-row"),
    path("data/loads/<uuid:load_id>/replay/", loads_views.replay, name="load-replay"),
    path("data/loads/<uuid:load_id>/whole/", loads_views.whole, name="load-whole"),
    path("data/mappings/<slug:name>/replay/", loads_views.replay_all, name="mapping-replay"),
    path("data/mappings/", views.mappings, name="mapping-list"),
    path("data/mappings/<slug:name>/", views.mapping, name="mapping-detail"),
    path("data/catalogue/", catalogue_views.catalogue, name="catalogue"),
    path("data/catalogue/ids/<uuid:entry_id>/", catalogue_views.decide, name="crosswalk-decide"),
    path("data/mappings/<slug:name>/edit/", editor.edit, name="mapping-edit"),
    path("data/uploads/<uuid:upload_id>/propose/", editor.propose, name="upload-propose"),
    path("data/drafts/<uuid:draft_id>/", editor.draft, name="mapping-draft"),
    path("data/drafts/<uuid:draft_id>/do/", editor.act, name="mapping-draft-act"),
    path("data/quality/", quality_views.quality, name="quality"),
    path("data/quality/export/", quality_views.export, name="quality-export"),
    path("data/quality/check/", quality_views.check, name="quality-check"),
    path("data/quality/<uuid:finding_id>/", quality_views.finding, name="finding-detail"),
    path("data/quality/<uuid:finding_id>/decide/", quality_views.decide, name="finding-decide"),
]

api_urlpatterns = [
    path("retailers/", api.RetailerList.as_view(), name="api-retailers"),
    path("accounts/", api.AccountList.as_view(), name="api-accounts"),
    path("uploads/", api.UploadList.as_view(), name="api-uploads"),
    path("uploads/<uuid:upload_id>/", api.UploadDetail.as_view(), name="api-upload"),
    path("uploads/<uuid:upload_id>/harmonize/", api.UploadHarmonize.as_view(), name="api-upload-harmonize"),
    path("loads/", api.LoadList.as_view(), name="api-loads"),
    path("loads/<uuid:load_id>/", api.LoadDetail.as_view(), name="api-load"),
    path("loads/<uuid:load_id>/quarantine/", loads_api.LoadQuarantine.as_view(), name="api-load-quarantine"),
    path(
        "loads/<uuid:load_id>/quarantine/export/",
        loads_api.LoadQuarantineFile.as_view(),
        name="api-load-quarantine-export",
    ),
    path("loads/<uuid:load_id>/replay/", loads_api.LoadReplay.as_view(), name="api-load-replay"),
    path("loads/<uuid:load_id>/whole/", loads_api.LoadWhole.as_view(), name="api-load-whole"),
    path("loads/<uuid:load_id>/history/", loads_api.LoadHistory.as_view(), name="api-load-history"),
    path("loads/<uuid:load_id>/row/", loads_api.LoadRow.as_view(), name="api-load-row"),
    path("imports/", imports.ImportList.as_view(), name="api-imports"),
    path("imports/<uuid:import_id>/", imports.ImportDetail.as_view(), name="api-import"),
    path("imports/<uuid:import_id>/run/", imports.ImportRun.as_view(), name="api-import-run"),
    path("lineage/", loads_api.LineageList.as_view(), name="api-lineage"),
    path("quarantine/", loads_api.QuarantineList.as_view(), name="api-quarantine"),
    path("mappings/<slug:name>/replay/", loads_api.MappingReplay.as_view(), name="api-mapping-replay"),
    path("mappings/", api.MappingList.as_view(), name="api-mappings"),
    path("mappings/check/", api.MappingCheck.as_view(), name="api-mapping-check"),
    path("mappings/<slug:name>/", api.MappingDetail.as_view(), name="api-mapping"),
    path("mappings/<slug:name>/edit/", editor_api.MappingEdit.as_view(), name="api-mapping-edit"),
    path("uploads/<uuid:upload_id>/proposal/", editor_api.UploadProposal.as_view(), name="api-upload-proposal"),
    path("mapping-drafts/", editor_api.DraftList.as_view(), name="api-drafts"),
    path("mapping-drafts/<uuid:draft_id>/", editor_api.DraftDetail.as_view(), name="api-draft"),
    path("mapping-drafts/<uuid:draft_id>/columns/", editor_api.DraftColumns.as_view(), name="api-draft-columns"),
    path("mapping-drafts/<uuid:draft_id>/test/", editor_api.DraftTest.as_view(), name="api-draft-test"),
    path("mapping-drafts/<uuid:draft_id>/publish/", editor_api.DraftPublish.as_view(), name="api-draft-publish"),
    path("products/", api.ProductList.as_view(), name="api-products"),
    path("campaigns/", api.CampaignList.as_view(), name="api-campaigns"),
    path("crosswalk/", catalogue_api.CrosswalkList.as_view(), name="api-crosswalk"),
    path("crosswalk/<uuid:entry_id>/decide/", catalogue_api.CrosswalkDecide.as_view(), name="api-crosswalk-decide"),
    path(
        "crosswalk/<uuid:entry_id>/withdraw/", catalogue_api.CrosswalkWithdraw.as_view(), name="api-crosswalk-withdraw"
    ),
    path("audiences/", catalogue_api.AudienceList.as_view(), name="api-audiences"),
    path("fx-rates/", catalogue_api.FxRateList.as_view(), name="api-fx-rates"),
    path("sources/", quality_api.SourceList.as_view(), name="api-sources"),
    path("quality/findings/", quality_api.FindingList.as_view(), name="api-findings"),
    path("quality/findings/<uuid:finding_id>/", quality_api.FindingDetail.as_view(), name="api-finding"),
    path(
        "quality/findings/<uuid:finding_id>/acknowledge/",
        quality_api.FindingAcknowledge.as_view(),
        name="api-finding-acknowledge",
    ),
    path("quality/findings/<uuid:finding_id>/reopen/", quality_api.FindingReopen.as_view(), name="api-finding-reopen"),
    path("quality/reconciliations/", quality_api.ReconciliationList.as_view(), name="api-reconciliations"),
    path("quality/checks/", quality_api.CheckList.as_view(), name="api-checks"),
    path("placements/", api.PlacementList.as_view(), name="api-placements"),
]
