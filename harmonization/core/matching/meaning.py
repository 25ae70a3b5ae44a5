"""From a header's reading to what the column may mean: a canonical column, an outcome with qualifiers, or nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from harmonization.core import rmis
from harmonization.core.matching.reading import OUTCOMES, Reading
from harmonization.core.matching.things import THINGS
from harmonization.core.matching.words import STROKE

Unit = Literal["money", "micros", "cents", "fraction", "percent", "count", "date", "datetime", "gtin", "id", "text"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """Qualifiers of an attributed figure as far as the header tells them: windows are None where it does not.

    `touch` is the kind of touch that earns credit, as far as it is told: a figure of clicks alone and one of clicks and
    views are two figures, also where neither names its days.
    """

    metric: rmis.Metric
    click_days: int | None = None
    view_days: int | None = None
    match: rmis.Match = "total"
    channel: rmis.Channel = "all"
    ntb: rmis.Ntb = "all"
    touch: rmis.Touch | None = None

    @property
    def credited(self) -> rmis.Touch | None:
        """The touch that is told, or that the windows tell."""
        if self.click_days is not None and self.view_days is not None:
            return "both"
        if self.touch is not None:
            return self.touch
        return "click" if self.click_days is not None else "view" if self.view_days is not None else None

    def as_dict(self) -> dict[str, str | int | None]:
        """As the JSON of a proposal has it."""
        return {
            "metric": self.metric,
            "click_days": self.click_days,
            "view_days": self.view_days,
            "match": self.match,
            "channel": self.channel,
            "ntb": self.ntb,
            "touch": self.credited,
        }


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a column may be: a canonical column, an outcome, or (`target` None) nothing that RMIS has."""

    target: str | None
    outcome: Outcome | None = None


NOTHING: Final = Meaning(None)


@dataclass(frozen=True, slots=True)
class Candidate:
    meaning: Meaning
    score: float
    why: str


_DELIVERY: Final = {
    "impressions": "impressions",
    "viewable": "viewable_impressions",
    "clicks": "clicks",
    "spend": "spend",
    "fees": "fees",
    "reach": "reach",
    "frequency": "frequency",
    "video_views": "video_views",
    "video_starts": "video_starts",
}
_RATIOS: Final = {name: f"reported_{name}" for name in ("ctr", "cpc", "cpm", "cpa", "acos", "roas", "cvr")}
_QUARTERS: Final = {"q25": "video_q25", "q50": "video_q50", "q75": "video_q75", "q100": "video_completes"}
_MATCHES: Final = ("same_sku", "halo", "parent_sku", "category", "brand", "campaign")
_CHANNELS: Final = ("store", "pickup", "delivery", "online")
_QUOTIENTS: Final = {
    ("spend", "clicks"): "reported_cpc",
    ("spend", "impressions"): "reported_cpm",
    ("spend", "orders"): "reported_cpa",
    ("clicks", "impressions"): "reported_ctr",
    ("sales", "spend"): "reported_roas",
    ("orders", "clicks"): "reported_cvr",
    ("spend", "sales"): "reported_acos",
}
_MOMENTS: Final = frozenset({"day", "start", "end", "hour", "instant", "span"})
#: Things that a thing after them belongs to: `product brand` is a brand, `ad group ad id` an ad's.
_OWNED: Final = frozenset({"parent", "page"})


def compose(reading: Reading) -> list[Candidate]:
    """What the reading may mean, with scores from 0 to 1; empty where nothing was understood."""
    made = [
        Candidate(meaning, round(score * reading.certainty, 4), why)
        for meaning, score, why in _compose(reading)
        if meaning.target is None or meaning.outcome is not None or meaning.target in rmis.COLUMNS
    ]
    return sorted(made, key=lambda candidate: -candidate.score)


#: Things that are named beside what is counted of them.
_COUNTED: Final = frozenset({"ad", "product", "campaign", "account", "sku", "asin", "brand", "user"})
#: What was done with it may stand after what is counted: `quantity bought`.
_DONE: Final = frozenset({"purchased"})
_Made = Iterator[tuple[Meaning, float, str]]


