"""A contract's own example rows, run through the same plan as its files."""

from __future__ import annotations

import polars as pl

from harmonization.core.binding import Binding, bind
from harmonization.core.contract import Contract, Example
from harmonization.core.load_context import LoadContext
from harmonization.core.located_yaml import InvalidContract
from harmonization.core.plan import compile_plan
from harmonization.core.source_file import RAGGED, SOURCE_ROW, raw_name


def failed_examples(contract: Contract) -> list[str]:
    """What each example that does not hold says, and what came out instead; empty when all hold."""
    failures = []
    for number, example in enumerate(contract.examples, start=1):
        failures += [f"example {number}: {failure}" for failure in _failures(contract, example)]
    return failures


def check_examples(contract: Contract) -> None:
    """Raise unless every example holds.

    Raises:
        InvalidContract: with each failure in `errors`.
        HeadersDoNotFit, InvalidParameter: an example lacks a required column or answers a parameter wrongly.
    """
    failures = failed_examples(contract)
    if failures:
        raise InvalidContract(
            f"{failures[0]}{f' ({len(failures) - 1} more)' if len(failures) > 1 else ''}",
            where=f"{contract.label}, examples",
            fix="Correct the mapping, or the example where it is wrong.",
            errors=[{"detail": failure} for failure in failures],
        )


def _failures(contract: Contract, example: Example) -> list[str]:
    context = LoadContext(parameters=example.parameters)
    binding = bind(contract, list(example.row), context)
    cells = {raw_name(position): [cell] for position, cell in enumerate(example.row.values())}
    rows = pl.LazyFrame({**cells, SOURCE_ROW: [2], RAGGED: [None]}, schema_overrides={RAGGED: pl.String})
    plan = compile_plan(rows, binding, context)
    skipped = plan.skipped.collect()["reason"].to_list()
    quarantined = plan.quarantined.collect()["rule_ids"].to_list()
    outcome = (
        f"skipped as {skipped[0]}" if skipped else f"quarantined by {sorted(quarantined[0])}" if quarantined else ""
    )
    if example.skip is not None:
        return [] if skipped == [example.skip] else [f"should be skipped as {example.skip}, was {outcome or 'kept'}"]
    if example.quarantine:
        wanted = sorted(example.quarantine)
        got = sorted(quarantined[0]) if quarantined else []
        return [] if got == wanted else [f"should be quarantined by {wanted}, was {outcome or 'kept'}"]
    if outcome:
        return [f"should be kept, was {outcome}"]
    return _differences(plan.good.collect(), binding, example)


def _differences(good: pl.DataFrame, binding: Binding, example: Example) -> list[str]:
    columns = {bound.spec.id: bound.attribution.column for bound in binding.attributions}
    found = []
    for target, wanted in example.expect.items():
        column = columns.get(target, target)
        text = good[column].cast(pl.String).item() if column in good.columns else None
        if text != wanted:
            found.append(f"{target} should be {wanted!r}, is {text!r}")
    return found
