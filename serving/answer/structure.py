"""The priced position of a signal, from a row of features and a model of the distribution.

Pure. A signal without a position, or whose position cannot be priced, says why and goes on.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final, NamedTuple

import numpy as np

from feature_repo.features.catalogue import find
from forecasters.base import ForecastError
from forecasters.document import Artifact
from home.records.signal import PositionSize
from home.records.structure import ChancesBy, Structure
from market.errors import InputError
from market.underlyings import underlying
from serving.answer.boards import closing_of, first_priced
from serving.reading.row import FeatureRow
from trading.strategies.selector import NO_TRADE
from trading.structures.ahead import look_ahead
from trading.structures.board import Board, choose_legs
from trading.structures.legs import structure_plan
from trading.structures.price import Life, price_structure
from trading.structures.quote import listing_of, outlook_of, price_words
from trading.structures.sizing import contracts

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
        # A NaN equals nothing, itself neither: what is unknown would be priced at every request.
        features = (None if np.isnan(value) else value for value in row.beside.values())
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
        closing = closing_of(row.beside)

        def price(board: Board, life: Life, told: Sequence[str]) -> Structure:
            notes = [*told, *price_words(board, closing)]
            return _priced(row, strategy, board, life, model, unjudged, notes)

        found = first_priced(row, closing, price)
        if model is not None and found.chances is not None:
            found = _judged(found, model)
        if self.capital is None:
            return found
        count = contracts(found, self.capital, size)
        return found.model_copy(update={"contracts": count})


def _priced(
    row: FeatureRow, strategy: str, board: Board, life: Life, model: Artifact | None,
    unjudged: str | None, notes: Sequence[str],
) -> Structure:  # fmt: skip
    """Return a strategy's position on a board, what lies ahead of it from the board's spot on."""
    # A sample of a chain, or one whose strikes lie far apart, has no legs: it needs no outlook.
    choose_legs(board, structure_plan(strategy))
    listing = listing_of(underlying(row.ticker))
    closing = replace(closing_of(row.beside), spot=board.spot)
    why, outlook = unjudged or unjudged_words(row.ticker), None
    if model is not None:
        read = {name: row.beside.get(name, np.nan) for name in model.features}
        try:
            outlook = outlook_of(model.distribution(read), closing, life, listing)
        except ForecastError as error:
            why = error.detail
    unknown = [f"its chances are unknown: {why}"] if outlook is None else []
    found = price_structure(strategy, board, life, outlook, [*notes, *unknown])
    return look_ahead(found, board, life, outlook, listing)


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
