"""What pages point at is there."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from tests.docs.pages import ROOT, named, pages, prose

APPS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["root_packages"]
_LINK = re.compile(r"\]\((?P<target>[^()\s]+)\)")
# Paths as prose names them, in back-ticks: `docs/jobs.md`, `config/mappings/`.
_FOLDERS = "|".join(["docs", "config", "examples", "tests", "templates", "static", "tools", "benches", *APPS])
_FILE = re.compile(rf"`(?P<path>(?:{_FOLDERS})/[\w./-]+)`")
# Its paths are those of the folder of reference data.
_OF_ANOTHER_FOLDER = ROOT / "docs" / "reference-data.md"


def anchors(page: Path) -> set[str]:
    """Anchors of the page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", pages(), ids=named)
def test_links_resolve(page):
    broken = []
    for target in _LINK.findall(prose(page)):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        there = (page.parent / path).resolve() if path else page
        if not there.exists() or (anchor and there.suffix == ".md" and anchor not in anchors(there)):
            broken.append(target)
    assert broken == []


@pytest.mark.parametrize("page", [page for page in pages() if page != _OF_ANOTHER_FOLDER], ids=named)
def test_named_files_exist(page):
    """Tests are named by their path below `tests/`."""
    missing = [
        path for path in _FILE.findall(prose(page)) if not ((ROOT / path).exists() or (ROOT / "tests" / path).exists())
    ]
    assert missing == []


@pytest.mark.parametrize("app", APPS)
def test_every_app_has_a_page(app):
    page = ROOT / app / "README.md"
    assert page.is_file(), f"{app} has no README.md"
    text = page.read_text()
    assert text.startswith("# ")
    assert len(text.splitlines()) <= 70, "a README is at most a page"


def test_index_names_every_page():
    index = ROOT / "docs" / "README.md"
    listed = {(index.parent / target).resolve() for target in _LINK.findall(prose(index)) if "://" not in target}
    missing = {page for page in index.parent.glob("*.md") if page != index} - listed
    assert {named(page) for page in missing} == set()
