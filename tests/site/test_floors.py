"""What import-linter's layers do not say: through which rooms one app may be entered from another."""

import tomllib
from pathlib import Path

import grimp

ROOT = Path(__file__).resolve().parents[2]
APPS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["root_packages"]
OPEN_ROOMS = {"core", "services", "selectors", "models", "rest"}
# The top floor puts the apps together, and every app's admin stands on the two admin sites of the lowest.
ALSO = {("rmn_site", "urls"), ("rmn_site", "admin"), ("rmn_site", "views")}


def test_another_app_is_entered_through_its_open_rooms():
    graph = grimp.build_graph(*APPS, cache_dir=None)
    entered_elsewhere = []
    for importer in graph.modules:
        app, _, room = importer.partition(".")
        for imported in graph.find_modules_directly_imported_by(importer):
            other, _, rest = imported.partition(".")
            entered = rest.split(".")[0]
            if other == app or entered in OPEN_ROOMS:
                continue
            if (app, entered) in ALSO or (entered == "admin" and room.split(".")[-1] == "admin"):
                continue
            entered_elsewhere.append(f"{importer} imports {imported}")
    assert sorted(entered_elsewhere) == []


def test_web_starts_without_the_model_libraries():
    import subprocess
    import sys

    code = (
        "import rmn_site.wsgi, sys; from django.urls import get_resolver; get_resolver().url_patterns;"
        "print([m for m in ('torch', 'transformers', 'peft', 'bitsandbytes') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == "[]"
