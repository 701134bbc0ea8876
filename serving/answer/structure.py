"""The priced position of a signal, from a row of features and a model of the distribution.

Pure. A signal without a position, or whose position cannot be priced, says why and goes on.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final, NamedTuple

import numpy as np

from feature_repo.features.catalogue import find
from forecasters.base import ForecastError
from forecasters.document import Artifact
from home.records.signal import PositionSize
from home.records.structure import ChancesBy, Structure
from market.errors import InputError
from market.options.chain import Chain
from market.underlyings import underlying
from serving.reading.row import FeatureRow
from trading.strategies.selector import NO_TRADE
from trading.structures.ahead import look_ahead
from trading.structures.board import Board, choose_legs
from trading.structures.legs import structure_plan
from trading.structures.price import Life, price_structure
from trading.structures.quote import (
    Closing,
    chain_quote,
    listing_of,
    outlook_of,
    price_words,
    synthetic_quote,
)
from trading.structures.scaled_quote import scaled_quote
from trading.structures.sizing import contracts

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
NO_POSITION: Final = "the strategy takes no position"
NOT_PRICED: Final = "positions are not priced here"
LOSES: Final = (
    "it is expected to lose after costs by the distribution of returns, which does not know the "
    "forecast of the direction"
)
#: Structures that are kept: a few sessions of a thousand tickers.
KEPT: Final = 4096


def references(names: tuple[str, ...]) -> dict[str, str]:
    """Return `view:feature` of stored features, by name."""
    return {name: f"{find(name)[0].name}:{name}" for name in names}


def unjudged_words(ticker: str) -> str:
    """Return why chances are unknown where no model of the distribution serves."""
    return (
        f"no model of the distribution serves: run `optrade train-distribution --ticker {ticker}`"
    )


class Priced(NamedTuple):
    """A structure, or why there is none."""

    structure: Structure | None
    why_none: str | None


@dataclass(frozen=True)
class Pricing:
    """How positions are priced.

    What a row and a model make does not change, so it is kept: pricing one takes milliseconds.

    Attributes
    ----------
    capital
        In USD; None where none is told.
    require_edge
        Whether positions without a positive expected value are refused.
    """

    capital: float | None = None
    require_edge: bool = False
    _kept: dict[tuple[object, ...], Priced] = field(default_factory=dict, repr=False)

    def priced(
        self,
        row: FeatureRow,
        strategy: str,
        size: PositionSize,
        model: Artifact | None,
        unjudged: str | None = None,
    ) -> Priced:
        """Return a strategy's position on a row of features.

        Parameters
        ----------
        row
            `beside` holds `PRICED_WITH`, and what the model reads; `quoted` the chains.
        model
            Of the distribution; None leaves the chances out.
        unjudged
            Why there is no model; None where none serves.
        """
        if strategy == NO_TRADE.name:
            return Priced(None, NO_POSITION)
        sha = None if model is None else model.sha256
        features = row.beside.values()
        key = (row.ticker, row.session, strategy, size, sha, unjudged, row.quoted, *features)
        if (kept := self._kept.get(key)) is not None:
            return kept
        try:
            found = Priced(self.structure(row, strategy, size, model, unjudged), None)
        except InputError as error:
            found = Priced(None, str(error))
        if len(self._kept) >= KEPT:
            self._kept.clear()
        self._kept[key] = found
        return found

    def structure(
        self,
        row: FeatureRow,
        strategy: str,
        size: PositionSize,
        model: Artifact | None,
        unjudged: str | None = None,
    ) -> Structure:
        """Return a strategy's position on a row of features; see `priced`.

        Raises
        ------
        InputError
            If it cannot be priced, or the capital does not allow one contract.
        """
        listing = listing_of(underlying(row.ticker))
        closing = closing_of(row.beside)
        board, life, told = _board(row, closing, strategy)
        told += price_words(board, closing)
        closing = replace(closing, spot=board.spot)
        why, outlook = unjudged or unjudged_words(row.ticker), None
        if model is not None:
            read = {name: row.beside.get(name, np.nan) for name in model.features}
            try:
                outlook = outlook_of(model.distribution(read), closing, life, listing)
            except ForecastError as error:
                why = error.detail
        notes = [*told, *([f"its chances are unknown: {why}"] if outlook is None else [])]
        found = price_structure(strategy, board, life, outlook, notes)
        found = look_ahead(found, board, life, outlook, listing)
        if model is not None and found.chances is not None:
            found = _judged(found, model)
        if self.capital is None:
            return found
        count = contracts(found, self.capital, size)
        return found.model_copy(update={"contracts": count})


def _board(row: FeatureRow, closing: Closing, strategy: str) -> tuple[Board, Life, list[str]]:
    """Return the board of the first chain that gives one, without any that of the volatility index.

    It has the strategy's legs. With it why those before it did not, and whose chain it is where
    it is another's.
    """
    of, told = underlying(row.ticker), []
    for chain in () if row.quoted is None else row.quoted.candidates():
        if isinstance(chain, str):
            told.append(chain)
            continue
        own = chain.underlying == row.ticker
        try:
            board, life = (chain_quote if own else scaled_quote)(of, row.session, closing, chain)
            # A sample of a chain, or one whose strikes lie far apart, has no legs to choose.
            choose_legs(board, structure_plan(strategy))
        except InputError as error:
            told.append(f"not priced on {named(chain)}: {error}")
        else:
            return board, life, told if own else [*told, f"scaled from {named(chain)}"]
    anchor = anchor_of(row.beside)
    told += [] if anchor is None else [ANCHORED]
    return *synthetic_quote(of, row.session, closing, anchor), told


def anchor_of(values: Mapping[str, float]) -> float | None:
    """Return the volatility at the money of 30 days, a fraction; None where no chain says it."""
    points = values.get(ANCHOR, np.nan)
    return points / 100.0 if np.isfinite(points) and points > 0.0 else None


def named(chain: Chain) -> str:
    """Return whose chain it is and of when, in words."""
    return f"the chain of {chain.underlying} of {chain.quote_time:%Y-%m-%d %H:%M} UTC"


def _judged(structure: Structure, model: Artifact) -> Structure:
    """Return a position with the model that its chances come from, and a word where it loses."""
    by = ChancesBy(
        model=model.model,
        version=model.version,
        alias=model.alias,
        standing=model.evidence.standing,
    )
    chances = structure.chances and structure.chances.model_copy(update={"by": by})
    loses = chances is not None and chances.expected_value < 0.0
    notes = [*structure.notes, LOSES] if loses else structure.notes
    return structure.model_copy(update={"chances": chances, "notes": notes})


def closing_of(values: Mapping[str, float]) -> Closing:
    """Return what a session closed with, NaN where a feature has no value.

    The price that was traded is its mean of 20 sessions, which is of the same scale, and its
    distance from that.
    """
    mean, away, index, slope, percent = (values.get(name, np.nan) for name in CLOSING_FEATURES)
    return Closing(mean * (1.0 + away), index, index + slope, percent / 100.0)
