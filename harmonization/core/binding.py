"""Binding a contract to one file's headers: which column feeds what, and what its windows are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, cast

from harmonization.core import rmis
from harmonization.core.cells import Cell, fold
from harmonization.core.contract import AttributionSpec, Contract, FieldSpec, ValueMap
from harmonization.core.contract_checks import FROM_HEADER
from harmonization.core.headers import CURRENCY_CODES, AliasHit, closest_header, match_alias
from harmonization.core.load_context import LoadContext
from harmonization.core.placements import placement_words
from tenants.core.problems import InvalidInput


class HeadersDoNotFit(InvalidInput):
    """The file's headers are not those of the contract's report."""

    code = "headers-do-not-fit"
    title = "The file does not have the columns of this report"


class PeriodNotTold(InvalidInput):
    """The file does not say which days it covers, and nobody else did."""

    code = "period-not-told"
    title = "The report does not say which days it covers"


class InvalidParameter(InvalidInput):
    """A parameter of the contract was answered with a value it does not know."""

    code = "invalid-parameter"
    title = "A parameter of the contract is not valid"


@dataclass(frozen=True, slots=True)
class HeaderMatch:
    """How one header of the file was understood. `target` is None where it feeds nothing."""

    header: str
    position: int
    target: str | None
    how: str
    alias: str | None = None


@dataclass(frozen=True, slots=True)
class BoundField:
    """A field and the columns that feed it: one, or with `coalesce` or `join` several in their order.

    A `resolver` for placements has become part of the specification's value map.
    """

    spec: FieldSpec
    positions: tuple[int, ...]

    @property
    def position(self) -> int:
        return self.positions[0]

    @property
    def cell(self) -> Cell:
        return Cell(self.positions, self.spec.default, joined=self.spec.join)


@dataclass(frozen=True, slots=True)
class BoundAttribution:
    """A figure and its column; `when_position` is the column that says on which rows it is this figure."""

    spec: AttributionSpec
    attribution: rmis.Attribution
    position: int
    when_position: int | None = None

    @property
    def cell(self) -> Cell:
        values = self.spec.when.values if self.spec.when else ()
        return Cell((self.position,), None, self.when_position, tuple(fold(value) for value in values))


@dataclass(frozen=True, slots=True)
class Binding:
    """A contract as it applies to one file. Positions count columns from 0."""

    contract: Contract
    headers: tuple[str, ...]
    fields: tuple[BoundField, ...]
    attributions: tuple[BoundAttribution, ...]
    matches: tuple[HeaderMatch, ...]
    header_currency: str | None
    default_attribution: dict[str, str]
    period: tuple[date, date] | None = None

    @property
    def names_currency(self) -> bool:
        """Whether the file says which currency it is in."""
        return self.header_currency is not None or any(bound.spec.target == "currency" for bound in self.fields)

    @property
    def unknown_headers(self) -> list[str]:
        return [match.header for match in self.matches if match.target is None and match.header.strip()]


def bind(contract: Contract, headers: Sequence[str], context: LoadContext) -> Binding:
    """Bind `contract` to a header row.

    Raises:
        HeadersDoNotFit: a required column is missing (named, with the closest header), or two headers fit one column.
        InvalidParameter: the context answers a parameter with a value the contract does not list.
    """
    parameters = resolve_parameters(contract, context)
    problems: list[dict[str, Any]] = []
    matches: dict[int, list[HeaderMatch]] = {}
    units: set[str] = set()

    def note(position: int, target: str, hit: AliasHit) -> None:
        matches.setdefault(position, []).append(HeaderMatch(headers[position], position, target, hit.how, hit.alias))
        if hit.unit in CURRENCY_CODES:
            units.add(str(hit.unit))

    fields = []
    for field in contract.fields:
        hits = _hits(field.headers, headers)
        if (field.coalesce or field.join) and hits:
            chosen_all = sorted(hits, key=lambda hit: _rank(hit[1], field.headers))
        else:
            best = _best(field.target, field.headers, hits, headers, problems, required=field.required)
            chosen_all = [best] if best is not None else []
        for position, hit in chosen_all:
            note(position, field.target, hit)
        if chosen_all:
            positions = tuple(position for position, _ in chosen_all)
            fields.append(BoundField(_resolved(contract, field), positions))
    attributions = []
    for spec in contract.attributions:
        hits = _hits(spec.headers, headers)
        when_position = None
        if spec.when is not None:
            aliases = [spec.when.header]
            found = _best(spec.id, aliases, _hits(aliases, headers), headers, problems, required=spec.required)
            if found is None:
                continue
            when_position = found[0]
            note(found[0], f"when.{spec.id}", found[1])
        if not hits:
            _best(spec.id, spec.headers, hits, headers, problems, required=spec.required)
        for days in sorted({hit.days or 0 for _, hit in hits}):
            same_window = [(position, hit) for position, hit in hits if (hit.days or 0) == days]
            chosen = _best(spec.id, spec.headers, same_window, headers, problems, required=False)
            if chosen is None:
                continue
            attribution = _attribution(spec, chosen[1].days, parameters)
            note(chosen[0], attribution.column, chosen[1])
            attributions.append(BoundAttribution(spec, attribution, chosen[0], when_position))
    problems += _same_figures(attributions)
    if problems:
        raise HeadersDoNotFit(
            problems[0]["detail"],
            where=f"header row, contract {contract.label}",
            fix=problems[0]["fix"],
            errors=problems,
        )
    flat = [
        match
        for position, header in enumerate(headers)
        for match in matches.get(
            position, [HeaderMatch(header, position, None, "unknown" if header.strip() else "unnamed")]
        )
    ]
    return Binding(
        contract=contract,
        headers=tuple(headers),
        fields=tuple(fields),
        attributions=tuple(attributions),
        matches=tuple(flat),
        header_currency=units.pop() if len(units) == 1 else None,
        default_attribution=_defaults(contract, attributions),
        period=_stated_period(contract, context),
    )


def require_period(binding: Binding) -> None:
    """Refuse a file of which nobody said what days it covers.

    Raises:
        PeriodNotTold: the contract takes the period from parameters, and they were not answered.
    """
    names = binding.contract.source.period
    if names and binding.period is None:
        raise PeriodNotTold(
            f"No column of {binding.contract.name} says which days the figures are of.",
            where=f"parameters {' and '.join(names)}",
            fix=f"Name the first and the last day, e.g. {names[0]}=2026-11-02 and {names[1]}=2026-11-15.",
        )


def _stated_period(contract: Contract, context: LoadContext) -> tuple[date, date] | None:
    if contract.source.period is None:
        return None
    days = []
    for name in contract.source.period:
        answer = context.parameters.get(name)
        if answer is None:
            return None
        try:
            days.append(date.fromisoformat(answer))
        except ValueError:
            raise InvalidParameter(
                f"{answer!r} is no day.", where=f"parameter {name}", fix="Write it as YYYY-MM-DD."
            ) from None
    first, last = days
    return first, last


def resolve_parameters(contract: Contract, context: LoadContext) -> dict[str, int | str | None]:
    """The contract's parameters by name, answered by the context or else by their defaults."""
    resolved: dict[str, int | str | None] = {}
    for name in context.parameters:
        if name not in contract.parameters:
            raise InvalidParameter(
                f"{contract.name} has no parameter {name!r}.",
                where=f"parameter {name}",
                fix=f"Its parameters are: {', '.join(contract.parameters) or 'none'}.",
            )
    for name, parameter in contract.parameters.items():
        if parameter.kind == "day":
            continue
        answer = context.parameters.get(name, parameter.default)
        if answer is None or answer not in parameter.values:
            raise InvalidParameter(
                f"{answer!r} is no value of {name}.",
                where=f"parameter {name}",
                fix=f"Choose one of {', '.join(parameter.values)}.",
            )
        resolved[name] = parameter.values[answer]
    return resolved


