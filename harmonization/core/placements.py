"""Networks' words for placements, for contracts whose field says `resolver: placement`.

Only words whose meaning the network's own documentation tells are listed; all others are `unknown`, counted and shown.
"""

from __future__ import annotations

from typing import Final

from harmonization.core.rmis import PLACEMENTS

WORDS: Final[dict[str, dict[str, str]]] = {
    "amazon_ads": {
        "First page Top of Search on Amazon": "onsite_search_top",
        "Top of Search (first page)": "onsite_search_top",
        "Top of Search on-Amazon": "onsite_search_top",
        "Rest of search on Amazon": "onsite_search_rest",
        "Rest of search": "onsite_search_rest",
        "Product pages on Amazon": "onsite_pdp",
        "Product pages": "onsite_pdp",
        "Detail Page on-Amazon": "onsite_pdp",
        "Other on-Amazon": "onsite_other",
    },
    "walmart_connect": {
        "Buy-Box": "onsite_pdp_buybox",
        "Buy Box": "onsite_pdp_buybox",
        "Item Buybox": "onsite_pdp_buybox",
        "Item Carousel": "onsite_pdp",
        "Search Ingrid": "onsite_search_rest",
        "Search In-grid": "onsite_search_rest",
        "Search Carousel": "onsite_search_carousel",
        "Home Page": "onsite_home",
        "Stock Up": "onsite_other",
    },
    "criteo": {
        "search": "onsite_search_rest",
        "searchResult": "onsite_search_rest",
        "searchBar": "onsite_search_rest",
        "home": "onsite_home",
        "category": "onsite_browse",
        "browse": "onsite_browse",
        "merchandising": "onsite_browse",
        "categoryMenu": "onsite_browse",
        "productDetail": "onsite_pdp",
        "product": "onsite_pdp",
        "checkout": "onsite_cart",
        "basket": "onsite_cart",
        "cart": "onsite_cart",
        "confirmation": "onsite_other",
        "deals": "onsite_other",
        "favorites": "onsite_other",
    },
}


def placement_words(network: str) -> dict[str, str]:
    """Source value to canonical placement; canonical names stand for themselves."""
    return {name: name for name in PLACEMENTS} | WORDS.get(network, {})