def _compose(reading: Reading) -> _Made:
    if "currency" in reading.things:
        yield Meaning("currency"), 0.97 if len(reading.things) == 1 and not reading.foreign else 0.9, "names a currency"
    elif reading.foreign:
        yield NOTHING, 0.95, f"is about {reading.foreign[-1].replace('_', ' ')}, which RMIS does not keep"
    elif reading.ratios:
        yield from _ratio(reading)
    elif _is_mark(reading):
        yield from _quarter(reading)
    elif _divides(reading) or (reading.words.unit == "%" and reading.measures):
        yield from _rate(reading)
    elif reading.measures and reading.head == "thing" and reading.things and reading.things[-1] not in _COUNTED | _DONE:
        yield from ((meaning, 0.9 * score, why) for meaning, score, why in _thing(reading))
    elif reading.measures:
        yield from _measure(reading)
    elif set(reading.scopes) & set(_QUARTERS) and {"quartile", "view", "played"} & set(reading.words.words):
        yield from _quarter(reading)
    elif reading.things:
        yield from _thing(reading)
    elif reading.traits:
        yield from _trait(reading)


_FILMS: Final = frozenset({"video", "views", "video_views", "video_starts"})


def _is_mark(reading: Reading) -> bool:
    """Whether a per cent is how far a video was played: `video views at 25 percent`."""
    marked = reading.words.unit == "%" or "percent" in reading.words.words
    return marked and reading.has(*_QUARTERS) and not reading.rates and bool(_FILMS & set(reading.measures))


def _divides(reading: Reading) -> bool:
    """Whether the words make a quotient; a stroke does between two things that are counted, and else joins names."""
    if any(rate != "stroke" for rate in reading.rates):
        return True
    by_touch = reading.words.words[-2:] in ((STROKE, "click"), (STROKE, "impression"))
    return bool(reading.rates and reading.measures) and (by_touch or len(reading.measures) > 1)


#: Ratios of what was delivered: of `all clicks` they are the usual ones, of all conversions they are not.
_OF_DELIVERY: Final = frozenset({"ctr", "cpc", "cpm"})


def _ratio(reading: Reading) -> _Made:
    ratio = reading.ratios[-1]
    if "video" in reading.measures or reading.has("assisted", "new", "existing", "cumulative", "invalid"):
        yield NOTHING, 0.85, f"a {ratio} of a part, which RMIS does not keep"
        return
    if ratio == "ctr" and (reading.has("view", "viewable") or "views" in reading.measures):
        yield NOTHING, 0.9, "a click-through rate of views, which RMIS does not keep"
        return
    whole = ratio in _OF_DELIVERY
    narrower = reading.has(*_MATCHES, "view", "part", *_CHANNELS) or (reading.has("all") and not whole)
    narrower = narrower or bool(reading.measures)
    yield Meaning(_RATIOS[ratio]), 0.8 if narrower else 0.98, f"names the ratio {ratio.upper()}"


def _rate(reading: Reading) -> _Made:
    counted = _joined(reading.measures)
    if {"per", "stroke"} & set(reading.rates) and len(counted) == 2:
        target = _QUOTIENTS.get((counted[0], counted[1]))
        if target is not None:
            yield Meaning(target), 0.8 if reading.has(*_MATCHES, *_CHANNELS, "all") else 0.95, " per ".join(counted)
            return
    if reading.has("new") and counted[-1:] in (["sales"], ["units"]):
        yield Meaning(f"reported_ntb_{counted[-1]}_rate"), 0.95, f"share of {counted[-1]} from new buyers"
        return
    what = counted[-1] if counted else "something"
    yield NOTHING, 0.85, f"a rate of {what.replace('_', ' ')}, which RMIS does not keep"


def _joined(measures: Sequence[str]) -> list[str]:
    """Measures with their values: the value of orders is sales, the value of cost is cost."""
    joined: list[str] = []
    for measure in measures:
        if measure == "value":
            joined[-1:] = ["sales"] if joined[-1:] == ["orders"] else joined[-1:]
        else:
            joined.append(measure)
    return joined


def _quarter(reading: Reading) -> _Made:
    for scope in reading.scopes:
        if scope in _QUARTERS:
            yield Meaning(_QUARTERS[scope]), 0.95, "names how far videos were played"
            return


