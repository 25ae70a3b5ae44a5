"""The products of a company, with the number each retailer knows them by."""

from __future__ import annotations

from dataclasses import dataclass

from demo.core.profiles import NetworkKey, Profile
from demo.core.streams import stream

# Pack, price in cents before the flavour's own few cents, how many units sell in a week per retailer.
PACKS = (
    ("8 oz, Pack of 3", 1149, 210),
    ("13 oz, Pack of 2", 1049, 240),
    ("18 ct", 1249, 170),
    ("2.5 oz, Pack of 12", 1899, 90),
    ("40 ct", 2199, 70),
)
ASIN_ALPHABET = "0123456789BCDFGHJKLMNPQRSTVWXYZ"


@dataclass(frozen=True)
class Sku:
    """One product. Money in cents; `margin_bp` is the margin in hundredths of a percent of the price."""

    sku: str
    gtin14: str
    asin: str
    walmart_item_id: str
    criteo_product_id: str
    brand: str
    flavour: str
    pack_size: str
    price_cents: int
    margin_bp: int
    weekly_units: int

    @property
    def product_name(self) -> str:
        return f"{self.brand} {self.flavour}, {self.pack_size}"

    def id_at(self, network: NetworkKey) -> str:
        return {
            "amazon_ads": self.asin,
            "walmart_connect": self.walmart_item_id,
            "criteo": self.criteo_product_id,
        }[network]


def check_digit(digits: str) -> str:
    """The GS1 check digit of the digits before it: weights 3 and 1 from the right (General Specifications, 7.9)."""
    total = sum(int(digit) * (3 if place % 2 == 0 else 1) for place, digit in enumerate(reversed(digits)))
    return str(-total % 10)


def make_catalogue(profile: Profile, count: int, seed: int) -> tuple[Sku, ...]:
    """`count` products, the brands in turn, each brand its flavours in turn within a pack."""
    rng = stream(seed, profile.key, "catalogue")
    skus = []
    for number in range(count):
        brand, flavours = profile.brands[number % len(profile.brands)]
        turn = number // len(profile.brands)
        # A pack is met with every flavour before it repeats: flavour and pack advance together, offset by the round.
        flavour = flavours[turn % len(flavours)]
        pack, price, weekly = PACKS[(turn + turn // len(flavours)) % len(PACKS)]
        body = f"{profile.gtin_prefix}{number + 1:03d}"
        short = "".join(word[0] for word in brand.split()).upper()
        skus.append(
            Sku(
                sku=f"{profile.sku_prefix}-{short}-{number + 1:03d}",
                gtin14=body + check_digit(body),
                asin="B0" + "".join(rng.choice(list(ASIN_ALPHABET), size=8)),
                walmart_item_id=str(50_000_000 + 1_000_003 * (number + 1) + int(rng.integers(900_000))),
                # The grocer pads its article numbers: read as integers they no longer match the catalogue.
                criteo_product_id=f"{401 * (number + 7) + int(rng.integers(400)):08d}",
                brand=brand,
                flavour=flavour,
                pack_size=pack,
                price_cents=price + 10 * int(rng.integers(-6, 16)),
                margin_bp=int(rng.integers(2200, 4600)),
                weekly_units=int(weekly * rng.uniform(0.6, 1.5)),
            )
        )
    return tuple(skus)
