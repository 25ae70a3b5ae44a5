"""Every metric there is, with what the IAB/MRC Retail Media Measurement Guidelines (January 2024) say about it."""

from __future__ import annotations

from typing import Any, Final

from metrics.core.metric import Basis, Metric

_BASES: Final = "Comparable only between equal impression bases."


def _of_all_rows() -> list[Metric]:
    return [
        Metric(
            name="spend",
            label="Spend",
            unit="money",
            column="spend",
            better="none",
            description="Media cost as the network bills it, without fees.",
            standard="Net media cost; fees and data cost stay in their own column.",
            standing="as defined",
        ),
        Metric(
            name="impressions",
            label="Impressions",
            unit="count",
            column="impressions",
            better="none",
            description="Ad impressions on the basis the network reports (served, begin to render or viewable).",
            standard="MRC: begin to render is the minimum; the basis is kept per row in impression_basis.",
            standing="with disclosure",
        ),
        Metric(
            name="clicks",
            label="Clicks",
            unit="count",
            column="clicks",
            description="Clicks that the network charged or would have charged for.",
            standard="After the network's general invalid-traffic filtration.",
            standing="with disclosure",
        ),
    ]


def _of_some_reports() -> list[Metric]:
    told: dict[str, Any] = {"unit": "count", "optional": True}
    return [
        Metric(
            name="viewable_impressions",
            label="Viewable impressions",
            column="viewable_impressions",
            description="Impressions that met the viewability rule of the network.",
            standard="MRC: display 50 % of pixels for 1 s, video 50 % for 2 s, large display 30 % for 1 s.",
            standing="with disclosure",
            **told,
        ),
        Metric(
            name="video_starts",
            label="Video starts",
            column="video_starts",
            description="Videos that began to play.",
            standard="MRC: starts without sound or by themselves are counted as the network counts them.",
            standing="with disclosure",
            **told,
        ),
        Metric(
            name="video_completes",
            label="Video completes",
            column="video_completes",
            description="Videos that played to the end.",
            standard="MRC: played to 100 % of their length.",
            standing="as defined",
            **told,
        ),
        Metric(
            name="reach",
            label="Reach",
            unit="count",
            column="reach",
            optional=True,
            unique=True,
            description="Unique shoppers reached. Only where a line is one row of one report: people are not added.",
            standard="MRC: unduplicated within the report only; no reach across reports can be computed from them.",
            standing="with disclosure",
        ),
    ]


def _outcomes() -> list[Metric]:
    return [
        Metric(
            name="sales",
            label="Sales",
            unit="money",
            outcome="sales",
            description="Sales the network attributes to the ads, under the attribution in force.",
            standard="IAB/MRC: window, match and channel are disclosed with the figure.",
            standing="with disclosure",
        ),
        Metric(
            name="orders",
            label="Orders",
            unit="count",
            outcome="orders",
            description="Orders the network attributes to the ads.",
            standard="IAB/MRC: an order is a transaction, whatever its number of units.",
            standing="with disclosure",
        ),
        Metric(
            name="units",
            label="Units",
            unit="count",
            outcome="units",
            description="Units sold that the network attributes to the ads.",
            standard="IAB/MRC: units are counted per item of a transaction.",
            standing="with disclosure",
        ),
        Metric(
            name="ntb_sales",
            label="New-to-brand sales",
            unit="money",
            outcome="sales",
            ntb="new",
            description="The part of sales from buyers who are new to the brand.",
            standard="IAB/MRC: the look-back that makes a buyer new is the network's own and is disclosed by it.",
            standing="with disclosure",
        ),
        Metric(
            name="ntb_orders",
            label="New-to-brand orders",
            unit="count",
            outcome="orders",
            ntb="new",
            description="The part of orders from buyers who are new to the brand.",
            standard="IAB/MRC: as for new-to-brand sales.",
            standing="with disclosure",
        ),
        Metric(
            name="add_to_cart",
            label="Add to cart",
            unit="count",
            outcome="add_to_cart",
            description="Products put into the cart after an ad, as the network counts them.",
            standard="A step before the sale; the guidelines ask for the window with it.",
            standing="with disclosure",
        ),
        Metric(
            name="detail_page_views",
            label="Detail page views",
            unit="count",
            outcome="detail_page_views",
            description="Product pages opened after an ad, as the network counts them.",
            standard="A step before the sale; the guidelines ask for the window with it.",
            standing="with disclosure",
        ),
    ]


