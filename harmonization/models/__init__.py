"""Retailers, accounts and what is sold and advertised there; uploads, contracts and loads.

Event rows are not here: they are Parquet files of a Delta table under the tenant's folder. PostgreSQL names the
version of that table that readers may open (`EventTable.version`), which is what makes a load appear whole or not at
all.
"""

from harmonization.models.catalogue import CrosswalkEntry, Listing, Product, ProductIdentifier
from harmonization.models.contracts import ContractVersion, MappingContract
from harmonization.models.currency import FxRate
from harmonization.models.drafts import MappingDraft
from harmonization.models.drift import DriftRule
from harmonization.models.findings import DataFinding, Reconciliation
from harmonization.models.history import Restatement, TableVersion
from harmonization.models.imports import ImportedFile, ImportSource
from harmonization.models.loads import EventTable, Load, Upload
from harmonization.models.networks import Account, Audience, Campaign, Placement, Retailer

__all__ = [
    "Account",
    "Audience",
    "Campaign",
    "ContractVersion",
    "CrosswalkEntry",
    "DataFinding",
    "DriftRule",
    "EventTable",
    "FxRate",
    "ImportSource",
    "ImportedFile",
    "Listing",
    "Load",
    "MappingContract",
    "MappingDraft",
    "Placement",
    "Product",
    "ProductIdentifier",
    "Reconciliation",
    "Restatement",
    "Retailer",
    "TableVersion",
    "Upload",
]
