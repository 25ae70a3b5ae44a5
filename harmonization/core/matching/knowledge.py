"""What is known before a file is seen: the headers of contracts, less those of networks that are withheld."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, get_args

from harmonization.core import rmis
from harmonization.core.contract import AttributionSpec, Contract
from harmonization.core.contract_checks import FROM_HEADER
from harmonization.core.headers import DAYS, compact, split_unit
from harmonization.core.matching.meaning import Meaning, Outcome
from harmonization.core.matching.words import split_words

#: Networks that contracts, words and examples may belong to, as `without` names them.
NETWORKS: Final = ("amazon", "walmart", "criteo", "instacart", "vtex", "google", "microsoft", "meta")
#: Fewer headers in common are chance: every report has clicks.
HANDFUL: Final = 6
_NUMBER = re.compile(r"\d{1,3}")


def network_family(network: str) -> str:
    """`amazon` of `amazon_ads`: the name that `without` knows the network by."""
    first = network.split("_")[0]
    return {"facebook": "meta", "bing": "microsoft"}.get(first, first)


@dataclass(frozen=True, slots=True)
class Spelled:
    """A header that a contract knows: what it means there."""

    meaning: Meaning
    contract: str
    network: str = ""
    #: Place among the column's headers there: the first is the usual one.
    place: int = 0


@dataclass(slots=True)
class Knowledge:
    """Contracts that may be learnt from, and their headers by compact form, numbers of windows as `{days}`."""

    contracts: tuple[Contract, ...] = ()
    spelled: dict[str, list[Spelled]] = field(default_factory=dict)
    templates: dict[str, list[tuple[AttributionSpec, Contract]]] = field(default_factory=dict)
    #: Contracts whose rows are single events or purchases: what `id` means there it means in no report of days.
    single: frozenset[str] = frozenset()

    def lookup(self, header: str) -> list[Spelled]:
        """Every contract's reading of the header."""
        found: list[Spelled] = []
        for text in dict.fromkeys((header, split_unit(header)[0])):
            found += self.spelled.get(compact(text), [])
            for number in _NUMBER.finditer(text):
                template = compact(text[: number.start()]) + DAYS + compact(text[number.end() :])
                for spec, contract in self.templates.get(template, []):
                    found.append(_spelled(spec, contract, int(number[0])))
            if found:
                break
        return found

    def nearest(self, headers: Sequence[str]) -> tuple[Contract | None, float]:
        """The contract that knows most of the headers, and the share that it knows; None where that is a handful."""
        named = [header for header in headers if header.strip()]
        votes: dict[str, int] = {}
        for header in named:
            for name in {spelled.contract for spelled in self.lookup(header)}:
                votes[name] = votes.get(name, 0) + 1
        if not votes:
            return None, 0.0
        best = max(sorted(votes), key=lambda name: votes[name])
        if votes[best] < HANDFUL:
            return None, 0.0
        contract = next(contract for contract in self.contracts if contract.name == best)
        return contract, votes[best] / len(named)


def learn(contracts: Iterable[Contract], without: Iterable[str] = ()) -> Knowledge:
    """The knowledge in the contracts of all networks but those withheld."""
    withheld = set(without)
    kept = tuple(contract for contract in contracts if network_family(contract.network) not in withheld)
    single = (one.name for one in kept if not {"impressions", "clicks"} & {spec.target for spec in one.fields})
    knowledge = Knowledge(kept, single=frozenset(single))
    for contract in kept:
        for spec in contract.fields:
            for place, header in enumerate(spec.headers):
                known = Spelled(Meaning(spec.target), contract.name, contract.network, place)
                knowledge.spelled.setdefault(compact(split_unit(header)[0]), []).append(known)
        for outcome in contract.attributions:
            for header in outcome.headers:
                bare = split_unit(header)[0]
                if DAYS in header:
                    before, after = (compact(part) for part in bare.split(DAYS))
                    knowledge.templates.setdefault(before + DAYS + after, []).append((outcome, contract))
                else:
                    knowledge.spelled.setdefault(compact(bare), []).append(_spelled(outcome, contract, None))
    return knowledge


def _spelled(spec: AttributionSpec, contract: Contract, days: int | None) -> Spelled:
    click = days if spec.click_days == FROM_HEADER else spec.click_days
    view = spec.view_days
    touch: rmis.Touch | None = "both" if click and view else "view" if view else None
    if touch is None and any("click" in split_words(header) for header in spec.headers):
        # Of clicks, as most are; told apart only where the header does.
        touch = "click"
    outcome = Outcome(
        metric=spec.metric,
        # A window that a parameter answers is not told by the file.
        click_days=click if isinstance(click, int) else None,
        view_days=view if isinstance(view, int) else None,
        touch=touch,
        match=spec.match if spec.match in get_args(rmis.Match) else "total",  # type: ignore[arg-type]
        channel=spec.channel,
        ntb=spec.ntb,
    )
    return Spelled(Meaning(spec.metric, outcome), contract.name, contract.network)