def _ratios() -> list[Metric]:
    made = (
        # name, label, unit, numerator, denominator, scale, better, change, description, standard, standing
        ("roas", "ROAS", "multiple", "sales", "spend", 1, "up", "ratio",
         "Return on ad spend: attributed sales per unit of spend.",
         "Attributed, not incremental: it does not say what the ads caused.", "with disclosure"),
        ("cpc", "Cost per click", "money", "spend", "clicks", 1, "down", "percent",
         "Spend per click.", "Over all cost models; spend bought by impressions counts in it.", "as defined"),
        ("ctr", "Click-through rate", "fraction", "clicks", "impressions", 1, "up", "points",
         "Clicks per impression.", _BASES, "as defined"),
        ("cpm", "Cost per thousand", "money", "spend", "impressions", 1000, "down", "percent",
         "Spend per thousand impressions.", _BASES, "as defined"),
        ("vcpm", "Cost per thousand viewable", "money", "spend", "viewable_impressions", 1000, "down", "percent",
         "Spend per thousand viewable impressions, where a report tells them.",
         "MRC: on viewable impressions only.", "with disclosure"),
        ("viewability", "Viewable share", "fraction", "viewable_impressions", "impressions", 1, "up", "points",
         "Viewable impressions per impression, where a report tells them.",
         "MRC: measured impressions belong in the denominator; few reports tell them, so all are.", "with disclosure"),
        ("video_completion", "Video completion rate", "fraction", "video_completes", "video_starts", 1, "up", "points",
         "Videos played to the end per video started.", "MRC: completes over starts.", "as defined"),
        ("acos", "ACOS", "fraction", "spend", "sales", 1, "down", "points",
         "Advertising cost of sales: spend per unit of attributed sales.",
         "The inverse of ROAS, under the same attribution.", "with disclosure"),
        ("cvr", "Conversion rate", "fraction", "orders", "clicks", 1, "up", "points",
         "Attributed orders per click.",
         "Orders credited to views are in it where the attribution counts views.", "with disclosure"),
        ("aov", "Average order value", "money", "sales", "orders", 1, "up", "percent",
         "Attributed sales per attributed order.", "Both under the same attribution.", "with disclosure"),
        ("ntb_share", "New-to-brand share", "fraction", "ntb_sales", "sales", 1, "up", "points",
         "Share of sales from buyers who are new to the brand, where a report tells it.",
         "IAB/MRC: as for new-to-brand sales.", "with disclosure"),
    )  # fmt: skip
    return [
        Metric(
            name=name, label=label, unit=unit, numerator=top, denominator=bottom, scale=scale, better=better,  # type: ignore[arg-type]
            change=change, description=description, standard=standard, standing=standing,  # type: ignore[arg-type]
        )
        for name, label, unit, top, bottom, scale, better, change, description, standard, standing in made
    ]  # fmt: skip


def _under_one_rule(name: str, label: str, basis: Basis, description: str, standard: str) -> list[Metric]:
    """Sales under one attribution, whatever the request's, and the return on them."""
    return [
        Metric(
            name=f"{name}_sales",
            label=f"Sales, {label}",
            unit="money",
            outcome="sales",
            basis=basis,
            description=f"Sales {description}.",
            standard=standard,
            standing="with disclosure",
        ),
        Metric(
            name=f"{name}_roas",
            label=f"ROAS, {label}",
            unit="multiple",
            numerator=f"{name}_sales",
            denominator="spend",
            change="ratio",
            description=f"Sales {description}, per unit of the spend of the reports that tell them.",
            standard=standard,
            standing="with disclosure",
        ),
    ]


def _incremental() -> list[Metric]:
    metrics = []
    for suffix, label, bound, words in (
        ("", "", "middle", ""),
        ("_low", ", low", "low", " at the low end of the factors' intervals"),
        ("_high", ", high", "high", " at the high end of the factors' intervals"),
    ):
        metrics += [
            Metric(
                name=f"incremental_sales{suffix}",
                label=f"Incremental sales{label}",
                unit="money",
                outcome="sales",
                basis="incremental",
                bound=bound,  # type: ignore[arg-type]
                description=f"Sales the ads caused: as reported, times the published incrementality factor{words}.",
                standard="IAB/MRC: the method and the interval are disclosed; without a factor it is 1.",
                standing="with disclosure",
            ),
            Metric(
                name=f"iroas{suffix}",
                label=f"iROAS{label}",
                unit="multiple",
                numerator=f"incremental_sales{suffix}",
                denominator="spend",
                change="ratio",
                description=f"Incremental return on ad spend: incremental sales per unit of spend{words}.",
                standard="IAB/MRC: the method and the interval are disclosed; without a factor it is 1.",
                standing="with disclosure",
            ),
        ]
    return metrics


METRIC_LIST: Final = (
    *_of_all_rows(),
    *_of_some_reports(),
    *_outcomes(),
    *_ratios(),
    *_under_one_rule(
        "reported",
        "as reported",
        "as_reported",
        "as each network reports them",
        "IAB/MRC: window, match and channel are disclosed with the figure.",
    ),
    *_under_one_rule(
        "common",
        "common window",
        "common_window",
        "under one rule for all networks",
        "IAB/MRC: comparison asks for equal windows and matches; what differs is disclosed.",
    ),
    *_incremental(),
)
