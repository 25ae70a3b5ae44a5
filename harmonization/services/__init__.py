"""What can be done with data: the one door of this app.

accounts and retailers, uploads, contracts, loads, the catalogue.
"""

from harmonization.services.accounts import create_account, create_retailer
from harmonization.services.catalogue import import_catalogue
from harmonization.services.checks import Checked, check_account, check_after_load, run_check, start_check
from harmonization.services.contracts import check_contract, ensure_shipped_contracts, save_contract
from harmonization.services.findings import (
    Recorded,
    acknowledge_finding,
    record_findings,
    reopen_finding,
    resolve_findings,
)
from harmonization.services.housekeeping import start_vacuum, vacuum_events
from harmonization.services.intake import Taken, take_file
from harmonization.services.loads import confirm_whole, harmonize_upload, restate_days, start_load
from harmonization.services.publishing import publish_load
from harmonization.services.uploads import receive_upload

__all__ = [
    "Checked",
    "Recorded",
    "Taken",
    "acknowledge_finding",
    "check_account",
    "check_after_load",
    "check_contract",
    "confirm_whole",
    "create_account",
    "create_retailer",
    "ensure_shipped_contracts",
    "harmonize_upload",
    "import_catalogue",
    "publish_load",
    "receive_upload",
    "record_findings",
    "reopen_finding",
    "resolve_findings",
    "restate_days",
    "run_check",
    "save_contract",
    "start_check",
    "start_load",
    "start_vacuum",
    "take_file",
    "vacuum_events",
]
