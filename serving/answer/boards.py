"""What a position may be priced on: the chains of its session, in turn, else the volatility index.

Pure.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np

from home.records.structure import Structure
from market.errors import InputError
from market.options.chain import Chain
from market.options.synthetic_smile import ANCHORS, form_of, level_of
from market.underlyings import underlying
from serving.reading.row import FeatureRow
from trading.strategies.plans import EXPIRY_TARGET_DAYS
from trading.structures.board import Board
from trading.structures.expiry import Offer
from trading.structures.price import Life
from trading.structures.quote import Closing, chain_quotes, listing_of, synthetic_quote
from trading.structures.scaled_quote import scaled_quotes

#: What a session closed with: price, indices and the rate. A signal can do without them.
CLOSING_FEATURES: Final = (
    "sma_20", "price_to_sma_20", "vix_close", "vix_term_slope", "treasury_3m",
)  # fmt: skip
#: What a chain of it or of the two sessions before says of the level of volatility, in points.
ANCHOR: Final = "chain_iv_anchor"
#: What a position is priced with beside its model.
PRICED_WITH: Final = (*CLOSING_FEATURES, ANCHOR)
ANCHORED: Final = (
    "the level of volatility is anchored by a chain at most two sessions old, moved with the "
    "volatility index since"
)

#: Prices a position on a board, whose notes are told.
Price = Callable[[Board, Life, Sequence[str]], Structure]


class Anchor(NamedTuple):
    """Volatility at the money of 30 days as a chain said it, a fraction; and what is told of it.

    `level` is None where none said it, or what it said is not taken.
    """

    level: float | None
    notes: list[str]


def first_priced(row: FeatureRow, closing: Closing, price: Price) -> Structure:
    """Return the position on the first board that gives one.

    Those of the own chains, then those of the index's, of each chain by expiry; last that of the
    volatility index. The notes say why chains before did not, and whose it is where it is scaled.

    Raises
    ------
    InputError
        If the volatility index gives none either.
    """
    told: list[str] = []
    for chain in () if row.quoted is None else row.quoted.candidates():
        if isinstance(chain, str):
            told.append(chain)
            continue
        own = chain.underlying == row.ticker
        notes = told if own else [*told, f"scaled from {named(chain)}"]
        try:
            boards = (chain_quotes if own else scaled_quotes)(
                underlying(row.ticker), row.session, closing, chain
            )
            return _first(boards, price, notes)
        except InputError as error:
            told.append(f"not priced on {named(chain)}: {error}")
    anchor = anchor_of(row, closing)
    board, life = synthetic_quote(underlying(row.ticker), row.session, closing, anchor.level)
    return price(board, life, [*told, *anchor.notes])


def _first(offers: Iterable[Offer | InputError], price: Price, notes: Sequence[str]) -> Structure:
    """Return the position on the first of a chain's expiries that gives one.

    Its notes say why the nearer ones do not.

    Raises
    ------
    InputError
        Why the first gives none, if none does.
    """
    refused: list[InputError] = []
    for offer in offers:
        if isinstance(offer, InputError):
            refused.append(offer)
            continue
        try:
            return price(*offer, [*notes, *_passed_over(refused)])
        except InputError as error:
            refused.append(error)
    raise refused[0]


def _passed_over(refused: Sequence[InputError]) -> list[str]:
    if not refused:
        return []
    more = "" if len(refused) == 1 else f"; so are {len(refused) - 1} more"
    return [f"an expiry nearer to {EXPIRY_TARGET_DAYS} days is left aside: {refused[0]}{more}"]


def anchor_of(row: FeatureRow, closing: Closing) -> Anchor:
    """Return what anchors the level of a synthetic smile.

    An anchor that lies beyond `ANCHORS` of the form's own level is a chain that is wrong.
    """
    points = row.beside.get(ANCHOR, np.nan)
    if not (np.isfinite(points) and points > 0.0):
        return Anchor(None, [])
    own = 100.0 * level_of(form_of(listing_of(underlying(row.ticker))), closing.index)
    low, high = ANCHORS
    if not low * own <= points <= high * own:
        return Anchor(None, [
            f"the level that a chain at most two sessions old says, {points:.1f} points, is not "
            f"taken: the volatility index says {own:.1f}, allowed are {low * own:.1f} to "
            f"{high * own:.1f}"
        ])  # fmt: skip
    return Anchor(points / 100.0, [ANCHORED])


def named(chain: Chain) -> str:
    """Return whose chain it is and of when, in words."""
    return f"the chain of {chain.underlying} of {chain.quote_time:%Y-%m-%d %H:%M} UTC"


def closing_of(values: Mapping[str, float]) -> Closing:
    """Return what a session closed with, NaN where a feature has no value.

    The price that was traded is its mean of 20 sessions, which is of the same scale, and its
    distance from that.
    """
    mean, away, index, slope, percent = (values.get(name, np.nan) for name in CLOSING_FEATURES)
    return Closing(mean * (1.0 + away), index, index + slope, percent / 100.0)
