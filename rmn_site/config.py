"""What can be set from outside: flat, typed, read once, loud when wrong.

Every variable may also be given as `<NAME>_FILE`, the path of a file that holds the value: that is how container
secrets arrive. `RMN_CONFIG` names a YAML file of settings (config/config.example.yaml), over which variables decide.
Nothing here starts or contacts anything.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from rmn_site.config_file import ConfigurationError, read_config_file

__all__ = ["PROJECT_ROOT", "Config", "ConfigurationError", "effective_environment", "load_config", "variable_of"]

PROJECT_ROOT = Path(__file__).resolve().parent.parent
DEVELOPMENT_SECRET = "development-only-secret-never-used-in-production"  # noqa: S105


class Config(BaseModel):
    """All settings. Field `x_y` is read from `RMN_X_Y`, except the two URLs that every host provides bare."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    env: Literal["development", "demo", "production", "test"] = "development"
    secret_key: str = DEVELOPMENT_SECRET
    debug: bool = False
    allowed_hosts: list[str] = ["localhost", "127.0.0.1", ".localhost"]
    base_domain: str = "localhost"
    csrf_trusted_origins: list[str] = []
    trusted_proxies: int = Field(0, ge=0, le=5, description="reverse proxies in front of web whose headers count")
    data_home: Path | None = Field(None, description="embedded servers and files live here when set")
    storage_root: Path | None = Field(None, description="uploads and event tables, a folder per tenant")
    database_url: str | None = None
    redis_url: str | None = None
    port: int = Field(8000, ge=1, le=65535)
    bind: str = "127.0.0.1"
    upload_max_mb: int = Field(256, ge=1, le=4096)
    history_days: int = Field(30, ge=0, le=3650, description="how far back events can be read as they were")
    import_roots: list[str] = Field([], description="tenant=folder or tenant=s3://bucket/prefix that may be watched")
    metrics_token: str | None = None
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    log_format: Literal["json", "console"] = "json"
    email_url: str | None = None
    email_from: str = "rmn@localhost"
    job_lease_seconds: int = Field(60, ge=3, le=3600)
    job_heartbeat_seconds: float = Field(10, ge=0.2, le=600)
    job_grace_seconds: float = Field(10, ge=0, le=600, description="for a job to end by itself when asked to stop")
    job_memory_mb: int = Field(4096, ge=256)
    api_rate_per_minute: int = Field(600, ge=1, description="requests of one tenant, unless its own limit says less")

    @field_validator("allowed_hosts", "csrf_trusted_origins", "import_roots", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value

    @model_validator(mode="after")
    def _heartbeat_within_lease(self) -> Config:
        if self.job_heartbeat_seconds * 2 >= self.job_lease_seconds:
            raise ValueError("RMN_JOB_HEARTBEAT_SECONDS must be under half of RMN_JOB_LEASE_SECONDS")
        return self

    @model_validator(mode="after")
    def _production_is_safe(self) -> Config:
        if self.env != "production":
            return self
        faults = []
        if self.secret_key == DEVELOPMENT_SECRET or len(self.secret_key) < 50:
            faults.append("RMN_SECRET_KEY must be a random text of at least 50 characters")
        if self.debug:
            faults.append("RMN_DEBUG must be off")
        if "*" in self.allowed_hosts:
            faults.append("RMN_ALLOWED_HOSTS must name hosts ('.example.com' covers subdomains); '*' is not a name")
        if not self.database_url:
            faults.append("DATABASE_URL must be set: embedded servers are for development and the demo")
        if not self.redis_url:
            faults.append("REDIS_URL must be set")
        if faults:
            raise ValueError("production does not start: " + "; ".join(faults))
        return self

    @property
    def is_demo(self) -> bool:
        """Whether demo logins may be shown."""
        return self.env == "demo"


CONFIG_FILE = "RMN_CONFIG"
_BARE = {"database_url": "DATABASE_URL", "redis_url": "REDIS_URL"}


def variable_of(field: str) -> str:
    """The environment variable of a field of `Config`."""
    return _BARE.get(field, f"RMN_{field.upper()}")


def effective_environment(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The environment with the settings of the file that `RMN_CONFIG` names, where no variable says otherwise.

    Raises:
        ConfigurationError: the file cannot be read, or holds something that is not a setting.
    """
    if not (path := environ.get(CONFIG_FILE)):
        return dict(environ)
    settings = read_config_file(Path(path), Config.model_fields.keys())
    named = {variable_of(field): value for field, value in settings.items()}
    free = {name: value for name, value in named.items() if not (environ.get(name) or environ.get(f"{name}_FILE"))}
    return {**environ, **free}


def load_config(environ: Mapping[str, str] = os.environ) -> Config:
    """Read the configuration.

    Raises:
        ConfigurationError: names every variable that is wrong, or an `RMN_` variable that does not exist.
    """
    environ = effective_environment(environ)
    values: dict[str, str] = {}
    known = {variable_of(field): field for field in Config.model_fields}
    for name, field in known.items():
        plain, file = environ.get(name), environ.get(f"{name}_FILE")
        if plain and file:
            raise ConfigurationError(f"{name} and {name}_FILE are both set; keep one")
        if file:
            try:
                values[field] = Path(file).read_text(encoding="utf-8").strip()
            except OSError as error:
                raise ConfigurationError(f"{name}_FILE names {file}, which cannot be read: {error.strerror}") from error
        elif plain:
            values[field] = plain
    strangers = sorted(
        name
        for name in environ
        if name.startswith("RMN_") and name.removesuffix("_FILE") not in known and name not in _FOR_TOOLS
    )
    if strangers:
        raise ConfigurationError(f"unknown settings {', '.join(strangers)}; docs/operations.md lists the known ones")
    try:
        return Config.model_validate(values)
    except ValidationError as error:
        lines = [
            f"{variable_of(str(item['loc'][0])) if item['loc'] else 'settings'}: "
            f"{item['msg'].removeprefix('Value error, ')}"
            for item in error.errors()
        ]
        raise ConfigurationError("; ".join(lines)) from error


# Variables that tools around the product read; they are not settings of it.
_FOR_TOOLS = frozenset({CONFIG_FILE, "RMN_REFERENCE_DATA", "RMN_CHROMIUM", "RMN_TEST_DATABASE"})
