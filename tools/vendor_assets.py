"""Refresh the third-party front-end files under static/vendor from their npm packages.

    python tools/vendor_assets.py            fetch every pinned package and write files, sprite and README
    python tools/vendor_assets.py --icons    rebuild the icon sprite alone, after a line was added to tools/icons.txt

Versions are pinned in tools/vendor_assets.json. The browser never talks to a CDN, and a deployment needs no node: npm
is used here, in a temporary folder, and only the files that pages load are kept.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
VENDOR = ROOT / "static" / "vendor"
PINS = ROOT / "tools" / "vendor_assets.json"
ICONS = ROOT / "tools" / "icons.txt"
SPRITE = VENDOR / "tabler-icons" / "sprite.svg"

# Source maps are not shipped, and a hashed-manifest static storage refuses a file that names a map it cannot find.
_MAP_COMMENT = re.compile(r"\s*(?://[#@] sourceMappingURL=\S+|/\*[#@] sourceMappingURL=\S+ \*/)\s*$")


def load_packages() -> list[dict[str, Any]]:
    """The pinned packages, in the order of the README."""
    packages: list[dict[str, Any]] = json.loads(PINS.read_text(encoding="utf-8"))["packages"]
    return packages


def icon_names() -> list[str]:
    """Names in tools/icons.txt, one a line."""
    return [line.strip() for line in ICONS.read_text(encoding="utf-8").splitlines() if line.strip()]


def fetch(packages: list[dict[str, Any]], folder: Path) -> Path:
    """Install the packages at their pins without running their scripts; returns node_modules."""
    (folder / "package.json").write_text('{"private": true}', encoding="utf-8")
    wanted = [f"{package['name']}@{package['version']}" for package in packages]
    subprocess.run(
        ["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", "--silent", *wanted], cwd=folder, check=True
    )
    return folder / "node_modules"


def copy_files(packages: list[dict[str, Any]], modules: Path) -> None:
    """Copy what pages load, less the pointer to a source map."""
    for package in packages:
        target = VENDOR / package["folder"]
        target.mkdir(parents=True, exist_ok=True)
        for source, name in package["files"].items():
            data = (modules / package["name"] / source).read_bytes()
            if name.endswith((".js", ".css")):
                data = (_MAP_COMMENT.sub("", data.decode("utf-8")) + "\n").encode("utf-8")
            (target / name).write_bytes(data)


def build_sprite(modules: Path) -> None:
    """One SVG of symbols, so that a page pays for the icons of the product and not for all six thousand."""
    symbols = []
    for name in sorted(set(icon_names())):
        drawing = modules / "@tabler/icons/icons/outline" / f"{name}.svg"
        if not drawing.exists():
            raise SystemExit(f"tools/icons.txt: there is no outline icon named {name!r}; look at tabler.io/icons")
        found = re.search(r"<svg[^>]*>(.*)</svg>", drawing.read_text(encoding="utf-8"), re.DOTALL)
        if found is None:
            raise SystemExit(f"{drawing.name}: not an SVG drawing")
        paths = re.sub(r'<path stroke="none"[^>]*/>|\s*\n\s*', "", found.group(1))
        symbols.append(f'<symbol id="{name}" viewBox="0 0 24 24">{paths}</symbol>')
    body = "\n".join(symbols)
    SPRITE.write_text(f'<svg xmlns="http://www.w3.org/2000/svg">\n{body}\n</svg>\n', encoding="utf-8")


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def write_readme(packages: list[dict[str, Any]]) -> None:
    """Versions, licences and digests; tests/ui compares the digests with the files."""
    lines = [
        "# Vendored front-end files",
        "",
        "Written by `python tools/vendor_assets.py` from the pins in `tools/vendor_assets.json`; do not edit by hand.",
        "Unchanged but for the source-map pointers at the end of files, which are taken off. `sprite.svg` is built",
        "from the names in `tools/icons.txt`.",
        "",
        "| Package | Version | Licence |",
        "|---|---|---|",
        *(f"| {p['name']} | {p['version']} | {p['licence']}, `{p['folder']}/LICENSE` |" for p in packages),
        "",
        "| File | sha256 |",
        "|---|---|",
    ]
    files = sorted(path for path in VENDOR.rglob("*") if path.is_file() and path.name != "README.md")
    lines += [f"| {path.relative_to(VENDOR).as_posix()} | `{sha256(path)}` |" for path in files]
    (VENDOR / "README.md").write_text("\n".join(lines) + "\n", encoding="utf-8")


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--icons", action="store_true", help="rebuild the icon sprite alone")
    only_icons: bool = parser.parse_args(arguments).icons
    packages = load_packages()
    with tempfile.TemporaryDirectory(prefix="rmn-vendor-") as folder:
        wanted = [p for p in packages if p["name"] == "@tabler/icons"] if only_icons else packages
        modules = fetch(wanted, Path(folder))
        if not only_icons:
            copy_files(packages, modules)
        build_sprite(modules)
    write_readme(packages)
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
