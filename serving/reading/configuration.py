"""What the service is told about its home: one small file, written by the composition root."""

import json
from pathlib import Path
from typing import Annotated, Final

import pandas as pd
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from home.files import write_durably
from home.layout import DataFiles
from home.origin import Origin
from home.verified import read_regular
from market.calendar import SETTLE_TIME
from market.errors import ConfigurationError

SETTLE_MINUTES: Final = int(SETTLE_TIME / pd.Timedelta(minutes=1))


class Configuration(BaseModel):
    """How a home is served.

    Attributes
    ----------
    as_of
        The clock as a zoned ISO time; null is now. Recorded and simulated homes do not age.
    origin
        Of the home's data; null is what its manifest says.
    require_proven
        Refuse signals of models that have not beaten their baselines (Decision 11).
    require_edge
        Take no position whose expected value after costs is not above 0 over its band.
    capital
        In USD, which positions are sized by; null sizes none.
    settle_minutes
        For how long after a session's decision time the one before it still counts as fresh.
    feature_store
        Feast's configuration file, relative to the home; null is the committed one.
    """

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    as_of: str | None = None
    origin: Origin | None = None
    require_proven: bool = False
    require_edge: bool = False
    capital: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    settle_minutes: Annotated[int, Field(ge=0)] = SETTLE_MINUTES
    feature_store: Annotated[str, Field(min_length=1)] | None = None

    @field_validator("as_of")
    @classmethod
    def _zoned(cls, text: str | None) -> str | None:
        if text is not None and pd.Timestamp(text).tzinfo is None:
            raise ValueError(f"got {text!r:.40} without a zone, such as +00:00")
        return text

    def clock(self, now: pd.Timestamp) -> pd.Timestamp:
        """Return the clock to answer by, in UTC: the one told, else now."""
        moment = now if self.as_of is None else pd.Timestamp(self.as_of)
        return moment.tz_convert("UTC")

    @property
    def settle(self) -> pd.Timedelta:
        """The settle time."""
        return pd.Timedelta(minutes=self.settle_minutes)


def read_configuration(data_dir: Path) -> Configuration:
    """Return the home's configuration; without a file, a live home with the committed store.

    Raises
    ------
    ConfigurationError
        If the file is malformed.
    """
    path = DataFiles(data_dir).serving
    try:
        content = read_regular(path)
    except FileNotFoundError:
        return Configuration()
    try:
        return Configuration.model_validate_json(content)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(step) for step in first["loc"]) or "document"
        raise ConfigurationError(
            f"{path}: {where}: {first['msg']}; remove it or run `optrade serve`"
        ) from None


def write_configuration(data_dir: Path, configuration: Configuration) -> Path:
    """Write the home's configuration atomically, and return its path."""
    path = DataFiles(data_dir).serving
    text = json.dumps(configuration.model_dump(), indent=2)
    write_durably(path, f"{text}\n".encode(), private=True)
    return path
