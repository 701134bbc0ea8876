"""Training frames out of the feature store, and raw prices out of the lake.

The store is the only way features reach a model: by FeatureService name, each session read
as it was known when its signal could last be given.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pandas as pd

from home.layout import DataFiles
from home.manifest import current_rows, read_manifest
from market.adjust import RAW_PRICES
from market.calendar import read_time
from market.errors import InputError
from market.underlyings import MARKET

if TYPE_CHECKING:
    from feast import FeatureService, FeatureStore

KEYS: Final = ("ticker", "session")


def load_frame(
    store: "FeatureStore",
    service: str,
    tickers: Sequence[str],
    sessions: pd.DatetimeIndex,
    data_dir: Path | None = None,
) -> pd.DataFrame:
    """Return the features of a service for each ticker and session, as then known.

    Parameters
    ----------
    store
        The feature store.
    service
        Name of a FeatureService.
    tickers
        Tickers to read.
    sessions
        XNYS sessions; each is read at its `read_time`.
    data_dir
        The data folder that the store reads: frames are kept below it, and read from there as
        long as nothing that they depend on has changed. None keeps nothing.

    Returns
    -------
    DataFrame
        `ticker`, `session`, and the features in the service's order; null where not known.

    Raises
    ------
    InputError
        If there is nothing to read or the store knows no such service.
    """
    if not len(tickers) or not len(sessions):
        raise InputError(
            f"nothing to read from {service}: got {len(tickers)} tickers and {len(sessions)} "
            "sessions, needed at least one of each"
        )
    found = _service(store, service)
    names = [name for names in _references(found).values() for name in names]
    if data_dir is None:
        return _read(store, found, names, tickers, sessions)
    from training.frames.cache import cached

    return cached(
        DataFiles(data_dir).processed,
        lambda: _key(store, found, tickers, sessions, data_dir),
        lambda: _read(store, found, names, tickers, sessions),
    )


def load_features(
    store: "FeatureStore", references: Mapping[str, str], ticker: str, sessions: pd.DatetimeIndex
) -> pd.DataFrame:
    """Return features of a ticker by session, as then known; null where they were not.

    Parameters
    ----------
    references
        `view:feature`, by the name of the feature; of views that the store has.
    """
    names = list(references)
    frame = _read(store, list(references.values()), names, [ticker], sessions)
    return frame.set_index("session")[names]


def _read(
    store: "FeatureStore",
    features: "FeatureService | list[str]",
    names: Sequence[str],
    tickers: Sequence[str],
    sessions: pd.DatetimeIndex,
) -> pd.DataFrame:
    at = read_time(sessions)
    each = [
        pd.DataFrame({"ticker": ticker, "market": MARKET, "event_timestamp": at})
        for ticker in tickers
    ]
    entities = pd.concat(each, ignore_index=True)
    answer = store.get_historical_features(entities, features=features).to_df()
    asked = pd.Series(pd.DatetimeIndex(sessions), index=at)
    answer["session"] = pd.to_datetime(answer["event_timestamp"], utc=True).map(asked)
    frame = answer[[*KEYS, *names]].sort_values(list(KEYS), ignore_index=True)
    return frame.astype(dict.fromkeys(names, "float64"))


def _key(
    store: "FeatureStore",
    service: "FeatureService",
    tickers: Sequence[str],
    sessions: pd.DatetimeIndex,
    data_dir: Path,
) -> str:
    from feature_repo.features.definition_hash import code_fingerprint
    from training.frames.cache import CODE, frame_key

    return frame_key(
        read_manifest(data_dir),
        service.name,
        _references(service),
        tickers,
        sessions,
        code=code_fingerprint(CODE),
        known_at=store.config.offline_store.known_at,
    )


def _references(service: "FeatureService") -> dict[str, list[str]]:
    """Return the features of each view of a service."""
    return {
        view.name: [feature.name for feature in view.features]
        for view in service.feature_view_projections
    }


def load_prices(data_dir: Path, ticker: str) -> pd.DataFrame:
    """Return the current raw price rows of a ticker: `session` and `RAW_PRICES`.

    All are read from one snapshot of the lake, so that both ends of a label agree
    (Decision 7).

    Raises
    ------
    InputError
        If the lake holds no price of the ticker.
    """
    rows = current_rows(data_dir, "prices", [ticker]).select("session", *RAW_PRICES).to_pandas()
    rows["session"] = pd.to_datetime(rows["session"]).astype("datetime64[ns]")
    return rows.sort_values("session", ignore_index=True)


def _service(store: "FeatureStore", name: str) -> "FeatureService":
    from feast.errors import FeatureServiceNotFoundException

    try:
        return store.get_feature_service(name)
    except FeatureServiceNotFoundException:
        known = ", ".join(sorted(service.name for service in store.list_feature_services()))
        raise InputError(
            f"unknown feature service: got {name!r:.40}, the store knows {known or 'none'}; "
            "run `optrade build-features`, then `optrade materialize`"
        ) from None
