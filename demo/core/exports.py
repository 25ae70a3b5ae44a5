"""Sample exports with their truth: the one entry to the generator."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from demo.core.days import make_facts
from demo.core.export_plan import SETTLED_DAYS, NetworkPlan, PlannedFile, plan_network
from demo.core.geo_test import GeoPanel, make_geo_test
from demo.core.profiles import NETWORKS, NetworkKey, find_profile
from demo.core.reported import report
from demo.core.truth import file_truth, network_truth, weekly_sums, world_truth
from demo.core.world import World, make_world
from demo.core.writers.shelf import CATALOGUE_HEADER, GEO_HEADER, write_catalogue, write_geo_sales
from tenants.core.problems import InvalidInput

DEFAULT_UNTIL = dt.date(2026, 11, 22)
DEFAULT_SEED = 7
TRUTH_FORMAT = "rmn-sample-truth/1"
TRUTH_FILE, CATALOGUE_FILE, GEO_FILE, GEO_DESIGN_FILE = "truth.json", "catalogue.csv", "geo_sales.csv", "geo_test.json"


@dataclass(frozen=True)
class ExportedFile:
    """A file that was written: its path relative to the folder, what it is, and its rows without the header.

    `contract` is empty for the catalogue and the geo panel; `variant` files are for tests, not part of the demo set.
    """

    name: str
    network: NetworkKey | None
    contract: str
    rows: int
    variant: bool


@dataclass(frozen=True)
class Manifest:
    """All that one call wrote."""

    out_dir: Path
    profile: str
    company: str
    seed: int
    first: dt.date
    last: dt.date
    files: tuple[ExportedFile, ...]

    @property
    def truth_path(self) -> Path:
        return self.out_dir / TRUTH_FILE

    @property
    def rows(self) -> int:
        return sum(file.rows for file in self.files if not file.variant)

    def paths(self, contract: str) -> list[Path]:
        """The demo files of one contract, oldest first."""
        return [self.out_dir / file.name for file in self.files if file.contract == contract and not file.variant]


def write_sample_exports(
    out_dir: Path,
    *,
    seed: int = DEFAULT_SEED,
    until: dt.date = DEFAULT_UNTIL,
    profile: str = "acme",
    scale: float = 1.0,
    networks: Sequence[NetworkKey] | None = None,
) -> Manifest:
    """Write the exports of a demonstration company, and `truth.json` about them.

    `until` is the last day of data, `scale` multiplies the number of products, `networks` limits which networks'
    files are written (the world, and so each file, stays the same). Files of the same name are replaced; truth.json
    is written last, so a folder that holds one is whole.

    Raises:
        InvalidInput: no such profile or network, or a scale out of range.
    """
    company = find_profile(profile)
    wanted = _checked_networks(networks)
    world = make_world(company, seed=seed, until=until, scale=scale)
    facts = {network.key: make_facts(world, network) for network in company.networks}
    settled = until + dt.timedelta(days=SETTLED_DAYS)
    final = {key: report(rows, settled) for key, rows in facts.items()}
    plans = [plan_network(world, facts[key]) for key in facts if key in wanted]
    panel = make_geo_test(world, final[company.geo_test.network]) if company.geo_test else None

    (out_dir / "variants").mkdir(parents=True, exist_ok=True)
    (out_dir / TRUTH_FILE).unlink(missing_ok=True)
    written, truths = _write_network_files(out_dir, plans)
    own_files, own_truth = _write_own_files(out_dir, world, panel)
    spend, sales = weekly_sums(world, facts, {key: rows["sales"] for key, rows in final.items()})
    truth = {
        "format": TRUTH_FORMAT,
        "profile": company.key,
        "company": company.company,
        "seed": seed,
        "scale": scale,
        "first_day": world.first.isoformat(),
        "last_day": world.last.isoformat(),
        "files": truths,
        "networks": {plan.network.key: network_truth(plan) for plan in plans},
        **own_truth,
        "world": world_truth(world, spend, sales),
    }
    _write_json(out_dir / TRUTH_FILE, truth)
    return Manifest(
        out_dir=out_dir,
        profile=company.key,
        company=company.company,
        seed=seed,
        first=world.first,
        last=world.last,
        files=(*written, *own_files),
    )


def _checked_networks(networks: Sequence[NetworkKey] | None) -> tuple[NetworkKey, ...]:
    if networks is None:
        return NETWORKS
    unknown = sorted(set(networks) - set(NETWORKS))
    if unknown:
        raise InvalidInput(
            f"There is no network {', '.join(unknown)}.", where="networks", fix=f"Use any of: {', '.join(NETWORKS)}."
        )
    return tuple(networks)


def _write_network_files(out_dir: Path, plans: list[NetworkPlan]) -> tuple[list[ExportedFile], list[dict[str, Any]]]:
    written, truths = [], []
    for plan in plans:
        for planned in plan.files:
            # The truth is summed before the file is written, from the same integers and by other code.
            truth = file_truth(planned)
            planned.write(out_dir / planned.name)
            written.append(_exported(planned))
            truths.append(truth | _fingerprint(out_dir / planned.name))
    return written, truths


def _exported(planned: PlannedFile) -> ExportedFile:
    return ExportedFile(planned.name, planned.network.key, planned.contract, len(planned.report), planned.variant)


def _write_own_files(out_dir: Path, world: World, panel: GeoPanel | None) -> tuple[list[ExportedFile], dict[str, Any]]:
    """The catalogue, and the geo test where there is one, with what is true of them."""
    listings = write_catalogue(out_dir / CATALOGUE_FILE, world)
    files = [ExportedFile(CATALOGUE_FILE, None, "", len(listings), variant=False)]
    truth: dict[str, Any] = {
        "catalogue": {"file": CATALOGUE_FILE, "columns": list(CATALOGUE_HEADER), "rows": len(listings)}
        | _fingerprint(out_dir / CATALOGUE_FILE),
        "geo_test": None,
    }
    if panel is not None:
        rows = write_geo_sales(out_dir / GEO_FILE, panel)
        _write_json(out_dir / GEO_DESIGN_FILE, panel.design)
        files.append(ExportedFile(GEO_FILE, None, "", rows, variant=False))
        truth["geo_test"] = {
            "file": GEO_FILE,
            "columns": list(GEO_HEADER),
            "rows": rows,
            "design_file": GEO_DESIGN_FILE,
            "design": panel.design,
            **panel.truth,
        } | _fingerprint(out_dir / GEO_FILE)
    return files, truth


def _fingerprint(path: Path) -> dict[str, Any]:
    content = path.read_bytes()
    return {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}


def _write_json(path: Path, document: dict[str, Any]) -> None:
    path.write_text(json.dumps(document, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