def _measure(reading: Reading) -> _Made:
    last = reading.measures[-1]
    words = set(reading.words.words)
    outcomes = [measure for measure in reading.measures if measure in OUTCOMES - {"value"}]
    if words & {"id", "uuid", "guid", "key", "identifier"} or set(reading.traits) & {"type", "name"}:
        yield NOTHING, 0.85, "tells of something counted, and is no count"
    elif any(measure in reading.measures for measure in ("video", "video_views", "video_starts")):
        yield from _video(reading)
    elif reading.has(*_QUARTERS) and "views" in reading.measures:
        yield from _quarter(reading)
    elif outcomes and "spend" in reading.measures:
        yield NOTHING, 0.7, "joins cost and outcome"
    elif outcomes:
        # The value of orders is what was sold.
        valued = set(outcomes) == {"orders"} and "value" in reading.measures
        yield from _outcome(reading, "sales" if valued else outcomes[-1])
    elif last == "value" and len(reading.measures) > 1 and reading.measures[0] in ("spend", "fees"):
        yield from _delivered(reading, reading.measures[0])
    elif last == "value":
        yield from _outcome(reading, "value")
    elif last == "views" and {"second", "sec"} & set(reading.words.words):
        yield Meaning("video_views"), 0.75, "counts views of so many seconds"
    elif last == "views":
        yield Meaning("video_views"), 0.4, "counts views"
        yield Meaning("impressions"), 0.39, "counts views"
    else:
        yield from _delivered(reading, last)


def _odd(reading: Reading) -> bool:
    return any(word.isdigit() for word in reading.words.words)


def _video(reading: Reading) -> _Made:
    if reading.has("average") or reading.things[-1:] == ["instant"]:
        yield NOTHING, 0.9, "a mean or a length of time, which RMIS does not keep"
    elif reading.has(*_QUARTERS):
        yield from _quarter(reading)
    elif "video_starts" in reading.measures and not (_odd(reading) and "second" in reading.words.words):
        yield Meaning("video_starts"), 0.97, "counts videos started"
    elif {"video_views", "views", "video_starts"} & set(reading.measures):
        odd = _odd(reading)
        if odd and "second" in reading.words.words:
            # After so many seconds a network counts a view: one of several counts, where there are more.
            yield Meaning("video_views"), 0.75, "counts videos viewed for so long"
        else:
            yield (NOTHING if odd else Meaning("video_views")), 0.9 if odd else 0.97, "counts videos viewed"
    else:
        yield NOTHING, 0.7, "tells of videos what RMIS does not keep"


def _delivered(reading: Reading, measure: str) -> _Made:
    target = _DELIVERY[measure]
    if reading.has("invalid") and measure in ("impressions", "clicks"):
        yield Meaning(f"invalid_{target}"), 0.97, f"counts filtered {target}"
    elif reading.has("viewable") and measure == "impressions":
        yield Meaning("viewable_impressions"), 0.97, "counts impressions in view"
    elif measure in ("clicks", "impressions") and (reading.words.click_days or reading.words.view_days):
        yield NOTHING, 0.9, "a window of attribution without what is attributed"
    elif measure not in ("reach", "frequency") and reading.has("average", "cumulative", "new", "assisted"):
        yield NOTHING, 0.7, f"a part or mean of {target}"
    elif "video" in reading.scopes or reading.has("part") or len(set(reading.measures) - {"value"}) > 1:
        yield Meaning(target), 0.75, f"counts {target} of some kind"
    else:
        narrow = reading.has(*_MATCHES, *_CHANNELS, "view", "gross")
        owned = any(thing not in ("ad", "product", "campaign", "account") for thing in reading.things)
        yield Meaning(target), 0.8 if narrow or owned else 0.98, f"names {target.replace('_', ' ')}"


