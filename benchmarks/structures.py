"""Time of a priced structure, and of a chain's surface, on one core.

`python -m benchmarks.structures [CHAINS]` prices each strategy on a synthetic board, with 1,000
paths and its profit table; with a folder of chains it reads the first date of `SPX_2019.parquet`,
makes a board of its chain and prices each strategy on it, and makes chains of its rows and a smile
of every expiry.
"""

import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.on_chains import SPX
from forecasters.returns import N_QUANTILES, ReturnDistribution
from ingestion.sources.recorded.chain_files import chain_file
from market.calendar import DECISION_DELAY, last_complete_session
from market.errors import InputError
from market.options.chain import Chain, by_expiry
from market.options.chain_rows import chains_of
from market.options.expiries import expiry_time, years_left
from market.options.surface import quoted_smile
from market.underlyings import underlying
from trading.structures.board import Board
from trading.structures.legs import STRUCTURES
from trading.structures.price import Life, price_structure
from trading.structures.quote import (
    Closing,
    chain_quote,
    listing_of,
    outlook_of,
    synthetic_quote,
)

SESSION = pd.Timestamp("2025-06-27")
CLOSING = Closing(spot=614.9, index=16.3, long_index=18.5, rate=0.043)
ROUNDS = 50
RATE = 0.024
QUOTES = 15_000


def distribution() -> ReturnDistribution:
    """Return a distribution of normal returns, as wide as the index says."""
    from scipy.special import ndtri

    shape = ndtri((np.arange(1, N_QUANTILES + 1) - 0.5) / N_QUANTILES)
    sessions = np.array([0.0, 5.0, 10.0, 21.0])
    variances = sessions * (CLOSING.index / 100.0) ** 2 / 252.0
    daily = np.random.default_rng(1).standard_normal(2_500)
    return ReturnDistribution(sessions, variances, sessions * 2e-4, np.tile(shape, (3, 1)), daily)


def milliseconds(work: Callable[[], object], rounds: int = ROUNDS) -> float:
    """Return the median of a few calls' milliseconds of processor time."""
    work()
    spent = []
    for _ in range(rounds):
        start = time.process_time()
        work()
        spent.append(time.process_time() - start)
    return statistics.median(spent) * 1e3


def structure(strategy: str, shape: ReturnDistribution) -> object:
    """Price one strategy from what the session closed with."""
    row = underlying("SPY")
    board, life = synthetic_quote(row, SESSION, CLOSING)
    outlook = outlook_of(shape, CLOSING, life, listing_of(row))
    return price_structure(strategy, board, life, outlook)


def board_on(chain: Chain) -> tuple[Closing, Board, Life]:
    """Return the board of a session's chain, taken apart, the smile of its expiry drawn."""
    session = last_complete_session(chain.quote_time + DECISION_DELAY)
    closing = Closing(chain.spot, CLOSING.index, CLOSING.long_index, RATE)
    return closing, *chain_quote(SPX, session, closing, chain)


def on_board(
    strategy: str, shape: ReturnDistribution, closing: Closing, board: Board, life: Life
) -> object:
    """Price one strategy on a board; a new one, as one keeps what it has computed."""
    outlook = outlook_of(shape, replace(closing, spot=board.spot), life, listing_of(SPX))
    return price_structure(strategy, replace(board), life, outlook)


def surface(rows: pd.DataFrame) -> int:
    """Return of how many expiries the rows of a day make a smile."""
    found = 0
    for chain in chains_of(rows):
        for quotes in by_expiry(chain):
            try:
                settled = expiry_time(quotes.root, pd.DatetimeIndex([quotes.expiration]))
                years = float(years_left(pd.DatetimeIndex([chain.quote_time]), settled)[0])
                quoted_smile(quotes, years, float(np.exp(-RATE * years)))
            except InputError:
                continue  # expired, or a long one that has too few quotes
            found += 1
    return found


def main() -> int:
    """Measure and print."""
    shape = distribution()
    for strategy in STRUCTURES:
        spent = milliseconds(lambda name=strategy: structure(name, shape))
        print(f"{strategy:20}{spent:8.2f} ms")
    if len(sys.argv) > 1:
        rows = chain_file(Path(sys.argv[1]) / "SPX_2019.parquet")
        day = rows[rows["quote_time"] == rows["quote_time"].iloc[0]]
        chain = next(iter(chains_of(day)))
        spent = milliseconds(lambda: board_on(chain))
        print(f"{'board of a chain':20}{spent:8.2f} ms, {len(chain.strike)} contracts")
        parsed = board_on(chain)
        for strategy in STRUCTURES:
            spent = milliseconds(lambda name=strategy: on_board(name, shape, *parsed))
            print(f"{strategy:20}{spent:8.2f} ms on that board")
        spent = milliseconds(lambda: surface(day), 5)
        print(f"{len(day)} quotes into {surface(day)} smiles {spent:8.0f} ms, "
              f"{spent * QUOTES / len(day):.0f} ms for {QUOTES}")  # fmt: skip
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
