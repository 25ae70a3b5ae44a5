"""The tables of docs/measurement/evidence.md from the kept records: `python -m proofs._evidence` writes them anew.

A table stands between two comments that name it, so that no figure of it is typed by hand.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from proofs.records import ROOT, Folders

EVIDENCE: Final = ROOT / "docs" / "measurement" / "evidence.md"
_ON: Final = {
    "geolift": "GeoLift", "plain": "generated", "heteroscedastic": "unequal noise", "outliers": "outliers",
    "drifting": "drifting", "trending": "trending",
}  # fmt: skip
_DEFAULTS: Final = {
    "twenty pairs": "twenty pairs, sign-flip of log differences",
    "two markets": "two markets, indexed synthetic control",
    "one market": "one market, the same",
    "eight markets": "eight markets, the same",
}
_SIZED: Final = tuple(f"three {which} of {units}" for units in (20, 40) for which in ("smallest", "largest"))
_RETURNS: Final = ("two markets, iROAS, known spend", "two markets, iROAS, noisy spend")
_METHODS: Final = ("sc", "sdid", "asc", "log_did", "did", "sc_t", "tbr")
_ESTIMATORS: Final = {
    "sc of indexed sales": "synthetic control of indexed sales (the default)",
    "sc": "synthetic control of sales as they are, unit effects",
    "sc without unit effects": "synthetic control without unit effects",
    "sc of logs": "synthetic control of logarithms",
    "did": "difference in differences",
    "did of logs": "difference in differences of logarithms",
}
_STATISTICS: Final = ("plain", "over sales", "over misfit", "sqrt(misfit x sales)", "misfit^3/4 x sales^1/4")


def tables(figures: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """Every table that the records at hand can fill, by its name. `figures`: name of a proof -> what it kept."""
    found = {}
    if "measurement" in figures:
        rates: Mapping[str, Any] = figures["measurement"]
        found["defaults"] = _rates(rates, _DEFAULTS, ("geolift", "plain"))
        harder = ("heteroscedastic", "outliers", "drifting")
        found["harder"] = _rates(rates, {name: name for name in _DEFAULTS}, harder)
        found["sized"] = _rates(rates, {name: name for name in _SIZED}, ("trending", "heteroscedastic"))
        beside = {
            f"three {which} of 20 by {method}": f"three {which} of 20 by `{method}`"
            for which in ("smallest", "largest")
            for method in ("sc", "log_did")
        }
        found["sized beside"] = _rates(rates, beside, ("trending",))
        found["returns"] = _rates(rates, {name: name for name in _RETURNS}, ("geolift", "plain"))
        others = {f"two markets by {method}": f"two markets by `{method}`" for method in _METHODS}
        found["others"] = _rates(rates, {**others, "one market by sc_t": "one market by `sc_t`"}, ("geolift", "plain"))
    if "estimators" in figures:
        power = figures["estimators"]["mean_power_5"]
        found["estimators"] = _table(
            ("estimator", "plain", "over sales", "over misfit", "over root of both", "over three parts misfit"),
            [
                (words, *(f"{power[f'{name} | {statistic}']:.2f}" for statistic in _STATISTICS))
                for name, words in _ESTIMATORS.items()
            ],
        )
    return found


def _rates(figures: Mapping[str, Any], situations: Mapping[str, str], sources: Sequence[str]) -> str:
    rows = []
    for name, words in situations.items():
        for source in sources:
            one = figures[f"{name}, {source}"]
            rows.append((
                words, _ON[source], f"{one['draws']:,}", _share(one["false_positives"]), _share(one["coverage_none"]),
                _share(one["coverage_10"]), f"{one['power_5']:.2f}", f"{one['power_10']:.2f}",
            ))  # fmt: skip
    return _table(
        ("situation", "panel", "tests", "false positives", "holds 0", "holds 10 %", "power at 5 %", "at 10 %"), rows
    )


def _share(value: float) -> str:
    return f"{value:.3f}".removeprefix("0") if value < 1.0 else "1"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *rows))


def kept(folders: Folders) -> dict[str, Mapping[str, Any]]:
    """What was kept of the proofs that the page tells of, where they were run."""
    found = {}
    for name in ("measurement", "estimators"):
        if folders.record(name).exists():
            found[name] = json.loads(folders.record(name).read_text(encoding="utf-8"))["figures"]
    return found


def filled(page: str, found: Mapping[str, str]) -> str:
    """The page with these tables in their places.

    Raises:
        KeyError: a table has no place.
    """
    for name, table in found.items():
        place = re.compile(rf"(<!-- table {re.escape(name)} -->\n).*?(<!-- end -->)", re.DOTALL)
        if not place.search(page):
            raise KeyError(name)
        page = place.sub(lambda match, table=table: f"{match[1]}{table}\n{match[2]}", page)  # type: ignore[misc]
    return page


def main(path: Path = EVIDENCE, folders: Folders = Folders()) -> int:  # noqa: B008
    """Write the tables anew."""
    path.write_text(filled(path.read_text(encoding="utf-8"), tables(kept(folders))), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