def _outcome(reading: Reading, measure: str) -> _Made:
    words = reading.words
    if reading.has("average"):
        yield NOTHING, 0.85, "a mean of outcomes, which RMIS does not keep"
        return
    metric, score = measure, 0.98
    if measure == "value":
        metric, score = "sales", 0.35
    if reading.has("assisted"):
        if metric not in ("sales", "units"):
            yield NOTHING, 0.8, f"assisted {metric}, which RMIS does not keep"
            return
        metric = f"assisted_{metric}"
    if reading.has("all"):
        score = 0.82
    elif reading.has("total") and metric != "units":
        # Beside a figure without the word it is the wider one.
        score = 0.9795
    match = next((scope for scope in _MATCHES if reading.has(scope)), "total")
    channel = next((scope for scope in _CHANNELS if reading.has(scope)), "all")
    ntb = "new" if reading.has("new") else "existing" if reading.has("existing") else "all"
    touch = _touch(reading, metric)
    click, view = words.click_days, words.view_days
    if touch == "view":
        # The one window that is named is the views', whatever stands beside it.
        click, view = None, view or click
    elif touch == "both" and (click is None or view is None):
        # One window for two kinds of touch holds for either.
        click, view = click or view, view or click
    outcome = Outcome(
        metric=metric,  # type: ignore[arg-type]
        click_days=click,
        view_days=view,
        match=match,  # type: ignore[arg-type]
        channel=channel,  # type: ignore[arg-type]
        ntb=ntb,  # type: ignore[arg-type]
        touch=touch,
    )
    if measure == "sales" and " ad revenue" in f" {words.phrase}":
        # Of the advertiser or of the network, which earns what the ad costs: what stands beside it decides.
        yield Meaning("spend"), 0.6, "the revenue of an ad may be what it earned the network"
    said = [word for word in (match, channel, ntb) if word not in ("all", "total")]
    yield (
        Meaning(metric, outcome),
        score,
        f"names attributed {metric.replace('_', ' ')}" + "".join(f", {w}" for w in said),
    )


def _touch(reading: Reading, metric: str) -> rmis.Touch | None:
    if metric == "view_through_conversions":
        return "view"
    if reading.has("exposure") or (reading.has("click") and reading.has("view")):
        return "both"
    return "view" if reading.has("view") else "click" if reading.has("click") else None


def _thing(reading: Reading) -> _Made:
    things = reading.things
    thing = things[-1]
    bought = "purchased" in things and (thing != "purchased" or reading.traits[-1:] == ["name"])
    if reading.has("average"):
        yield NOTHING, 0.85, f"a mean of {thing.replace('_', ' ')}"
        return
    anothers = thing in _MOMENTS and bool(set(things) - _MOMENTS - {"event"} or set(reading.measures) - {"value"})
    if thing in ("user", "customer") and reading.has("new", "existing") and "id" not in reading.traits:
        yield NOTHING, 0.9, "counts buyers, which RMIS does not keep"
        return
    if _counts_things(reading):
        yield NOTHING, 0.93, f"counts {thing.replace('_', ' ')}s, which RMIS does not keep"
        return
    if things == ["product"] and not reading.traits and reading.has("assisted", "attributed", "new", "existing"):
        yield from _outcome(reading, "units")
        return
    if bought or set(things) & _OWNED or thing == "seller" or anothers or _is_of_retailer(things):
        yield NOTHING, 0.85, f"{' '.join(things).replace('_', ' ')}: not of the row itself"
        return
    if {"day", "hour"} <= set(things):
        yield Meaning("event_ts_utc"), 0.8, "names day and hour"
        return
    # `campaign type name` is the type, spelled out.
    trait = "type" if "type" in reading.traits else reading.traits[-1] if reading.traits else ""
    if reading.has("halo"):
        yield NOTHING, 0.85, f"of another {thing} than the advertised one"
        return
    part = 0.75 if reading.has("part") else 1.0
    for target, score in THINGS.get(thing, {}).get(trait, ()):
        yield Meaning(target), part * score, f"names the {thing.replace('_', ' ')}" + (f"'s {trait}" if trait else "")
    if trait not in THINGS.get(thing, {}):
        yield NOTHING, 0.85, f"the {thing.replace('_', ' ')}'s {trait or 'own'}: RMIS has no column for it"


def _counts_things(reading: Reading) -> bool:
    """`total campaigns`, `number of SKUs`, `num products`: how many there are, and not which."""
    words = reading.words.words
    if words[:2] in (("number", "of"), ("no", "of"), ("nr", "of"), ("count", "of")):
        return True
    return (
        not reading.traits
        and not reading.unknown
        and words[:1] in (("total",), ("num",), ("count",), ("number",), ("sum",))
    )


def _is_of_retailer(things: Sequence[str]) -> bool:
    """A retailer's account, in which nobody advertises."""
    return things[-1] == "account" and "retailer" in things


def _trait(reading: Reading) -> _Made:
    trait = reading.traits[-1]
    if trait == "status":
        yield Meaning("status"), 0.95, "names a status"
    elif trait == "size":
        yield Meaning("pack_size"), 0.7, "names a size"
    else:
        yield NOTHING, 0.5, f"a bare {trait}: of what, it does not say"
