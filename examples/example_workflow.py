"""The main job of RMN, through its REST API alone: exports in, one picture, one optimised budget out.

    make demo           in one terminal
    make run-example    in another

or, against any installation:

    API_TOKEN=rmn_... python examples/example_workflow.py --url https://acme.rmn.example.com

Read it from `main` downwards. Nothing here imports RMN; sample exports are written by its `manage.py`. A second run
adds another scenario and nothing else: the same file is the same load, the same data the same curves.
"""
# ruff: noqa: T201 - it tells what it does

from __future__ import annotations

import argparse
import csv
import io
import os
import subprocess
import sys
import tempfile
import time
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import requests

PROJECT = Path(__file__).resolve().parent.parent
# A job that waits for a worker is looked at this often, and given up on after so long.
POLL_SECONDS, PATIENCE_SECONDS = 0.5, 900.0


def main(arguments: list[str] | None = None) -> int:
    """Run every step. Returns the exit code."""
    given = parsed(arguments)
    api = Api(given.url, given.token, given.tenant)
    try:
        brand_names = who_am_i(api)
        with tempfile.TemporaryDirectory() as folder:
            exports = make_exports(Path(folder), scale=given.scale)
            send_catalogue(api, exports / "catalogue.csv", brand_names)
            account = walmart_account(api)
            loads = [send_report(api, path, account) for path in sorted(exports.glob("walmart_*.csv"))]
        last_day = max(date.fromisoformat(load["period_end"]) for load in loads)
        spent = show_figures(api, last_day)
        fit_curves(api)
        scenario = solve_scenario(api, last_day, budget=spent * Decimal("1.10"))
        download_lines(api, scenario, given.out)
    except RefusedError as refused:
        print(f"\nRefused. {refused}", file=sys.stderr)
        return 1
    except requests.ConnectionError:
        print(f"\nNothing answers at {given.url}. Start it with `make demo`, or give another --url.", file=sys.stderr)
        return 1
    return 0


# The steps -----------------------------------------------------------------------------------------------------------


def who_am_i(api: Api) -> set[str]:
    """Say whose token this is, and return the brands that they know."""
    me = api.get("me")
    print(f"1. I am {me['user']['name'] or me['user']['email']} at {me['tenant']['name']}.")
    return {brand["name"] for brand in api.list("brands/")}


def make_exports(folder: Path, *, scale: float) -> Path:
    """Write a year of sample exports of Walmart Connect, as its console would, with the catalogue they are of."""
    command = [sys.executable, "manage.py", "make_sample_exports", str(folder), "--network", "walmart_connect"]
    subprocess.run([*command, "--scale", str(scale)], cwd=PROJECT, check=True, stdout=subprocess.DEVNULL)
    print(f"2. Wrote {len(list(folder.glob('walmart_*.csv')))} exports of Walmart Connect and a catalogue.")
    return folder


def send_catalogue(api: Api, path: Path, brand_names: set[str]) -> None:
    """Say what is sold. Brands have to exist: they decide who may see what."""
    with path.open(encoding="utf-8", newline="") as file:
        wanted = {row["brand"] for row in csv.DictReader(file)}
    for name in sorted(wanted - brand_names):
        api.post("brands/", json={"name": name})
    with path.open("rb") as file:
        report = api.post("uploads/", files={"file": file}, data={"kind": "catalogue"})["catalogue"]
    print(f"3. Catalogue: {report['products_created']} products added, {report['products_updated']} updated.")


def walmart_account(api: Api) -> str:
    """The id of the advertising account at Walmart that the exports are of; made where there is none."""
    retailer = next(row for row in api.list("retailers/") if row["name"] == "Walmart")
    for account in api.list("accounts/"):
        if account["retailer"] == retailer["id"]:
            return str(account["id"])
    made = {"retailer": retailer["id"], "external_id": "walmart-example", "name": "Example", "currency": "USD"}
    return str(api.post("accounts/", json=made)["id"])


