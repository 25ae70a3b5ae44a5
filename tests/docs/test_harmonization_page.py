"""docs/harmonization.md against the code it describes."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml
from django.core.files.uploadedfile import SimpleUploadedFile
from pydantic import BaseModel

from harmonization import services
from harmonization.core import contract as parts
from harmonization.core.contract import parse_contract
from harmonization.core.contract_examples import check_examples
from harmonization.core.engine import harmonize_file
from harmonization.core.harmonize_run import run
from harmonization.core.library import shipped_contracts
from harmonization.core.load_context import LoadContext
from harmonization.core.source_file import Limits
from jobs.draining import run_queued_jobs
from tests.docs.pages import ROOT, bare, blocks, table_under
from tests.harmonization.conftest import walmart, walmart_csv, walmart_row

__all__ = ["walmart"]  # the fixture

PAGE = ROOT / "docs" / "harmonization.md"
RULES = (parts.NotNull, parts.InSet, parts.Regex, parts.Range, parts.Expression)
SECTIONS: dict[str, type[BaseModel]] = {
    "The contract's keys": parts.Contract,
    "coverage": parts.Coverage,
    "source": parts.Source,
    "parameters": parts.Parameter,
    "fields": parts.FieldSpec,
    "value_map": parts.ValueMap,
    "attributions": parts.AttributionSpec,
    "derived": parts.Derived,
    "skip": parts.Skip,
    "examples": parts.Example,
}


@pytest.mark.parametrize(("heading", "model"), SECTIONS.items(), ids=str)
def test_every_key_with_its_default(heading: str, model: type[BaseModel]) -> None:
    rows = {bare(row[0]): row for row in table_under(PAGE, heading)}
    assert list(rows) == list(model.model_fields)
    for name, field in model.model_fields.items():
        told = rows[name][1]
        if field.is_required():
            assert told == "required", name
        else:
            assert yaml.safe_load(bare(told)) == field.get_default(call_default_factory=True), name
        assert len(rows[name][2]) > 5


def test_every_key_of_rules() -> None:
    rows = {bare(row[0]): row[1] for row in table_under(PAGE, "rules")}
    assert set(rows) == {name for rule in RULES for name in rule.model_fields}
    kinds = {rule: get_args(rule.model_fields["kind"].annotation)[0] for rule in RULES}
    for name, told in rows.items():
        having = {kinds[rule] for rule in RULES if name in rule.model_fields}
        assert having == (set(kinds.values()) if told == "all" else set(re.findall(r"`(\w+)`", told))), name


def test_the_contract_of_the_page_works(tmp_path: Path) -> None:
    (block,) = blocks(PAGE, "yaml contract")
    contract = parse_contract(block.text)
    check_examples(contract)
    file = tmp_path / "export.csv"
    file.write_text(
        "Day;Campaign;Product code;Zone;Views;Clicks;Cost;Sales 14 d\n"
        "02/11/2026;Chips;501;Search;1.000;12;8,40 €;1.060,00 €\n"
        "03/11/2026;Chips;501;Shelf;10;0;-1,00;0\n"
        "Total;;;;1.010;12;7,40;1.060,00\n"
    )
    report = harmonize_file(file, contract, out_dir=tmp_path / "out", context=LoadContext()).as_dict()
    assert (report["rows_in"], report["rows_out"], report["rows_quarantined"], report["rows_skipped"]) == (3, 1, 1, 1)
    assert report["totals"] == [{"currency": "EUR", "impressions": 1000, "clicks": 12, "spend": 8.4}]
    assert report["attributed"][0]["value"] == 1060


def test_every_shipped_contract_is_described() -> None:
    page = ROOT / "docs" / "networks.md"
    rows = table_under(page, "What is shipped")
    assert [bare(row[0]) for row in rows] == sorted(shipped_contracts())
    assert all(len(cell) > 5 for row in rows for cell in row)


def test_every_key_of_the_report(tmp_path: Path) -> None:
    file = tmp_path / "item.csv"
    file.write_bytes(walmart_csv(walmart_row(), walmart_row("2026-11-03", spend="-5.00")))
    report = run(file, out_dir=tmp_path / "out")
    told = {bare(row[0]): row[1] for row in table_under(PAGE, "The JSON of `manage.py harmonize`")}
    assert set(told) == set(report)
    for key in ("totals", "attributed", "attribution_columns", "quarantine"):
        assert {name for row in report[key] for name in row} <= set(re.findall(r"`(\w+)`", told[key])), key


def test_limits_are_the_codes() -> None:
    told = dict(table_under(PAGE, "Limits"))
    limits = Limits()
    assert told["a file given to the command"] == f"{limits.file_size // 1024**3} GiB"
    assert told["a line"] == f"{limits.line // 1024**2} MiB"
    assert told["what an archive expands to"] == (
        f"{limits.expanded_size // 1024**3} GiB, and {limits.expansion_ratio} times its size"
    )
    assert told["columns"] == f"{limits.columns:,}"


class Curl:
    """The curl commands of a page, through the test client; ids of answers fill the variables of later commands."""

    def __init__(self, api: Any, token: str, file: bytes) -> None:
        self.api, self.file = api, file
        self.names = {"TOKEN": token, "URL": "http://acme.localhost"}

    def run(self, command: str) -> Any:
        words = shlex.split(re.sub(r"\$(\w+)", lambda name: self.names[name[1]], command))
        assert words.pop(0) == "curl"
        headers, form, method, url, json_body = {}, {}, None, "", None
        while words:
            match word := words.pop(0):
                case "-H":
                    name, _, value = words.pop(0).partition(": ")
                    headers[f"HTTP_{name.upper().replace('-', '_')}"] = value
                case "-F":
                    name, _, value = words.pop(0).partition("=")
                    form[name] = SimpleUploadedFile(value[1:], self.file) if value.startswith("@") else value
                case "-X":
                    method = words.pop(0)
                case "--json":
                    json_body = json.loads(words.pop(0))
                case _:
                    assert not word.startswith("-"), f"{word} is not understood here"
                    url = word.removeprefix(self.names["URL"])
        if form:
            return self.api.post(url, form, format="multipart", **headers)
        if method == "POST" or json_body is not None:
            return self.api.post(url, json_body or {}, format="json", **headers)
        return self.api.get(url, **headers)

    def learn(self, body: Any) -> None:
        """Take the ids that later commands speak of."""
        if body.get("results"):
            self.names["ACCOUNT"] = body["results"][0]["id"]
        if isinstance(body.get("upload"), dict):
            self.names |= {"UPLOAD": body["upload"]["id"], "JOB": body["job_id"]}
        if body.get("result"):
            self.names["LOAD"] = body["result"]["load_id"]


def test_requests_of_the_page_answer(api: Any, walmart: Any, storage: Path, fresh_cache: None) -> None:
    services.ensure_shipped_contracts()
    token = api._credentials["HTTP_AUTHORIZATION"].removeprefix("Token ")
    api.credentials(HTTP_HOST="acme.localhost")
    curl = Curl(api, token, walmart_csv())
    (block,) = blocks(PAGE, "sh api")
    commands = block.text.replace("\\\n", " ").strip().splitlines()
    assert len(commands) >= 6
    for command in commands:
        answer = curl.run(command)
        assert answer.status_code in {200, 201, 202}, f"{command}: {answer.content.decode()}"
        curl.learn(answer.json())
        run_queued_jobs()
