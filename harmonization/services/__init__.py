"""What can be done with data: the one door of this app.

accounts and retailers, uploads, contracts, loads, the catalogue.
"""

from harmonization.services.accounts import create_account, create_retailer
from harmonization.services.catalogue import import_catalogue
from harmonization.services.checks import (
    Checked,
    check_account,
    check_after_load,
    require_check,
    run_check,
    start_check,
)
from harmonization.services.contracts import check_contract, ensure_shipped_contracts, save_contract
from harmonization.services.crosswalk import decide_product, withdraw_decision
from harmonization.services.draft_suggestions import map_finding
from harmonization.services.drafts import (
    accept_column,
    choose_column,
    discard_draft,
    open_draft,
    preview_draft,
    propose_contract,
    publish_draft,
    run_proposal,
    set_draft_frame,
    set_draft_text,
    try_draft,
    try_on,
    undecided,
)
from harmonization.services.findings import (
    Recorded,
    acknowledge_finding,
    record_findings,
    reopen_finding,
    resolve_findings,
)
from harmonization.services.housekeeping import start_vacuum, vacuum_events
from harmonization.services.imports import create_import_source, import_files, remove_import_source, start_import
from harmonization.services.intake import Taken, take_file
from harmonization.services.load_context import build_context
from harmonization.services.loads import confirm_whole, harmonize_upload, restate_days, start_load
from harmonization.services.publishing import publish_load
from harmonization.services.reference_data import import_audiences, import_policies, import_rates
from harmonization.services.replay import Replays, replay_contract, replay_load
from harmonization.services.uploads import receive_upload

__all__ = [
    "Checked",
    "Recorded",
    "Replays",
    "Taken",
    "accept_column",
    "acknowledge_finding",
    "build_context",
    "check_account",
    "check_after_load",
    "check_contract",
    "choose_column",
    "confirm_whole",
    "create_account",
    "create_import_source",
    "create_retailer",
    "decide_product",
    "discard_draft",
    "ensure_shipped_contracts",
    "harmonize_upload",
    "import_audiences",
    "import_catalogue",
    "import_files",
    "import_policies",
    "import_rates",
    "map_finding",
    "open_draft",
    "preview_draft",
    "propose_contract",
    "publish_draft",
    "publish_load",
    "receive_upload",
    "record_findings",
    "remove_import_source",
    "reopen_finding",
    "replay_contract",
    "replay_load",
    "require_check",
    "resolve_findings",
    "restate_days",
    "run_check",
    "run_proposal",
    "save_contract",
    "set_draft_frame",
    "set_draft_text",
    "start_check",
    "start_import",
    "start_load",
    "start_vacuum",
    "take_file",
    "try_draft",
    "try_on",
    "undecided",
    "vacuum_events",
    "withdraw_decision",
]
