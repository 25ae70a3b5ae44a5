"""What can be done with experiments: the one door for pages, REST, jobs, commands and the planner."""

from measurement.services.calibration import (
    PUBLISH,
    VALID_DAYS,
    Preview,
    calibration_in_use,
    preview_planning,
    use_in_planning,
)
from measurement.services.designs import (
    DESIGN,
    Tell,
    assign_units,
    assignment_file,
    assignment_rows,
    choose_candidate,
    design_experiment,
    request_design,
)
from measurement.services.event_panels import UNITS, panel_from_events
from measurement.services.experiments import (
    create_experiment,
    delete_experiment,
    duplicate_experiment,
    given_of,
    update_experiment,
)
from measurement.services.next_tests import NextTests, scenarios_with_reserve, suggest_next_test
from measurement.services.panel_files import LARGEST, TIDY, checked_days, erase_panels, start_tidying, tidy_panels
from measurement.services.panels import add_panel, panel_data
from measurement.services.plans import LONGEST_REASON, cancel_experiment, register_experiment, start_experiment
from measurement.services.readings import ANALYSE, EarlyLook, analyse_experiment, request_analysis
from measurement.services.refreshes import (
    REFRESH,
    SOURCES,
    refresh_experiment,
    schedule_of,
    schedule_refreshes,
    stop_refreshes,
)
from measurement.services.states import advance, note_abandoned

__all__ = [
    "ANALYSE",
    "DESIGN",
    "LARGEST",
    "LONGEST_REASON",
    "PUBLISH",
    "REFRESH",
    "SOURCES",
    "TIDY",
    "UNITS",
    "VALID_DAYS",
    "EarlyLook",
    "NextTests",
    "Preview",
    "Tell",
    "add_panel",
    "advance",
    "analyse_experiment",
    "assign_units",
    "assignment_file",
    "assignment_rows",
    "calibration_in_use",
    "cancel_experiment",
    "checked_days",
    "choose_candidate",
    "create_experiment",
    "delete_experiment",
    "design_experiment",
    "duplicate_experiment",
    "erase_panels",
    "given_of",
    "note_abandoned",
    "panel_data",
    "panel_from_events",
    "preview_planning",
    "refresh_experiment",
    "register_experiment",
    "request_analysis",
    "request_design",
    "scenarios_with_reserve",
    "schedule_of",
    "schedule_refreshes",
    "start_experiment",
    "start_tidying",
    "stop_refreshes",
    "suggest_next_test",
    "tidy_panels",
    "update_experiment",
    "use_in_planning",
]