def send_report(api: Api, path: Path, account: str) -> dict[str, Any]:
    """Upload one export, follow the job that harmonises it, and return the load it became."""
    with path.open("rb") as file:
        sent = api.post("uploads/", files={"file": file}, data={"account": account})
    job = api.follow(sent["job_id"])
    load = api.get(f"loads/{job['result']['load_id']}/")
    print(
        f"4. {path.name}: {load['rows_out']:,} of {load['rows_in']:,} rows published by {load['contract']}, "
        f"{load['rows_quarantined']:,} in quarantine."
    )
    return load


def show_figures(api: Api, last_day: date) -> Decimal:
    """Compare the networks over the last four weeks, and return what was spent."""
    query = {
        "metrics": "spend,sales,roas",
        "dimensions": "network",
        "start": str(last_day - timedelta(days=27)),
        "end": str(last_day),
        "sort": "-spend",
    }
    table = api.get("metrics/query/", params=query)
    print(f"5. {query['start']} to {query['end']}, as each network reports it:")
    for line in table["lines"]:
        print(f"   {line['key']['network']:16} {figures(line)}")
    for total in table["totals"]:
        print(f"   {'total':16} {figures(total)}")
    for notice in table["notices"]:
        print(f"   ({notice['text']})")
    return sum((Decimal(total["values"]["spend"]) for total in table["totals"]), Decimal(0))


def fit_curves(api: Api) -> None:
    """Learn what more or less money would do, for each retailer, placement and product."""
    job = api.follow(api.post("curves/", json={"weeks": 52})["job_id"])
    version = api.get(f"curves/{job['result']['curve_version']}/")
    print(f"6. {len(version['curves'])} response curves from {version['data_start']} to {version['data_end']}.")


def solve_scenario(api: Api, last_day: date, *, budget: Decimal) -> dict[str, Any]:
    """Ask where the next four weeks' money should go, and print the answer with its proof."""
    asked = {
        "name": "Example: a tenth more than the last four weeks",
        "horizon_start": str(last_day + timedelta(days=1)),
        "horizon_end": str(last_day + timedelta(days=28)),
        "total_budget": str(budget.quantize(Decimal("0.01"))),
        "reserve_fraction": "0.05",
        "max_change_fraction": "0.5",
    }
    scenario = api.post("scenarios/", json=asked)
    api.follow(api.post(f"scenarios/{scenario['id']}/solve/")["job_id"])
    scenario = api.get(f"scenarios/{scenario['id']}/")
    print(f"7. {scenario['label']}, {scenario['total_budget']} over four weeks: {scenario['status']}.")
    for way_out in scenario["relaxations"]:
        print(f"   These cannot hold together: {way_out['text']}")
    return scenario


def download_lines(api: Api, scenario: dict[str, Any], out: Path | None) -> None:
    """Print each line before and after with the reason, largest change first, and keep the file."""
    content = api.download(f"scenarios/{scenario['id']}/lines/", params={"export": "csv"})
    lines = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))
    print("8. Before and after, the largest changes first:")
    for line in [line for line in lines if line["Row"] == "line"][:8]:
        where = f"{line['Retailer']}, {line['Placement']}, {line['SKU']}"
        print(f"   {where:48} {line['Now']:>10} -> {line['Proposed']:>10}  {line['Why']}")
    for line in lines:
        if line["Row"] == "total":
            print(f"   {'total':48} {line['Now']:>10} -> {line['Proposed']:>10}")
    if out is not None:
        out.write_bytes(content)
        print(f"   All {len(lines)} rows are in {out}.")


def figures(line: dict[str, Any]) -> str:
    """Spend, sales and ROAS of a line of figures; missing where a network does not tell."""
    values = line["values"]
    roas = "-" if values["roas"] is None else f"{float(values['roas']):.2f}"
    return f"{line['currency']}  spend {values['spend']:>12}  sales {values['sales'] or '-':>14}  ROAS {roas:>6}"


