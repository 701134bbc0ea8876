"""What a home lacks before its tickers can have signals: raw rows that never landed, and views."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pandas as pd

from dashboard.queries.data import PRICES, frame_of, landed_manifest
from feature_repo.features.catalogue import GROUPS, OPTIONAL_GROUPS
from feature_repo.features.macro.group import DAILY, MONTHLY
from home.manifest import Manifest
from market.underlyings import MARKET, TERM_SLOPE, UNDERLYINGS

INDICES: Final = "indices"
SERIES: Final = "macro_series"
INGEST: Final = {
    "live": "Yes: `optrade ingest --source live` asks again",
    "recorded": "Yes: put its file into the folder, then "
    "`optrade ingest --source recorded --recorded-dir FOLDER`",
    "simulated": "Yes: `optrade ingest --source simulated`",
}
NO_CLOSE: Final = "no `close` has landed, so there is no view of implied volatility, and no signal"
NO_VALUE: Final = "no `value` has landed, so there is no view `macro`, and no signal of any ticker"
BUILD: Final = "Yes: run `optrade build-features`"


@dataclass(frozen=True)
class Lacking:
    """What a ticker, or the market, lacks of a raw table or of views, and whether to act."""

    ticker: str
    table: str
    lacks: str
    wrong: str
    act: str


def lacking(data_dir: Path) -> pd.DataFrame:
    """Return what keeps tickers with prices from having a signal.

    Returns
    -------
    DataFrame
        The fields of `Lacking`; empty if nothing is lacking.

    Raises
    ------
    NothingYet
        If nothing has landed.
    InputError
        If the manifest is damaged.
    """
    manifest = landed_manifest(data_dir)
    raw = list(_raw(manifest))
    return frame_of(Lacking, [*raw, *_views(manifest, {row.ticker for row in raw})])


def _raw(manifest: Manifest) -> Iterator[Lacking]:
    act = INGEST[manifest.origin or "live"]
    for ticker in manifest.keys(PRICES):
        if missing := _missing(manifest, INDICES, _indices(ticker)):
            yield Lacking(ticker, INDICES, missing, NO_CLOSE, act)
    if missing := _missing(manifest, SERIES, (*DAILY, *MONTHLY)):
        yield Lacking(MARKET, SERIES, missing, NO_VALUE, act)


def _missing(manifest: Manifest, table: str, needed: tuple[str, ...]) -> str:
    return ", ".join(key for key in needed if key not in manifest.keys(table))


def _indices(ticker: str) -> tuple[str, ...]:
    if ticker not in UNDERLYINGS:
        return ()
    return tuple(dict.fromkeys((UNDERLYINGS[ticker].volatility_index, *TERM_SLOPE)))


def _views(manifest: Manifest, without_raw: set[str]) -> Iterator[Lacking]:
    """Yield the views that could be built and are not; none before the first is built."""
    required = [name for name in GROUPS if name not in OPTIONAL_GROUPS]
    if not any(manifest.keys(name) for name in required):
        return
    for key in (*manifest.keys(PRICES), MARKET):
        entity = "market" if key == MARKET else "ticker"
        views = tuple(name for name in required if GROUPS[name].entity == entity)
        unbuilt = ", ".join(name for name in views if key not in manifest.keys(name))
        if unbuilt and key not in without_raw:
            yield Lacking(key, unbuilt, "every feature", "never built: no signal", BUILD)
