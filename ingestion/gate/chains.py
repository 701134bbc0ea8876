"""What a quote of an option must be by itself: alive, on the market, of a contract that we know."""

from typing import Final

import numpy as np
import pandas as pd

from market.arrays import BoolArray
from market.calendar import NEW_YORK, close, opening, sessions
from market.errors import InputError
from market.options.expiries import MORNING_ROOTS
from market.options.roots import check_root

ROOT: Final = "root: of a standard contract on the underlying, neither adjusted nor mini"
ALIVE: Final = "expiration: not over at the time of the quotes"
MARKET: Final = "bid, ask: a market, one of them at least"
LATER: Final = "quote_time: not after the rows landed"
# An expiration on a weekend is that of the session before it.
NEAR: Final = pd.Timedelta(days=3)


def quote_rules(frame: pd.DataFrame) -> dict[str, BoolArray]:
    """Return, by the words of each rule, which rows of `option_chains` keep it; (n_rows,) each."""
    return {ROOT: _known_root(frame), ALIVE: _alive(frame), MARKET: _on_the_market(frame)}


def quoted_later(frame: pd.DataFrame, known: pd.Timestamp) -> BoolArray:
    """Return which rows of `option_chains` are quoted after a time with a zone; (n_rows,)."""
    return np.asarray(frame["quote_time"] > known)


def _known_root(frame: pd.DataFrame) -> BoolArray:
    """Whether a root is one of the underlying's; what is no text breaks another rule."""
    pairs = list(zip(frame["underlying"], frame["root"], strict=True))
    known = {pair: _is_known(*pair) for pair in set(pairs)}
    return np.array([known[pair] for pair in pairs], dtype=np.bool_)


def _is_known(underlying: object, root: object) -> bool:
    if not (isinstance(underlying, str) and isinstance(root, str)):
        return True
    try:
        check_root(underlying, root)
    except InputError:
        return False
    return True


def _alive(frame: pd.DataFrame) -> BoolArray:
    """Whether the contract settles after its quote; what has no time breaks another rule."""
    quoted = pd.DatetimeIndex(frame["quote_time"])
    days = quoted.tz_convert(NEW_YORK).tz_localize(None).normalize()
    expiration = pd.DatetimeIndex(frame["expiration"]).normalize()
    alive = np.asarray((expiration >= days) | expiration.isna() | days.isna()).copy()
    last = np.flatnonzero(alive & np.asarray(expiration - days < NEAR))
    if last.size:
        settled = _settlements(frame["root"].to_numpy()[last], expiration[last])
        alive[last] = np.asarray(settled > quoted[last])
    return alive


def _settlements(roots: np.ndarray, expirations: pd.DatetimeIndex) -> pd.DatetimeIndex:
    """When contracts settle: on the last session up to the day in their symbol."""
    days = sessions(expirations.min() - pd.Timedelta(days=7), expirations.max())
    last = days[np.maximum(days.searchsorted(expirations, side="right") - 1, 0)]
    morning = np.isin(roots.astype(str), list(MORNING_ROOTS))
    return opening(last).where(morning, close(last))


def _on_the_market(frame: pd.DataFrame) -> BoolArray:
    return np.asarray(frame["bid"].notna() | frame["ask"].notna())
