"""Admin of data: mappings are edited here too; what the pipeline made is only shown."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.http import HttpRequest

from harmonization import services
from harmonization.models import (
    Account,
    Audience,
    Campaign,
    ContractVersion,
    CrosswalkEntry,
    DataFinding,
    DriftRule,
    FxRate,
    ImportedFile,
    ImportSource,
    Listing,
    Load,
    MappingContract,
    Placement,
    Product,
    ProductIdentifier,
    Reconciliation,
    Restatement,
    Retailer,
    Upload,
)
from tenants.admin import GuardedAdmin, tenant_site
from tenants.core.problems import Problem


class ShownAdmin(GuardedAdmin):
    """Rows that the pipeline makes: looked at here, changed nowhere."""

    can_add = can_change = can_delete = False


@admin.register(Retailer, site=tenant_site)
class RetailerAdmin(GuardedAdmin):
    view_permission, manage_permission = "catalogue.view", "catalogue.manage"
    list_display = ["name", "network", "slug", "timezone"]
    search_fields = ["name", "slug"]


@admin.register(Account, site=tenant_site)
class AccountAdmin(GuardedAdmin):
    view_permission, manage_permission = "catalogue.view", "catalogue.manage"
    list_display = ["name", "retailer", "brand", "external_id", "currency"]
    list_filter = ["retailer", "brand"]
    list_select_related = ["retailer", "brand"]
    search_fields = ["name", "external_id"]


@admin.register(Placement, site=tenant_site)
class PlacementAdmin(GuardedAdmin):
    view_permission, manage_permission = "mappings.view", "mappings.manage"
    list_display = ["network", "raw_name", "placement"]
    list_filter = ["network", "placement"]


@admin.register(Audience, site=tenant_site)
class AudienceAdmin(GuardedAdmin):
    view_permission, manage_permission = "catalogue.view", "catalogue.manage"
    list_display = ["name", "account", "kind", "size_bucket", "min_cell"]
    list_select_related = ["account__retailer"]


@admin.register(Product, site=tenant_site)
class ProductAdmin(GuardedAdmin):
    view_permission, manage_permission = "catalogue.view", "catalogue.manage"
    list_display = ["sku", "name", "brand", "gtin14", "price", "margin"]
    list_filter = ["brand"]
    list_select_related = ["brand"]
    search_fields = ["sku", "name", "gtin14"]


@admin.register(Listing, site=tenant_site)
class ListingAdmin(GuardedAdmin):
    view_permission, manage_permission = "catalogue.view", "catalogue.manage"
    list_display = ["retailer_sku", "retailer", "product", "units_in_stock", "daily_unit_sales", "stock_as_of"]
    list_filter = ["retailer"]
    list_select_related = ["retailer", "product"]
    search_fields = ["retailer_sku", "product__sku"]


class ContractTextForm(forms.ModelForm):
    """A new version: its text names the contract, so nothing else is asked."""

    text = forms.CharField(
        label="YAML", strip=False, widget=forms.Textarea(attrs={"rows": 40, "cols": 120, "spellcheck": "false"})
    )

    class Meta:
        model = ContractVersion
        fields = ["text", "note"]

    def clean_text(self) -> str:
        text = str(self.cleaned_data["text"]).replace("\r\n", "\n")
        try:
            services.check_contract(text=text)
        except Problem as problem:
            raise ValidationError(str(problem)) from problem
        return text


@admin.register(ContractVersion, site=tenant_site)
class ContractVersionAdmin(GuardedAdmin):
    """Versions are immutable: another text is another version, published as it is saved."""

    view_permission, manage_permission = "mappings.view", "mappings.manage"
    can_change = can_delete = False
    form = ContractTextForm
    list_display = ["contract", "number", "note", "created_by", "created_at"]
    list_filter = ["contract"]
    list_select_related = ["contract", "created_by"]

    def save_model(self, request: HttpRequest, obj: ContractVersion, form: Any, change: bool) -> None:
        saved = services.save_contract(actor=request.user, text=obj.text, note=obj.note)  # type: ignore[arg-type]
        obj.pk, obj.contract, obj.number = saved.pk, saved.contract, saved.number


@admin.register(MappingContract, site=tenant_site)
class MappingContractAdmin(GuardedAdmin):
    """Which version of a contract is in force: an earlier one can be published again."""

    view_permission, manage_permission = "mappings.view", "mappings.manage"
    can_add = can_delete = False
    list_display = ["name", "network", "published"]
    list_filter = ["network"]
    list_select_related = ["published__contract"]
    readonly_fields = ["name", "network"]

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **options: Any) -> Any:
        if db_field.name == "published" and request.resolver_match and request.resolver_match.kwargs.get("object_id"):
            contract = request.resolver_match.kwargs["object_id"]
            options["queryset"] = ContractVersion.objects.filter(contract_id=contract).select_related("contract")
        return super().formfield_for_foreignkey(db_field, request, **options)


@admin.register(ImportSource, site=tenant_site)
class ImportSourceAdmin(ShownAdmin):
    """Places are added and removed on their page, where the operator's roots are checked."""

    view_permission = manage_permission = "uploads.view"
    list_display = ["name", "account", "location", "glob", "looked_at"]
    list_select_related = ["account__retailer"]


