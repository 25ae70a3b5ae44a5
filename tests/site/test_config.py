import subprocess
import sys

import pytest

from rmn_site.config import ConfigurationError, load_config

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
