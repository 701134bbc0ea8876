"""What a whole chain says of volatility: the terms of 30 days, and the level of three months."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import cache, partial
from typing import Final, NamedTuple

import numpy as np
import pandas as pd

from market.calendar import NEW_YORK, sessions
from market.errors import InputError
from market.options.chain import Chain, ExpiryQuotes, by_expiry
from market.options.expiries import (
    DAYS_OF_YEAR,
    MORNING_ROOTS,
    TERM_WINDOW,
    expiry_time,
    monthly_expirations,
    years_left,
)
from market.options.smile_terms import MATURITY, SLACK, SmileTerms, at_maturity, smile_terms
from market.options.surface import quoted_smile

#: Calendar days of the long maturity: that of the expiries around it or, with none beyond it, of
#: the longest of at least 60.
LONG: Final = 90.0
LONG_SLACK: Final = 30.0


class ChainTerms(NamedTuple):
    """A chain in volatility points (0.01, a year); NaN where it does not tell.

    Attributes
    ----------
    smile
        Terms of the constant maturity of 30 days.
    long
        Volatility at the money of 90 days, or of the longest expiry from 60 to 120.
    """

    smile: SmileTerms
    long: float


class _Quoted(NamedTuple):
    """The quotes of a root and expiry, and the time left to its settlement."""

    years: float
    quotes: ExpiryQuotes


def chain_terms(chain: Chain, rate: float) -> ChainTerms:
    """Return the terms of a chain; NaN where its quotes make no smile, or without a rate.

    To each side of a maturity the nearest expiry counts that makes a smile. Of an expiry day that
    two roots list, it is that of the afternoon, if it makes one.

    Parameters
    ----------
    chain
        Of one underlying; time is counted from the written time of its quotes.
    rate
        Of three months, a year, a fraction; NaN where it is not known: a discount is not guessed.
    """
    expiries = _expiries(chain) if np.isfinite(rate) else []
    smiles = [cache(partial(_terms, roots, rate)) for roots in expiries]
    years = np.array([roots[0].years for roots in expiries])

    def around(days: float, slack: float) -> SmileTerms:
        after = int(np.searchsorted(years, days / DAYS_OF_YEAR))
        sides = (range(after - 1, -1, -1), range(after, len(smiles)))
        near = [found for side in sides if (found := _first(smiles, side)) is not None]
        return at_maturity(
            np.array([left for left, _ in near]), [terms for _, terms in near], days, slack
        )

    return ChainTerms(around(MATURITY, SLACK), around(LONG, LONG_SLACK).at_the_money)


def _first(
    smiles: Sequence[Callable[[], tuple[float, SmileTerms] | None]], places: Iterable[int]
) -> tuple[float, SmileTerms] | None:
    """Return the years left and the terms of the first of some expiries that makes a smile."""
    return next((found for at in places if (found := smiles[at]()) is not None), None)


def _terms(roots: Sequence[_Quoted], rate: float) -> tuple[float, SmileTerms] | None:
    """Return the years left and the terms of the first root of an expiry day that makes a smile."""
    for years, quotes in roots:
        try:
            smile = quoted_smile(quotes, years, float(np.exp(-rate * years))).smile
        except InputError:
            continue
        return years, smile_terms(smile)
    return None


def _expiries(chain: Chain) -> list[list[_Quoted]]:
    """Return the expiry days of a chain that are looked at, ascending, each with its roots."""
    moment = chain.quote_time.tz_convert(NEW_YORK).tz_localize(None)
    left = (chain.expiration.astype("M8[D]") - moment.to_datetime64().astype("M8[D]")).astype(int)
    near = (left >= TERM_WINDOW[0]) & (left <= TERM_WINDOW[1])
    names = ("root", "expiration", "strike", "sign", "bid", "ask")
    looked_at = replace(chain, **{name: getattr(chain, name)[near] for name in names})
    years = _years(looked_at)
    days: dict[pd.Timestamp, list[_Quoted]] = {}
    for quotes in by_expiry(looked_at):
        if (quotes.root, quotes.expiration) in years:
            one = _Quoted(years[quotes.root, quotes.expiration], quotes)
            days.setdefault(quotes.expiration, []).append(one)
    return [sorted(roots, key=_order) for roots in days.values()]


def _years(chain: Chain) -> dict[tuple[str, pd.Timestamp], float]:
    """Return the time left to the settlement of each root and expiry, of those that have one."""
    found: dict[tuple[str, pd.Timestamp], float] = {}
    for root in np.unique(chain.root):
        days = pd.DatetimeIndex(np.unique(chain.expiration[chain.root == root]))
        listed = monthly_expirations if root in MORNING_ROOTS else sessions
        days = days[days.isin(listed(days[0], days[-1]))]
        left = years_left(pd.DatetimeIndex([chain.quote_time]), expiry_time(str(root), days))
        found |= {(str(root), day): float(each) for day, each in zip(days, left, strict=True)}
    return found


def _order(one: _Quoted) -> tuple[bool, int]:
    """Return what sorts roots: that of the afternoon first, then by how many strikes they have."""
    return one.quotes.root in MORNING_ROOTS, -len(one.quotes.strike)
