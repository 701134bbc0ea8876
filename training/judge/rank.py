"""How good forecasts of the IV rank itself are, in index points, and the newest of them. Pure.

A distribution forecast is scored by the continuous ranked probability score
(Gneiting and Raftery 2007), beside what the rank did before: today's rank plus the changes that
followed the sessions of the training part.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float64

from forecasters.paths import Paths
from home.records.evidence import standing_of
from home.records.training.measured import Difference
from home.records.training.rank import NewestRank, RankEvidence, RankFold, RankVerdict, RankWindow
from market.bootstrap import interval
from training.fit.fit import Fit
from training.frames.folds import Fold
from training.frames.rows import Rows
from training.judge.gate import gain
from training.judge.measures import session_weights
from training.settings import Settings
from training.tasks.rank import MODEL, RANK

LEVEL: Final = 0.8  # of the interval: from the 10 % to the 90 % quantile of the paths
QUANTILES: Final = ((1.0 - LEVEL) / 2.0, 0.5, (1.0 + LEVEL) / 2.0)
METRIC: Final = "crps"
BASELINE: Final = "persistence"
RANK_BOUNDS: Final = (0.0, 100.0)


@dataclass(frozen=True)
class RankScores:
    """Figures of each forecast session, in index points.

    Attributes
    ----------
    crps, error
        Score, and distance of the median from what happened; shape (n_rows,).
    inside
        Whether the interval held what happened; shape (n_rows,).
    width
        Of the interval; shape (n_rows,).
    """

    crps: Float64[np.ndarray, " n_rows"]
    error: Float64[np.ndarray, " n_rows"]
    inside: Bool[np.ndarray, " n_rows"]
    width: Float64[np.ndarray, " n_rows"]

    def points(self) -> dict[str, float]:
        """Return the means, and the root mean square of the error."""
        return {
            METRIC: float(self.crps.mean()),
            "mae": float(np.abs(self.error).mean()),
            "rmse": float(np.sqrt((self.error**2).mean())),
            "coverage": float(self.inside.mean()),
            "width": float(self.width.mean()),
        }


def rank_evidence(
    settings: Settings,
    rows: Rows,
    folds: Sequence[Fold],
    fits: Sequence[Fit],
    newest: NewestRank | None,
) -> RankEvidence:
    """Return how well the paths forecast the rank out of fold, and the newest forecast.

    Parameters
    ----------
    rows
        All labelled sessions.
    folds, fits
        The walk-forward, and what each training part fitted.
    newest
        As `newest_rank` gives it.
    """
    scored = [_score_fold(rows, fold, fit) for fold, fit in zip(folds, fits, strict=True)]
    model, baseline = (_joined([pair[at] for pair in scored]) for at in (0, 1))
    difference = _difference(model, baseline, settings)
    return RankEvidence(
        ticker=settings.ticker,
        model=MODEL,
        task=RANK.name,
        unit="index points",
        feature_service=settings.feature_service,
        settings=RANK.document(settings),
        window=_window(rows, folds, len(model.crps)),
        folds=[_fold(rows, *part) for part in zip(folds, scored, strict=True)],
        pooled=model.points(),
        baselines={BASELINE: baseline.points()},
        difference={BASELINE: difference},
        level=LEVEL,
        forecast=newest,
        verdict=_verdict(difference, model),
    )


def newest_rank(frame: pd.DataFrame, settings: Settings, fit: Fit) -> NewestRank | None:
    """Return the forecast from the last session of the frame that has all inputs, if one has."""
    mine = frame[frame["ticker"] == settings.ticker].sort_values("session")
    values = mine[list(fit.selection.names)].to_numpy(np.float64)
    complete = np.flatnonzero(np.isfinite(values).all(axis=1))
    if not len(complete):
        return None
    last = complete[-1:]
    low, middle, high = np.quantile(_simulation(fit).ranks(values[last])[0], QUANTILES)
    return NewestRank(
        session=str(mine["session"].iloc[last[0]].date()),
        sessions_ahead=settings.horizon,
        median=float(middle),
        low=float(low),
        high=float(high),
        level=LEVEL,
    )


def _difference(model: RankScores, baseline: RankScores, settings: Settings) -> Difference:
    """Return by how much the model's score is better, with its interval."""
    weights = session_weights(len(model.crps), settings.resamples, settings.seed)
    gain = weights @ (baseline.crps - model.crps) / len(model.crps)
    spread = interval(gain[1:])
    return Difference(
        metric=METRIC,
        model=float(model.crps.mean()),
        baseline_value=float(baseline.crps.mean()),
        value=float(gain[0]),
        interval=None if spread is None else [spread.low, spread.high],
        bound=None if spread is None else spread.bound,
    )


