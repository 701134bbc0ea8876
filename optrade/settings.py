"""Settings: the only place that reads the environment. They travel on as plain arguments."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

from pydantic import BeforeValidator, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from feature_repo.store.shard_runs import Engine, Placement
from home.default import default_root
from home.layout import Home
from market.errors import ConfigurationError
from optrade.limits import CAPITAL, SETTLE, WORKERS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ingestion.sources.vendor import Vendor

QUIET: Final = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_LOGGING_LEVEL": "WARNING",
    # Its pages would start seven processes for jobs, of which nothing here has any.
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    "BENTOML_DO_NOT_TRACK": "True",
    "GX_ANALYTICS_ENABLED": "false",
    "FEAST_USAGE": "False",
    "DO_NOT_TRACK": "1",
    "STREAMLIT_BROWSER_GATHER_USAGE_STATS": "false",
    "GIT_PYTHON_REFRESH": "quiet",
    "RAY_USAGE_STATS_ENABLED": "0",
}


def quiet_libraries() -> None:
    """Switch off what libraries report and start unasked, here and in the processes started."""
    os.environ.update(QUIET)


def debugging() -> bool:
    """Return whether errors are shown with all that led to them (`OPTRADE_DEBUG`)."""
    return os.environ.get("OPTRADE_DEBUG", "") not in ("", "0")


class Settings(BaseSettings):
    """What the environment may say. Every value has a default that works without keys."""

    model_config = SettingsConfigDict(
        extra="ignore", env_ignore_empty=True, hide_input_in_errors=True
    )

    home: Path = Field(default_factory=default_root, validation_alias="OPTRADE_HOME")
    log_level: str = Field(default="warning", validation_alias="OPTRADE_LOG_LEVEL")
    settle_minutes: Annotated[int, BeforeValidator(SETTLE.check)] = Field(
        default=120, validation_alias="OPTRADE_SETTLE_MINUTES"
    )
    redis_url: SecretStr | None = Field(default=None, validation_alias="REDIS_URL")
    fred_api_key: SecretStr | None = Field(default=None, validation_alias="FRED_API_KEY")
    finnhub_api_key: SecretStr | None = Field(default=None, validation_alias="FINNHUB_API_KEY")
    tradier_api_key: SecretStr | None = Field(default=None, validation_alias="TRADIER_API_KEY")
    massive_api_key: SecretStr | None = Field(default=None, validation_alias="MASSIVE_API_KEY")
    chains: str | None = Field(default=None, validation_alias="OPTRADE_CHAINS")
    headline_scorer: str = Field(default="vader", validation_alias="OPTRADE_HEADLINE_SCORER")
    capital: Annotated[float, BeforeValidator(CAPITAL.check)] | None = Field(
        default=None, validation_alias="OPTRADE_CAPITAL"
    )
    require_edge: bool = Field(default=False, validation_alias="OPTRADE_REQUIRE_EDGE")
    engine: Engine = Field(default="local", validation_alias="OPTRADE_ENGINE")
    workers: Annotated[int, BeforeValidator(WORKERS.check)] | None = Field(
        default=None, validation_alias="OPTRADE_WORKERS"
    )

    def home_at(self) -> Home:
        """Return the home, with its path made absolute.

        Raises
        ------
        ConfigurationError
            If something else than a folder stands there, or above it.
        """
        root = self.home.expanduser().resolve()
        there = next(path for path in (root, *root.parents) if path.exists())
        if not there.is_dir():
            raise ConfigurationError(
                f"OPTRADE_HOME: got {root}, but {there}: a file stands where a folder has to be; "
                "name another home, or move it away"
            )
        return Home(root)

    def vendor_keys(self, vendors: "Iterable[Vendor]") -> dict[str, SecretStr]:
        """Return the vendors' keys that are set, by the words of their rows."""
        settings = {vendor.word: vendor.key.setting for vendor in vendors if vendor.key}
        keys = {word: getattr(self, setting) for word, setting in settings.items()}
        return {word: key for word, key in keys.items() if key}

    def placement(self) -> Placement:
        """Return where shards of tickers are worked on.

        Raises
        ------
        ConfigurationError
            If workers are set without an engine that has them.
        """
        return Placement(self.engine, self.workers)


def load_settings() -> Settings:
    """Return the settings of this process.

    Raises
    ------
    InputError
        If a variable has a value that is not allowed.
    """
    from pydantic import ValidationError

    from market.errors import InputError

    try:
        return Settings()
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        words = str(first["msg"]).removeprefix("Value error, ")
        raise InputError(f"environment variable {first['loc'][0]}: {words}") from None
