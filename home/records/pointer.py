"""What was last published to the online store, all views agreeing: it lies beside the rows."""

import json
from collections.abc import Mapping
from typing import Self

import pandas as pd
from pydantic import ConfigDict, Field

from home.records.record import Record, json_value
from home.strict_json import signature, signed
from market.errors import InputError


class SessionPointer(Record):
    """The session that every required view of every ticker holds, and what it was made of.

    Attributes
    ----------
    session
        An ISO date.
    as_of
        The clock of the run that published it, ISO with a zone.
    definition_hash
        Of the feature definitions that the rows were computed with.
    data_dir
        The data folder that the rows come from: a server may be shared by mistake.
    damaged
        The tickers that a damaged file kept from being published, with what to do about it.
    lacking
        The tickers of which a required view holds nothing, with what to do about it.
    carried
        The macro series and months that the month before stands in for, such as
        `CPIAUCSL 2025-10`; None where that was not said.
    """

    # A later version may publish more than this one reads.
    model_config = ConfigDict(extra="ignore")

    session: str
    as_of: str
    origin: str
    tickers: list[str]
    definition_hash: str
    data_dir: str
    damaged: dict[str, str] = Field(default_factory=dict)
    lacking: dict[str, str] = Field(default_factory=dict)
    carried: list[str] | None = None

    def session_date(self) -> pd.Timestamp:
        """Return the published session, midnight without a zone."""
        return pd.Timestamp(self.session)

    def to_json(self) -> str:
        """Return the document that is published."""
        return json.dumps(signed(self.document()), sort_keys=True)

    @classmethod
    def from_json(cls, text: str | bytes, source: str) -> Self:
        """Return the pointer that was published; see `parse`.

        Raises
        ------
        InputError
            If a field is missing or wrong, or the document is not as it was published.
        """
        document = json_value(text, source)
        if not isinstance(document, Mapping) or document.get("sha256") != signature(document):
            raise InputError(f"{source} is not as it was published")
        return cls.parse(document, source)
