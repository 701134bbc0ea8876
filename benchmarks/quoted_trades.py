"""Trades on real chains beside the same on the synthetic smile: what a backtest errs by.

`python -m benchmarks.quoted_trades CHAINS --recorded RECORDED` enters every structure at every
session of `SPX_2019.parquet` and `SPX_2023.parquet` (the shape of
`ingestion.sources.recorded.chain_files`) that has a chain, at the crossed side of its quotes,
marks it by the chains that follow, and beside it at the index's smile of the same close. SPX is
priced as an underlying of its own; both are held to the same exit rule.
"""

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from ingestion.sources.recorded.chain_files import chain_file
from market.bootstrap import interval, resample_weights
from market.calendar import DECISION_DELAY, last_complete_session, sessions
from market.options.chain_rows import chains_of
from market.underlyings import OptionListing, Underlying
from trading.backtest.history import History
from trading.backtest.lives import Lives
from trading.backtest.quoted import Boards, boards_of, quoted_structures
from trading.backtest.run import structures_of

SETS = ("SPX_2019", "SPX_2023")
# Strikes near the money stand five points apart; the spread factor is that of the cost model.
SPX = Underlying("SPX", "VIX", options=OptionListing("SPXW", 5.0, 0.05, 0.05, 0.017, True))
DAYS = (2, 45)
SEED = 1


def series(path: Path) -> pd.Series:
    """Return the closes, or values, of a recorded file by day."""
    frame = pd.read_csv(path, index_col=0, parse_dates=True).rename(columns=str.lower)
    return pd.to_numeric(frame["close"] if "close" in frame else frame.iloc[:, 0], errors="coerce")


def read(chains: Path, name: str, recorded: Path) -> tuple[History, dict]:
    """Return the sessions of a set, and its chains by session."""
    rows = chain_file(chains / f"{name}.parquet")
    near = rows["expiration"] - rows["quote_time"].dt.tz_localize(None).dt.normalize()
    rows = rows[(rows["root"] == "SPXW") & near.dt.days.between(*DAYS)]
    found = {}
    for chain in chains_of(rows):
        found[last_complete_session(chain.quote_time + DECISION_DELAY)] = chain
    days = sessions(min(found), max(found) + pd.Timedelta(days=45))
    closes = _closes(recorded, found, days)
    columns = [
        series(recorded / "cboe" / f"{one}.csv").reindex(days).to_numpy()
        for one in ("VIX", "VIX3M")
    ]
    rate = series(recorded / "fred" / "DGS3MO.csv").dropna().reindex(days, method="ffill") / 100
    none = np.zeros(len(days))
    return History(
        "SPX", SPX.options, days, closes, closes, *columns, rate.to_numpy(), none, none + 1.0
    ), found


def _closes(recorded: Path, found: dict, days: pd.DatetimeIndex) -> np.ndarray:
    """Return SPX's closes: as its chains say, and between them moved as SPY."""
    spot = pd.Series({session: chain.spot for session, chain in found.items()}).reindex(days)
    spy = series(recorded / "yahoo" / "SPY.csv").reindex(days)
    ratio = (spot / spy).interpolate(limit_direction="both")
    return spot.fillna(ratio * spy).to_numpy()


def beside(history: History, chains: dict) -> pd.DataFrame:
    """Return every trade, quoted and synthetic: return on the risk and exit of both."""
    boards = boards_of(SPX, history, chains)
    history = replace(history, closed=_implied(history, boards))
    real = quoted_structures(history, boards)
    expiration = pd.DatetimeIndex([board.quotes.expiration for board in boards.boards])
    model = structures_of(history, Lives.to(history, boards.place, expiration), "close")
    parts = []
    for strategy, one in real.items():
        other = model[strategy]
        at = pd.Index(other.lives.start).get_indexer(one.lives.start)
        both = one.held.possible & (at >= 0) & other.held.possible[at]
        both &= np.isfinite(one.ends.profit) & np.isfinite(other.ends.profit[at])
        at = at[both]
        parts.append(
            pd.DataFrame(
                {
                    "strategy": strategy,
                    "session": history.days[one.lives.start[both]],
                    "real": one.ends.profit[both] / one.held.max_loss[both],
                    "synthetic": other.ends.profit[at] / other.held.max_loss[at],
                    "exit": one.ends.reason[both],
                    "synthetic_exit": other.ends.reason[at],
                }
            )
        )
    return pd.concat(parts, ignore_index=True)


def _implied(history: History, boards: Boards) -> np.ndarray:
    """Return closes, of sessions with a board those that its forward implies.

    The quotes of 2023 are of the evening, beside an index of 16:00.
    """
    closed = history.closed.copy()
    for at, board in zip(boards.place, boards.boards, strict=True):
        carry = (history.listing.dividend_yield - history.rate[at]) * board.smile.years
        closed[at] = board.smile.forward * np.exp(carry)
    return closed


def shown(name: str, rows: pd.DataFrame) -> str:
    """Return how far apart trades are, by date."""
    away = 100 * (rows["synthetic"] - rows["real"])
    by = away.groupby(rows["session"])
    sums, counts = by.sum().to_numpy(), by.size().to_numpy()
    weights = resample_weights(len(sums), SEED, mean_block=10)
    sure = interval((weights @ sums) / (weights @ counts))
    r = np.corrcoef(rows["real"], rows["synthetic"])[0, 1]
    same = (rows["exit"] == rows["synthetic_exit"]).mean()
    span = f"[{sure.low:+.1f}, {sure.high:+.1f}]" if sure else ""
    real, synthetic = (100 * rows[kind].mean() for kind in ("real", "synthetic"))
    return (
        f"{name:18} {len(rows):5d} {rows['session'].nunique():4d} {real:+6.1f} "
        f"{synthetic:+6.1f} {away.mean():+5.1f} {span:14} "
        f"{away.abs().median():5.1f} {r:6.3f} {same:6.1%}"
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("chains", type=Path)
    parser.add_argument("--recorded", type=Path, required=True)
    asked = parser.parse_args()
    found = []
    print("% of the most that a trade could lose; the difference is synthetic less real")
    print(f"{'':18} {'n':>5} {'days':>4} {'real':>6} {'synth.':>6} {'diff.':>5} {'95 %':14} "
          f"{'|med|':>5} {'r':>6} {'exit':>6}")  # fmt: skip
    for name in SETS:
        rows = beside(*read(asked.chains, name, asked.recorded))
        print(shown(name, rows))
        found.append(rows)
    rows = pd.concat(found, ignore_index=True)
    for strategy, part in rows.groupby("strategy"):
        print(shown(str(strategy), part))
    print(shown("all", rows))


if __name__ == "__main__":
    main()
