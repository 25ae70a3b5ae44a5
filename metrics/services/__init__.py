"""What can be asked of figures and kept with them: the one door for pages, REST, the command line and the planner."""

from metrics.services.factors import COLUMNS as FACTOR_COLUMNS
from metrics.services.factors import LARGEST_FILE as LARGEST_FACTOR_FILE
from metrics.services.factors import NewFactor, Published, brand_to_publish_for, publish_factors, read_factor_file
from metrics.services.figures import (
    Question,
    export_metrics,
    make_request,
    query_for_operator,
    query_metrics,
    query_tables,
    query_tenant_metrics,
)
from metrics.services.saved_views import change_view, delete_view, save_view

__all__ = [
    "FACTOR_COLUMNS",
    "LARGEST_FACTOR_FILE",
    "NewFactor",
    "Published",
    "Question",
    "brand_to_publish_for",
    "change_view",
    "delete_view",
    "export_metrics",
    "make_request",
    "publish_factors",
    "query_for_operator",
    "query_metrics",
    "query_tables",
    "query_tenant_metrics",
    "read_factor_file",
    "save_view",
]
