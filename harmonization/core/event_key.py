"""The stable identity of a canonical row.

`event_key` is the XXH3-128 digest, in hex, of network, report, account and the contract's natural key, as UTF-8 text
joined by U+001F with U+001E for null. The same row in a later export of the same report has the same key, whatever
the file, the contract's version or the version of any library: restatements find what they replace by it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import polars as pl
import xxhash

IDENTITY: Final = ("network", "report", "account_id")
_SEPARATOR: Final = "\x1f"
_NULL: Final = "\x1e"


def event_key(natural_key: Sequence[str]) -> pl.Expr:
    """The key over `IDENTITY` and `natural_key`, columns of the frame it is used on."""
    parts = [pl.col(name).cast(pl.String).fill_null(_NULL) for name in dict.fromkeys((*IDENTITY, *natural_key))]
    return pl.concat_str(parts, separator=_SEPARATOR).map_batches(
        _digest, return_dtype=pl.String(), is_elementwise=True
    )


def _digest(texts: pl.Series) -> pl.Series:
    hexdigest = xxhash.xxh3_128_hexdigest
    return pl.Series(texts.name, [hexdigest(text) for text in texts.cast(pl.Binary).to_list()], dtype=pl.String)
