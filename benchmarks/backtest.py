"""Time and memory of a backtest, and its rate beside a peer's on the same trades.

`python -m benchmarks.backtest` trades three made-up underlyings from 2011 to 2025: seven structures
after every session, six kinds of policies, and what a tenth of the sessions costs. With
`--peer PYTHON`, an interpreter of an environment with `lumibot` 4.6.30, a year of bull put spreads
is entered, marked and left by both at the same prices; with `--joined PYTHON`, one with `optopsy`
2.2.0, spreads are held to their expiry by it, out of the quotes of every strike within reach.
"""

import argparse
import contextlib
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

import numpy as np
import pandas as pd
import psutil

from benchmarks.structures import distribution
from forecasters.returns import ReturnDistribution
from market.calendar import sessions
from market.options.black import price_76
from market.options.costs import MULTIPLIER
from market.underlyings import underlying
from optrade.flows.backtest.run import run_backtest
from optrade.flows.judge import judge_file, write_page
from trading.backtest.entries import quoted_legs, volatilities
from trading.backtest.history import History
from trading.backtest.lives import Lives, market_at
from trading.backtest.policies import Said
from trading.backtest.positions import MID, positions, worth_at_expiry
from trading.backtest.result import Asked, Rules, combine, part_of
from trading.backtest.run import Entered, every_structure
from trading.structures.legs import STRUCTURES

TICKERS = ("SPY", "QQQ", "IWM")
SPAN, SHORT = ("2011-01-03", "2025-06-30"), ("2011-01-03", "2012-06-13")
YEAR = ("2023-01-03", "2024-02-29")
STRATEGY = "Bull Put Spread"
PEER = Path(__file__).with_name("backtest_peer.py")


@dataclass(frozen=True)
class Always:
    """A distribution of returns after every session."""

    one: ReturnDistribution

    def __call__(self, _: int) -> ReturnDistribution:
        """Return it."""
        return self.one


def history(ticker: str, span: tuple[str, str], seed: int) -> History:
    """Return made-up sessions, whose underlying moves as its index says."""
    days, rng = sessions(*span), np.random.default_rng(seed)
    wave = np.zeros(len(days))
    for at, step in enumerate(0.05 * rng.standard_normal(len(days) - 1)):
        wave[at + 1] = 0.97 * wave[at] + step
    index = 18.0 * np.exp(wave)
    # Without a drift: a price that grows has more strikes within reach.
    closed = 250.0 * np.exp(np.cumsum(index / 1600.0 * rng.standard_normal(len(days))))
    opened = closed * np.exp(0.002 * rng.standard_normal(len(days)))
    none = np.zeros(len(days))
    return History(ticker, underlying(ticker).options, days, opened, closed, index, 1.08 * index,
                   none + 0.03, none, none + 1.0)  # fmt: skip


