"""Whether training tells the truth: markets of known signal, trained on and judged by the gate.

`python -m benchmarks.honesty [--model WORD] [--json]` simulates markets by seed, computes their
features with the functions that the store is built by, trains a direction model on each and
compares what it finds with the true odds of the same sessions. It ends with code 1 if a bound is
broken: with no signal, a mean pooled AUC within two standard errors of 0.5 and at most 10
promotions of 100; with a planted one, a mean AUC within 0.02 of the best possible, and promotion.
The recipe was chosen on seeds from 1000 on, which are not among those reported.
"""

import argparse
import json
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from functools import partial
from typing import Final

import numpy as np
import pandas as pd
import polars as pl

from ingestion.sources.simulated.source import Simulated
from ingestion.sources.simulated.truth import best_score
from ingestion.tables.catalogue import PRICES, TABLES
from ingestion.tables.frames import LANDED, typed, utc
from ingestion.views.catalogue import VIEW_OF
from ingestion.views.compute import compute
from ingestion.views.raw import Raw, first_landings
from market.calendar import decision_time
from market.underlyings import MARKET
from training.settings import Settings
from training.tasks.direction import DIRECTION
from training.tasks.scores import auc
from training.walk import Trained, walk

VIEWS: Final = ("technical", "iv", "macro")  # what the service `direction` reads
TICKER: Final = "SPY"
STRENGTH: Final = 0.4
NULL_SEEDS: Final = 100
PLANTED_SEEDS: Final = 20
MOST_PROMOTED: Final = 0.10
MOST_MISSED: Final = 0.02
STANDARD_ERRORS: Final = 2.0
RESAMPLES: Final = 500  # of the gate's bound; more move it by less than its own spread
ODDS_PATHS: Final = 1024


@dataclass(frozen=True)
class Span:
    """Sessions of a profile: where history, and the window of the walk-forward, start; the end.

    Most of the history lies before the window: the first fold then has enough to be fitted on.
    """

    first: str = "1992-01-02"
    window: str = "2008-01-02"
    last: str = "2024-12-31"


@dataclass(frozen=True)
class Trial:
    """What a training found in one market, and what was there.

    Attributes
    ----------
    auc, fold_mean
        Pooled out-of-fold AUC of decided sessions, and the mean of the folds' own.
    best
        AUC of the true odds on the same sessions and outcomes; half without a signal.
    expected
        The AUC to be expected of them before the outcomes.
    """

    seed: int
    auc: float
    fold_mean: float
    best: float
    expected: float
    promoted: bool


@dataclass(frozen=True)
class Row:
    """A line of the table: trials of one strength, the bounds on them, and whether they hold."""

    market: str
    seeds: int
    auc: float
    error: float
    fold_mean: float
    best: float
    expected: float
    promoted: int
    bound: str
    holds: bool


def training_frame(source: Simulated, ticker: str) -> pd.DataFrame:
    """Return `ticker`, `session` and the features of a simulated market, without a home.

    The views are computed from the source's rows by what a build computes them with, and joined
    by session: in a backfill every row is known by the time that a training reads it.
    """
    rows: dict[str, dict[tuple[str, str], pl.DataFrame]] = {"ticker": {}, "market": {}}
    keys = {"ticker": ticker, "market": MARKET}
    for view in (VIEW_OF[name] for name in VIEWS):
        needed = view.needs(keys[view.entity])
        rows[view.entity] |= {name: _landed(source, *name) for name in needed}
    sessions = first_landings(rows["ticker"][PRICES.name, ticker])
    parts = {
        name: pd.DataFrame(features, aligned.sessions)
        for entity, key in keys.items()
        for name, aligned, features in compute(Raw(entity, key, rows[entity], sessions))
    }
    frame = pd.concat([parts[view] for view in VIEWS], axis=1)
    frame = frame.rename_axis("session").reset_index()
    return frame.assign(ticker=ticker)


def run_trial(seed: int, strength: float, model: str, span: Span = Span()) -> Trial:
    """Return what a training finds in the market of a seed."""
    end = decision_time(pd.DatetimeIndex([span.last]))[0]
    source = Simulated(seed, strength, end, span.first)
    settings = Settings(TICKER, model_type=model, resamples=RESAMPLES)
    frame, prices = training_frame(source, TICKER), source.prices(TICKER)
    trained = walk(DIRECTION, frame, prices, settings, pd.Timestamp(span.window))
    pooled = trained.evidence.pooled
    best, expected = _possible(source, trained) if strength else (0.5, 0.5)
    return Trial(
        seed,
        pooled.scores["auc"],
        pooled.fold_mean["auc"],
        best,
        expected,
        trained.evidence.verdict.promoted,
    )


