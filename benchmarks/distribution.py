"""The distribution at the horizon on recorded data, walk-forward, beside its baselines.

`python -m benchmarks.distribution [--recorded-dir DIR] [--tickers SPY,QQQ] [--start 2011-01-03]
[--end 2025-06-30] [--no-gjr] [--json]` fits anew every 21 sessions on all that was known then, and
scores every session in between at 5, 10 and 21 sessions: skill in percent of the CRPS, with its
95 % interval (stationary block bootstrap), gain of the log score in nats, coverage of the central
90 %. Baselines are the lognormal of the volatility index with fitted scale and drift, what returns
have been, and GJR-t (Glosten, Jagannathan and Runkle 1993; `arch`), simulated.
"""

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from feature_repo.features.catalogue import GROUPS
from forecasters.returns import PROBABILITIES
from market.adjust import RAW_PRICES, adjust
from market.bootstrap import interval
from market.underlyings import UNDERLYINGS
from training.distribution import BASELINES
from training.frames.return_rows import HORIZONS, LONGEST, ReturnRows, pooled_returns, return_rows
from training.judge.measures import session_weights
from training.judge.returns import ReturnScores, joined, score, scores_of
from training.models.returns import INPUTS, fit_returns

REFIT = 21
MODEL = "log_har"
GJR = "gjr_t"
DRAWS = 2_000
SEED = 0
POOLED = ("SPY", "QQQ")
DEFAULT = Path(__file__).resolve().parents[2] / "shared" / "data" / "recorded"


def recorded_prices(folder: Path, ticker: str) -> pd.DataFrame:
    """Return the raw rows of a ticker; Yahoo's prices are split-adjusted already."""
    rows = pd.read_csv(folder / "yahoo" / f"{ticker}.csv", parse_dates=["Date"])
    rows = rows.rename(columns=str.lower).rename(
        columns={"dividends": "dividend", "date": "session"}
    )
    return rows.assign(split=1.0)[["session", *RAW_PRICES]].astype(
        dict.fromkeys(RAW_PRICES, np.float64)
    )


def recorded_rows(folder: Path, ticker: str) -> ReturnRows:
    """Return every session of a ticker with what came of it."""
    prices = recorded_prices(folder, ticker)
    days = pd.DatetimeIndex(prices["session"])
    index = UNDERLYINGS[ticker].volatility_index
    quotes = pd.read_csv(folder / "cboe" / f"{index}.csv", parse_dates=["Date"], index_col="Date")
    level = quotes.rename(columns=str.lower)["close"].reindex(days).to_numpy(np.float64)
    bars = adjust(**{name: prices[name].to_numpy() for name in RAW_PRICES})
    features = {"vix_close": level} | GROUPS["variance"].compute(bars)
    frame = pd.DataFrame({name: features[name] for name in INPUTS})
    frame = frame.assign(ticker=ticker, session=days)
    return return_rows(frame, prices, ticker)


def parts(rows: ReturnRows, start: str, end: str) -> Iterator[tuple[ReturnRows, ReturnRows]]:
    """Yield what is known at a refit, and the sessions until the next one."""
    tested = rows.tested & rows.usable & (rows.sessions <= np.datetime64(end))
    tested &= rows.sessions >= np.datetime64(start)
    places = np.flatnonzero(tested)
    for first in range(0, len(places), REFIT):
        test = places[first : first + REFIT]
        known = rows.usable & (rows.label_ends < rows.sessions[test[0]])
        yield rows.where(np.flatnonzero(known)), rows.where(test)


def walk(folder: Path, ticker: str, start: str, end: str, *, gjr: bool) -> dict[str, ReturnScores]:
    """Return the figures of the model and of every baseline, session by session."""
    own, *others = [recorded_rows(folder, one) for one in dict.fromkeys((ticker, *POOLED))]
    rows = pooled_returns(own, others)
    found: dict[str, list[ReturnScores]] = {}
    tested = []
    for train, test in parts(rows, start, end):
        fitted = {MODEL: fit_returns(train)}
        fitted |= {name: fit(train) for name, fit in BASELINES.items()}
        for name, model in fitted.items():
            found.setdefault(name, []).append(score(model, test))
        tested.append(test)
    if gjr:
        found[GJR] = [_gjr(recorded_prices(folder, ticker), test) for test in tested]
    return {name: joined(every) for name, every in found.items()}


