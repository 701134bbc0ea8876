"""The distribution of returns: variance by a log-linear fit, shape by past standardised returns.

Log-HAR on range-based variances (Corsi 2009) with the volatility index and the last falls, by
least squares, times the empirical quantiles of past returns in forecast deviations (as in filtered
historical simulation, Barone-Adesi, Giannopoulos and Vosper 1999). Other underlyings lend their
rows at a quarter of the weight, and all standardised returns are first given one spread: that of
the forecast ticker's own, drawn towards the others' where few horizons of it have passed.
"""

from typing import Final

import numpy as np
from jaxtyping import Bool, Float64

from feature_repo.features.catalogue import names
from forecasters.returns import N_QUANTILES, PROBABILITIES, Returns, inputs_of
from training.frames.return_rows import HORIZONS, ReturnRows
from training.models.sample import UnfittableError

WORD: Final = "log_har"
INPUTS: Final = ("vix_close", *names("variance"))
#: How often a row of the forecast ticker counts beside one of another.
OWN_WEIGHT: Final = 4.0
#: Horizons that the spread of others' standardised returns counts as, beside those that passed of
#: the forecast ticker: half a year of its own is a handful of returns of 21 sessions, and may hold
#: a crash. Of 5, 20, 40, 60 and 200 the one of QQQ's best score, on data before 2023-07.
LENT_SPREAD: Final = 20.0
MIN_OWN_ROWS: Final = 120
MAX_DAYS: Final = 2_500  # of standardised daily returns kept, the newest
DAY_DECIMALS: Final = 4  # of a deviation; keeps the artifact small
#: Variance of one session at an index of 1 point, which is 1 % a year.
INDEX_VARIANCE: Final = 1.0 / (252.0 * 100.0**2)


def fit_returns(rows: ReturnRows) -> Returns:
    """Fit the distribution on rows that have every feature.

    Raises
    ------
    UnfittableError
        If the forecast ticker has too few of them.
    """
    require_own(rows)
    inputs = np.column_stack([np.ones(len(rows.values)), inputs_of(rows.values)])
    weight = np.where(rows.own, OWN_WEIGHT, 1.0)
    root = np.sqrt(weight)[:, None]
    target = np.log(np.maximum(rows.variances, np.finfo(np.float64).tiny))
    solved, *_ = np.linalg.lstsq(inputs * root, target * root, rcond=None)
    standard = rows.returns / np.exp(inputs @ solved / 2.0)
    day = rows.next_day / np.exp(inputs @ solved[:, 0] / 2.0) * np.sqrt(HORIZONS[0])
    return Returns(
        features=list(INPUTS),
        horizons=list(HORIZONS),
        intercept=solved[0],
        coef=np.ascontiguousarray(solved[1:].T),
        shapes=np.array(
            [
                _shape(standard[:, at], weight, rows.own, horizon)
                for at, horizon in enumerate(HORIZONS)
            ]
        ),
        drift=np.zeros(len(HORIZONS)),
        daily=np.round(day[rows.own][-MAX_DAYS:], DAY_DECIMALS),
    )


def fit_lognormal(rows: ReturnRows) -> Returns:
    """Return the lognormal of the volatility index: its own scale and drift, fitted on own rows.

    The log-return over each horizon is normal; its mean is that of the past, its deviation the
    index's by the square root of time, times what made the past likeliest.
    """
    from scipy.special import ndtri

    require_own(rows)
    own = rows.where(rows.own)
    mean = own.returns.mean(axis=0)
    index = own.values[:, :1] * np.sqrt(np.array(HORIZONS) * INDEX_VARIANCE)
    scale = np.sqrt((((own.returns - mean) / index) ** 2).mean(axis=0))
    count = len(HORIZONS)
    return Returns(
        features=[INPUTS[0]],
        horizons=list(HORIZONS),
        intercept=np.log(np.array(HORIZONS) * INDEX_VARIANCE),
        coef=np.full((count, 1), 2.0),
        shapes=scale[:, None] * ndtri(PROBABILITIES),
        drift=mean,
        daily=_plain_days(own, own.values[:, 0] * np.sqrt(INDEX_VARIANCE)),
    )


def fit_history(rows: ReturnRows) -> Returns:
    """Return what returns of the forecast ticker have been, whatever is known today."""
    require_own(rows)
    own = rows.where(rows.own)
    deviation = own.returns.std(axis=0)
    return Returns(
        features=[INPUTS[0]],
        horizons=list(HORIZONS),
        intercept=2.0 * np.log(deviation),
        coef=np.zeros((len(HORIZONS), 1)),
        shapes=np.quantile(own.returns / deviation, PROBABILITIES, axis=0).T,
        drift=np.zeros(len(HORIZONS)),
        daily=_plain_days(own, own.next_day.std()),
    )


def require_own(rows: ReturnRows) -> None:
    """Refuse a training part with too few rows of the forecast ticker."""
    own = int(rows.own.sum())
    if own < MIN_OWN_ROWS:
        raise UnfittableError(
            f"a training part is too small: got {own} usable sessions of the ticker, needed "
            f"{MIN_OWN_ROWS}; train on a longer period (--period, --start), or with history"
        )


def _shape(
    standard: Float64[np.ndarray, " n_rows"],
    weight: Float64[np.ndarray, " n_rows"],
    own: Bool[np.ndarray, " n_rows"],
    horizon: int,
) -> Float64[np.ndarray, " n_quantiles"]:
    """Return weighted quantiles, a little wider where few horizons have passed.

    Overlapping returns of n sessions are worth n / horizon, and what was fitted to so few misses
    by more ahead than it did behind.
    """
    values = standard.copy()
    if not own.all():
        mine, theirs = ((standard[of] ** 2).mean() for of in (own, ~own))
        count = own.sum() / horizon
        spread = (count * mine + LENT_SPREAD * theirs) / (count + LENT_SPREAD)
        values[own] *= np.sqrt(spread / mine)
        values[~own] *= np.sqrt(spread / theirs)
    order = np.argsort(values, kind="stable")
    reached = np.cumsum(weight[order]) - weight[order] / 2.0
    found = np.interp(PROBABILITIES, reached / weight.sum(), values[order])
    return np.asarray(found * (1.0 + horizon / int(own.sum()))).reshape(N_QUANTILES)


def _plain_days(
    own: ReturnRows, deviation: Float64[np.ndarray, " n_rows"] | np.float64
) -> Float64[np.ndarray, " n_days"]:
    return np.asarray(np.round(own.next_day / deviation, DAY_DECIMALS)[-MAX_DAYS:])
