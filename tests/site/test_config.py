import re
import subprocess
import sys

import pytest

from rmn_site.config import (
    PROJECT_ROOT,
    Config,
    ConfigurationError,
    effective_environment,
    load_config,
    variable_of,
)

SAFE = {
    "RMN_ENV": "production",
    "RMN_SECRET_KEY": "s" * 60,
    "RMN_ALLOWED_HOSTS": ".rmn.example",
    "DATABASE_URL": "postgresql://rmn@db/rmn",
    "REDIS_URL": "redis://valkey/0",
}


def test_production_starts_with_safe_settings():
    assert load_config(SAFE).allowed_hosts == [".rmn.example"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"RMN_SECRET_KEY": ""}, "RMN_SECRET_KEY"),
        ({"RMN_SECRET_KEY": "short"}, "RMN_SECRET_KEY"),
        ({"RMN_DEBUG": "true"}, "RMN_DEBUG"),
        ({"RMN_ALLOWED_HOSTS": "*"}, "RMN_ALLOWED_HOSTS"),
        ({"DATABASE_URL": ""}, "DATABASE_URL"),
        ({"REDIS_URL": ""}, "REDIS_URL"),
    ],
)
def test_production_refuses(change, message):
    with pytest.raises(ConfigurationError, match=message):
        load_config({**SAFE, **change})


def test_secret_from_file(tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("f" * 60 + "\n")
    config = load_config({**SAFE, "RMN_SECRET_KEY": "", "RMN_SECRET_KEY_FILE": str(secret)})
    assert config.secret_key == "f" * 60


def test_value_and_file_together_are_refused(tmp_path):
    with pytest.raises(ConfigurationError, match="both set"):
        load_config({"RMN_SECRET_KEY": "a", "RMN_SECRET_KEY_FILE": str(tmp_path)})


def test_missing_file_is_named():
    with pytest.raises(ConfigurationError, match=r"REDIS_URL_FILE names /nowhere"):
        load_config({"REDIS_URL_FILE": "/nowhere"})


def test_unknown_setting_is_named():
    with pytest.raises(ConfigurationError, match="RMN_UPLOAD_MAX"):
        load_config({"RMN_UPLOAD_MAX": "3"})


def test_wrong_type_names_the_variable():
    with pytest.raises(ConfigurationError, match=r"RMN_PORT: .*integer"):
        load_config({"RMN_PORT": "eighty"})


def test_settings_import_starts_nothing():
    code = (
        "import sys, django.conf; django.conf.settings.DATABASES; import subprocess, socket, threading;"
        "print(threading.active_count(), [m for m in ('torch','transformers','peft','polars') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "1 []"


@pytest.fixture
def config_file(tmp_path):
    """`config_file(text)`: an environment that names a file with that text."""

    def write(text, **environ):
        path = tmp_path / "config.yaml"
        path.write_text(text)
        return {"RMN_CONFIG": str(path), **environ}

    return write


def test_settings_from_a_file(config_file):
    config = load_config(
        config_file("port: 9000\nallowed_hosts: [a.example, b.example]\ndebug: true\nmetrics_token:\n")
    )
    assert (config.port, config.allowed_hosts, config.debug) == (9000, ["a.example", "b.example"], True)
    assert config.metrics_token is None


def test_numbers_in_a_file_are_text_where_the_setting_is(config_file):
    assert load_config(config_file("secret_key: 0123456\n")).secret_key == "0123456"


def test_variable_decides_over_the_file(config_file, tmp_path):
    assert load_config(config_file("port: 9000\n", RMN_PORT="9001")).port == 9001
    secret = tmp_path / "token"
    secret.write_text("from a secret\n")
    environ = config_file("metrics_token: from the file\n", RMN_METRICS_TOKEN_FILE=str(secret))
    assert load_config(environ).metrics_token == "from a secret"


def test_bare_urls_from_a_file(config_file):
    environ = effective_environment(config_file("redis_url: redis://valkey/0\n"))
    assert environ["REDIS_URL"] == "redis://valkey/0"


def test_empty_file_changes_nothing(config_file):
    assert load_config(config_file("# nothing here\n")) == Config()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("env: demo\nport_number: 1\n", r"config\.yaml, line 2: there is no setting 'port_number'"),
        ("RMN_PORT: 1\n", r"no setting 'RMN_PORT'.*'port'"),
        ("port: 1\nport: 2\n", r"line 2: port is given twice"),
        ("port: eighty\n", r"RMN_PORT: .*integer"),
        ("port: {number: 1}\n", "port must be one value"),
        ("- port\n", "one setting a line"),
        ("port: [1\n", "is not YAML"),
    ],
)
def test_wrong_file_is_refused(config_file, text, message):
    with pytest.raises(ConfigurationError, match=message):
        load_config(config_file(text))


def test_file_that_is_not_there():
    with pytest.raises(ConfigurationError, match=r"RMN_CONFIG names /nowhere\.yaml"):
        load_config({"RMN_CONFIG": "/nowhere.yaml"})


def test_unsafe_production_in_a_file_is_refused(config_file):
    with pytest.raises(ConfigurationError, match="RMN_SECRET_KEY"):
        load_config(config_file("env: production\n"))


def test_example_lists_every_setting_with_its_default():
    lines = (PROJECT_ROOT / "config" / "config.example.yaml").read_text().splitlines()
    keys = {
        match[1]: place for place, line in enumerate(lines) if (match := re.match(r"(?:# )?([a-z_]+):(?: |$)", line))
    }
    assert list(keys) == list(Config.model_fields)
    given = {name for name, place in keys.items() if not lines[place].startswith("#")}
    without_value = {name for name, default in Config() if default is None} | {"secret_key"}
    assert given == set(Config.model_fields) - without_value
    assert load_config({"RMN_CONFIG": str(PROJECT_ROOT / "config" / "config.example.yaml")}) == Config()
    for name, place in keys.items():
        assert re.match(r"# .{20,}\.$", lines[place - 1]), f"{name} has no line that says what it is"


def test_operations_lists_every_setting_with_its_default():
    page = (PROJECT_ROOT / "docs" / "operations.md").read_text()
    rows = dict(re.findall(r"^\| `((?:RMN_)?[A-Z_]+)` \| ([^|]+) \|", page, re.MULTILINE))
    assert list(rows) == ["RMN_CONFIG", *map(variable_of, Config.model_fields)]
    for name, default in Config():
        if default is None or isinstance(default, bool) or name == "secret_key":
            continue
        shown = (
            ",".join(default)
            if isinstance(default, list)
            else f"{default:g}"
            if isinstance(default, float)
            else default
        )
        assert rows[variable_of(name)] == (f"`{shown}`" if shown != "" else "none")
