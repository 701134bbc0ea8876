"""Speed of all technical features beside TA-Lib alone, pandas and the `ta` package; one core.

`python -m benchmarks.technical [--json]` computes the 83 features of 500 tickers x 5,000 sessions,
one ticker after the other as the build does, each ticker's results dropped before the next. Every
contender gets the same bars in the same process; CPU seconds are the figure, as other processes
do not count in them, and the best of the rounds is taken. The floor is TA-Lib's own indicators and
nothing derived from them; beside it stands what of the 83 answers to one of these. Nothing is
extrapolated unless the row says so.
"""

import argparse
import json
import resource
import time
import warnings
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import talib

from feature_repo.features.catalogue import GROUPS
from feature_repo.features.declare import Group
from market.arrays import FloatArray

GOAL_ROWS_A_SECOND = 1_500_000
GOAL_GIB = 4.0
# Of the CPU seconds of ours beside those of TA-Lib alone, for the indicators that both have.
GOAL_TIMES_FLOOR = 2.0
# What of ours answers to each indicator of `talib_indicators`, in its order. A moving average of
# 252 volumes is a term of ours; the middle of the bands is in the width.
SHARED = (
    "sma_20", "sma_50", "sma_200", "volume_sma_10", "volume_sma_20", "volume_mean_252",
    "ema_12", "ema_26",
    "returns_1d", "returns_5d", "returns_10d", "returns_20d", "returns_60d", "returns_252d",
    "rsi_14", "rsi_28", "hv_5", "hv_10", "hv_20", "hv_60", "hv_120",
    "adx_14", "plus_di_14", "minus_di_14", "macd", "macd_signal", "macd_histogram",
    "stoch_k", "stoch_d", "bb_upper_dist", "bb_width", "bb_lower_dist",
    "atr_14", "cci_20", "mfi_14", "high_52w", "low_52w", "drawdown_60d", "obv",
)  # fmt: skip
ROUNDS = 3
Bars = dict[str, FloatArray]


def make_bars(tickers: int, sessions: int) -> list[Bars]:
    """Return random walks with a plausible range and volume, one for each ticker."""
    rng = np.random.default_rng(0)
    shape = (tickers, sessions)
    close = 100 * np.exp(np.cumsum(rng.normal(0, 0.01, shape), axis=1))
    open_ = close * np.exp(rng.normal(0, 0.003, shape))
    high = np.maximum(open_, close) * np.exp(np.abs(rng.normal(0, 0.004, shape)))
    low = np.minimum(open_, close) * np.exp(-np.abs(rng.normal(0, 0.004, shape)))
    arrays = {
        "open": open_,
        "high": high,
        "low": low,
        "close": close,
        "volume": rng.lognormal(15, 0.4, shape),
        "scale": np.ones(shape),
    }
    return [{name: array[at] for name, array in arrays.items()} for at in range(tickers)]


def talib_indicators(bars: Bars) -> list[FloatArray]:
    """Return the indicators that TA-Lib has itself, and nothing derived from them."""
    h, lo, c, v = (bars[name] for name in ("high", "low", "close", "volume"))
    return [
        *(talib.SMA(c, n) for n in (20, 50, 200)),
        *(talib.SMA(v, n) for n in (10, 20, 252)),
        *(talib.EMA(c, n) for n in (12, 26)),
        *(talib.ROC(c, n) for n in (1, 5, 10, 20, 60, 252)),
        *(talib.RSI(c, n) for n in (14, 28)),
        *(talib.STDDEV(c, n) for n in (5, 10, 20, 60, 120)),
        *(function(h, lo, c, 14) for function in (talib.ADX, talib.PLUS_DI, talib.MINUS_DI)),
        *talib.MACD(c, 12, 26, 9),
        *talib.STOCHF(h, lo, c, 14, 3),
        *talib.BBANDS(c, 20),
        talib.ATR(h, lo, c, 14),
        talib.CCI(h, lo, c, 20),
        talib.MFI(h, lo, c, v, 14),
        talib.MAX(h, 252),
        talib.MIN(lo, 252),
        talib.MAX(c, 60),
        talib.OBV(c, v),
    ]


def only(group: Group, wanted: tuple[str, ...]) -> Group:
    """Return a group of some features and terms, with what they are computed from as terms."""
    rows = {row.name: row for row in (*group.terms, *group.features)}
    needed, todo = set(), list(wanted)
    while todo:
        name = todo.pop()
        if name in rows and name not in needed:
            needed.add(name)
            todo.extend(rows[name].inputs)
    features = tuple(row for row in group.features if row.name in wanted)
    terms = (row for name, row in rows.items() if name in needed and row not in features)
    return replace(group, features=features, terms=tuple(terms))


def pandas_windows(frame: pd.DataFrame) -> list[pd.Series]:
    """Return three windows of a long frame by `groupby.rolling`."""
    by_ticker = frame.groupby("ticker")
    return [
        by_ticker["close"].rolling(20).mean(),
        by_ticker["close"].rolling(20).std(),
        by_ticker["high"].rolling(252).max(),
    ]


