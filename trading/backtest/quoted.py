"""Structures entered and marked on real chains, at the sessions that have one. Pure.

The rows are those of `trading.backtest.run`, so that what is quoted takes the place of what is
synthetic; closes without a chain, and contracts that nobody quotes, are marked by the smile.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import pandas as pd
from jaxtyping import Float64, Int64

from market.errors import InputError
from market.options.chain import Chain, ExpiryQuotes, by_expiry
from market.underlyings import Underlying
from trading.backtest.entries import Quoted
from trading.backtest.history import History
from trading.backtest.lives import Lives, market_at
from trading.backtest.positions import CROSSED, Positions, of_legs
from trading.backtest.run import Entered, closes_of, dividends_of
from trading.backtest.walk import Quotes, Scene, ends
from trading.structures.board import Board, choose_legs
from trading.structures.legs import STRUCTURES, structure_plan
from trading.structures.quote import Closing, chain_quote

#: Columns with a value a close, and what is not by position.
BY_CLOSE: Final = ("place", "left", "marks")
OF_ALL: Final = {"strategy", "sign", "side"}


@dataclass(frozen=True)
class Boards:
    """The boards of sessions with a chain that positions can be entered on.

    Attributes
    ----------
    place
        Of their sessions in the history, ascending.
    quotes
        Of every session with a chain, by its place: the quotes by expiry of the listing's root.
    refused
        Why chains are not entered on, by session.
    """

    place: Int64[np.ndarray, " n"]
    boards: list[Board]
    quotes: Mapping[int, Mapping[pd.Timestamp, ExpiryQuotes]]
    refused: Mapping[pd.Timestamp, str]


def boards_of(row: Underlying, history: History, chains: Mapping[pd.Timestamp, Chain]) -> Boards:
    """Return what can be entered on the chains of sessions.

    Parameters
    ----------
    chains
        By session: the one whose quotes count for it.
    """
    place, boards, quotes, refused = [], [], {}, {}
    root = history.listing.root
    for session, chain in sorted(chains.items()):
        at = int(history.days.get_indexer(pd.DatetimeIndex([session]))[0])
        if at < 0:
            continue
        quotes[at] = {one.expiration: one for one in by_expiry(chain) if one.root == root}
        columns = (history.closed, history.index, history.long_index, history.rate)
        closing = Closing(*(float(column[at]) for column in columns))
        try:
            board, life = chain_quote(row, session, closing, chain)
        except InputError as error:
            refused[session] = str(error)
            continue
        if life.closes[-1] <= history.days[-1]:
            place.append(at)
            boards.append(board)
    return Boards(np.array(place, dtype=np.int64), boards, quotes, refused)


def quoted_structures(
    history: History, found: Boards, crossing: float = CROSSED
) -> dict[str, Entered]:
    """Return what every structure came to, entered on the boards; see `every_structure`."""
    expiration = pd.DatetimeIndex([board.quotes.expiration for board in found.boards])
    lives = Lives.to(history, found.place, expiration)
    closed = market_at(history, lives.start, lives.years, history.closed[lives.start])
    scene = Scene(
        history.listing, closed, closes_of(history, lives), lives.last,
        dividends_of(history, lives), crossing,
    )  # fmt: skip
    entered = {}
    for strategy in STRUCTURES:
        held = _positions(strategy, found.boards, crossing)
        marks = marks_of(held, lives, history.shares, found.quotes)
        entered[strategy] = Entered(lives, held, ends(held, scene, marks), quoted=held.possible)
    return entered


def _positions(strategy: str, boards: list[Board], crossing: float) -> Positions:
    plan = structure_plan(strategy)
    found = np.full((len(plan.legs), 3, len(boards)), np.nan)
    for row, board in enumerate(boards):
        try:
            legs = choose_legs(board, plan)
        except InputError:
            continue  # no strike is near enough: there is no position
        at = np.searchsorted(board.quotes.strike, legs.strike)
        for leg, (sign, place) in enumerate(zip(legs.sign, at, strict=True)):
            side = board.side(sign)
            found[leg, :, row] = legs.strike[leg], side.bid[place], side.ask[place]
    spot = np.array([board.spot for board in boards])
    return of_legs(strategy, [Quoted(*leg) for leg in found], spot, crossing)


def marks_of(
    held: Positions,
    lives: Lives,
    shares: Float64[np.ndarray, " n_sessions"],
    quotes: Mapping[int, Mapping[pd.Timestamp, ExpiryQuotes]],
) -> Quotes:
    """Return what is quoted of positions at the closes of their lives; of those possible alone.

    None from a split on: a strike is another contract's then.

    Parameters
    ----------
    shares
        See `History`.
    quotes
        By place in the history, and by expiry.
    """
    shape = (*lives.place.shape, len(held.side))
    bid, ask = np.full(shape, np.nan), np.full(shape, np.nan)
    before = np.arange(shape[1]) < lives.last[:, None]
    for place, by_day in quotes.items():
        same = held.possible & (shares[place] == shares[lives.start])
        row, column = np.nonzero((lives.place == place) & before & same[:, None])
        for expiration in lives.expiration[row].unique().intersection(pd.DatetimeIndex([*by_day])):
            mine = lives.expiration[row] == expiration
            at = row[mine], column[mine]
            bid[at], ask[at] = _of_legs(by_day[expiration], held.strike[at[0]], held.sign)
    return Quotes(bid, ask)


def _of_legs(
    quotes: ExpiryQuotes,
    strike: Float64[np.ndarray, "n n_legs"],
    sign: Float64[np.ndarray, " n_legs"],
) -> tuple[Float64[np.ndarray, "n n_legs"], Float64[np.ndarray, "n n_legs"]]:
    """Return bids and asks of legs; all NaN of a position of which one is not quoted.

    Legs marked some by quotes and some by a smile would not be of one market.
    """
    at = np.minimum(np.searchsorted(quotes.strike, strike), len(quotes.strike) - 1)
    calls = sign > 0.0
    bid = np.nan_to_num(np.where(calls, quotes.calls.bid[at], quotes.puts.bid[at]))
    ask = np.where(calls, quotes.calls.ask[at], quotes.puts.ask[at])
    # Nobody's bid is one of 0; a sold option is bought back at its ask all the same.
    known = (quotes.strike[at] == strike) & (ask > 0.0) & (bid <= ask)
    whole = known.all(axis=1, keepdims=True)
    return np.where(whole, bid, np.nan), np.where(whole, ask, np.nan)


def overlaid(synthetic: Entered, real: Entered) -> Entered:
    """Return positions of which those entered on quotes take the place of the synthetic ones.

    Sessions with quotes alone are left out: what is told of each session is one position.
    """
    at = pd.Index(synthetic.lives.start).get_indexer(pd.Index(real.lives.start))
    rows = np.flatnonzero((at >= 0) & real.held.possible)
    at = at[rows]
    width = max(synthetic.lives.place.shape[1], real.lives.place.shape[1])
    parts = [
        _replaced(vars(old), vars(new), at, rows, width)
        for old, new in (
            (synthetic.lives, real.lives),
            (synthetic.held, real.held),
            (synthetic.ends, real.ends),
        )
    ]
    quoted = synthetic.quoted.copy()
    quoted[at] = True
    return Entered(
        replace(synthetic.lives, **parts[0]),
        replace(synthetic.held, **parts[1]),
        replace(synthetic.ends, **parts[2]),
        quoted,
    )


def _replaced(
    old: Mapping[str, Any], new: Mapping[str, Any], at: Int64[np.ndarray, " k"],
    rows: Int64[np.ndarray, " k"], width: int,
) -> dict[str, Any]:  # fmt: skip
    """Return the columns by position of one in which rows of another stand."""
    found: dict[str, Any] = {}
    for name in old.keys() - OF_ALL:
        mine, others = (np.asarray(columns[name]) for columns in (old, new))
        if name in BY_CLOSE:
            mine, others = _widened(mine, width), _widened(others, width)
        changed = mine.copy()
        changed[at] = others[rows]
        found[name] = pd.DatetimeIndex(changed) if name == "expiration" else changed
    return found


def _widened(column: np.ndarray, width: int) -> np.ndarray:
    """Return a column by close that repeats its last one."""
    return np.pad(column, ((0, 0), (0, width - column.shape[1])), mode="edge")
