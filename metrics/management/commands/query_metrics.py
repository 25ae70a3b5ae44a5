"""`manage.py query_metrics`: figures of a tenant on the command line, for whoever runs the server."""

from __future__ import annotations

import argparse
import json
from datetime import date, timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from django_tenants.utils import tenant_context

from metrics import services
from metrics.core.definitions import DIMENSIONS, METRICS
from metrics.core.records import plain_decimal, table_record
from metrics.core.request import ATTRIBUTIONS, COMPARISONS, MATCHES
from metrics.core.suppression import WITHHELD
from metrics.core.table import CURRENCY, MetricTable
from metrics.parameters import instant_of
from tenants.core.problems import Problem
from tenants.selectors import find_tenant


class Command(BaseCommand):
    help = "Query the published figures of a tenant: metrics, split by dimensions, over a period."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--tenant", required=True, help="slug or id of the tenant")
        parser.add_argument("--metrics", default="spend,sales,roas", help=f"of: {', '.join(METRICS)}")
        parser.add_argument("--by", default="network", help=f"dimensions, of: {', '.join(DIMENSIONS)}; '' for totals")
        parser.add_argument("--start", type=_day, help="first day, YYYY-MM-DD; by default 83 days before the last")
        parser.add_argument("--end", type=_day, help="last day, YYYY-MM-DD; by default today")
        parser.add_argument("--compare", choices=COMPARISONS, default="none")
        parser.add_argument("--attribution", choices=ATTRIBUTIONS, default="as_reported")
        parser.add_argument("--window", type=int, help="days of the common window")
        parser.add_argument("--match", default="", help=f"purchases of the common window, of: {', '.join(MATCHES)}")
        parser.add_argument("--money", default="", help="native, base, or a currency code to convert to")
        parser.add_argument(
            "--as-of", default="", help="figures as published at that instant or by the end of that day"
        )
        parser.add_argument("--filter", action="append", default=[], metavar="DIMENSION=MEMBER", help="may be repeated")
        parser.add_argument("--sort", default="")
        parser.add_argument("--limit", type=int)
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        end = options["end"] or timezone.now().date()
        try:
            with tenant_context(find_tenant(key=options["tenant"])):
                table = services.query_for_operator(
                    metrics=_names(options["metrics"]),
                    dimensions=_names(options["by"]),
                    start=options["start"] or end - timedelta(days=83),
                    end=end,
                    filters=_filters(options["filter"]),
                    compare=options["compare"],
                    attribution=options["attribution"],
                    window=options["window"],
                    match=options["match"],
                    money=options["money"],
                    as_of=instant_of(options["as_of"]),
                    sort=options["sort"],
                    limit=options["limit"],
                )
        except Problem as problem:
            raise CommandError(str(problem)) from problem
        if options["json"]:
            self.stdout.write(json.dumps(table_record(table), ensure_ascii=False))
            return
        for line in _lines(table):
            self.stdout.write(line)


def _lines(table: MetricTable) -> list[str]:
    """Columns of text, figures to the right, and what must be known below."""
    shown = [
        DIMENSIONS[name].label_name if DIMENSIONS[name].label_columns else name for name in table.request.dimensions
    ]
    columns = list(dict.fromkeys((*shown, CURRENCY, *table.request.metrics)))
    rows = [columns]
    for frame in (table.lines, table.rest, table.totals):
        rows += [
            [row.get(WITHHELD + name) or _cell(row.get(name)) for name in columns]
            for row in frame.iter_rows(named=True)
        ]
    widths = [max(len(row[at]) for row in rows) for at in range(len(columns))]
    text = [
        "  ".join(
            cell.rjust(width) if column in METRICS else cell.ljust(width)
            for cell, width, column in zip(row, widths, columns, strict=True)
        ).rstrip()
        for row in rows
    ]
    return [*text, *(f"{notice.severity}: {notice.text}" for notice in table.notices)]


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:.4f}"
    return str(value) if isinstance(value, str | int | date) else plain_decimal(value)


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _filters(pairs: list[str]) -> dict[str, list[str]]:
    filters: dict[str, list[str]] = {}
    for pair in pairs:
        name, sign, member = pair.partition("=")
        if not sign:
            raise CommandError(f"--filter {pair}: write it as DIMENSION=MEMBER.")
        filters.setdefault(name, []).append(member)
    return filters


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f'"{text}" is not a day; write it as YYYY-MM-DD.') from None
