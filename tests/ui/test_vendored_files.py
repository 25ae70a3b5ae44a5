"""The vendored files are the ones that the README names, digest by digest."""

import hashlib
import re
from pathlib import Path

import pytest
from django.conf import settings

VENDOR = Path(settings.BASE_DIR) / "static" / "vendor"
ROWS = dict(re.findall(r"^\| (\S+) \| `([0-9a-f]{64})` \|$", (VENDOR / "README.md").read_text(encoding="utf-8"), re.M))


def test_readme_lists_every_file():
    files = {path.relative_to(VENDOR).as_posix() for path in VENDOR.rglob("*") if path.is_file()}
    assert files - {"README.md"} == set(ROWS)


@pytest.mark.parametrize("name", sorted(ROWS))
def test_digest(name):
    assert hashlib.sha256((VENDOR / name).read_bytes()).hexdigest() == ROWS[name]


def test_every_package_carries_its_licence():
    for folder in VENDOR.iterdir():
        assert not folder.is_dir() or (folder / "LICENSE").exists(), folder


def test_nothing_names_a_source_map_that_is_not_here():
    for path in [*VENDOR.rglob("*.js"), *VENDOR.rglob("*.css")]:
        assert b"sourceMappingURL" not in path.read_bytes()[-200:], path


def test_sprite_holds_the_listed_icons():
    listed = (Path(settings.BASE_DIR) / "tools" / "icons.txt").read_text(encoding="utf-8").split()
    sprite = (VENDOR / "tabler-icons" / "sprite.svg").read_text(encoding="utf-8")
    assert re.findall(r'<symbol id="([^"]+)"', sprite) == sorted(set(listed))