# Speaking to the API -------------------------------------------------------------------------------------------------


class RefusedError(Exception):
    """The API said no, and why: a problem document (RFC 9457)."""

    def __init__(self, problem: dict[str, Any]) -> None:
        place = f"{problem['where']}: " if problem.get("where") else ""
        super().__init__(f"{place}{problem.get('detail', problem)} {problem.get('fix', '')}".strip())


class Api:
    """`/api/v1/` of one tenant: the host chooses it, or the header `X-Tenant-ID` on the platform's host."""

    def __init__(self, url: str, token: str, tenant: str | None = None) -> None:
        self.base = f"{url.rstrip('/')}/api/v1/"
        self.session = requests.Session()
        self.session.headers["Authorization"] = f"Token {token}"
        if tenant:
            self.session.headers["X-Tenant-ID"] = tenant

    def get(self, path: str, **options: Any) -> Any:
        return self._ask("GET", path, **options).json()

    def post(self, path: str, **options: Any) -> Any:
        return self._ask("POST", path, **options).json()

    def download(self, path: str, **options: Any) -> bytes:
        return self._ask("GET", path, **options).content

    def list(self, path: str) -> list[dict[str, Any]]:
        """All rows of a list, page by page."""
        rows: list[dict[str, Any]] = []
        page = 1
        while True:
            body = self.get(path, params={"page": page, "page_size": 500})
            rows += body["results"]
            if body["next"] is None:
                return rows
            page += 1

    def follow(self, job_id: str) -> dict[str, Any]:
        """A job once it has succeeded; its progress is told on the way."""
        deadline, shown = time.monotonic() + PATIENCE_SECONDS, ""
        while time.monotonic() < deadline:
            job: dict[str, Any] = self.get(f"jobs/{job_id}/")
            stages = (job["progress"] or {}).get("stages") or []
            told = f"{job['title']}: {job['state']}{', ' + stages[-1]['name'] if stages else ''}"
            if told != shown and sys.stdout.isatty():
                print(f"   {told:<90}", end="\r", flush=True)
                shown = told
            if job["state"] == "succeeded":
                return job
            if job["state"] in {"failed", "dead", "cancelled"}:
                raise RefusedError(job["problem"] or {"detail": f"The job {job['title']!r} was {job['state']}."})
            time.sleep(POLL_SECONDS)
        raise RefusedError({"detail": f"Job {job_id} has not ended.", "fix": "Check that a worker runs."})

    def _ask(self, method: str, path: str, **options: Any) -> requests.Response:
        answer = self.session.request(method, self.base + path, timeout=60, **options)
        if answer.status_code == 429 and "Retry-After" in answer.headers:
            time.sleep(int(answer.headers["Retry-After"]))
            answer = self.session.request(method, self.base + path, timeout=60, **options)
        if not answer.ok:
            is_problem = answer.headers.get("Content-Type", "").startswith("application/problem+json")
            raise RefusedError(answer.json() if is_problem else {"detail": f"HTTP {answer.status_code} at {path}"})
        return answer


def parsed(arguments: list[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description="The main job of RMN through its REST API.")
    parser.add_argument("--url", default=os.environ.get("API_URL", "http://localhost:8000"), help="or API_URL")
    parser.add_argument("--token", default=os.environ.get("API_TOKEN"), help="or, better, API_TOKEN")
    parser.add_argument("--tenant", help="slug, where the host of the URL is the platform's")
    parser.add_argument("--scale", type=float, default=1.0, help="factor on the number of sample products")
    parser.add_argument("--out", type=Path, help="file for the lines of the scenario (CSV)")
    given = parser.parse_args(arguments)
    if not given.token:
        parser.error("a token is needed: set API_TOKEN (Settings > API tokens, or manage.py create_token)")
    return given


if __name__ == "__main__":
    sys.exit(main())