Hits = list[tuple[int, AliasHit]]


def _hits(aliases: Sequence[str], headers: Sequence[str]) -> Hits:
    """Every header that fits an alias, each with its best fit; aliases come in order of preference."""
    found: dict[int, AliasHit] = {}
    for alias in aliases:
        for position, header in enumerate(headers):
            if position not in found and (hit := match_alias(header, alias)) is not None:
                found[position] = hit
    return list(found.items())


def _best(
    target: str,
    aliases: Sequence[str],
    hits: Hits,
    headers: Sequence[str],
    problems: list[dict[str, Any]],
    *,
    required: bool,
) -> tuple[int, AliasHit] | None:
    """The header for `target`: the first alias wins, an exact header before a normalised one."""
    if not hits:
        if required:
            near = closest_header(aliases, headers)
            hint = f"The closest header is {near!r}; rename it" if near else "Add it to the export"
            problems.append(
                {
                    "target": target,
                    "detail": f"The column {aliases[0]!r} ({target}) is missing.",
                    "closest": near,
                    "fix": f"{hint} or choose the contract of this report.",
                }
            )
        return None
    best = min(_rank(hit, aliases) for _, hit in hits)
    chosen = [(position, hit) for position, hit in hits if _rank(hit, aliases) == best]
    if len(chosen) > 1:
        names = " and ".join(repr(headers[position]) for position, _ in chosen)
        problems.append(
            {
                "target": target,
                "detail": f"The headers {names} both fit {target}.",
                "fix": "Keep one of the columns or give them distinct names.",
            }
        )
    return chosen[0]


