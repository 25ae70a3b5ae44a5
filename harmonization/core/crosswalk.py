"""Which product of the catalogue an advertised id means, how sure that is, and where the evidence disagrees.

Evidence, from the strongest: the retailer's own id; the same GTIN; the GTIN of another packaging level (a case of the
same item); the seller's own number; the name alone. Confidences order the evidence for people and thresholds; they are
no probabilities. Nothing is decided where the best evidence points at several products.
"""

from __future__ import annotations

from typing import Final

import polars as pl

from harmonization.core.gtin import isbn10_to_gtin14, to_gtin14

CONFIDENCE: Final[dict[str, float]] = {
    "exact_id": 1.0,
    "gtin": 0.95,
    "gtin_of_pack": 0.8,
    "seller_sku": 0.7,
    "name": 0.4,
}
#: What is left of a confidence where weaker evidence points at another product.
DISAGREEING: Final = 0.5
SEVERAL: Final = "several"
DISAGREES: Final = "disagrees"

#: Of `advertised`: what identifies a row of it, and what else may tell the product.
KEY: Final = ("retailer_id", "sku_id", "sku_id_type")
EVIDENCE: Final = ("gtin14", "seller_sku", "product_name")
#: Of `catalogue`: one row for each product and source id (`rmis.SKUS`).
CATALOGUE: Final = ("sku", "retailer_id", "source_id", "source_id_type", "gtin14", "product_name")
_GTIN_TYPES: Final = ("upc", "ean", "gtin")
_SELLER_TYPES: Final = ("seller_sku", "mpn")
_ROW: Final = "__row"


def crosswalk(advertised: pl.DataFrame, catalogue: pl.DataFrame) -> pl.DataFrame:
    """Resolve each row of `advertised` against `catalogue`.

    Args:
        advertised: text columns `KEY`, of which `sku_id_type` and `retailer_id` may be null, and any of `EVIDENCE`.
            With a `day` (date), only ids that are valid on it count.
        catalogue: text columns `CATALOGUE`, null where not known; `valid_from` and `valid_to` (dates) may be there.

    Returns:
        `advertised` in its order, with `sku` (null where nothing or too much was found), `method` (a key of
        `CONFIDENCE`), `confidence` (0 to 1), `conflict` (null, `several` or `disagrees`) and `candidates`: a list of
        sku, method and confidence, best first, each product once.
    """
    rows = _prepared(advertised)
    known = _catalogue(catalogue)
    found = pl.concat(
        [
            _by_id(rows, known),
            _by_gtin(rows, known),
            _by_pack(rows, known),
            _by_seller_sku(rows, known),
            _by_name(rows, known),
        ]
    )
    best_of_product = (
        found.sort(_ROW, "confidence", "sku", descending=[False, True, False])
        .unique([_ROW, "sku"], keep="first", maintain_order=True)
        .with_columns((pl.col("confidence") == pl.col("confidence").max().over(_ROW)).alias("top"))
    )
    decided = best_of_product.group_by(_ROW, maintain_order=True).agg(
        pl.col("sku").first(),
        pl.col("method").first(),
        pl.col("confidence").first(),
        pl.col("top").sum().alias("tops"),
        pl.len().alias("products"),
        pl.struct("sku", "method", "confidence").alias("candidates"),
    )
    several, disagrees = pl.col("tops") > 1, pl.col("products") > 1
    judged = decided.select(
        _ROW,
        pl.when(~several).then(pl.col("sku")).alias("sku"),
        "method",
        pl.when(several)
        .then(0.0)
        .when(disagrees)
        .then(pl.col("confidence") * DISAGREEING)
        .otherwise(pl.col("confidence"))
        .alias("confidence"),
        pl.when(several).then(pl.lit(SEVERAL)).when(disagrees).then(pl.lit(DISAGREES)).alias("conflict"),
        "candidates",
    )
    return (
        advertised.with_row_index(_ROW)
        .join(judged, on=_ROW, how="left", maintain_order="left")
        .with_columns(pl.col("confidence").fill_null(0.0))
        .drop(_ROW)
    )


