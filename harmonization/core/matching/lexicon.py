"""The words of retail media, as any network may use them: what is named, what is counted, how it is qualified.

These are words of the trade and not headers: no entry is there because a network spells a column so. A word that only
some networks are known to use in its sense carries their names, and is forgotten when all of them are withheld.

Sources of the vocabulary: IAB/MRC Retail Media Measurement Guidelines (January 2024), the IAB's glossaries, GS1's names
of identifiers.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal

from harmonization.core.matching.words import STROKE, split_words

#: `thing` an object or moment, `trait` what is told of it, `measure` what is counted, `scope` how, `ratio` a quotient,
#: `rate` a word that makes a quotient of a measure, `foreign` something RMIS has no column for, `filler` no meaning.
Kind = Literal["thing", "trait", "measure", "scope", "ratio", "rate", "foreign", "filler"]


@dataclass(frozen=True, slots=True)
class Concept:
    """`networks` are the only ones known to use the words so; empty means the trade at large."""

    kind: Kind
    name: str
    networks: frozenset[str] = frozenset()


_T: Final = "thing"
_ENTRIES: Final[tuple[tuple[Kind, str, str], ...]] = (
    # things
    (_T, "account", "account | advertiser | client | advertiser account | ad account"),
    (_T, "account", "customer account | customer ~google"),
    (_T, "account", "profile ~amazon"),
    (_T, "customer", "customer"),
    (_T, "seller", "seller | vendor | supplier | merchant"),
    (_T, "campaign", "campaign | insertion order | advertising channel | campaign channel"),
    (_T, "ad_group", "ad group | line item | adgroup"),
    (_T, "ad_group", "ad set ~meta criteo | adset ~meta criteo"),
    (_T, "ad", "ad | advertisement"),
    (_T, "creative", "creative | ad creative"),
    (_T, "keyword", "keyword | target | keyword target | targeting expression | keyword text | bid keyword"),
    (_T, "keyword", "targeting ~amazon | targeting text ~amazon"),
    (_T, "search_term", "search term | search query | customer search term | query | search phrase"
     " | searched keyword | shopper query | user query | raw query | query text | search text"),
    (_T, "product", "product | item | article | advertised product | advertised item | promoted product"
     " | promoted item | sponsored product | offer"),
    (_T, "sku", "sku | advertised sku | promoted sku | stock keeping unit"),
    (_T, "seller_sku", "seller sku | merchant sku | advertiser sku | own sku"),
    (_T, "asin", "asin | advertised asin | promoted asin"),
    (_T, "gtin", "gtin | upc | ean | gtin14 | barcode | isbn | advertised upc | global trade item number"),
    (_T, "mpn", "mpn | manufacturer part number"),
    (_T, "brand", "brand | promoted brand"),
    (_T, "retailer", "retailer | publisher | banner name | retail partner | retail site"),
    (_T, "portfolio", "portfolio | campaign group"),
    (_T, "placement", "placement | page type | ad placement | slot | ad slot | ad position | ad location"
     " | placement type | placement classification | page location | ad unit | platform position | page position"),
    (_T, "ad_network", "ad network | ad network type | network type"),
    (_T, "placement", "top vs other ~microsoft"),
    (_T, "device", "device | impression device | platform | environment | device type | platform type"
     " | device category"),
    (_T, "device_os", "device os | os | operating system | browser"),
    (_T, "media", "media type | media | ad media"),
    (_T, "ad_product", "ad product | ad type | sponsored type | product line | ad product type | ad solution"),
    (_T, "bidding", "bidding strategy | bid optimization | bid optimisation | bidding type | bid type"
     " | bid strategy | bidding strategy type | bid strategy type"),
    (_T, "buying", "buy type | buying type | deal type | purchase model | buying model"),
    (_T, "cost_model", "cost type | cost model | pricing model | billing type | rate type | pricing type"
     " | charge type | price type"),
    (_T, "match_type", "match type | keyword match type | bid match type | targeting match type"),
    (_T, "audience", "audience | segment | audience segment"),
    (_T, "geo_postal", "zip | zip code | postal code | postcode"),
    (_T, "geo_city", "city"),
    (_T, "geo_metro", "dma | metro | metro area"),
    (_T, "geo_region", "region | province"),
    (_T, "geo_country", "country | country code | country of sale | sale country"),
    (_T, "geo", "geo | location | territory | geography | geo target"),
    (_T, "store", "store | shop | outlet"),
    (_T, "sales_channel", "sale channel | purchase channel | order channel | selling channel"),
    (_T, "channel", "channel | product channel"),
    (_T, "category", "category | product category level | category level | product category | item category"
     " | department | product type | subcategory"
     " | taxonomy | aisle"),
    (_T, "page", "page | landing page | page category | served category | page url"),
    (_T, "event", "event"),
    (_T, "session", "session | visit"),
    (_T, "user", "user | shopper | visitor | buyer | viewer"),
    (_T, "request", "request | ad request | query request"),
    (_T, "currency", "currency | currency code | ccy | iso currency"),
    (_T, "purchased", "purchased | bought | purchased product | purchased item | purchased sku | purchased asin"
     " | bought product | bought item | sold product | sold item | bought sku | sold sku | converted product"
     " | converted item | converted sku | ordered product | ordered item | ordered sku | bought asin"),
    (_T, "purchased_gtin", "purchased upc | purchased gtin | purchased ean | purchased product gtin"
     " | purchased item upc"),
    (_T, "parent", "parent | parent sku | parent asin"),
    # moments
    (_T, "day", "date | day | day of | report date | activity date | time period | report day | calendar date"
     " | date day"
     " | reporting date | impression date | delivery date | event date | period"),
    (_T, "start", "start date | from date | period start | start day | date start | start | begin date | date from"
     " | reporting start | reporting start date | report start | since | interval start | interval start date"),
    (_T, "end", "end date | to date | period end | end day | date end | end | date stop | stop date | date to"
     " | reporting end | reporting end date | report end | until | interval end | interval end date | week ending"),
    (_T, "span", "week | month | week of | week commencing | calendar week | calendar month | reporting week"
     " | reporting month"),
    (_T, "hour", "hour | hour of day | event hour"),
    (_T, "instant", "timestamp | event time | event timestamp | created at | datetime | date time | occurred at"
     " | event datetime | created time | event at | time | served at | happened at"),
    (_T, "as_of", "as of | as of date | as of time | data as of | report generated | snapshot time | report time"
     " | snapshot date | data through"),
    # traits
    ("trait", "id", "id | uuid | guid | key | code | number | no | ext id | external id | identifier | native id"
     " | nr"),
    ("trait", "name", "name | title | label | descriptive name | display name | headline | text | description"),
    ("trait", "type", "type | kind | subtype"),
    ("trait", "status", "status | serving status | delivery status | state | delivery"),
    ("trait", "size", "size | pack size | package size | unit size | net content"),
    # measures
    ("measure", "impressions", "impression | imp | served impression | ad impression | ad view | ad served"
     " | times shown | delivered impression"),
    ("measure", "impressions", "ad shown ~walmart"),
    ("measure", "viewable", "viewable impression | impression view | viewed impression | viewable imp"
     " | impression viewable | viewable view"
     " | in view impression | active view impression"),
    ("measure", "clicks", "click | ad click | click count | total click | click through | clickthrough | clicked"),
    ("measure", "spend", "spend | spent | cost | ad spend | ad cost | media spend | media cost | amount spent"
     " | total cost | advertising cost | advertising spend | expenditure | total spend"
     " | investment | cost amount | net spend"),
    ("measure", "fees", "fee | platform fee | service fee | tech fee | media fee"),
    ("measure", "reach", "reach | unique visitor | unique user | unique shopper | unique reach | reached user"
     " | unique viewer | unique audience | household reached"),
    ("measure", "frequency", "frequency | average frequency | impression frequency"),
    ("measure", "video_views", "video view | through play | played through | video viewed | view of video"
     " | video watched"),
    ("measure", "video_starts", "video start | video started | started video | video play | video played"),
    ("measure", "video", "video"),
    ("measure", "views", "view | watched"),
    ("measure", "sales", "sale | revenue | gmv | sale value | order value | conversion value | purchase value"
     " | sale amount | sale revenue | turnover | transaction value | basket value"
     " | merchandise value | order revenue | income | conversion revenue | gross sale | net sale"
     " | value of sale | purchase revenue | total conversion value | conversion sale"
     " | order amount"),
    ("measure", "orders", "order | purchase | conversion | transaction | order count | checkout"),
    ("measure", "units", "unit | unit sold | quantity | qty | item sold | quantity sold | product sold"
     " | unit ordered | item quantity | unit purchased | piece | unit order | unit sale | item ordered"
     " | item purchased"),
    ("measure", "add_to_cart", "add to cart | add to basket | atc | cart add | cart addition | basket addition"),
    ("measure", "detail_page_views", "detail page view | product page view | dpv | pdp view | product view"
     " | product detail view | product detail page view"),
    ("measure", "view_through_conversions", "view through conversion | viewthrough conversion | vtc"
     " | post view conversion | view conversion"),
    ("measure", "value", "value | amount"),
    # quotients that have names
    ("ratio", "ctr", "ctr | click through rate | click thru rate | clickthrough rate | click rate | clickthru rate"),
    ("ratio", "cpc", "cpc | cost per click | spend per click"),
    ("ratio", "cpm", "cpm | ecpm | vcpm | cost per mille | cost per thousand | cost per thousand impression"
     " | cost per 1000 impression | cost per 1 000 impression"),
    ("ratio", "cpa", "cpa | cpo | cost per order | cost per acquisition | cost per conversion | cost per purchase"
     " | cost per action | cost per sale | cost per transaction | cps"),
    ("ratio", "acos", "acos | advertising cost of sale | ad cost of sale | total advertising cost of sale"),
    ("ratio", "roas", "roas | return on ad spend | return on advertising spend | return on spend | purchase roas"
     " | total return on advertising spend | total return on ad spend"),
    ("ratio", "cvr", "cvr | conversion rate | order rate | purchase rate | order conversion rate"
     " | click conversion rate | conversion from interaction rate | conversion from click rate"),
    ("rate", "rate", "rate | percent | percentage | pct | ratio | share | % of"),
    ("rate", "per", "per"),
    ("rate", "stroke", STROKE),
    ("rate", "rate", "ecp | e cp | cost per | effective cost per"),
    # scopes
    ("scope", "attributed", "attributed | attribution | attributable | credited"),
    ("scope", "assisted", "assisted | assist"),
    ("scope", "same_sku", "same sku | advertised sku | advertised product | advertised asin | advertised item"
     " | same product | same item | promoted | promoted product | promoted asin | promoted sku"
     " | same asin | sku direct | direct | same upc | advertised | featured item | featured product | lead"),
    ("scope", "same_sku", "featured ~walmart"),
    ("scope", "halo", "other sku | other product | other asin | other item | brand halo | halo | indirect"
     " | halo sku | brand halo asin | brand halo sku | non advertised | other brand sku"
     " | halo product | cross sell | cross sold | other"),
    ("scope", "brand", "same brand | brand"),
    ("scope", "category", "same category | category | related | related product | related item"),
    ("scope", "parent_sku", "parent sku | same parent | variant"),
    ("scope", "campaign", "campaign"),
    ("scope", "total", "total | overall"),
    ("scope", "new", "new to brand | ntb | new customer | new buyer | new shopper | first time buyer | new"),
    ("scope", "existing", "existing | returning | repeat | existing customer | existing buyer"),
    ("scope", "store", "store | in store | offline | instore | brick and mortar"),
    ("scope", "pickup", "pickup | pick up | curbside | click and collect"),
    ("scope", "delivery", "delivery | home delivery | delivered"),
    ("scope", "online", "online | ecommerce | e commerce | digital | web"),
    ("scope", "click", "click | post click | click through | clickthrough | click attributed | click based"
     " | after click"),
    ("scope", "view", "view | view through | viewthrough | post view | view attributed | view based | after view"
     " | impression based | post impression"),
    ("scope", "exposure", "exposure | post exposure | exposure based | exposure attributed | click or view"
     " | click and view | impression or click | click or impression | view or click | view and click"),
    ("scope", "average", "average | avg | mean"),
    ("scope", "invalid", "invalid | ivt | fraudulent | filtered | low quality | suspicious"),
    ("scope", "part", "link | inline link | outbound | unique | outbound link | sub"),
    ("scope", "viewable", "viewable | in view | measurable"),
    ("scope", "cumulative", "cumulative | lifetime | running"),
    ("scope", "all", "all"),
    ("scope", "gross", "gross"),
    ("scope", "micro", "micro | micros | in micros"),
    ("scope", "cent", "cent | in cent"),
    # quarter marks of videos
    ("scope", "q25", "first quartile | 25 | p 25 | quartile 1 | q 1 | played to 25 | one quarter | 25 percent"
     " | at 25 percent"),
    ("scope", "q50", "midpoint | 50 | p 50 | second quartile | quartile 2 | q 2 | played to 50 | half"
     " | 50 percent | at 50 percent"),
    ("scope", "q75", "third quartile | 75 | p 75 | quartile 3 | q 3 | played to 75 | three quarter | 75 percent"
     " | at 75 percent"),
    ("scope", "q100", "complete | completion | completed | 100 | p 100 | fourth quartile | played to 100 | q 4"
     " | 100 percent | at 100 percent"
     " | complete view | played to completion | quartile 4 | finished"),
    # what RMIS has no column for: words that are understood and lead nowhere
    ("foreign", "budget", "budget | daily budget | lifetime budget | budget amount | budget cap | remaining budget"),
    ("foreign", "bid", "bid | bid modifier | bid adjustment | max bid | default bid | keyword bid"
     " | suggested bid | base bid | bid amount"
     " | bid price"),
    ("foreign", "share", "impression share | share of voice | sov | share of shelf | win rate | share of impression"
     " | budget lost impression share"),
    ("foreign", "figure", "vtr | vcr | cpv | cpcv | cpl | cpp | cpi | cpe | aov | roi | ltv | clv | tacos"
     " | iroas | dpvr"
     " | atcr | view through rate | watch time | play time | viewability"),
    ("foreign", "forecast", "benchmark | forecast | estimated | predicted | expected | incremental | target cpa"
     " | target roas | goal roas | previous | change | delta"),
    ("foreign", "person", "age | gender | age range | age group | household income | interest | demographic"),
    ("foreign", "calendar", "day of week | weekday | week number | month of year | quarter of year | time zone"
     " | timezone"),
    ("foreign", "attribution", "attribution model | attribution window | attribution setting | attribution type"
     " | attribution method | lookback window"),
    ("foreign", "matched", "delivered match type | search term match type | query match type"
     " | search query match type"),
    ("foreign", "platform", "publisher platform"),
    ("foreign", "result", "result | result indicator | result type"),
    ("foreign", "conversion_time", "by conversion time | by conversion date | cross device conversion"
     " | cross device"),
    ("foreign", "rank", "rank | quality score | relevance | score | index | priority | ranking"),
    ("foreign", "link", "url | link | image | domain | final url | uri | tracking template"),
    ("foreign", "remark", "note | comment | tag | remark"),
    ("foreign", "goal", "objective | goal | optimization goal | kpi | pacing | tactic"),
    ("foreign", "sound", "mute | muted | unmute | unmuted | paused | resumed | skip | skipped | fullscreen"),
    ("foreign", "engagement", "engagement | interaction | like | follower | reaction | post | borrow | page read"
     " | royalty | subscription | detail expand"),
    ("foreign", "language", "language | locale"),
    ("foreign", "template", "template | version | rule | schema"),
    ("foreign", "sync", "fivetran | airbyte | sdc | dlt | ingested | ingestion | loaded | inserted at | processed at"
     " | synchronised | synchronized | sync | etl | synced"
     " | ingested at | loaded at | batch id | last updated | updated at | last modified"
     " | extracted at | modified at | update time | last updated date | creation date"
     " | row number | row id"),
    ("foreign", "network", "network | network type | ad network | search partner | ad distribution"),
    ("foreign", "branded_search", "branded search | brand search | search lift | brand lift"),
    ("foreign", "list", "add to list | wish list | wishlist | favourite | favorite"),
    ("foreign", "price", "price | list price | unit price | msrp | inventory | stock | availability"),
    ("foreign", "balance", "balance | wallet | credit | invoice | tax | vat"),
    ("foreign", "lead", "lead | install | sign up | signup | form | call | message"),
    ("foreign", "relation", "relationship | relation | engagement type | difference | lag"),
    ("filler", "", "the | of | a | in | by | for | num | numeric | metric | report | to | on | and | with | from"
     " | my | sum | count | stat | statistic | performance | level | data | field | col | column"
     " | daily | via | at | it | reported | second | sec | action"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Lexicon:
    """`phrases` maps words in order to what they may mean; `words` are all words that occur in them.

    `english` is the lexicon without the words of another tongue, where it has some; `head_first` is true where that
    tongue names a thing before what is told of it.
    """

    phrases: dict[tuple[str, ...], tuple[Concept, ...]]
    words: frozenset[str]
    longest: int
    english: Lexicon | None = None
    head_first: bool = False

    def spelled(self) -> Sequence[tuple[str, tuple[Concept, ...]]]:
        """Every phrase of something nameable, for the embedder."""
        return [(" ".join(words), concepts) for words, concepts in self.phrases.items() if len("".join(words)) > 2]


@lru_cache(maxsize=32)
def _lexicon(without: frozenset[str]) -> Lexicon:
    phrases: dict[tuple[str, ...], tuple[Concept, ...]] = {}
    for kind, name, spelled in _ENTRIES:
        for entry in spelled.split("|"):
            text, _, networks = entry.strip().partition("~")
            known_to = frozenset(networks.split())
            if known_to and known_to <= without:
                continue
            words = tuple(split_words(text))
            phrases[words] = (*phrases.get(words, ()), Concept(kind, name, known_to))
    return Lexicon(phrases, frozenset(word for words in phrases for word in words), max(map(len, phrases)))


def lexicon(without: Iterable[str] = ()) -> Lexicon:
    """The lexicon without the words of these networks."""
    return _lexicon(frozenset(without))