def _rank(hit: AliasHit, aliases: Sequence[str]) -> tuple[int, int]:
    return aliases.index(hit.alias), {"exact": 0, "normalised": 1, "unit_suffix": 2}[hit.how]


def _resolved(contract: Contract, field: FieldSpec) -> FieldSpec:
    """The field with the network's words for placements in its value map, where it asks for them."""
    if field.resolver != "placement":
        return field
    own = field.value_map or ValueMap(values={})
    spelled = {fold(word): word for word in own.values}
    words = {word: to for word, to in placement_words(contract.network).items() if fold(word) not in spelled}
    told = {
        "values": own.values | words,
        "default": own.default or "unknown",
        "keep_raw_in": own.keep_raw_in or "placement_raw",
    }
    return field.model_copy(update={"value_map": own.model_copy(update=told)})


def _same_figures(attributions: Sequence[BoundAttribution]) -> list[dict[str, Any]]:
    """Two columns of the file cannot be one figure: which of them is it?"""
    first: dict[str, str] = {}
    found = []
    for bound in attributions:
        other = first.setdefault(bound.attribution.column, bound.spec.id)
        if other != bound.spec.id:
            found.append(
                {
                    "target": bound.spec.id,
                    "detail": f"{other} and {bound.spec.id} are one and the same figure: {bound.attribution.label}.",
                    "fix": "Correct their windows, matches or parameters, or keep one of them.",
                }
            )
    return found


def _attribution(
    spec: AttributionSpec, header_days: int | None, parameters: dict[str, int | str | None]
) -> rmis.Attribution:
    def resolve(value: int | str | None) -> int | str | None:
        if value == FROM_HEADER:
            return header_days
        if isinstance(value, str) and value.startswith("$"):
            return parameters[value[1:]]
        return value

    click, view = cast(int | None, resolve(spec.click_days)), cast(int | None, resolve(spec.view_days))
    match, view_match = cast(rmis.Match, resolve(spec.match)), cast(rmis.Match | None, resolve(spec.view_match))
    if click is None and view is None:
        raise InvalidParameter(
            f"{spec.id} would be attributed to neither clicks nor views.",
            where="parameters of the attribution window",
            fix="Give a click window, a view window or both.",
        )
    touch: rmis.Touch = "both" if click and view else "click" if click else "view"
    if touch == "view" and view_match is not None:
        match = view_match
    return rmis.Attribution(
        metric=spec.metric,
        click_days=click,
        view_days=view,
        touch=touch,
        match=match,
        channel=spec.channel,
        ntb=spec.ntb,
        model=spec.model,
        view_match=view_match if touch == "both" and view_match != match else None,
        ntb_lookback_months=spec.ntb_lookback_months,
        gross_net=spec.gross_net,
    )


def _defaults(contract: Contract, attributions: Sequence[BoundAttribution]) -> dict[str, str]:
    preferred = contract.prefer_click_days

    def rank(bound: BoundAttribution) -> tuple[int, int]:
        days = bound.attribution.click_days or 0
        return (preferred.index(days) if days in preferred else len(preferred)), -days

    defaults: dict[str, str] = {}
    for metric, id_ in contract.default_attribution.items():
        candidates = [bound for bound in attributions if bound.spec.id == id_]
        if candidates:
            defaults[metric] = min(candidates, key=rank).attribution.column
    return defaults
