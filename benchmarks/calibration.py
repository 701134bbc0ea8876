"""How often what a structure's chances say comes true, on recorded data, walk-forward.

`python -m benchmarks.calibration RECORDED [--tickers SPY,QQQ,IWM] [--start 2011-01-03]
[--end 2025-06-30] [--every 1] [--table] [--trades FILE]` enters each strategy at the synthetic
board of every session (or every k-th), priced as `optrade price` does, with a distribution fitted
anew every 21 sessions on what was known then. What came: the close at expiry, unadjusted, and the
exit plan along the closes before, each marked by the smile of its own session's index.

The calibration error is the mean gap between what ten bins of equal count said and what came of
them. Brier scores stand beside those of the smile's own chance, and of the share of the structure's
trades that had expired by the entry; the interval of a difference is a stationary block bootstrap
over sessions, mean block 20.
"""

import argparse
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.distribution import POOLED, parts, recorded_prices, recorded_rows
from forecasters.returns import ReturnDistribution
from market.bootstrap import interval
from market.errors import InputError
from market.underlyings import TERM_SLOPE, underlying
from trading.backtest.history import History
from trading.backtest.run import every_structure
from trading.structures.exits import STOP, TARGET
from trading.structures.legs import STRUCTURES
from trading.structures.price import price_structure
from trading.structures.quote import Closing, listing_of, outlook_of, synthetic_quote
from training.frames.return_rows import pooled_returns
from training.judge.measures import session_weights
from training.models.returns import MIN_OWN_ROWS, fit_returns

BINS = 10
RESAMPLES = 1_000
#: A chance, what came of it, and what it stands beside.
CHANCES = {
    "profit": ("won", "neutral"),
    "target": ("target_came", "target_past"),
    "stop": ("stop_came", "stop_past"),
}


def recorded_history(folder: Path, ticker: str) -> History:
    """Return the recorded sessions of a ticker, its prices as they were quoted."""
    row, prices = underlying(ticker), recorded_prices(folder, ticker)
    days = pd.DatetimeIndex(prices["session"])
    own, long_index = (
        _series(folder / "cboe" / f"{name}.csv").reindex(days).to_numpy()
        for name in (row.volatility_index, TERM_SLOPE[0])
    )
    rate = _series(folder / "fred" / "DGS3MO.csv").reindex(days, method="ffill").to_numpy()
    named = ("open", "close", "dividend", "split")
    opened, closed, dividend, split = (prices[name].to_numpy() for name in named)
    return History(
        ticker, listing_of(row), days, opened, closed, own, long_index, rate / 100, dividend, split
    )


def closing_of(history: History, at: int) -> Closing:
    """Return what one session closed with."""
    held = (history.closed, history.index, history.long_index, history.rate)
    return Closing(*(float(one[at]) for one in held))


def _series(path: Path) -> pd.Series:
    frame = pd.read_csv(path, index_col=0, parse_dates=True).rename(columns=str.lower)
    named = frame["close"] if "close" in frame else frame.iloc[:, 0]
    return pd.to_numeric(named, errors="coerce").dropna()


def trades(folder: Path, ticker: str, start: str, end: str, every: int) -> pd.DataFrame:
    """Return every trade: what was said at its entry, and what came."""
    own, *others = [recorded_rows(folder, one) for one in dict.fromkeys((ticker, *POOLED))]
    history = recorded_history(folder, ticker)
    # The first refit has to have rows of the ticker's own.
    first = own.sessions[own.usable][MIN_OWN_ROWS + 21 :][0]
    said: list[dict[str, Any]] = []
    for train, test in parts(pooled_returns(own, others), max(start, str(first)[:10]), end):
        model = fit_returns(train)
        for values, session in zip(test.values, test.sessions, strict=True):
            at = int(history.days.get_loc(pd.Timestamp(session)))
            if at % every == 0 and np.isfinite(history.long_index[at]):
                said.extend(entered(history, at, model.at(values), pd.Timestamp(end)))
    told = pd.DataFrame(said)
    frame = told.merge(outcomes(history, np.unique(told["at"])), on=["at", "strategy"])
    assert len(frame) == len(told)
    assert np.allclose(frame["net"], frame["paid"], rtol=0.0, atol=1e-9)
    frame = frame.assign(ticker=ticker).drop(columns=["at", "net", "paid"])
    return frame.assign(**{
        f"{name}_past": past_share(frame, f"{name}_came") for name in ("target", "stop")
    })  # fmt: skip


def entered(
    history: History, at: int, distribution: ReturnDistribution, end: pd.Timestamp
) -> Iterator[dict[str, Any]]:
    """Yield what is said of the trades of one session, of which is known what came."""
    closing, session = closing_of(history, at), history.days[at]
    board, life = synthetic_quote(underlying(history.ticker), session, closing)
    if life.closes[-1] > min(end, history.days[-1]):
        return
    outlook = outlook_of(distribution, closing, life, history.listing)
    for strategy in STRUCTURES:
        try:
            found = price_structure(strategy, board, life, outlook)
        except InputError:
            continue  # strikes a dollar apart are too far apart where the price is low
        said = found.chances
        assert said is not None
        yield {
            "at": at, "strategy": strategy, "session": session, "expiration": life.closes[-1],
            "net": found.natural.net, "profit": said.profit, "neutral": said.profit_risk_neutral,
            "target": said.target, "stop": said.stop,
        }  # fmt: skip