def null_row(trials: Sequence[Trial]) -> Row:
    """Return the line of markets without a signal: nothing is found, little is promoted."""
    most = int(MOST_PROMOTED * len(trials))
    row = _row("no signal", trials, f"AUC 0.5 +- 2 s.e., promoted <= {most}")
    near = abs(row.auc - 0.5) <= STANDARD_ERRORS * row.error
    return _judged(row, holds=near and row.promoted <= most)


def planted_row(trials: Sequence[Trial], strength: float = STRENGTH) -> Row:
    """Return the line of markets with a signal: what is there is found, and promoted."""
    row = _row(f"signal {strength}", trials, f"AUC >= best - {MOST_MISSED}, promoted {len(trials)}")
    found = row.best - row.auc <= MOST_MISSED
    return _judged(row, holds=found and row.promoted == len(trials))


def table(rows: Sequence[Row]) -> str:
    """Return the lines as text."""
    head = f"{'market':<12}{'seeds':>6}{'AUC':>8}{'s.e.':>8}{'of folds':>10}{'best':>8}"
    head += f"{'expected':>10}{'promoted':>10}  bound"
    return "\n".join([head, *map(_line, rows)])


def main() -> None:
    """Run the full profile and print its table."""
    parser = argparse.ArgumentParser(description="Whether training tells the truth.")
    parser.add_argument("--model", default="ridge", help="model type (default ridge)")
    parser.add_argument("--first-seed", type=int, default=0, help="first seed (default 0)")
    parser.add_argument("--jobs", type=int, help="processes (default: one a core)")
    parser.add_argument("--json", action="store_true", help="print every trial as JSON")
    chosen = parser.parse_args()
    with ProcessPoolExecutor(chosen.jobs) as pool:
        trials = [
            list(pool.map(partial(run_trial, strength=strength, model=chosen.model), seeds))
            for strength, seeds in (
                (0.0, range(chosen.first_seed, chosen.first_seed + NULL_SEEDS)),
                (STRENGTH, range(chosen.first_seed, chosen.first_seed + PLANTED_SEEDS)),
            )
        ]
    rows = [null_row(trials[0]), planted_row(trials[1])]
    if chosen.json:
        each = [[asdict(trial) for trial in several] for several in trials]
        print(json.dumps({"rows": [asdict(row) for row in rows], "trials": each}))
    else:
        print(f"direction model {chosen.model}, {TICKER}, {asdict(Span())}")
        print(table(rows))
    raise SystemExit(0 if all(row.holds for row in rows) else 1)


def _line(row: Row) -> str:
    figures = (
        f"{row.market:<12}{row.seeds:>6}{row.auc:>8.4f}{row.error:>8.4f}{row.fold_mean:>10.4f}"
        f"{row.best:>8.4f}{row.expected:>10.4f}{row.promoted:>10}"
    )
    return f"{figures}  {row.bound}: {'holds' if row.holds else 'BROKEN'}"


def _possible(source: Simulated, trained: Trained) -> tuple[float, float]:
    """Return the AUC of the true odds on the tested sessions: as it came, and as expected."""
    decided = trained.tested.decided
    odds = source.odds(TICKER, ODDS_PATHS).loc[pd.DatetimeIndex(trained.tested.sessions[decided])]
    up, down = odds["up"].to_numpy(), odds["down"].to_numpy()
    one = np.ones((1, len(odds)))
    came = float(auc(trained.tested.labels[decided], up / (up + down), one)[0])
    return came, best_score(up, down).auc


def _landed(source: Simulated, name: str, key: str) -> pl.DataFrame:
    shape = TABLES[name]
    rows = shape.check(source.fetch(name, [key], None, source.last_session()))
    return typed(shape, rows).with_columns(pl.lit(utc(source.as_of)).alias(LANDED))


def _row(market: str, trials: Sequence[Trial], bound: str) -> Row:
    found = np.array([trial.auc for trial in trials])
    return Row(
        market,
        len(trials),
        float(found.mean()),
        float(found.std(ddof=1) / np.sqrt(len(found))),
        float(np.mean([trial.fold_mean for trial in trials])),
        float(np.mean([trial.best for trial in trials])),
        float(np.mean([trial.expected for trial in trials])),
        sum(trial.promoted for trial in trials),
        bound,
        holds=False,
    )


def _judged(row: Row, *, holds: bool) -> Row:
    return Row(**{**asdict(row), "holds": holds})


if __name__ == "__main__":
    main()
