"""The forward that calls and puts of one strike agree on, and whether they do."""

from typing import Final, NamedTuple

import numpy as np

from market.errors import InputError
from market.options.chain import ExpiryQuotes

#: Share of the forward to each side whose strikes are asked.
NEAR: Final = 0.03
#: Strikes with calls and puts that a forward is believed of.
FEWEST: Final = 3


class Parity(NamedTuple):
    """What put-call parity says of an expiry.

    Attributes
    ----------
    forward
        In USD: the median of what the strikes near the money say.
    strikes
        How many strikes were asked.
    inside
        The share of them whose quotes hold the forward within their spreads, 0 to 1.
    """

    forward: float
    strikes: int
    inside: float


def parity(quotes: ExpiryQuotes, discount: float) -> Parity:
    """Return the forward by parity: the median of K + (C - P) / discount near the money.

    The discount is told and not fitted: at three weeks a fitted one is noise, and on an ETF's chain
    it holds the dividends and the right to exercise early. The spot is not asked, which may be of
    another moment.

    Raises
    ------
    InputError
        If fewer than three strikes near the money have a call and a put with bid and ask.
    """
    both = quotes.calls.two_sided & quotes.puts.two_sided
    strike = quotes.strike[both]
    difference = (quotes.calls.mid - quotes.puts.mid)[both]
    if len(strike) < FEWEST:
        raise _too_few(quotes, len(strike))
    said = strike + difference / discount
    centre = said[np.argmin(np.abs(difference))]
    near = np.abs(strike / centre - 1.0) <= NEAR
    if near.sum() < FEWEST:
        raise _too_few(quotes, int(near.sum()))
    forward = float(np.median(said[near]))
    slack = (quotes.calls.half_spread + quotes.puts.half_spread)[both][near]
    inside = np.abs(said[near] - forward) * discount <= slack + 1e-9
    return Parity(forward, int(near.sum()), float(inside.mean()))


def _too_few(quotes: ExpiryQuotes, count: int) -> InputError:
    return InputError(
        f"{quotes.root} {quotes.expiration.date()}: got {count} strikes near the money with bid "
        f"and ask of call and put, needed are {FEWEST}"
    )
