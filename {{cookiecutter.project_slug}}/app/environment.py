"""The service's settings: everything it reads from the environment, validated once at start.

`python -m app.environment` checks them and says everything that is wrong in one message.
"""

import os
import sys
import tomllib
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import Field, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

BASE_DIR = Path(__file__).resolve().parent.parent
_PYPROJECT = tomllib.loads((BASE_DIR / "pyproject.toml").read_text(encoding="utf-8"))
PROJECT = _PYPROJECT["project"]
TITLE: str = _PYPROJECT["tool"]["app"]["title"]
# The servers that this project speaks to, by the schemes of their URLs; none where there is no such server.
SCHEMES: dict[str, list[str]] = _PYPROJECT["tool"]["app"]["schemes"]
DEVELOPMENT_SECRET_KEY = "development-only-never-use-this-key-in-production"

# NoDecode: a list is written as `a,b`, not as JSON.
CommaSeparated = Annotated[tuple[str, ...], NoDecode]


class Environment(BaseSettings):
    """Environment variables by their lower-case names; an empty variable counts as unset."""

    # https://docs.pydantic.dev/latest/concepts/pydantic_settings/
    model_config = SettingsConfigDict(
        env_ignore_empty=True, frozen=True, validate_default=True, hide_input_in_errors=True
    )

    environment: Literal["development", "test", "production"] = "development"
    secret_key: str = Field(default=DEVELOPMENT_SECRET_KEY, repr=False)
    # Retired keys: tokens that they signed stay valid until they expire.
    secret_key_fallbacks: CommaSeparated = Field(default=(), repr=False)
    database_url: str = Field(default=f"sqlite:///{BASE_DIR}/var/db.sqlite3", repr=False)
    # Standbys that may be read from.
    database_replica_urls: CommaSeparated = Field(default=(), repr=False)
    # Unset in development means inside the process, for both.
    cache_url: str | None = Field(default=None, repr=False)
    broker_url: str | None = Field(default=None, repr=False)
    allowed_hosts: CommaSeparated = ("localhost", "127.0.0.1", "[::1]")
    # Proxies whose X-Forwarded-For and X-Forwarded-Proto are believed.
    forwarded_allow_ips: CommaSeparated = ("127.0.0.1",)
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    web_concurrency: int = Field(default=1, ge=1, le=256)
    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=1, le=65535)
    export_dir: Path = BASE_DIR / "var" / "exports"

    @field_validator(
        "secret_key_fallbacks", "database_replica_urls", "allowed_hosts", "forwarded_allow_ips", mode="before"
    )
    @classmethod
    def split(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @field_validator("database_url")
    @classmethod
    def known_database(cls, value: str) -> str:
        if not (value.startswith("sqlite:///") or _names_a_server(value, ["postgresql"], path=True)):
            raise ValueError("must be sqlite:///<path> or postgresql://<user>:<password>@<host>:<port>/<name>")
        return value

    @field_validator("database_replica_urls")
    @classmethod
    def known_replicas(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        schemes = SCHEMES["database_replica_urls"]
        if not schemes:
            return ()
        if not all(_names_a_server(url, schemes, path=True) for url in value):
            raise ValueError("must be postgresql://<user>:<password>@<host>:<port>/<name>, several separated by commas")
        return value

    @field_validator("cache_url", "broker_url")
    @classmethod
    def known_server(cls, value: str | None, info: ValidationInfo) -> str | None:
        schemes = SCHEMES[info.field_name or ""]
        if not schemes:
            return None
        if value is None and info.data.get("environment") == "production":
            raise ValueError("must be set in production")
        if value is not None and not _names_a_server(value, schemes):
            raise ValueError(f"must be {' or '.join(f'{scheme}://<host>:<port>' for scheme in schemes)}")
        return value

    @field_validator("secret_key", "database_url", "allowed_hosts")
    @classmethod
    def set_in_production(cls, value: object, info: ValidationInfo) -> object:
        default = cls.model_fields[info.field_name or ""].default
        if info.data.get("environment") == "production" and value == default:
            raise ValueError("must be set in production")
        return value

    @field_validator("secret_key")
    @classmethod
    def strong_in_production(cls, value: str, info: ValidationInfo) -> str:
        if info.data.get("environment") == "production" and len(value) < 32:
            raise ValueError("must be a random string of 32 characters or more")
        return value

    @property
    def production(self) -> bool:
        return self.environment == "production"

    @property
    def database_pool_size(self) -> int:
        """How many connections to the database one process may hold: about 20 for all web processes."""
        return max(5, 20 // self.web_concurrency)


def _names_a_server(url: str, schemes: list[str], *, path: bool = False) -> bool:
    try:
        parts = urlsplit(url)
        # Reading a port that is no number fails: it may be part of a password that was not percent-encoded.
        return (
            parts.scheme in schemes and bool(parts.hostname) and parts.port != 0 and (not path or len(parts.path) > 1)
        )
    except ValueError:
        return False


def check() -> None:
    """Exit with everything that is wrong with the environment, if anything is; say what nothing will read."""
    try:
        Environment()
    except ValidationError as error:
        problems = "".join(
            f"\n  {str(problem['loc'][0]).upper()}: {problem['msg'].removeprefix('Value error, ')}"
            for problem in error.errors()
        )
        sys.exit(f"The service cannot start with this environment:{problems}")
    for name in (name.upper() for name, schemes in SCHEMES.items() if not schemes):
        if os.environ.get(name):
            print(f"{name} is ignored: this project has no such server.", file=sys.stderr)  # noqa: T201


if __name__ == "__main__":
    check()
else:
    environment = Environment()
