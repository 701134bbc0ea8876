"""The views of implied volatility: closes of the indices that belong to a ticker."""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Final, cast

import numpy as np
import pandas as pd
import polars as pl

from feature_repo.features.iv.group import IV, IV_LAGS
from feature_repo.features.iv.path import IV_PATH
from home.manifest import latest
from ingestion.tables.catalogue import INDICES
from ingestion.views import technical
from ingestion.views.aligned import Aligned, days, later, taken, times
from ingestion.views.declare import Input, View
from ingestion.views.raw import Raw
from market.calendar import INDEX_DELAY
from market.underlyings import TERM_SLOPE, UNDERLYINGS

OWN_INDEX: Final = "vix_close"
THIRD_MONTH: Final = "vix3m_close"
FIRST_MONTH: Final = "spx_vix_close"


def index_symbols(ticker: str) -> dict[str, str]:
    """Return the volatility indices of a ticker: array name to symbol (Decision 13).

    A ticker that has no row in `UNDERLYINGS` has none, and so no view of implied volatility.
    """
    if ticker not in UNDERLYINGS:
        return {}
    third_month, first_month = TERM_SLOPE
    return {
        OWN_INDEX: UNDERLYINGS[ticker].volatility_index,
        THIRD_MONTH: third_month,
        FIRST_MONTH: first_month,
    }


def align_indices(prices: Aligned, indices: Mapping[str, pl.DataFrame]) -> Aligned:
    """Return the closes of volatility indices on the sessions of one ticker, NaN in holes.

    Parameters
    ----------
    prices
        The ticker's prices, aligned.
    indices
        Array name to the newest version of each session of an index. Sessions after the last
        one of an index are pending; those that an index skipped are holes.
    """
    arrays, landed = {}, prices.landed
    for name, index in indices.items():
        rows = days(index["session"]).get_indexer(prices.sessions)
        arrays[name] = np.append(index["close"].to_numpy(), np.nan)[rows]
        landed = later(landed, taken(times(index["landed_at"]), rows))
    return Aligned(
        sessions=prices.sessions,
        closes=prices.closes,
        available=prices.closes + INDEX_DELAY,
        landed=landed,
        arrays=arrays,
        last=pd.Timestamp(min(cast("date", index["session"].max()) for index in indices.values())),
    )


def _symbols(ticker: str) -> Iterable[str]:
    return dict.fromkeys(index_symbols(ticker).values())


def _align(raw: Raw) -> Aligned:
    newest = {symbol: latest(rows, INDICES.key) for symbol, rows in raw.of(INDICES).items()}
    symbols = index_symbols(raw.key)
    return align_indices(raw.priced, {name: newest[symbol] for name, symbol in symbols.items()})


VIEW: Final = View(
    groups=(IV, IV_LAGS, IV_PATH),
    inputs=(Input(INDICES, _symbols, (OWN_INDEX, THIRD_MONTH, FIRST_MONTH)),),
    align=_align,
    built_on=(technical.VIEW,),
)
