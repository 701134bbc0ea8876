"""How sure the path simulation is in rare weeks: its tails, and its worst week beside the table's.

`OPTRADE_HOME=home python -m benchmarks.tails [--tickers SPY,QQQ] [--start 2011-01-03]
[--end 2023-06-30] [--from DAY] [--spreads 1.0,1.15] [--json]` walks five folds forward, or fits
once on what was known before `--from` and tests what follows, and simulates with paths of each
spread: share of ranks that the 98 % interval held, mean log loss below the transition table's, and
the most that five sessions in a row cost beyond the table, beside what a mean year gains, in nats.
"""

import argparse
import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from forecasters.paths import Paths
from optrade.flows.train.jobs import Job, home_recipe
from optrade.runtime import Runtime, runtime
from training.fit.fit import Fit
from training.frames.folds import Fold
from training.models.paths import SPREAD
from training.models.transition_table import fit_table
from training.settings import Settings
from training.tasks.regime import REGIME
from training.tasks.scores import row_log_loss
from training.walk import Recipe

LEVEL = 0.98
WEEK, YEAR = 5, 252


def recipe_of(run: Runtime, ticker: str, start: str, end: str) -> Recipe:
    """Return the recipe of the paths of a ticker, pooled and with history."""
    job = Job(REGIME, Settings(ticker, "paths", pooled=True, history=True)).resolved()
    return home_recipe(run, job, pd.Timestamp(start), pd.Timestamp(end))


def folds_of(made: Recipe, first: str | None) -> tuple[Fold, ...]:
    """Return the folds of the window, or the one that begins on a day."""
    if first is None:
        return made.folds()
    rows, day = made.rows, np.datetime64(first)
    train = np.flatnonzero((rows.sessions < day) & (rows.label_ends < day))
    return (Fold(train, np.flatnonzero(rows.tested & (rows.sessions >= day))),)


def widened(model: Paths, spread: float) -> Paths:
    """Return a simulation whose paths are of another spread."""
    paths = np.asarray(model.paths) * (spread / SPREAD)
    return Paths.model_validate({**model.model_dump(), "paths": paths.tolist()})


def figures(made: Recipe, first: str | None, spreads: list[float]) -> Iterator[dict[str, Any]]:
    """Yield the figures of each spread."""
    rows, tail = made.rows, (1.0 - LEVEL) / 2.0
    losses: dict[float, list[np.ndarray]] = {spread: [] for spread in spreads}
    held: dict[float, list[np.ndarray]] = {spread: [] for spread in spreads}
    table = []
    for fold in folds_of(made, first):
        fit = made.fit(fold.train).fit
        if not isinstance(fit, Fit) or not isinstance(fit.parameters, Paths):
            raise TypeError(f"{fit.word} simulates no paths")
        test = fold.test[fit.selection.usable(rows.values)[fold.test]]
        own = fold.train[(rows.labels[fold.train] >= 0) & rows.tested[fold.train]]
        said = fit_table(rows.labels[own], rows.today[own]).chances(rows.today[test][:, None])
        table.append(row_log_loss(rows.labels[test], said.probabilities))
        chosen = rows.values[test][:, fit.selection.columns]
        for spread in spreads:
            found = widened(fit.parameters, spread).chances(chosen)
            low, high = np.quantile(found.ranks, [tail, 1.0 - tail], axis=1)
            held[spread].append((rows.outcome[test] >= low) & (rows.outcome[test] <= high))
            losses[spread].append(row_log_loss(rows.labels[test], found.probabilities))
    base = np.concatenate(table)
    for spread in spreads:
        beyond = np.concatenate(losses[spread]) - base
        weeks = np.convolve(beyond, np.ones(WEEK), "valid")
        yield {
            "spread": spread, "sessions": len(base),
            "held": float(np.concatenate(held[spread]).mean()),
            "below_table": float(-100.0 * beyond.mean() / base.mean()),
            "worst_week": float(weeks.max()), "gain_a_year": float(-YEAR * beyond.mean()),
        }  # fmt: skip


def main() -> None:
    """Print the figures of each ticker."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tickers", default="SPY,QQQ")
    parser.add_argument("--start", default="2011-01-03")
    parser.add_argument("--end", default="2023-06-30")
    parser.add_argument("--from", dest="first")
    parser.add_argument("--spreads", default=f"1.0,{SPREAD}")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    spreads, run = [float(one) for one in asked.spreads.split(",")], runtime()
    found = {
        ticker: list(figures(recipe_of(run, ticker, asked.start, asked.end), asked.first, spreads))
        for ticker in asked.tickers.split(",")
    }
    if asked.json:
        print(json.dumps(found))
        return
    print("ticker  spread  sessions  98 % held  below table %  worst week  gain a year")
    for ticker, every in found.items():
        for row in every:
            print(
                f"{ticker:7} {row['spread']:6.2f} {row['sessions']:9d} {row['held']:10.3f} "
                f"{row['below_table']:14.2f} {row['worst_week']:11.2f} {row['gain_a_year']:12.2f}"
            )


if __name__ == "__main__":
    main()
