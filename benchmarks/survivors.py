"""Whether a backtest finds an edge that is there, and none where there is none.

`python -m benchmarks.survivors [--seeds 100] [--planted 20] [--tickers SPY] [--json]` simulates
markets by seed, forecasts each session's direction by what the planted law reverses (the trend of
the last sessions, a Wilder average over 14) and its regime by the class of today's rank, trades
every structure after every session, and judges the cells as `optrade backtest` does. It ends with
code 1 if more than 5 % of the markets without an edge show a surviving cell, or a market with one
shows none.
"""

import argparse
import json
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from typing import Final

import numpy as np
import pandas as pd

from ingestion.sources.simulated.source import Simulated
from market.calendar import decision_time, sessions
from market.iv_rank import regime_codes
from market.targets import DIRECTIONS
from market.underlyings import TERM_SLOPE, underlying
from trading.backtest.history import History
from trading.backtest.policies import Said
from trading.backtest.result import cell_trades
from trading.backtest.run import every_structure
from trading.judgement.verdict import judge
from trading.structures.quote import listing_of

FIRST, LAST = "2010-01-04", "2024-12-31"
RANKED: Final = 252  # sessions that a rank looks back on
STRENGTH: Final = 0.5
MOST: Final = 0.05


def history(source: Simulated, ticker: str, last: str | pd.Timestamp = LAST) -> History:
    """Return the sessions of a simulated underlying."""
    row = underlying(ticker)
    days = sessions(FIRST, last)
    prices = source.prices(ticker).set_index("session").reindex(days)
    own, long_index = (
        source.index(name).set_index("session")["close"].reindex(days).to_numpy()
        for name in (row.volatility_index, TERM_SLOPE[0])
    )
    rates = source.series("DGS3MO").set_index("observation_date")["value"].dropna()
    rate = rates.reindex(days, method="ffill").bfill().to_numpy() / 100.0
    columns = [prices[name].to_numpy(float) for name in ("open", "close")]
    paid = [prices[name].to_numpy(float) for name in ("dividend", "split")]
    return History(ticker, listing_of(row), days, *columns, own, long_index, rate, *paid)


def said(of: History) -> Said:
    """Return calls of the direction against the trend, and today's class of the rank."""
    moves = pd.Series(np.diff(np.log(of.closed * of.shares), prepend=np.nan))
    trend = moves.ewm(alpha=1 / 14).mean().to_numpy()
    direction = np.where(trend > 0.0, DIRECTIONS.index("DOWN"), DIRECTIONS.index("UP"))
    index = pd.Series(of.index)
    low, high = index.rolling(RANKED).min(), index.rolling(RANKED).max()
    rank = (100.0 * (index - low) / (high - low)).to_numpy()
    regime = np.where(np.isnan(rank), -1, regime_codes(np.nan_to_num(rank)))
    sure = np.full(len(of.days), 0.7)
    return Said(direction, sure, regime, sure, np.zeros(len(of.days), np.bool_))


def survivors(seed: int, strength: float, tickers: list[str]) -> list[str]:
    """Return the cells that survive in one market."""
    clock = decision_time(pd.DatetimeIndex([LAST]))[0]
    source = Simulated(seed=seed, signal_strength=strength, as_of=clock)
    made = {ticker: history(source, ticker) for ticker in tickers}
    words = {ticker: said(of) for ticker, of in made.items()}
    entered = {ticker: every_structure(of, np.arange(len(of.days))) for ticker, of in made.items()}
    days = next(iter(made.values())).days
    return [cell.name for cell in judge(cell_trades(entered, words, days)).survivors]


def main() -> None:
    """Measure, print, and end with 1 where a bound is broken."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=100)
    parser.add_argument("--planted", type=int, default=20)
    parser.add_argument("--tickers", default="SPY")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    tickers = asked.tickers.split(",")
    with ProcessPoolExecutor(2) as pool:
        none = list(pool.map(partial(survivors, strength=0.0, tickers=tickers), range(asked.seeds)))
        there = list(
            pool.map(partial(survivors, strength=STRENGTH, tickers=tickers), range(asked.planted))
        )
    wrong = sum(map(bool, none))
    found = sum(map(bool, there))
    if asked.json:
        print(json.dumps({"none": none, "planted": there}))
    else:
        print(f"no edge: a cell survives in {wrong} of {asked.seeds} markets")
        print(f"an edge of strength {STRENGTH}: a cell survives in {found} of {asked.planted}")
        for cells in [*filter(None, none)]:
            print(f"  without an edge: {'; '.join(cells)}")
    raise SystemExit(wrong > MOST * asked.seeds or found < asked.planted)


if __name__ == "__main__":
    main()
