"""The work of `benches.harmonize` in DuckDB: the same typing, maps, rules, derived columns, quarantine, duplicates.

What SQL does not do is left out in its favour: no report of headers, no examples a rule, no text of the cells to blame.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benches._harmonize_export import HEADERS

_PLACEMENTS = {
    "search top": "onsite_search_top",
    "search ingrid": "onsite_search_rest",
    "search carousel": "onsite_search_carousel",
    "buy-box": "onsite_pdp_buybox",
    "item carousel": "onsite_pdp",
    "home page": "onsite_home",
    "browse": "onsite_browse",
    "cart": "onsite_cart",
}
_DEVICES = {"app ios": "app", "app android": "app", "desktop web": "desktop", "mobile web": "mobile"}
_NULLS = ("", "-", "--", "—", "N/A", "n/a", "null", "#N/A")


def _clean(header: str) -> str:
    tokens = ", ".join(f"'{token}'" for token in _NULLS)
    return f'CASE WHEN trim("{header}") NOT IN ({tokens}) THEN trim("{header}") END'


def _case(column: str, values: dict[str, str], default: str) -> str:
    cases = " ".join(f"WHEN '{raw}' THEN '{canonical}'" for raw, canonical in values.items())
    return f"CASE WHEN {column} IS NOT NULL THEN CASE lower({column}) {cases} ELSE '{default}' END END"


#: The digits of a GTIN-14 weigh 3, 1, 3, ... 1, and a right check digit makes that a multiple of ten.
_WEIGHED = " + ".join(
    f"{3 - place % 2 * 2} * try_cast(substr(sku_id, {place + 1}, 1) AS INTEGER)" for place in range(14)
)
_RULES = {
    "readable_period_start": "t_date IS NOT NULL AND period_start IS NULL",
    "readable_event_ts_utc": "t_eventTime IS NOT NULL AND event_ts_utc IS NULL",
    "readable_impressions": "t_impressions IS NOT NULL AND impressions IS NULL",
    "readable_clicks": "t_clicks IS NOT NULL AND clicks IS NULL",
    "readable_spend": "t_adSpend IS NOT NULL AND spend IS NULL",
    "readable_sales_total": "t_attributedSales14days IS NOT NULL AND sales IS NULL",
    "dates_present": "period_start IS NULL OR event_ts_utc IS NULL",
    "dimensions_present": "campaign_id IS NULL OR ad_group_id IS NULL OR sku_id IS NULL",
    "measures_present": "impressions IS NULL OR clicks IS NULL OR spend IS NULL",
    "gtin_form": "NOT regexp_full_match(sku_id, '[0-9]{14}')",
    "gtin_digit": f"({_WEIGHED}) % 10 != 0",
    "campaign_form": "NOT regexp_full_match(campaign_id, '[0-9]{1,20}')",
    "device_known": "device NOT IN ('app', 'desktop', 'mobile', 'other')",
    "impressions_not_negative": "impressions < 0",
    "clicks_not_negative": "clicks < 0",
    "spend_plausible": "spend < 0 OR spend > 100000",
    "sales_not_negative": "sales < 0",
    "date_plausible": "period_start < DATE '2012-01-01'",
    "clicks_within_impressions": "clicks > impressions",
}


def harmonize_in_sql(file: Path, out: Path) -> dict[str, Any]:
    """Good and quarantined rows as Parquet below `out`; counts and sums of the good ones."""
    import duckdb

    base = duckdb.connect(str(out / "work.duckdb"))
    base.execute("SET threads TO 1")
    base.execute("SET memory_limit = '700MB'")
    base.execute(f"SET temp_directory = '{out / 'spill'}'")
    base.execute("SET preserve_insertion_order = false")
    columns = ", ".join(f"'{header}': 'VARCHAR'" for header in HEADERS)
    clean = ", ".join(f'{_clean(header)} AS "t_{header}"' for header in HEADERS)
    broken = ", ".join(f"CASE WHEN {condition} THEN '{rule}' END" for rule, condition in _RULES.items())
    base.execute(f"""
        CREATE TEMP VIEW judged AS
        WITH cells AS (
            SELECT {clean}
            FROM read_csv('{file}', header = true, auto_detect = false, delim = ',', columns = {{{columns}}})
        ), typed AS (
            SELECT *,
                CAST(try_strptime(t_date, '%Y-%m-%d') AS DATE) AS period_start,
                timezone('America/New_York', try_strptime(t_eventTime, '%Y-%m-%d %H:%M:%S')) AS event_ts_utc,
                regexp_replace(t_campaignId, '^(\\d+)\\.0+$', '\\1') AS campaign_id,
                regexp_replace(t_adGroupId, '^(\\d+)\\.0+$', '\\1') AS ad_group_id,
                t_itemGtin AS sku_id,
                {_case("t_placement", _PLACEMENTS, "unknown")} AS placement,
                {_case("t_device", _DEVICES, "other")} AS device,
                TRY_CAST(t_impressions AS BIGINT) AS impressions,
                TRY_CAST(t_clicks AS BIGINT) AS clicks,
                TRY_CAST(t_adSpend AS DECIMAL(18, 6)) AS spend,
                TRY_CAST(t_attributedSales14days AS DECIMAL(18, 6)) AS sales
            FROM cells
        )
        SELECT *,
            clicks / nullif(impressions, 0) AS reported_ctr,
            CAST(CAST(spend AS DOUBLE) / nullif(clicks, 0) AS DECIMAL(18, 6)) AS reported_cpc,
            md5(concat_ws(chr(31), 'bench_network', 'hourly_item', 'bench', event_ts_utc, campaign_id, ad_group_id,
                sku_id, t_placement)) AS event_key,
            nullif(concat_ws(',', {broken}), '') AS rules
        FROM typed
    """)
    constants = {
        "load_id": "0193a1b2-0000-7000-8000-00000000bench",
        "contract": "bench_hourly@1",
        "report": "hourly_item",
        "network": "bench_network",
        "retailer_id": "bench",
        "account_id": "bench",
        "grain": "event",
        "source_tz": "America/New_York",
        "ad_product": "sponsored_products",
        "sku_id_type": "gtin",
        "currency": "USD",
        "cost_model": "cpc",
        "impression_basis": "unknown",
    }
    fixed = ", ".join(f"'{value}' AS {name}" for name, value in constants.items())
    base.execute(f"""
        COPY (
            SELECT event_key, {fixed}, period_start, period_start AS period_end, event_ts_utc, campaign_id,
                t_campaignName AS campaign_name, ad_group_id, sku_id, t_placement AS placement_raw, placement, device,
                impressions, clicks, spend, reported_ctr, reported_cpc, sales
            FROM judged WHERE rules IS NULL
        ) TO '{out / "good.parquet"}' (FORMAT parquet, COMPRESSION zstd)
    """)
    base.execute(f"COPY (SELECT * FROM judged WHERE rules IS NOT NULL) TO '{out / 'bad.parquet'}' (FORMAT parquet)")
    base.execute(f"""
        CREATE TEMP TABLE repeated AS
        SELECT event_key FROM '{out / "good.parquet"}' GROUP BY event_key HAVING count(*) > 1
    """)
    extra = 0
    good = out / "good.parquet"
    if base.execute("SELECT count(*) FROM repeated").fetchone()[0]:  # type: ignore[index]
        kept = out / "kept.parquet"
        base.execute(f"""
            COPY (
                SELECT * FROM '{good}' WHERE event_key NOT IN (FROM repeated)
                UNION ALL
                SELECT DISTINCT ON (event_key) * FROM '{good}' WHERE event_key IN (FROM repeated)
            ) TO '{kept}' (FORMAT parquet, COMPRESSION zstd)
        """)
        extra = base.execute(f"SELECT (SELECT count(*) FROM '{good}') - (SELECT count(*) FROM '{kept}')").fetchone()[0]  # type: ignore[index]
        good = kept
    rows, impressions, clicks, spend, sales = base.execute(
        f"SELECT count(*), sum(impressions), sum(clicks), sum(spend), sum(sales) FROM '{good}'"
    ).fetchone()  # type: ignore[misc]
    bad = base.execute(f"SELECT count(*) FROM '{out / 'bad.parquet'}'").fetchone()[0]  # type: ignore[index]
    return {
        "rows_in": rows + bad + extra,
        "rows_out": rows,
        "rows_quarantined": bad,
        "rows_skipped": extra,
        "impressions": int(impressions),
        "clicks": int(clicks),
        "spend": str(spend),
        "sales": str(sales),
    }
