"""The companies of the demonstration: what they are called, where they advertise, how they sell.

Everything here is invented. The two companies share no name, account or seed, so that a row of one that turned up
with the other would be seen at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from tenants.core.problems import InvalidInput

NetworkKey = Literal["amazon_ads", "walmart_connect", "criteo"]
NETWORKS: tuple[NetworkKey, ...] = ("amazon_ads", "walmart_connect", "criteo")
CHANNELS = ("online", "store", "pickup", "delivery")


@dataclass(frozen=True)
class PlacementProfile:
    """One placement of a network: its name in the export ("" where the export has none), and its economics."""

    raw: str
    sku_share: float  # part of the listed SKUs that advertise here
    weekly_spend: float  # median of the spend per SKU and week
    return_on_spend: float  # median of revenue over spend at the usual spend
    cost_per_click: float
    click_rate: float


@dataclass(frozen=True)
class NetworkProfile:
    """One account with one network."""

    key: NetworkKey
    retailer: str
    retailer_id: str
    account_id: str
    account_name: str
    currency: str
    listed_share: float  # part of the catalogue that this retailer lists
    placements: tuple[PlacementProfile, ...]
    splits: tuple[str, ...]  # campaign types (Amazon, Walmart) or environments (Criteo) within a cell
    short_days: int  # attribution windows in days: a shorter one, the main one, a longer one
    window_days: int
    long_days: int
    matures_days: int  # attributed figures of a day stop moving after this many days
    channel_shares: tuple[float, float, float, float]


@dataclass(frozen=True)
class GeoTestProfile:
    """A heavy-up in some states, finished before the data ends. Weeks count from the first week of the world."""

    network: NetworkKey
    placement: str
    first_week: int
    weeks: int
    pre_weeks: int
    cooldown_weeks: int
    treated: tuple[str, ...]
    heavy_up: float  # national spend of the placement during the test over what it would have been
    lift: float  # of all sales in the treated states
    incrementality: float  # true incremental over attributed return on the extra spend


@dataclass(frozen=True)
class Profile:
    """A company and its world."""

    key: str
    company: str
    sku_prefix: str
    gtin_prefix: str
    brands: tuple[tuple[str, tuple[str, ...]], ...]  # brand, flavours
    sku_count: int
    weeks: int
    parts: int  # files per network and report
    networks: tuple[NetworkProfile, ...]
    geo_test: GeoTestProfile | None
    mix_loss: float  # what the usual mix leaves behind of the attainable revenue
    other_marketplaces: bool  # small files of accounts in other countries, in their own style


def _amazon(account_id: str, account_name: str) -> NetworkProfile:
    # The console's product and search-term reports do not tell placements: the cell is the whole of Amazon.
    return NetworkProfile(
        key="amazon_ads",
        retailer="Amazon",
        retailer_id="amazon-us",
        account_id=account_id,
        account_name=account_name,
        currency="USD",
        listed_share=0.85,
        placements=(PlacementProfile("", 1.0, 900.0, 3.6, 0.92, 0.0085),),
        splits=("Auto", "Keywords"),
        short_days=1,
        window_days=7,
        long_days=14,
        matures_days=7,
        channel_shares=(1.0, 0.0, 0.0, 0.0),
    )


def _walmart(account_id: str, account_name: str) -> NetworkProfile:
    return NetworkProfile(
        key="walmart_connect",
        retailer="Walmart",
        retailer_id="walmart-us",
        account_id=account_id,
        account_name=account_name,
        currency="USD",
        listed_share=0.78,
        placements=(
            PlacementProfile("Search Ingrid", 1.0, 520.0, 4.1, 0.61, 0.0072),
            PlacementProfile("Search Carousel", 0.62, 240.0, 3.0, 0.55, 0.0041),
            PlacementProfile("Item Buybox", 0.55, 210.0, 3.4, 0.58, 0.0050),
            PlacementProfile("Item Carousel", 0.40, 150.0, 2.4, 0.47, 0.0031),
            PlacementProfile("Home Page", 0.16, 190.0, 1.9, 0.52, 0.0022),
            PlacementProfile("Stock Up", 0.16, 130.0, 2.6, 0.44, 0.0029),
        ),
        splits=("Automatic", "Manual"),
        short_days=3,
        window_days=14,
        long_days=30,
        matures_days=14,
        channel_shares=(0.22, 0.31, 0.29, 0.18),
    )


def _criteo(retailer: str, retailer_id: str, account_id: str, account_name: str) -> NetworkProfile:
    return NetworkProfile(
        key="criteo",
        retailer=retailer,
        retailer_id=retailer_id,
        account_id=account_id,
        account_name=account_name,
        currency="USD",
        listed_share=0.7,
        placements=(
            PlacementProfile("search", 1.0, 310.0, 3.9, 0.74, 0.0078),
            PlacementProfile("browse", 0.72, 170.0, 2.7, 0.57, 0.0038),
            PlacementProfile("productDetail", 0.5, 150.0, 3.1, 0.62, 0.0047),
        ),
        splits=("desktop", "mobile", "app"),
        short_days=7,
        window_days=30,
        long_days=30,
        matures_days=5,
        channel_shares=(1.0, 0.0, 0.0, 0.0),
    )


ACME = Profile(
    key="acme",
    company="Acme Snacks",
    sku_prefix="ACM",
    gtin_prefix="0085000712",
    brands=(
        ("Acme Chips", ("Sea Salt", "Barbecue", "Sour Cream & Onion", "Jalapeño Lime", "Salt & Vinegar", "Cheddar")),
        ("Acme Trail Mix", ("Classic", "Cranberry Almond", "Dark Chocolate", "Tropical", "Maple Pecan")),
        ("Acme Pretzels", ("Twists", "Honey Mustard", "Everything", "Sourdough", "Cinnamon Sugar")),
    ),
    sku_count=40,
    weeks=52,
    parts=4,
    networks=(
        _amazon("ENTITY2ACMEUS", "Acme US"),
        _walmart("120417", "Acme Snacks"),
        _criteo("Harvest Lane Market", "7315", "412668120559042560", "Acme Snacks"),
    ),
    geo_test=GeoTestProfile(
        network="walmart_connect",
        placement="Search Ingrid",
        first_week=38,
        weeks=4,
        pre_weeks=13,
        cooldown_weeks=2,
        treated=("AZ", "CO", "IN", "KY", "MN", "MO", "OR", "TN", "WI"),
        heavy_up=1.45,
        lift=0.06,
        incrementality=0.55,
    ),
    mix_loss=0.12,
    other_marketplaces=True,
)

BIRCH = Profile(
    key="birch",
    company="Birch Beverages",
    sku_prefix="BIR",
    gtin_prefix="0086410355",
    brands=(
        ("Birch Cola", ("Original", "Cherry", "Zero")),
        ("Birch Sparkling", ("Lemon", "Grapefruit", "Plain")),
    ),
    sku_count=8,
    weeks=26,
    parts=1,
    networks=(
        _amazon("ENTITY9BIRCHUS", "Birch US"),
        _walmart("120933", "Birch Beverages"),
        _criteo("Corner Fresh", "7402", "398201774605516800", "Birch Beverages"),
    ),
    geo_test=None,
    mix_loss=0.10,
    other_marketplaces=False,
)

PROFILES = {profile.key: profile for profile in (ACME, BIRCH)}


def find_profile(key: str) -> Profile:
    """The profile of this name.

    Raises:
        InvalidInput: there is none.
    """
    try:
        return PROFILES[key]
    except KeyError:
        raise InvalidInput(
            f'There is no demonstration company "{key}".', where="profile", fix=f"Use one of: {', '.join(PROFILES)}."
        ) from None
