"""SKU holdouts: advertising stops for a random part of the assortment, and like SKUs are what they are compared with.

A shopper who does not see a product advertised may buy its sister. Sales that move within a family from a held-out SKU
to a control would be read as an effect twice over (Blake, Coey 2014). Only one SKU of a family is in the test, by
default its largest; its sisters are excluded with the reason.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from measurement.core.assignment import Assigned, Assignment, InvalidDesign, ordered
from measurement.core.features import rows_of
from measurement.core.panel import Panel

INTERFERENCE: Final = (
    "Substitutes outside a family may still take sales from each other: the effect of a holdout is then read too "
    "large in size, for sales that move to controls count twice."
)


def draw_skus(
    panel: Panel,
    *,
    categories: Mapping[str, str],
    families: Mapping[str, str] | None = None,
    seed: int,
    holdout_share: float = 0.5,
    exclude: Sequence[str] = (),
) -> Assignment:
    """SKUs held out (treated) and kept (control), drawn within category and size.

    Within a category, SKUs in the order of their sales are cut into strata of as many as hold one held-out SKU; one
    is drawn from each. Categories with a single SKU are excluded, for it has nothing like it to be compared with.

    Args:
        panel: units are SKUs, the history before the test.
        categories: SKU -> category, in any case; every SKU needs one.
        families: SKU -> family of substitutes (sizes, flavours); a SKU without one is its own.
        seed: of the draw.
        holdout_share: share of each stratum that is held out, above 0 and at most 1/2.
        exclude: SKUs that stay out, and their sisters stay in.

    Raises:
        InvalidDesign: a SKU without category, a share out of range, no category with two families.
    """
    if not 0.0 < holdout_share <= 0.5:
        raise InvalidDesign(
            f"A holdout share of {holdout_share:g}.", where="holdout share", fix="Give more than 0, at most 0.5."
        )
    category = {sku.casefold(): name.strip() for sku, name in categories.items()}
    family = {sku.casefold(): name.strip() for sku, name in (families or {}).items()}
    lacking = [sku for sku in panel.units if not category.get(sku.casefold())]
    if lacking:
        raise InvalidDesign(
            f"{len(lacking)} SKUs have no category, the first is {lacking[0]!r}.", fix="Give each SKU a category."
        )
    out = set(rows_of(panel, exclude, "exclude"))
    drawn = [Assigned(unit=panel.units[row], group="excluded", why="excluded by request") for row in sorted(out)]
    sales = panel.outcome.mean(axis=1)
    leaders: dict[str, int] = {}
    shelves: dict[str, list[int]] = {}
    for row in sorted(range(len(panel.units)), key=lambda row: (-sales[row], panel.units[row])):
        sku = panel.units[row]
        if row in out:
            continue
        name = family.get(sku.casefold(), "")
        if name and name.casefold() in leaders:
            leader = panel.units[leaders[name.casefold()]]
            drawn.append(Assigned(unit=sku, group="excluded", why=f"a substitute of {leader} in family {name}"))
            continue
        if name:
            leaders[name.casefold()] = row
        shelves.setdefault(category[sku.casefold()], []).append(row)
    size = round(1.0 / holdout_share)
    rng = np.random.default_rng(seed)
    held = 0
    for shelf, rows in sorted(shelves.items()):
        if len(rows) < 2:
            why = f"nothing else to compare with in category {shelf}"
            drawn.extend(Assigned(unit=panel.units[row], group="excluded", why=why) for row in rows)
            continue
        strata = [rows[start : start + size] for start in range(0, len(rows), size)]
        if len(strata) > 1 and len(strata[-1]) < size:
            strata[-2].extend(strata.pop())
        for number, stratum in enumerate(strata, start=1):
            chosen = int(rng.integers(len(stratum)))
            held += 1
            drawn.extend(
                Assigned(
                    unit=panel.units[row],
                    group="treated" if at == chosen else "control",
                    stratum=f"{shelf} {number}",
                )
                for at, row in enumerate(stratum)
            )
    if not held:
        raise InvalidDesign("No category has two families of SKUs.", fix="Give more SKUs, or broader categories.")
    return ordered(drawn, seed=seed, notes=(INTERFERENCE,))
