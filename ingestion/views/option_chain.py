"""The view of option chains: what those known at a session's decision time say of volatility.

Pure functions. A chain is of the session of its quotes, and counts from the first decision time
that is not before them: quotes of an evening are of that day, and known on the next session.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import pandas as pd
import polars as pl
from numpy.typing import NDArray

from feature_repo.features.macro.known import as_known, newest_known
from feature_repo.features.option_chain.group import OLDEST, OPTION_CHAIN
from ingestion.tables.catalogue import MACRO_SERIES, OPTION_CHAINS
from ingestion.tables.frames import LANDED
from ingestion.views import iv, technical
from ingestion.views.aligned import Aligned, days, later, settled_by, taken, times
from ingestion.views.chain_snapshots import TICK, Snapshots
from ingestion.views.declare import Input, View
from ingestion.views.macro import macro_available
from ingestion.views.raw import Raw
from market.arrays import FloatArray
from market.calendar import DECISION_DELAY, NEW_YORK
from market.options.expiries import TERM_WINDOW
from market.options.roots import chain_keys
from market.underlyings import UNDERLYINGS

RATE: Final = "DGS3MO"
#: Of a session's own chain, and of the newest one.
OWN: Final = ("atm_iv_30", "skew_25d", "curvature_25d", "atm_iv_90")
NEWEST: Final = ("newest_iv_30", "newest_age")
COLUMNS: Final = (
    *("underlying", "root", "quote_time", "expiration", "strike", "option_type", "bid", "ask"),
    LANDED,
)


def align_chains(
    base: Aligned, chains: Mapping[str, pl.DataFrame], rates: pl.DataFrame, landed: pl.DataFrame
) -> Aligned | None:
    """Return the sources of the option_chain group, by the sessions of its ticker.

    Parameters
    ----------
    base
        The ticker's indices, aligned: its sessions, and how far these reach.
    chains
        All versions of the quotes of each key that may price the ticker, its own first; the next
        one counts where a session has no level by those before it.
    rates
        All versions of `RATE`; none gives null, as a discount is not guessed: without one the
        level of 90 days would err by 0.2 points at a rate of 5 %.
    landed
        Sessions, ascending, and when each first landed with a price (`landed_at`).

    Returns
    -------
    Aligned or None
        None if no chain was known by any session.
    """
    cut_offs = base.closes + DECISION_DELAY
    rate, rate_landed = _rates(cut_offs, rates, landed)
    arrays = {name: np.full(len(cut_offs), np.nan) for name in (*OWN, *NEWEST)}
    came, first = later(base.landed, rate_landed), len(cut_offs)
    for rows in chains.values():
        snapshots = Snapshots.of(rows, base.sessions, landed)
        terms = _Terms(snapshots, rate)
        for age in range(OLDEST + 1):
            numbers = snapshots.newest(cut_offs, age, terms.tell)
            _fill(arrays, age, terms.of(numbers))
            came = later(came, taken(snapshots.landed, numbers))
            first = min([first, *np.flatnonzero(numbers >= 0)[:1].tolist()])
    if first == len(cut_offs):
        return None
    return Aligned(
        sessions=base.sessions,
        closes=base.closes,
        available=cut_offs,
        landed=came,
        arrays=arrays,
        last=base.last,
        first=base.sessions[first],
    )


@dataclass(frozen=True)
class _Terms:
    """The terms of snapshots, made when they are asked for, at the rates of their sessions."""

    snapshots: Snapshots
    rates: FloatArray
    _made: dict[int, FloatArray] = field(default_factory=dict)

    def of(self, numbers: NDArray[np.intp]) -> FloatArray:
        """Return the terms of snapshots in the order of `OWN`, NaN for -1; shape (4, n)."""
        found = np.full((len(OWN), len(numbers)), np.nan)
        for at in np.flatnonzero(numbers >= 0).tolist():
            found[:, at] = self._one(int(numbers[at]))
        return found

    def tell(self, number: int) -> bool:
        """Whether a snapshot has a level."""
        return bool(np.isfinite(self._one(number)[0]))

    def _one(self, number: int) -> FloatArray:
        # Pricing loads scipy, which a build without chains can do without.
        from market.options.chain_terms import chain_terms

        if number not in self._made:
            rate = float(self.rates[self.snapshots.places[number]])
            terms = chain_terms(self.snapshots.chain(number), rate)
            self._made[number] = np.array([*terms.smile, terms.long])
        return self._made[number]


def _fill(arrays: Mapping[str, FloatArray], age: int, terms: FloatArray) -> None:
    """Fill in the terms of snapshots of an age where there is a level and none before counts."""
    known = ~np.isnan(terms[0])
    if age == 0:
        fresh = known & np.isnan(arrays[OWN[0]])
        for name, values in zip(OWN, terms, strict=True):
            np.copyto(arrays[name], values, where=fresh)
    level, ages = (arrays[name] for name in NEWEST)
    newer = known & ~(ages <= age)
    np.copyto(level, terms[0], where=newer)
    np.copyto(ages, float(age), where=newer)


def _rates(
    cut_offs: pd.DatetimeIndex, rows: pl.DataFrame, landed: pl.DataFrame
) -> tuple[FloatArray, pd.DatetimeIndex]:
    """Return the rate known at each cut-off, a fraction, and when it landed.

    What lands after the first time counts in no session that was built before: a chain's view does
    not change with a rate's correction.
    """
    if rows.is_empty():
        none = np.full(len(cut_offs), -1, dtype=np.intp)
        return np.full(len(cut_offs), np.nan), taken(cut_offs, none)
    came = times(rows[LANDED])
    observed, known = days(rows["observation_date"]), macro_available(RATE, rows)
    floor = settled_by(came, landed) + TICK
    known = later(known, pd.DatetimeIndex(floor.where(came > came.min())))
    values = rows["value"].to_numpy().astype(np.float64)
    newest = newest_known(cut_offs, observed, known)
    return as_known(cut_offs, observed, known, values) / 100.0, taken(came, newest)


def _keys(ticker: str) -> Iterable[str]:
    return chain_keys(ticker) if ticker in UNDERLYINGS else ()


def _align(raw: Raw) -> Aligned | None:
    base, rows = iv.VIEW.align(raw), raw.of(OPTION_CHAINS)
    if base is None:
        return None
    chains = {key: rows[key] for key in _keys(raw.key) if key in rows and rows[key].height}
    return align_chains(base, chains, raw.versions(MACRO_SERIES), raw.sessions)


def _part(rows: pl.LazyFrame) -> pl.LazyFrame:
    """Return the columns and expiries that smiles are made from; roots are not in old rows."""
    quoted = pl.col("quote_time").dt.convert_time_zone(str(NEW_YORK)).dt.date()
    left = (pl.col("expiration") - quoted).dt.total_days()
    held = rows.collect_schema().names()
    return rows.filter(left.is_between(*TERM_WINDOW)).select(n for n in COLUMNS if n in held)


VIEW: Final = View(
    groups=(OPTION_CHAIN,),
    inputs=(
        Input(OPTION_CHAINS, _keys, (*OWN, *NEWEST), part=_part),
        Input(MACRO_SERIES, lambda _ticker: (RATE,), (), beside=True),
    ),
    align=_align,
    built_on=(technical.VIEW, iv.VIEW),
    events=True,
)
