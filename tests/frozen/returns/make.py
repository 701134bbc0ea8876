"""What `quantstats` 0.0.86 says of daily returns: `python make.py`, where it installs.

Returns are passed, never prices: it guesses which of the two it got.
"""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import quantstats as qs

HERE = Path(__file__).parent


def said(returns):
    days = pd.bdate_range("2015-01-02", periods=len(returns))
    series = pd.Series(returns, index=days)
    # The first height is the capital: it says of a first day that lost that it is no fall.
    whole = pd.concat([pd.Series([0.0], index=[days[0] - pd.Timedelta(days=1)]), series])
    return {
        "total": qs.stats.comp(series),
        "deviation": qs.stats.volatility(series, periods=252, prepare_returns=False),
        "sharpe": qs.stats.sharpe(series, periods=252),
        "sortino": qs.stats.sortino(series, periods=252),
        "drawdown": -qs.stats.max_drawdown((1.0 + whole).cumprod()),
    }


def main():
    rng = np.random.default_rng(20)
    made = {
        "gains": 0.0006 + 0.01 * rng.standard_t(5, 1200),
        "losses": -0.0015 + 0.012 * rng.standard_normal(700),
        "calm": 0.0002 + 0.001 * rng.standard_normal(300),
        "short": np.array([0.01, -0.02, 0.015]),
    }
    rows = [
        {"returns": np.round(one, 6).tolist(), **said(np.round(one, 6))} for one in made.values()
    ]
    text = json.dumps(dict(zip(made, rows, strict=True)), default=float)
    (HERE / "quantstats.json").write_text(text)


if __name__ == "__main__":
    main()
