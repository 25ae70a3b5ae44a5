"""Each step against Python's own text functions, and a chain of them."""

from __future__ import annotations

import re
import time
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from harmonization.core.contract_parts import Step, StepCall, StepName
from harmonization.core.gtin import to_gtin14
from harmonization.core.steps import apply_steps

STEP: TypeAdapter[Any] = TypeAdapter(Step)
# What cells hold: no control characters but the tab, and letters whose case is a matter of one code point.
plain = st.text(st.sampled_from("aAbBzZ019 .-_|/:\t\u00a0éÉ日"), max_size=16)
needles = st.text(st.sampled_from("aA0 .-|("), min_size=1, max_size=3)


def stepped(cells: list[str | None], *steps: Any) -> list[str | None]:
    read = [STEP.validate_python(step) for step in steps]
    frame = pl.LazyFrame({"cell": pl.Series(cells, dtype=pl.String)})
    return frame.select(apply_steps(pl.col("cell"), read)).collect(engine="streaming")["cell"].to_list()


def nothing_is_null(text: str | None) -> str | None:
    return text or None


NAMED = {
    "trim": str.strip,
    "upper": str.upper,
    "lower": str.lower,
    "collapse_spaces": lambda text: re.sub(r"\s+", " ", text),
    "identifier": lambda text: re.sub(r"^([0-9]+)\.0+$", r"\1", text),
    "gtin14": lambda text: to_gtin14(pl.Series([text])).item(),
}


def test_every_named_step_has_its_oracle() -> None:
    assert set(NAMED) == set(StepName.__args__)  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", sorted(NAMED))
@given(cells=st.lists(plain | st.from_regex(r"[0-9]{1,9}\.0{0,3}", fullmatch=True), max_size=8))
def test_named_steps(name: str, cells: list[str]) -> None:
    assert stepped([*cells, None], name) == [*(nothing_is_null(NAMED[name](cell)) for cell in cells), None]


@given(st.lists(plain, max_size=8), st.integers(1, 20))
def test_zero_pad(cells: list[str], width: int) -> None:
    assert stepped(cells, {"zero_pad": width}) == [cell.rjust(width, "0") for cell in cells]


@given(st.lists(plain, max_size=8), needles, st.integers(-4, 4).filter(bool))
def test_split(cells: list[str], on: str, take: int) -> None:
    def part(text: str) -> str | None:
        parts = text.split(on)
        place = take - 1 if take > 0 else len(parts) + take
        return nothing_is_null(parts[place]) if 0 <= place < len(parts) else None

    assert stepped(cells, {"split": {"on": on, "take": take}}) == [part(cell) for cell in cells]


@given(st.lists(plain, max_size=8), needles, st.text("xy$1\\", max_size=3))
def test_replace_is_literal(cells: list[str], old: str, new: str) -> None:
    got = stepped(cells, {"replace": {"from": old, "to": new}})
    assert got == [nothing_is_null(cell.replace(old, new)) for cell in cells]


@given(st.lists(plain, max_size=8), needles)
def test_prefix_and_suffix(cells: list[str], text: str) -> None:
    assert stepped(cells, {"strip_prefix": text}) == [nothing_is_null(cell.removeprefix(text)) for cell in cells]
    assert stepped(cells, {"strip_suffix": text}) == [nothing_is_null(cell.removesuffix(text)) for cell in cells]


@pytest.mark.parametrize("pattern", [r"([0-9]+)", r"^(?:a|A)(.*)$", r"([^|]+)\|", r"(?i)(z+)b?"])
@given(cells=st.lists(plain, max_size=8))
def test_extract(pattern: str, cells: list[str]) -> None:
    def found(text: str) -> str | None:
        match = re.search(pattern, text)
        return nothing_is_null(match[1]) if match else None

    assert stepped(cells, {"extract": pattern}) == [found(cell) for cell in cells]


@given(st.lists(plain, max_size=8))
def test_steps_run_in_their_order(cells: list[str]) -> None:
    def by_hand(text: str) -> str | None:
        parts = text.split("|")
        return nothing_is_null(parts[-1].strip().upper().removeprefix("A").rjust(6, "0"))

    steps = [{"split": {"on": "|", "take": -1}}, "trim", "upper", {"strip_prefix": "A"}, {"zero_pad": 6}]
    assert stepped(cells, *steps) == [by_hand(cell) for cell in cells]


def test_a_pattern_that_backtracks_elsewhere_takes_linear_time_here() -> None:
    cell = "a" * 50_000 + "!"
    started = time.process_time()
    assert stepped([cell], {"extract": "^((?:a+)+)$"}) == [None]
    assert stepped([cell], {"extract": "^((?:a|aa)*)$"}) == [None]
    assert time.process_time() - started < 5


def test_a_step_is_a_name_or_one_key() -> None:
    assert STEP.validate_python("upper") == "upper"
    call = STEP.validate_python({"split": {"on": "|", "take": 1}})
    assert isinstance(call, StepCall)
    assert (call.name, call.argument.take) == ("split", 1)