def _prepared(advertised: pl.DataFrame) -> pl.DataFrame:
    """The rows with every column of evidence; an id that is a GTIN, or a book's ISBN, is evidence of that kind too."""
    absent = [
        pl.lit(None, dtype=pl.Date if name == "day" else pl.String).alias(name)
        for name in (*EVIDENCE, "day")
        if name not in advertised.columns
    ]
    rows = advertised.with_row_index(_ROW).with_columns(absent)
    ids, kind = rows["sku_id"].cast(pl.String), pl.col("sku_id_type")
    return rows.with_columns(
        pl.coalesce(
            pl.Series(to_gtin14(rows["gtin14"].cast(pl.String))),
            pl.when(kind.is_in(_GTIN_TYPES) | kind.is_null()).then(pl.Series(to_gtin14(ids))),
            pl.when((kind == "asin") | kind.is_null()).then(pl.Series(isbn10_to_gtin14(ids))),
        ).alias("gtin14"),
        pl.coalesce(
            pl.col("seller_sku"), pl.when(kind.is_in(_SELLER_TYPES) | kind.is_null()).then(pl.col("sku_id"))
        ).alias("seller_sku"),
    )


def _catalogue(catalogue: pl.DataFrame) -> pl.DataFrame:
    absent = [
        pl.lit(None, dtype=pl.Date).alias(name) for name in ("valid_from", "valid_to") if name not in catalogue.columns
    ]
    return catalogue.with_columns(absent).with_columns(pl.Series(to_gtin14(catalogue["gtin14"].cast(pl.String))))


def _candidates(pairs: pl.DataFrame, method: str) -> pl.DataFrame:
    """Pairs of a row and a product, as evidence of one kind; what was not valid on the row's day is none."""
    day = pl.col("day")
    valid = (day >= pl.col("valid_from")).fill_null(True) & (day <= pl.col("valid_to")).fill_null(True)
    return pairs.filter(valid).select(
        _ROW, "sku", pl.lit(method).alias("method"), pl.lit(CONFIDENCE[method]).alias("confidence")
    )


def _by_id(rows: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    pairs = rows.join(known, left_on="sku_id", right_on="source_id", suffix="_known")
    return _candidates(
        pairs.filter(
            (pl.col("retailer_id") == pl.col("retailer_id_known")).fill_null(True)
            & (pl.col("sku_id_type") == pl.col("source_id_type")).fill_null(True)
        ),
        "exact_id",
    )


def _by_gtin(rows: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    return _candidates(rows.join(known, on="gtin14", suffix="_known"), "gtin")


def _by_pack(rows: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    # Packaging levels of one item differ in the first digit (the indicator) and so in the last, the check digit.
    item = pl.col("gtin14").str.slice(1, 12).alias("item")
    pairs = rows.with_columns(item).join(known.with_columns(item), on="item", suffix="_known")
    return _candidates(pairs.filter(pl.col("gtin14") != pl.col("gtin14_known")), "gtin_of_pack")


def _by_seller_sku(rows: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    own = known.with_columns(pl.col("sku").alias("number"))
    listed = known.filter(pl.col("source_id_type").is_in(_SELLER_TYPES)).with_columns(
        pl.col("source_id").alias("number")
    )
    return _candidates(
        rows.join(pl.concat([own, listed]), left_on="seller_sku", right_on="number", suffix="_known"), "seller_sku"
    )


def _by_name(rows: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    """The same words and numbers in any order, without case and punctuation."""
    words = pl.col("product_name").str.to_lowercase().str.extract_all(r"[\p{L}\p{N}]+").list.unique().list.sort()
    named = pl.when(words.list.len() > 0).then(words.list.join(" ")).alias("words")
    return _candidates(rows.with_columns(named).join(known.with_columns(named), on="words", suffix="_known"), "name")