def _fold(rows: Rows, fold: Fold, pair: tuple[RankScores, RankScores]) -> RankFold:
    return RankFold(
        test_start=_day(rows.sessions[fold.test[0]]),
        test_end=_day(rows.sessions[fold.test[-1]]),
        scores=pair[0].points(),
        baselines={BASELINE: pair[1].points()},
    )


def crps(draws: Float64[np.ndarray, " n_draws"], outcome: float) -> float:
    """Return the score of equally likely draws, in their unit; 0 is best.

    E|X - y| - E|X - X'| / 2 (Gneiting and Raftery 2007, equation 21), from sorted draws.

    Parameters
    ----------
    draws
        Shape (n_draws,).
    outcome
        What happened.
    """
    ordered = np.sort(draws)
    count = len(ordered)
    place = 2.0 * np.arange(1, count + 1) - count - 1.0
    return float(np.abs(ordered - outcome).mean() - (place @ ordered) / count**2)


def _simulation(fit: Fit) -> Paths:
    if not isinstance(fit.parameters, Paths):
        raise TypeError(f"{fit.word} simulates no paths")
    return fit.parameters


def _score_fold(rows: Rows, fold: Fold, fit: Fit) -> tuple[RankScores, RankScores]:
    """Return the scores of the paths and of the baseline on a test part."""
    ends = np.where(rows.tested, rows.outcome, np.nan)
    usable = fit.selection.usable(rows.values) & np.isfinite(ends) & np.isfinite(rows.today)
    test = fold.test[usable[fold.test]]
    changes = (ends - rows.today)[fold.train]
    before = changes[np.isfinite(changes)]
    simulation = _simulation(fit)
    chosen = rows.values[test][:, fit.selection.columns]
    paths = (simulation.ranks(chosen[at : at + 1])[0] for at in range(len(test)))
    same = (np.clip(rows.today[at] + before, *RANK_BOUNDS) for at in test)
    return _scores(paths, ends[test]), _scores(same, ends[test])


def _scores(
    draws: Iterable[Float64[np.ndarray, " _n_draws"]], outcome: Float64[np.ndarray, " n_rows"]
) -> RankScores:
    """Return the figures of draws that are made row by row, as all at once are too many."""
    figures = []
    for drawn, happened in zip(draws, outcome, strict=True):
        low, middle, high = np.quantile(drawn, QUANTILES)
        inside = low <= happened <= high
        figures.append((crps(drawn, happened), middle - happened, inside, high - low))
    table = np.array(figures, dtype=np.float64).reshape(-1, 4)
    return RankScores(table[:, 0], table[:, 1], table[:, 2] > 0, table[:, 3])


def _joined(parts: Sequence[RankScores]) -> RankScores:
    names = ("crps", "error", "inside", "width")
    return RankScores(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))


def _window(rows: Rows, folds: Sequence[Fold], scored: int) -> RankWindow:
    mine = rows.sessions[rows.tested]
    return RankWindow(
        start=_day(mine[0]),
        end=_day(mine[-1]),
        sessions=len(mine),
        trained_from=_day(rows.sessions[0]),
        tested=sum(len(fold.test) for fold in folds),
        tested_decided=scored,
    )


def _verdict(difference: Difference, model: RankScores) -> RankVerdict:
    bound = difference.bound
    proven = bound is not None and bound > 0.0
    standing = standing_of(proven, difference.interval)
    low, high = difference.interval or (float("nan"), float("nan"))
    words = (
        f"{standing}: score {difference.model:.2f} points against "
        f"persistence's {difference.baseline_value:.2f}, {gain(difference.value, 2)} "
        f"(95 % interval {low:+.2f} to {high:+.2f}); the {LEVEL:.0%} interval held "
        f"{model.inside.mean():.1%} of {len(model.crps)} sessions"
    )
    return RankVerdict(proven=proven, standing=standing, words=words)


def _day(session: np.datetime64) -> str:
    return str(np.datetime_as_string(session, unit="D"))
