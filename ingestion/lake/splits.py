"""Prices that a vendor scaled for a split which is already known: the same prices."""

from typing import Final

import numpy as np
import polars as pl

from market.arrays import BoolArray, FloatArray

PRICES: Final = ("open", "high", "low", "close", "dividend")
VOLUME: Final = "volume"
SPLIT: Final = "split"
# Scaling for a split and back goes through the vendor's rounding: six digits, and whole shares.
ROUNDING: Final = 1e-6
SHARES: Final = 1.0

_STORED: Final = "__stored_"
_TOLD: Final = "__told"
_LANDS: Final = "__lands"
_UNTOLD: Final = pl.col(_TOLD).is_null() | (pl.col(_TOLD) == 1.0)


def undo_known_splits(newest: pl.DataFrame, incoming: pl.DataFrame) -> pl.DataFrame:
    """Return incoming prices of one ticker, with the stored bar where only a split lies between.

    A bar before a known split is the same bar if it equals the stored one up to the vendor's
    rounding: as it is, divided by all splits after it, or by those of them that the landing does
    not tell of. In the last case the vendor has lost a split that it still scales for, and the
    stored split stays as well. The stored values then replace the incoming ones.

    Parameters
    ----------
    newest
        The newest version of each stored session.
    incoming
        Rows of the same columns, at most one a session.
    """
    columns = (*PRICES, VOLUME, SPLIT)
    stored = newest.select("session", pl.col(columns).name.prefix(_STORED))
    both = incoming.join(stored, on="session", how="left", maintain_order="left")
    told, known = splits_after(incoming, incoming), splits_after(newest, incoming)
    scaled = _equal(both, told / known) & (told != known)
    same = scaled | ((_equal(both, 1.0 / known) | _equal(both, np.ones_like(known))) & (known != 1))
    same_split = both[SPLIT].to_numpy() == both[_STORED + SPLIT].to_numpy()
    lost = (both[SPLIT].to_numpy() == 1.0) & _equal(both, told / known) & scaled.any()
    kept = pl.lit(pl.Series(np.where(same_split, same, lost)))
    return both.with_columns(
        pl.when(kept).then(pl.col(_STORED + name)).otherwise(name).alias(name) for name in columns
    ).select(incoming.columns)


def untold_splits(newest: pl.DataFrame, incoming: pl.DataFrame) -> pl.DataFrame:
    """Return the stored splits that a landing does not tell of and leaves in place.

    The vendor has lost them, or they never were: the landing alone does not say which.

    Parameters
    ----------
    newest, incoming
        As in `undo_known_splits`.

    Returns
    -------
    pl.DataFrame
        `session` and `split` of those in the reach of the landing; shape (n_splits, 2).
    """
    days = incoming["session"]
    stored = newest.select("session", SPLIT).filter(
        pl.col(SPLIT) != 1.0, pl.col("session").is_between(days.min(), days.max())
    )
    told = incoming.select("session", pl.col(SPLIT).alias(_TOLD))
    if stored.join(told, on="session", how="left").filter(_UNTOLD).is_empty():
        return stored.clear()
    landing = undo_known_splits(newest, incoming).select("session", pl.col(SPLIT).alias(_LANDS))
    both = stored.join(told, on="session", how="left").join(landing, on="session", how="left")
    # A session without a row keeps the stored one.
    stays = pl.col(_LANDS).is_null() | (pl.col(_LANDS) == pl.col(SPLIT))
    return both.filter(_UNTOLD, stays).sort("session").select("session", SPLIT)


def splits_after(newest: pl.DataFrame, incoming: pl.DataFrame) -> FloatArray:
    """Return the product of the known splits after each incoming session; shape (n_incoming,)."""
    known = (
        pl.concat([newest.select("session", SPLIT), incoming.select("session", SPLIT)])
        .filter(pl.col(SPLIT) != 1.0)
        .unique("session", keep="last", maintain_order=True)
        .sort("session")
    )
    after = np.append(np.cumprod(known[SPLIT].to_numpy()[::-1])[::-1], 1.0)
    at = np.searchsorted(known["session"].to_numpy(), incoming["session"].to_numpy(), side="right")
    return after[at]


def _equal(both: pl.DataFrame, scale: FloatArray) -> BoolArray:
    """Return whether incoming prices are the stored ones x scale, and volume the inverse."""
    shares = both[_STORED + VOLUME].to_numpy() / scale
    same = np.isclose(both[VOLUME].to_numpy(), shares, rtol=ROUNDING, atol=SHARES)
    for name in PRICES:
        expected = both[_STORED + name].to_numpy() * scale
        same &= np.isclose(both[name].to_numpy(), expected, rtol=ROUNDING, atol=ROUNDING * scale)
    return np.asarray(same, dtype=bool)
