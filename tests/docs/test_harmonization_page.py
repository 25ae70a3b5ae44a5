"""docs/harmonization.md against the code it describes."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile

from harmonization import services
from harmonization.core.harmonize_run import run
from harmonization.core.library import shipped_contracts
from harmonization.core.source_file import Limits
from jobs.draining import run_queued_jobs
from tests.docs.pages import ROOT, bare, blocks, table_under
from tests.harmonization.conftest import walmart, walmart_csv, walmart_row

__all__ = ["walmart"]  # the fixture

PAGE = ROOT / "docs" / "harmonization.md"


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
    for what, size in (("an archive", limits.file_size), ("a workbook", limits.expanded_size)):
        assert told[f"what {what} expands to"] == f"{size // 1024**3} GiB, and {limits.expansion_ratio} times its size"
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