def outcomes(history: History, at: np.ndarray) -> pd.DataFrame:
    """Return what came of every structure entered at the close of sessions."""
    found = []
    for strategy, one in every_structure(history, at, fill="close").items():
        reason = one.ends.reason
        found.append(
            pd.DataFrame({
                "at": one.lives.start, "strategy": strategy, "paid": one.held.paid,
                "won": (one.ends.marks[:, -1] > one.held.paid).astype(float),
                "target_came": (reason == TARGET).astype(float),
                "stop_came": (reason == STOP).astype(float),
            })[one.held.possible]
        )  # fmt: skip
    return pd.concat(found, ignore_index=True)


def past_share(frame: pd.DataFrame, came: str) -> pd.Series:
    """Return the share of a structure's trades that came, of those expired by each entry."""
    shares = []
    for _, rows in frame.groupby(["ticker", "strategy"]):
        known = np.searchsorted(rows["expiration"].to_numpy(), rows["session"].to_numpy())
        total = np.concatenate([[0.0], np.cumsum(rows[came])])
        with np.errstate(invalid="ignore"):
            shares.append(pd.Series(total[known] / known, index=rows.index))
    return pd.concat(shares).reindex(frame.index)


def reliability(said: np.ndarray, came: np.ndarray) -> pd.DataFrame:
    """Return what bins of equal count said and what came."""
    bins = np.array_split(np.argsort(said, kind="stable"), BINS)
    return pd.DataFrame(
        [{"n": len(one), "said": said[one].mean(), "came": came[one].mean()} for one in bins]
    )


def calibration_error(said: np.ndarray, came: np.ndarray) -> float:
    """Return the mean gap between what bins said and what came."""
    table = reliability(said, came)
    return float(np.average((table["said"] - table["came"]).abs(), weights=table["n"]))


def figures(rows: pd.DataFrame, chance: str) -> dict[str, Any]:
    """Return the scores of one chance on trades, beside those of what it stands beside."""
    came, beside = CHANCES[chance]
    rows = rows[rows[beside].notna()]
    said, other, real = (rows[name].to_numpy() for name in (chance, beside, came))
    gains = pd.Series((other - real) ** 2 - (said - real) ** 2).groupby(rows["session"].to_numpy())
    sums, counts = gains.sum().to_numpy(), gains.size().to_numpy()
    weights = session_weights(len(sums), RESAMPLES, 0)
    drawn = (weights @ sums) / (weights @ counts)
    sure = interval(drawn[1:])
    return {
        "n": len(rows), "brier": float(((said - real) ** 2).mean()),
        "beside": float(((other - real) ** 2).mean()),
        "gain": float(drawn[0]), "low": sure.low, "high": sure.high,
        "error": calibration_error(said, real), "its_error": calibration_error(other, real),
        "said": float(said.mean()), "came": float(real.mean()),
    }  # fmt: skip


def shown(name: str, one: dict[str, Any]) -> str:
    """Return a row of figures."""
    return (
        f"{name:26} {one['n']:7,d} {one['said']:6.3f} {one['came']:6.3f} "
        f"{one['brier']:7.4f} {one['beside']:7.4f} {one['gain']:+.4f} "
        f"[{one['low']:+.4f}, {one['high']:+.4f}] {one['error']:6.3f} {one['its_error']:6.3f}"
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("recorded", type=Path)
    parser.add_argument("--tickers", default="SPY,QQQ,IWM")
    parser.add_argument("--start", default="2011-01-03")
    parser.add_argument("--end", default="2025-06-30")
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--table", action="store_true", help="the bins of each chance as well")
    parser.add_argument("--trades", type=Path, help="write every trade to this parquet file")
    asked = parser.parse_args()
    begun = time.process_time()
    every = [
        trades(asked.recorded, ticker, asked.start, asked.end, asked.every)
        for ticker in asked.tickers.split(",")
    ]
    rows = pd.concat(every, ignore_index=True)
    if asked.trades:
        rows.to_parquet(asked.trades)
    print(f"{len(rows):,} trades, {time.process_time() - begun:.0f} CPU seconds")
    for chance, (_, beside) in CHANCES.items():
        print(f"\n{f'{chance}, beside {beside}':26} {'n':>7}   said   came   Brier  beside "
              "gain and its interval     error    its")  # fmt: skip
        print(shown("all", figures(rows, chance)))
        for by in ("ticker", "strategy"):
            for name, part in rows.groupby(by, sort=False):
                print(shown(str(name), figures(part, chance)))
        if asked.table:
            table = reliability(rows[chance].to_numpy(), rows[CHANCES[chance][0]].to_numpy())
            print(table.round(3).to_string())


if __name__ == "__main__":
    main()