def ta_features(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the full set of the `ta` package for one ticker."""
    from ta import add_all_ta_features

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return add_all_ta_features(frame.copy(), "open", "high", "low", "close", "volume")


def best_of(rounds: int, run: Callable[[], object]) -> dict[str, float]:
    """Return the least CPU and wall seconds over some rounds, after a call to warm up."""
    run()
    figures = []
    for _ in range(rounds):
        wall, cpu = time.perf_counter(), time.process_time()
        run()
        figures.append((time.process_time() - cpu, time.perf_counter() - wall))
    cpu_seconds, wall_seconds = (min(column) for column in zip(*figures, strict=True))
    return {"cpu_seconds": cpu_seconds, "wall_seconds": wall_seconds}


def each(function: Callable[[Bars], object], panel: list[Bars]) -> Callable[[], None]:
    """Return a run of a function over all tickers that keeps no result."""

    def run() -> None:
        for bars in panel:
            function(bars)

    return run


def measure(tickers: int, sessions: int, rounds: int) -> list[dict[str, Any]]:
    """Return one row of figures for each contender."""
    panel, rows = make_bars(tickers, sessions), tickers * sessions
    compute = GROUPS["technical"].compute
    out = [
        _row("optrade", len(compute(panel[0])), rows, best_of(rounds, each(compute, panel))),
    ]
    out[0]["peak_rss_gib"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    shared = only(GROUPS["technical"], SHARED).compute
    out.append(
        _row("optrade, what TA-Lib has", len(SHARED), rows, best_of(rounds, each(shared, panel)))
    )
    indicators = len(talib_indicators(panel[0]))
    floor = best_of(rounds, each(talib_indicators, panel))
    out.append(_row("TA-Lib alone (floor)", indicators, rows, floor))
    frame = pd.concat(
        pd.DataFrame(bars).assign(ticker=f"T{at:03}") for at, bars in enumerate(panel)
    )
    # One round: no contender comes near.
    windows = best_of(1, lambda: pandas_windows(frame))
    out.append(_row("pandas groupby.rolling", 3, rows, windows))
    times = len(GROUPS["technical"].features) / 3
    guess = {name: value * times for name, value in windows.items()}
    out.append(_row("the same, extrapolated to 83 windows", 83, rows, guess))
    one = pd.DataFrame(panel[0])
    columns = ta_features(one).shape[1] - one.shape[1]
    out.append(
        _row("ta package, one ticker", columns, sessions, best_of(1, lambda: ta_features(one)))
    )
    for row in out:
        row["times_slower"] = out[0]["rows_a_cpu_second"] / row["rows_a_cpu_second"]
    return out


def _row(name: str, columns: int, rows: int, figures: dict[str, float]) -> dict[str, Any]:
    return {
        "contender": name,
        "columns": columns,
        "rows": rows,
        **figures,
        "rows_a_cpu_second": rows / figures["cpu_seconds"],
        "rows_a_wall_second": rows / figures["wall_seconds"],
        "values_a_cpu_second": rows * columns / figures["cpu_seconds"],
    }


def print_table(table: list[dict[str, Any]]) -> None:
    """Print the figures for people."""
    print(
        f"{'':38}{'columns':>8}{'rows':>11}{'CPU s':>9}{'wall s':>9}{'rows/CPU s':>13}{'ratio':>9}"
    )
    for row in table:
        print(
            f"{row['contender']:38}{row['columns']:>8}{row['rows']:>11,}"
            f"{row['cpu_seconds']:>9.2f}{row['wall_seconds']:>9.2f}"
            f"{row['rows_a_cpu_second']:>13,.0f}{row['times_slower']:>9.2f}"
        )
    ours = table[0]
    print("ratio: how many times the CPU seconds a row takes of optrade's")
    print(
        f"goal {GOAL_ROWS_A_SECOND:,} rows/s on one core: got {ours['rows_a_cpu_second']:,.0f} "
        f"(wall {ours['rows_a_wall_second']:,.0f})"
    )
    shared, floor = table[1]["cpu_seconds"], table[2]["cpu_seconds"]
    print(f"goal {GOAL_TIMES_FLOOR:g} times TA-Lib alone for what it has: got {shared / floor:.2f}")
    print(f"goal under {GOAL_GIB:g} GiB: peak resident memory {ours['peak_rss_gib']:.2f} GiB")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tickers", type=int, default=500)
    parser.add_argument("--sessions", type=int, default=5000)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    table = measure(arguments.tickers, arguments.sessions, arguments.rounds)
    if arguments.json:
        goals = {
            "rows_a_cpu_second": GOAL_ROWS_A_SECOND, "peak_rss_gib": GOAL_GIB,
            "times_floor": GOAL_TIMES_FLOOR,
        }  # fmt: skip
        print(json.dumps({"goals": goals, "contenders": table}, indent=2))
        return
    print_table(table)


if __name__ == "__main__":
    main()
