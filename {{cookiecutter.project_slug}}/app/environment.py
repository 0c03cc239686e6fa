"""The service's settings: everything it reads from the environment, validated once at start.

`python -m app.environment` checks them and says everything that is wrong in one message.
"""

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
    allowed_hosts: CommaSeparated = ("localhost", "127.0.0.1", "[::1]")
    # Proxies whose X-Forwarded-For and X-Forwarded-Proto are believed.
    forwarded_allow_ips: CommaSeparated = ("127.0.0.1",)
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    web_concurrency: int = Field(default=1, ge=1, le=256)
    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=1, le=65535)
    export_dir: Path = BASE_DIR / "var" / "exports"

    @field_validator("secret_key_fallbacks", "allowed_hosts", "forwarded_allow_ips", mode="before")
    @classmethod
    def split(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @field_validator("database_url")
    @classmethod
    def known_database(cls, value: str) -> str:
        if not (value.startswith("sqlite:///") or _names_a_postgresql_database(value)):
            raise ValueError("must be sqlite:///<path> or postgresql://<user>:<password>@<host>:<port>/<name>")
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


def _names_a_postgresql_database(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme == "postgresql" and bool(parts.hostname and parts.path.strip("/")) and parts.port != 0
    except ValueError:  # the port is no number: perhaps a password that should have been percent-encoded
        return False


def check() -> None:
    """Exit with everything that is wrong with the environment, if anything is."""
    try:
        Environment()
    except ValidationError as error:
        problems = "".join(
            f"\n  {str(problem['loc'][0]).upper()}: {problem['msg'].removeprefix('Value error, ')}"
            for problem in error.errors()
        )
        sys.exit(f"The service cannot start with this environment:{problems}")


if __name__ == "__main__":
    check()
else:
    environment = Environment()