@admin.register(ImportedFile, site=tenant_site)
class ImportedFileAdmin(ShownAdmin):
    view_permission = manage_permission = "uploads.view"
    list_display = ["path", "source", "state", "size", "changed_at"]
    list_filter = ["state", "source"]
    list_select_related = ["source"]


@admin.register(Restatement, site=tenant_site)
class RestatementAdmin(ShownAdmin):
    view_permission = manage_permission = "uploads.view"
    list_display = ["later", "earlier", "mode", "looks_filtered", "rows", "created_at", "ended_at", "returned_rows"]
    list_filter = ["mode", "looks_filtered"]
    list_select_related = ["later__upload", "earlier__upload"]


@admin.register(DriftRule, site=tenant_site)
class DriftRuleAdmin(GuardedAdmin):
    """What a difference between files of a report means: for one mapping, or for all."""

    view_permission, manage_permission = "mappings.view", "mappings.manage"
    list_display = ["contract", "drift", "action"]
    list_filter = ["drift", "action"]
    list_select_related = ["contract"]


@admin.register(Campaign, site=tenant_site)
class CampaignAdmin(ShownAdmin):
    view_permission = manage_permission = "catalogue.view"
    list_display = ["name", "account", "campaign_type", "first_day", "last_day"]
    list_select_related = ["account__retailer"]
    search_fields = ["name", "key"]


@admin.register(Upload, site=tenant_site)
class UploadAdmin(ShownAdmin):
    view_permission = manage_permission = "uploads.view"
    list_display = ["file_name", "kind", "account", "size", "created_by", "created_at"]
    list_filter = ["kind"]
    list_select_related = ["account__retailer", "created_by"]
    search_fields = ["file_name", "sha256"]


@admin.register(Load, site=tenant_site)
class LoadAdmin(ShownAdmin):
    view_permission = manage_permission = "uploads.view"
    list_display = ["upload", "contract_version", "status", "rows_in", "rows_out", "rows_quarantined", "published_at"]
    list_filter = ["status"]
    list_select_related = ["upload", "contract_version__contract"]


@admin.register(DataFinding, site=tenant_site)
class DataFindingAdmin(ShownAdmin):
    """Findings as they are stored; they are decided on the page Data > Quality."""

    view_permission = manage_permission = "quality.view"
    list_display = ["title", "kind", "severity", "state", "account", "rows", "last_seen"]
    list_filter = ["state", "severity", "kind"]
    list_select_related = ["account__retailer"]
    search_fields = ["title", "subject"]


@admin.register(Reconciliation, site=tenant_site)
class ReconciliationAdmin(ShownAdmin):
    view_permission = manage_permission = "quality.view"
    list_display = ["account", "report_a", "report_b", "metric", "total_a", "total_b", "verdict", "checked_at"]
    list_filter = ["verdict", "metric"]
    list_select_related = ["account__retailer"]


@admin.register(ProductIdentifier, site=tenant_site)
class ProductIdentifierAdmin(GuardedAdmin):
    view_permission, manage_permission = "catalogue.view", "catalogue.manage"
    list_display = ["value", "kind", "product", "retailer", "valid_from", "valid_to"]
    list_filter = ["kind", "retailer"]
    list_select_related = ["product", "retailer"]
    search_fields = ["value", "product__sku"]


@admin.register(CrosswalkEntry, site=tenant_site)
class CrosswalkEntryAdmin(ShownAdmin):
    """Advertised ids as they were resolved; they are decided on the page Data > Catalogue."""

    view_permission = manage_permission = "catalogue.view"
    list_display = ["sku_id", "account", "name", "product", "state", "method", "confidence", "rows"]
    list_filter = ["state", "method"]
    list_select_related = ["account__retailer", "product"]
    search_fields = ["sku_id", "name"]


@admin.register(FxRate, site=tenant_site)
class FxRateAdmin(GuardedAdmin):
    view_permission, manage_permission = "catalogue.view", "catalogue.manage"
    list_display = ["day", "currency", "base", "rate", "source"]
    list_filter = ["currency", "base"]