def _gjr(prices: pd.DataFrame, test: ReturnRows) -> ReturnScores:
    """Return the figures of GJR-t: fitted to the sessions before, filtered to each of the test."""
    from arch import arch_model

    bars = adjust(**{name: prices[name].to_numpy() for name in RAW_PRICES})
    days = prices["session"].to_numpy()[1:]
    moves = 100.0 * np.diff(np.log(bars["close"]))
    last = int(np.searchsorted(days, test.sessions[-1], side="right"))
    first = int(np.searchsorted(days, test.sessions[0], side="right"))
    model = arch_model(moves[:last], mean="Constant", vol="GARCH", p=1, o=1, q=1, dist="t")
    fitted = model.fit(last_obs=first, disp="off", show_warning=False)
    at = np.searchsorted(days, test.sessions, side="right") - 1
    mu, omega, alpha, gamma, beta, nu = fitted.params.to_numpy()
    variance = model.fix(fitted.params.to_numpy()).conditional_volatility[at] ** 2
    shock = moves[at] - mu
    rng = np.random.default_rng(SEED)
    noise = rng.standard_t(nu, (LONGEST, len(at), DRAWS)) * np.sqrt((nu - 2.0) / nu)
    ahead = (omega + (alpha + gamma * (shock < 0)) * shock**2 + beta * variance)[:, None]
    total = np.zeros((len(at), DRAWS))
    pairs = []
    for session in range(LONGEST):
        move = np.sqrt(ahead) * noise[session]
        total += mu + move
        ahead = omega + (alpha + gamma * (move < 0)) * move**2 + beta * ahead
        if session + 1 in HORIZONS:
            said = np.quantile(total / 100.0, PROBABILITIES, axis=1).T
            pairs.append((said, test.returns[:, len(pairs)]))
    return scores_of(pairs)


def figures(found: dict[str, ReturnScores], resamples: int = 1_000) -> list[dict[str, Any]]:
    """Return a row for each horizon and baseline."""
    model = found[MODEL]
    weights = session_weights(len(model.crps), resamples, SEED)
    rows = []
    for at, horizon in enumerate(HORIZONS):
        for name in found.keys() - {MODEL}:
            mine, other = weights @ model.crps[:, at], weights @ found[name].crps[:, at]
            skill = 100.0 * (1.0 - mine / other)
            gain = weights @ (model.log_score - found[name].log_score)[:, at] / len(model.crps)
            skills, gains = interval(skill[1:]), interval(gain[1:])
            rows.append({
                "sessions_ahead": horizon, "against": name, "rows": len(model.crps),
                "crps_skill": float(skill[0]), "crps_interval": [skills.low, skills.high],
                "log_gain": float(gain[0]), "log_interval": [gains.low, gains.high],
                "coverage": float(model.inside[:, at].mean()),
                "its_coverage": float(found[name].inside[:, at].mean()),
            })  # fmt: skip
    return sorted(rows, key=lambda row: (row["against"], row["sessions_ahead"]))


def main() -> None:
    """Print the figures of each ticker."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--recorded-dir", type=Path, default=DEFAULT)
    parser.add_argument("--tickers", default="SPY,QQQ")
    parser.add_argument("--start", default="2011-01-03")
    parser.add_argument("--end", default="2025-06-30")
    parser.add_argument("--no-gjr", action="store_true")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    found = {}
    for ticker in asked.tickers.split(","):
        scored = walk(asked.recorded_dir, ticker, asked.start, asked.end, gjr=not asked.no_gjr)
        found[ticker] = figures(scored)
    if asked.json:
        print(json.dumps(found))
        return
    print("ticker  ahead  against           CRPS skill %            log score gain        "
          "cover 90 %  its")  # fmt: skip
    for ticker, rows in found.items():
        for row in rows:
            (low, high), (least, most) = row["crps_interval"], row["log_interval"]
            print(
                f"{ticker:7} {row['sessions_ahead']:5}  {row['against']:16} "
                f"{row['crps_skill']:5.2f} [{low:5.2f}, {high:5.2f}]   "
                f"{row['log_gain']:+.4f} [{least:+.4f}, {most:+.4f}]  "
                f"{row['coverage']:.3f}    {row['its_coverage']:.3f}"
            )


if __name__ == "__main__":
    main()
