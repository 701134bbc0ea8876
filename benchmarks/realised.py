"""The volatility expected of the next 21 sessions: its coefficients, and what they are worth.

`python -m benchmarks.realised RECORDED` fits `feature_repo.features.option_chain.forecast` on SPY,
QQQ and IWM of a folder of recorded data, on sessions whose 21 ended before 2019, and judges the
coefficients in the code on those from 2019 on, beside the volatility of the last 21 sessions.
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd

from feature_repo.features.option_chain.forecast import AHEAD, FORECAST, LogHar, expected_volatility
from feature_repo.features.technical.variance import VARIANCE, VARIANCE_WINDOWS
from feature_repo.features.technical.volatility import SESSIONS_A_YEAR
from market.adjust import adjust

TICKERS = ("SPY", "QQQ", "IWM")
FIRST_JUDGED = "2019-01-01"
LOGS = [f"log_variance_{n}" for n in VARIANCE_WINDOWS]


def rows(recorded: Path, ticker: str) -> pd.DataFrame:
    """Return a ticker's sessions of which is known what came.

    The logs of its variances, the mean squared log-return of the close over the 21 sessions before
    and after, and the session that these end with.
    """
    file = pd.read_csv(recorded / "yahoo" / f"{ticker}.csv", index_col="Date", parse_dates=True)
    raw = {
        name.lower(): file[name].to_numpy(float)
        for name in ("Open", "High", "Low", "Close", "Volume")
    }
    dividend = file["Dividends"].to_numpy(float)
    bars = adjust(**raw, dividend=dividend, split=np.ones(len(file)))
    frame = pd.DataFrame(VARIANCE.compute(bars), index=file.index)[LOGS]
    squared = pd.Series(np.log(bars["close"]), file.index).diff() ** 2
    before = squared.rolling(AHEAD).mean()
    end = file.index.to_series().shift(-AHEAD)
    return frame.assign(ticker=ticker, before=before, after=before.shift(-AHEAD), end=end).dropna()


def fitted(known: pd.DataFrame) -> LogHar:
    """Return the least squares of the log of what came."""
    inputs = np.column_stack([np.ones(len(known)), known[LOGS]])
    target = np.log(known["after"].to_numpy())
    solved, *_ = np.linalg.lstsq(inputs, target, rcond=None)
    intercept, *weights = solved.round(3).tolist()
    jensen = float(np.var(target - inputs @ solved)) / 2.0
    return LogHar(intercept, tuple(weights), round(jensen, 3))


def scores(forecast: np.ndarray, came: np.ndarray) -> tuple[float, float]:
    """Return the QLIKE of variances, and the mean squared error of volatilities in points."""
    ratio = came / forecast
    errors = 100 * np.sqrt(SESSIONS_A_YEAR) * (np.sqrt(came) - np.sqrt(forecast))
    return float(np.mean(ratio - np.log(ratio) - 1.0)), float(np.mean(errors**2))


def report(name: str, judged: pd.DataFrame) -> None:
    """Print what the code's coefficients are worth on some sessions."""
    logs = (judged[column].to_numpy() for column in LOGS)
    expected = (expected_volatility(*logs) / 100.0) ** 2 / SESSIONS_A_YEAR
    came, before = judged["after"].to_numpy(), judged["before"].to_numpy()
    ours, theirs = scores(expected, came), scores(before, came)
    share = expected.mean() / came.mean()
    print(f"  {name:>4} {len(judged):6,} {ours[0]:7.3f} {theirs[0]:9.3f} "
          f"{1 - ours[1] / theirs[1]:9.2f} {share:7.2f}")  # fmt: skip


def main() -> int:
    """Fit, judge and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("recorded", type=Path)
    found = pd.concat([rows(parser.parse_args().recorded, ticker) for ticker in TICKERS])
    known, judged = found[found["end"] < FIRST_JUDGED], found[found.index >= FIRST_JUDGED]
    print(f"fitted on {len(known):,} sessions before {FIRST_JUDGED}: {fitted(known)}")
    print(f"in the code: {FORECAST}")
    print(f"from {FIRST_JUDGED} on: sessions, QLIKE, that of the last {AHEAD} sessions, R2 of the "
          "volatility against that, variance expected over what came")  # fmt: skip
    for name, part in [*judged.groupby("ticker", sort=False), ("all", judged)]:
        report(str(name), part)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