def said(count: int, seed: int) -> Said:
    """Return forecasts of every session that mean nothing."""
    rng = np.random.default_rng(seed)
    direction, regime = (np.repeat(rng.integers(0, n, count // 5 + 1), 5)[:count] for n in (2, 3))
    sure = np.full(count, 0.7)
    return Said(direction, sure, regime, sure, np.zeros(count, np.bool_))


def whole(span: tuple[str, str]) -> tuple[int, float, float, float]:
    """Return trades, processor seconds in one process, and seconds and GiB in two."""
    asked: dict[str, Asked] = {}
    for seed, ticker in enumerate(TICKERS):
        of = history(ticker, span, seed)
        asked[ticker] = Asked(of, said(len(of.days), seed), of.closed, Always(distribution()))
    with Watched() as watched:
        start = time.perf_counter()
        found = run_backtest(asked, Rules())
        seconds = time.perf_counter() - start
    start = time.process_time()
    combine(asked, {ticker: part_of(one, Rules()) for ticker, one in asked.items()}, Rules())
    return len(found.trades), time.process_time() - start, seconds, watched.gib


class Watched(threading.Thread):
    """The memory of this process and all below it, at most, in GiB.

    Shared pages count once for each process that maps them, so it is an upper bound.
    """

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.gib, self.over = 0.0, threading.Event()

    def run(self) -> None:
        """Look at it again and again."""
        mine = psutil.Process()
        while not self.over.wait(0.05):
            rss = 0
            for one in (mine, *mine.children(recursive=True)):
                with contextlib.suppress(psutil.NoSuchProcess):
                    rss += one.memory_info().rss
            self.gib = max(self.gib, rss / 2**30)

    def __enter__(self) -> Self:
        """Start to look."""
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Look no more."""
        self.over.set()
        self.join()


def judged(labels: int, count: int = 200_000) -> float:
    """Return processor seconds of reading, judging and drawing trades of as many labels."""
    rng = np.random.default_rng(1)
    entry = pd.Timestamp("2015-01-01") + pd.to_timedelta(rng.integers(0, 3_600, count), unit="D")
    left = entry + pd.to_timedelta(rng.integers(1, 20, count), unit="D")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "trades.csv")
        pd.DataFrame(
            {
                "entry": entry.strftime("%Y-%m-%d"),
                "exit": left.strftime("%Y-%m-%d"),
                "pnl": rng.normal(0.0, 100.0, count).round(2),
                "label": rng.integers(0, labels, count),
            }
        ).to_csv(path, index=False)
        start = time.process_time()
        write_page(judge_file(path), Path(folder, "page.html"))
        return time.process_time() - start


def beside(python: str, of: History) -> None:
    """Print the rates of both on a year of spreads, and what they came to at mid."""
    start = time.process_time()
    every = every_structure(of, np.arange(len(of.days)), "close", MID)
    spent = time.process_time() - start
    ours = sum(int(np.isfinite(one.ends.profit).sum()) for one in every.values()) / spent
    one = every[STRATEGY]
    rows = np.flatnonzero(one.held.possible)
    with tempfile.TemporaryDirectory() as folder:
        _plans(of, one, rows).to_csv(f"{folder}/plans.csv", index=False)
        _contracts(of, one, rows).to_csv(f"{folder}/prices.csv", index=False)
        count, seconds, gained = _asked(python, "lumibot", folder)
    column = one.ends.column[rows]
    mid = MULTIPLIER * (one.ends.marks[rows, column] - one.held.paid[rows])
    print(f"| lumibot, the same entries and exits | {count:,.0f} | {count / seconds:,.1f} | "
          f"{gained / count:+.2f} |")  # fmt: skip
    print(
        f"| optrade, seven structures | {len(rows):,} of this | {ours:,.0f} | {mid.mean():+.2f} |"
    )
    print(f"times its rate: {ours / (count / seconds):,.0f}")


def _plans(of: History, one: Entered, rows: np.ndarray) -> pd.DataFrame:
    """Return what is entered when, and when it is left."""
    start, end = one.lives.start[rows], one.lives.place[rows, one.ends.column[rows]]
    return pd.DataFrame(
        {
            "entered": of.days[start],
            "low": one.held.strike[rows, 0],
            "high": one.held.strike[rows, 1],
            "expiry": one.lives.expiration[rows],
            "last": of.days[one.lives.place[rows, -1]],
            "below": one.held.below[rows],
            "target": one.held.target[rows],
            "left": of.days[end],
        }
    )


def _contracts(of: History, one: Entered, rows: np.ndarray) -> pd.DataFrame:
    """Return prices of every contract at every close of a life that needs it."""
    strike = one.held.strike[rows]
    start = one.lives.start[rows]
    place = np.column_stack([start, one.lives.place[rows]])
    years = np.column_stack([one.lives.years[rows], one.lives.left[rows]])
    market = market_at(of, place.ravel(), years.ravel(), of.closed[place.ravel()])
    parts = []
    alive = np.where(market.years > 0.0, market.years, np.nan)
    flat = replace(market, years=alive)
    for leg in range(2):
        of_leg = np.repeat(strike[:, leg], place.shape[1])[:, None]
        price = price_76(
            flat.forward[:, None], of_leg, alive[:, None], volatilities(of.listing, flat, of_leg),
            -1.0, flat.discount[:, None],
        )  # fmt: skip
        settled = np.maximum(of_leg[:, 0] - market.spot, 0.0)
        parts.append(
            pd.DataFrame(
                {
                    "strike": of_leg[:, 0],
                    "expiry": np.repeat(one.lives.expiration[rows], place.shape[1]),
                    "day": of.days[place.ravel()],
                    "price": np.where(np.isnan(alive), settled, price[:, 0]),
                    "spot": market.spot,
                }
            )
        )
    return pd.concat(parts).drop_duplicates(["strike", "expiry", "day"])


def joined(python: str, of: History) -> None:
    """Print the rate of optopsy on spreads that are held to expiry, out of boards of strikes."""
    start = time.process_time()
    lives = Lives.usual(of, np.arange(len(of.days)))
    closed = market_at(of, lives.start, lives.years, of.closed[lives.start])
    legs = quoted_legs(of.listing, closed)
    ends = of.closed[lives.place[np.arange(len(lives.last)), lives.last]]
    gained = []
    for strategy in STRUCTURES:
        held = positions(strategy, legs, closed.spot, MID)
        settled = worth_at_expiry(held.strike, held.sign, held.side, ends)
        gained.append((settled - held.paid)[held.possible])
    ours = sum(map(len, gained)) / (time.process_time() - start)
    one = every_structure(of, np.arange(len(of.days)), "close", MID)[STRATEGY]
    rows = np.flatnonzero(one.held.possible)
    with tempfile.TemporaryDirectory() as folder:
        _plans(of, one, rows).to_csv(f"{folder}/plans.csv", index=False)
        _board(of, one, rows).to_csv(f"{folder}/board.csv", index=False)
        count, seconds, paid = _asked(python, "optopsy", folder)
    settled = np.maximum(one.held.strike[rows] - of.closed[one.lives.place[rows, -1]][:, None], 0.0)
    due = MULTIPLIER * (settled @ one.held.side - one.held.paid[rows])
    print(f"| optopsy, held to expiry, out of whole boards | {count:,.0f} | {count / seconds:,.0f} "
          f"| {paid / count:+.2f} |")  # fmt: skip
    print(f"| optrade, the same, seven structures | {len(rows):,} of this | {ours:,.0f} "
          f"| {due.mean():+.2f} |")  # fmt: skip
    print(f"times its rate: {ours / (count / seconds):,.1f}")


def _board(of: History, one: Entered, rows: np.ndarray) -> pd.DataFrame:
    """Return puts of every strike within reach at each entry, and what they settled at."""
    start, expiry = one.lives.start[rows], one.lives.expiration[rows]
    market = market_at(of, start, one.lives.years[rows], of.closed[start])
    step = of.listing.strike_step
    wide = 2.6 * market.level * np.sqrt(market.years) * market.forward
    parts = []
    for at, row in enumerate(rows):
        strike = np.arange(np.ceil((market.forward[at] - wide[at]) / step),
                           np.floor((market.forward[at] + wide[at]) / step) + 1) * step  # fmt: skip
        one_row = type(market)(*(column[at : at + 1] for column in vars(market).values()))
        price = price_76(one_row.forward, strike, one_row.years,
                         volatilities(of.listing, one_row, strike[None, :])[0], -1.0,
                         one_row.discount)  # fmt: skip
        end = of.closed[one.lives.place[row, -1]]
        settled = np.maximum(strike - end, 0.0)
        for day, spot, quote in ((of.days[start[at]], of.closed[start[at]], price),
                                 (expiry[at], end, settled)):  # fmt: skip
            parts.append(pd.DataFrame({
                "underlying_symbol": of.ticker, "underlying_price": spot, "option_type": "p",
                "expiration": expiry[at], "quote_date": day, "strike": strike,
                "bid": quote + 0.05, "ask": quote + 0.05}))  # fmt: skip
    return pd.concat(parts).drop_duplicates(["expiration", "quote_date", "strike"])


def _asked(python: str, program: str, folder: str) -> list[float]:
    """Return trades, processor seconds and USD of a peer."""
    done = subprocess.run(
        # Not among the modules beside it: one is called as the standard library's `http` is.
        [python, "-P", str(PEER), program, folder],
        capture_output=True,
        text=True,
        cwd=folder,
    )
    if done.returncode:
        raise SystemExit(f"{program}: {done.stderr[-2000:]}")
    return [float(word) for word in Path(folder, "found.txt").read_text().split()]


def main() -> None:
    """Print what a backtest costs, and its rate beside the peers that were named."""
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    asked.add_argument("--peer", help="an interpreter that imports lumibot")
    asked.add_argument("--joined", help="an interpreter that imports optopsy")
    options = asked.parse_args()
    fewer, few, _, _ = whole(SHORT)
    trades, spent, seconds, gib = whole(SPAN)
    print(
        "| three underlyings, seven structures, six policies | trades | seconds | processor | GiB |"
    )
    print("|---|---|---|---|---|")
    print(f"| {SPAN[0]} to {SPAN[1]} | {trades:,} | {seconds:.1f} | {spent:.1f} | {gib:.2f} |")
    print(f"processor a trade: {1e6 * spent / trades:.0f} us, with a tenth of the sessions "
          f"({fewer:,} trades) {1e6 * few / fewer:.0f} us")  # fmt: skip
    for labels in (10, 2_000):
        with Watched() as watched:
            spent = judged(labels)
        print(f"judge, 200,000 trades of {labels:,} labels: {spent:.1f} s, {watched.gib:.2f} GiB")
    if options.peer or options.joined:
        print("| on one core | trades | trades a second | USD a trade at mid |")
        print("|---|---|---|---|")
    if options.joined:
        joined(options.joined, history("SPY", SPAN, 1))
    if options.peer:
        beside(options.peer, history("SPY", YEAR, 1))


if __name__ == "__main__":
    sys.exit(main())
