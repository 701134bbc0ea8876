"""Walk-forward of the distribution of returns, then the fit that serves. Pure, given frames."""

from collections.abc import Sequence
from typing import Final

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from home.records.training.evidence import (
    FoldEvidence,
    FoldRows,
    Member,
    Pooled,
    TrainingEvidence,
    Window,
)
from home.records.training.judged import Gate
from home.records.training.measured import Measured
from market.errors import InputError
from training.fit.distribution import Distribution, fit_distribution
from training.frames.folds import Fold, walk_forward
from training.frames.return_rows import ReturnRows, pooled_returns, return_rows
from training.frames.rows import UnlabelledError, require_views
from training.judge.gate import judge
from training.judge.measures import session_weights
from training.judge.returns import ReturnsTested, measure_returns, score_fold
from training.models.returns import fit_history, fit_lognormal
from training.settings import Settings
from training.tasks.distribution import DISTRIBUTION, HISTORY, INDEX_LOGNORMAL
from training.walk import MIN_TEST_SESSIONS, FittedBaseline, Trained

#: What the gate takes the best of, and what serves where every version is refuted.
BASELINES: Final = {INDEX_LOGNORMAL: fit_lognormal, HISTORY: fit_history}


@threadpool_limits.wrap(limits=1)
def walk_returns(
    frame: pd.DataFrame,
    prices: pd.DataFrame,
    settings: Settings,
    window_start: pd.Timestamp | None = None,
) -> Trained:
    """Train the distribution of one ticker, and judge its recipe out of fold.

    Parameters
    ----------
    frame, prices, settings, window_start
        As of `walk.walk`.

    Raises
    ------
    InputError
        If the task does not have the settings, or there are too few sessions, or an empty view.
    """
    resolved = DISTRIBUTION.resolve(settings)
    rows = _rows(frame, prices, resolved, window_start)
    folds = walk_forward(
        rows.sessions, rows.label_ends, resolved.n_folds, MIN_TEST_SESSIONS, tested=rows.tested
    )
    fitted = tuple(fit_distribution(rows.where(fold.train)) for fold in folds)
    tested = _tested(rows, folds, fitted)
    final = fit_distribution(rows)
    usable = rows.where(rows.usable & rows.own)
    baseline = FittedBaseline(
        BASELINES[tested.gate](usable), usable.sessions[0], usable.sessions[-1], len(usable.own)
    )
    evidence = _evidence(resolved, rows, folds, fitted, final, tested)
    return Trained(
        DISTRIBUTION, resolved, final, fitted, tested.losses(), evidence, tested, baseline
    )


def _rows(
    frame: pd.DataFrame,
    prices: pd.DataFrame,
    settings: Settings,
    window_start: pd.Timestamp | None,
) -> ReturnRows:
    start = None if window_start is None else np.datetime64(window_start)
    rows = return_rows(frame, prices, settings.ticker).within(start)
    if not rows.tested.any():
        raise InputError(
            f"no session of {settings.ticker} from {start:.10} on of which is known what came: "
            "train on a longer period"
        )
    require_views(rows.names, rows.values[rows.tested])
    others = []
    for ticker in sorted(set(frame["ticker"]) - {settings.ticker}) if settings.pooled else ():
        try:
            others.append(return_rows(frame, prices, ticker))
        except UnlabelledError:
            continue  # an index that began later has none yet
    return pooled_returns(rows, others)


def _tested(
    rows: ReturnRows, folds: Sequence[Fold], fitted: Sequence[Distribution]
) -> ReturnsTested:
    parts = []
    for number, (fold, one) in enumerate(zip(folds, fitted, strict=True), 1):
        train = rows.where(fold.train)
        known = train.where(train.usable)
        baselines = {name: fit(known) for name, fit in BASELINES.items()}
        parts.append(score_fold(number, rows.where(fold.test), one.fit.model, baselines))
    found = ReturnsTested.joined(parts)
    if not found.scored.any():
        raise InputError(
            "no out-of-fold session could be scored: none has all features; train on a period "
            "that the features cover"
        )
    return found


def _measured(tested: ReturnsTested, settings: Settings, seed: int) -> Measured:
    weights = session_weights(len(tested.sessions), settings.resamples, seed)
    return measure_returns(tested.model, tested.baselines, tested.gate, weights[:, tested.scored])


def _evidence(
    settings: Settings,
    rows: ReturnRows,
    folds: Sequence[Fold],
    fitted: Sequence[Distribution],
    final: Distribution,
    tested: ReturnsTested,
) -> TrainingEvidence:
    pooled = _measured(tested, settings, settings.seed)
    parts = [
        _fold(settings, rows, fold, one, tested, number)
        for number, (fold, one) in enumerate(zip(folds, fitted, strict=True), 1)
    ]
    gate = Gate.against(tested.gate, pooled.difference[tested.gate])
    names = list(final.fit.selection.names)
    means = {name: float(np.mean([part.scores[name] for part in parts])) for name in pooled.scores}
    return TrainingEvidence(
        ticker=settings.ticker,
        model=settings.model_type,
        task=DISTRIBUTION.name,
        feature_service=settings.feature_service,
        settings=DISTRIBUTION.document(settings),
        window=_window(rows, tested),
        folds=parts,
        pooled=Pooled(scores=pooled.scores, fold_mean=means),
        baselines=pooled.baselines,
        difference=pooled.difference,
        comparison=pooled.comparison,
        gate=gate,
        features=names,
        mutual_information=dict.fromkeys(names),
        left_out={},
        constant=[],
        twins={},
        trained_rows=final.fit.rows,
        dropped_rows=final.fit.dropped,
        members=[Member(model=final.fit.word, weight=1.0, features=names)],
        threshold=None,
        warnings=[],
        champion=None,
        verdict=judge(gate),
    )


def _fold(
    settings: Settings,
    rows: ReturnRows,
    fold: Fold,
    one: Distribution,
    tested: ReturnsTested,
    number: int,
) -> FoldEvidence:
    mine = tested.of_fold(number)
    if not mine.scored.any():
        raise InputError(
            f"no session of fold {number} could be scored: none has all features; train on a "
            "period that the features cover"
        )
    measured = _measured(mine, settings, settings.seed + number)
    return FoldEvidence(
        fold=number,
        train_start=_day(rows.sessions[fold.train[0]]),
        train_end=_day(rows.sessions[fold.train[-1]]),
        test_start=_day(mine.sessions[0]),
        test_end=_day(mine.sessions[-1]),
        rows=FoldRows(
            train=one.fit.rows,
            train_dropped=one.fit.dropped,
            test=int(mine.scored.sum()),
            test_dropped=int((~mine.scored).sum()),
        ),
        scores=measured.scores,
        baselines={tested.gate: measured.baselines[tested.gate]},
        difference={tested.gate: measured.difference[tested.gate]},
        comparison=measured.comparison,
        features=list(one.fit.selection.names),
        threshold=None,
    )


def _window(rows: ReturnRows, tested: ReturnsTested) -> Window:
    mine = rows.sessions[rows.tested]
    scored = int(tested.scored.sum())
    return Window(
        start=_day(mine[0]),
        end=_day(mine[-1]),
        sessions=len(mine),
        decided=len(mine),
        trained_from=_day(rows.sessions[0]),
        trained_on=len(rows.sessions),
        tested=len(tested.sessions),
        tested_decided=scored,
        tested_dropped=len(tested.sessions) - scored,
    )


def _day(session: np.datetime64) -> str:
    return str(np.datetime_as_string(session, unit="D"))
