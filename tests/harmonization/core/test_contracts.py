"""A contract that breaks a rule is refused with the line; YAML that does more than hold values is refused at once."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from harmonization.core.contract import parse_contract
from harmonization.core.contract_examples import check_examples
from harmonization.core.library import MAPPINGS, find_contract, shipped_contracts
from harmonization.core.located_yaml import SIZE_LIMIT, InvalidContract, read_located_yaml
from tenants.core.problems import NotFound, TooLarge

SMALL = """\
schema_version: rmis/1
name: small_report
version: 1
title: A small report
network: example
report: small
coverage: {rank: 10, impressions: all}
source:
  formats: [csv]
  timezone: UTC
  currency: EUR
  grain: day
fields:
  - {target: period_start, headers: [Day], required: true, date_formats: ["%d.%m.%Y"]}
  - {target: campaign_id, headers: [Campaign], required: true}
  - {target: clicks, headers: [Clicks]}
  - {target: spend, headers: [Cost], required: true}
attributions:
  - {id: sales, metric: sales, match: total, click_days: 7, headers: [Sales]}
derived:
  - {target: reported_cpc, expression: spend / clicks}
rules:
  - {id: day_present, kind: not_null, columns: [period_start]}
natural_key: [period_start, campaign_id]
restatement_days: 3
default_attribution: {sales: sales}
examples:
  - row: {Day: 01.05.2024, Campaign: "7", Clicks: "4", Cost: "10", Sales: "2"}
    expect: {period_start: "2024-05-01", reported_cpc: "2.500000", sales: "2.000000"}
  - row: {Day: 01.05.2024, Campaign: "7", Clicks: "0", Cost: "10", Sales: "2"}
    expect: {reported_cpc: null}
"""


def line_of(text: str) -> int:
    return next(number for number, line in enumerate(SMALL.splitlines(), start=1) if text in line)


def test_a_small_contract_holds_its_examples() -> None:
    contract = parse_contract(SMALL)
    check_examples(contract)
    assert contract.label == "small_report@1"
    assert contract.digest == parse_contract(SMALL).digest != parse_contract(SMALL + "\n").digest


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("grain: day", "grain: week", "from_dates"),
        ("version: 1", 'version: "1"', "integer"),
        ("  currency: EUR", "  curency: EUR", "no key 'curency'"),
        ("title: A small report", "titel: A small report", "'titel'"),
        ("target: clicks,", "target: klicks,", "no canonical column 'klicks'"),
        ("target: spend,", "target: clicks,", "mapped twice"),
        ('date_formats: ["%d.%m.%Y"]', "transforms: [upper]", "date_formats"),
        ("timezone: UTC", "timezone: Mars/Base", "no IANA zone"),
        ("match: total", "match: everything", "no match"),
        ("click_days: 7", "click_days: 0", "no window"),
        ("click_days: 7", "click_days: $window", "no parameter"),
        ("click_days: 7", "click_days: from_header", "{days}"),
        ("metric: sales", "metric: profit", "sales"),
        ("expression: spend / clicks", "expression: spend / koffers", "koffers"),
        ("expression: spend / clicks", "expression: \"read_csv('/etc/passwd')\"", "not allowed"),
        ("kind: not_null", "kind: not_nil", "not_nil"),
        ("columns: [period_start]", "columns: [search_term]", "not mapped"),
        ("natural_key: [period_start, campaign_id]", "natural_key: [search_term]", "not mapped"),
        ("default_attribution: {sales: sales}", "default_attribution: {sales: profit}", "no attribution"),
        ("default_attribution: {sales: sales}", "default_attribution: {orders: sales}", "not orders"),
    ],
)
def test_a_mistake_is_named_with_its_line(old: str, new: str, words: str) -> None:
    assert old in SMALL
    with pytest.raises(InvalidContract) as caught:
        parse_contract(SMALL.replace(old, new, 1), origin="small.yaml")
    finding = next(error for error in caught.value.errors if words in error["detail"])
    assert finding["line"] in (line_of(old), 1)
    assert caught.value.where.startswith("small.yaml, line ")
    assert finding["fix"]


def test_a_missing_part_is_named() -> None:
    with pytest.raises(InvalidContract) as caught:
        parse_contract(SMALL.replace("natural_key: [period_start, campaign_id]\n", ""))
    assert [error["detail"] for error in caught.value.errors] == ["The key 'natural_key' is missing."]


def test_a_rule_with_a_catastrophic_pattern_is_bounded() -> None:
    rule = '  - {id: evil, kind: regex, column: campaign_id, pattern: "^(a+)+$"}\n'
    contract = parse_contract(
        SMALL.replace("natural_key", rule + "natural_key").replace('Campaign: "7"', f'Campaign: "{"a" * 40}!"')
    )
    started = time.perf_counter()
    with pytest.raises(InvalidContract, match="evil"):
        check_examples(contract)
    assert time.perf_counter() - started < 5
    backwards = rule.replace("^(a+)+$", "(a)\\\\1")
    with pytest.raises(InvalidContract, match="back-references"):
        parse_contract(SMALL.replace("natural_key", backwards + "natural_key"))


def test_a_wrong_example_fails_and_says_what_came_out() -> None:
    wrong = parse_contract(SMALL.replace('sales: "2.000000"', 'sales: "3.000000"'))
    with pytest.raises(InvalidContract, match=r"should be '3.000000', is '2.000000'"):
        check_examples(wrong)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: &x [1]\nb: *x\n", "Anchors"),
        ("a: !!python/object/apply:os.system [ls]\n", "tag"),
        ("a: !custom 1\n", "tag"),
        ("a: 1\na: 2\n", "second time"),
        ("a: [1\n", "YAML"),
        ("? [1, 2]\n: 3\n", "plain text"),
        ("a: " + "[" * 40 + "]" * 40, "Nested"),
        ("", "empty"),
        ("a: \x00", "YAML"),
    ],
)
def test_yaml_that_is_refused(text: str, words: str) -> None:
    with pytest.raises(InvalidContract, match=words) as caught:
        read_located_yaml(text)
    assert caught.value.where.startswith("line ")


def test_an_alias_bomb_is_refused_within_a_second() -> None:
    bomb = "a0: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]\n" for n in range(1, 40))
    # Time of this process, not of the clock: what else the machine does is no fault of the reader's.
    started = time.process_time()
    with pytest.raises(InvalidContract):
        read_located_yaml(bomb)
    with pytest.raises(TooLarge):
        read_located_yaml("a" * (SIZE_LIMIT + 1))
    with pytest.raises(InvalidContract):
        read_located_yaml("[" * SIZE_LIMIT)
    assert time.process_time() - started < 1


def test_dates_stay_text_and_lines_are_known() -> None:
    document = read_located_yaml("a:\n  - 2024-01-01\n  - b: yes\n")
    assert document.value == {"a": ["2024-01-01", {"b": True}]}
    assert document.line_of(("a", 1, "b")) == 3
    assert document.line_of(("a", 1, "unheard", "of")) == 3


def test_contracts_are_found_by_name_or_path(tmp_path: Path) -> None:
    assert set(shipped_contracts()) == {path.stem for path in MAPPINGS.glob("*.yaml")}
    path = tmp_path / "mine.yaml"
    path.write_text(SMALL)
    assert find_contract(str(path)).name == "small_report"
    for name in ("nothing", "../../manage", ""):
        with pytest.raises(NotFound) as caught:
            find_contract(name)
        assert "walmart_search_item" in caught.value.fix
