"""What the number of trials leaves of a claim: reality check and deflated score. Pure.

Of many recipes tried on the same sessions the best looks good by luck alone. Two answers: the
test of superior predictive ability asks whether the best of all is better than the baseline;
the deflated score asks whether the candidate is above what the best of N idle ones would reach.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd
from jaxtyping import Float64

from home.records.training.judged import DeflatedScore, RealityCheck, Trials
from market.bootstrap import MEAN_BLOCK
from training.judge.gate import MIN_COMMON_SESSIONS, SPA_SIZE

if TYPE_CHECKING:
    from arch.bootstrap import SPA


MIN_OVERLAP: Final = 0.8  # of the candidate's sessions, which all compared trials must share
NO_SPREAD: Final = 1e-12  # nats: gains that differ by rounding alone
EULER: Final = float(np.euler_gamma)


def trials_evidence(
    candidate: pd.DataFrame, others: Sequence[pd.DataFrame], resamples: int, seed: int
) -> Trials:
    """Return what the trials made so far do to the candidate's claim.

    Parameters
    ----------
    candidate, others
        `session`, `loss`, `baseline_loss` of each trial's decided test sessions
        (`out_of_fold.losses`); the others are all distinct trials of the same model.
    resamples, seed
        Of the bootstrap.
    """
    gains = _common_gains(candidate, others)
    enough = len(gains) >= MIN_COMMON_SESSIONS
    count = len(others) + 1
    spa = reality_check(gains, resamples, seed) if enough else None
    deflated = deflated_score(_gain(candidate).to_numpy(), count)
    sessions, compared = gains.shape
    return Trials(
        count=count,
        compared=compared,
        sessions=sessions,
        spa=spa,
        deflated=deflated,
        words=f"{_checked(count, compared, sessions, spa)}; {_deflated(deflated)}",
    )


def reality_check(
    gains: Float64[np.ndarray, "n_sessions n_trials"], resamples: int, seed: int
) -> RealityCheck:
    """Return whether the best trial is better than the baseline, for all that were tried.

    Hansen, "A test for superior predictive ability" (2005), on the stationary bootstrap with a
    mean block of 20 sessions; which trials are better, by Romano and Wolf, "Stepwise multiple
    testing as formalized data snooping" (2005). Every trial's gain is scaled by its long-run
    standard deviation first: `arch` compares plain means, of which the noisiest is the highest.

    Parameters
    ----------
    gains
        Baseline's loss less the trial's, the candidate first; shape (n_sessions, n_trials).
    """
    from arch.bootstrap import SPA

    spread = np.sqrt([long_run_variance(column) for column in gains.T])
    scaled = gains / np.where(spread > NO_SPREAD, spread, 1.0)
    check = SPA(np.zeros(len(gains)), -scaled, MEAN_BLOCK, resamples, "stationary", seed=seed)
    check.compute()
    values = {kind: float(value) for kind, value in dict(check.pvalues).items()}
    # Hansen's statistic is zero where no trial gains, and no resample lies below that.
    if scaled.mean(axis=0).max() <= 0.0:
        values = dict.fromkeys(values, 1.0)
    return RealityCheck(
        lower=values["lower"],
        consistent=values["consistent"],
        upper=values["upper"],
        superior=_survives(check, scaled.shape[1]),
    )


def _survives(check: "SPA", trials: int) -> bool:
    """Return whether the first trial is better than the baseline, step by step.

    `arch.bootstrap.StepM` does this too, but fails where the last trial is found in a later step.
    """
    left = np.ones(trials, dtype=np.bool_)
    while left[0]:
        better = check.better_models(SPA_SIZE)
        if not len(better):
            return False
        left[better] = False
        # Of none left there is nothing to compute.
        if left[0]:
            check.subset(left)
            check.compute()
    return True


def deflated_score(gain: Float64[np.ndarray, " n_sessions"], trials: int) -> DeflatedScore:
    """Return the probability that a gain is above what the best of N idle trials would show.

    Bailey and Lopez de Prado, "The deflated Sharpe ratio" (2014), on the gain in loss of a
    session: with score s = mean / standard deviation, skewness g3 and kurtosis g4,

        probability = Phi((s - s0) sqrt(n - 1) / sqrt(1 - g3 s + (g4 - 1) / 4 s^2))
        s0 = sqrt(V) ((1 - e) Phi^-1(1 - 1/N) + e Phi^-1(1 - 1/(N exp(1)))), e = 0.5772...

    and s0 = 0 for a single trial. Two choices: n is the effective number of sessions, so that
    dependent ones do not count in full; and V = 1 / (n - 1), the variance of an idle trial's
    score, not that between the trials, which a few bad ones would inflate. Trials count as
    independent, which they are not: the hurdle is rather too high.

    Figures of a gain without spread are None.
    """
    from scipy.stats import kurtosis, norm, skew

    if len(gain) < 2 or np.ptp(gain) < NO_SPREAD or effective_sessions(gain) <= 1.0:
        return DeflatedScore()
    sd, n = float(gain.std(ddof=1)), effective_sessions(gain)
    score, lean, tails = float(gain.mean()) / sd, float(skew(gain)), float(kurtosis(gain) + 3.0)
    hurdle = expected_maximum(trials) / np.sqrt(n - 1.0)
    # Positive by Pearson's inequality (kurtosis >= skewness^2 + 1).
    spread = np.sqrt(1.0 - lean * score + (tails - 1.0) / 4.0 * score**2)
    probability = float(norm.cdf((score - hurdle) * np.sqrt(n - 1.0) / spread))
    return DeflatedScore(
        score=score,
        expected_maximum=float(hurdle),
        effective_sessions=n,
        skewness=lean,
        kurtosis=tails,
        probability=probability,
    )


def expected_maximum(trials: int) -> float:
    """Return the expected highest of N independent standard normal scores, approximately.

    Bailey and Lopez de Prado (2014), equation 6 of the appendix; 0 of a single one.
    """
    from scipy.stats import norm

    if trials < 2:
        return 0.0
    high, higher = norm.ppf(1.0 - 1.0 / trials), norm.ppf(1.0 - 1.0 / (trials * np.e))
    return float((1.0 - EULER) * high + EULER * higher)


def effective_sessions(gain: Float64[np.ndarray, " n_sessions"]) -> float:
    """Return how many independent sessions would give the mean the same variance; at most n."""
    variance, long_run = float(gain.var()), long_run_variance(gain)
    if variance == 0.0 or long_run <= variance:
        return float(len(gain))
    return len(gain) * variance / long_run


def long_run_variance(gain: Float64[np.ndarray, " n_sessions"]) -> float:
    """Return n times the variance of a mean under the stationary bootstrap.

    In closed form, Politis and Romano (1994), lemma 1: autocovariances weighted by
    (1 - i/n) (1 - p)^i + (i/n) (1 - p)^(n - i), with p one over the mean block.
    """
    n = len(gain)
    centred = gain - gain.mean()
    covariance = np.correlate(centred, centred, mode="full")[n - 1 :] / n
    lag, keep = np.arange(1, n), 1.0 - 1.0 / MEAN_BLOCK
    weight = (1.0 - lag / n) * keep**lag + lag / n * keep ** (n - lag)
    return float(max(0.0, covariance[0] + 2.0 * (weight @ covariance[1:])))


def _gain(losses: pd.DataFrame) -> pd.Series:
    """Return the baseline's loss less the model's by session, in nats."""
    by_session = losses.set_index("session")
    return by_session["baseline_loss"] - by_session["loss"]


def _common_gains(
    candidate: pd.DataFrame, others: Sequence[pd.DataFrame]
) -> Float64[np.ndarray, "n_sessions n_trials"]:
    """Return the gains of the candidate, first, and of the trials that share its sessions.

    All are over the candidate's baseline: a trial of another window had another one. Trials come
    in by their overlap, as long as all together keep 80 % of its sessions.
    """
    mine = _gain(candidate)
    joined = [mine]
    common = mine.index
    benchmark = candidate.set_index("session")["baseline_loss"]
    theirs = [(benchmark - one.set_index("session")["loss"]).dropna() for one in others]
    for gain in sorted(theirs, key=lambda one: -len(one.index.intersection(mine.index))):
        shared = common.intersection(gain.index)
        if len(shared) >= MIN_OVERLAP * len(mine):
            common = shared
            joined.append(gain)
    return np.column_stack([gain.reindex(common).to_numpy(np.float64) for gain in joined])


def _checked(count: int, compared: int, sessions: int, spa: RealityCheck | None) -> str:
    tried = "a single trial" if count == 1 else f"{count} trials"
    if spa is None:
        return f"{tried}; {sessions} sessions are too few for a reality check"
    best = "" if count == 1 else f" of the best of {compared}"
    return (
        f"{tried}; SPA p = {spa.consistent:.3f}{best} against the baseline on {sessions} sessions"
    )


def _deflated(deflated: DeflatedScore) -> str:
    if deflated.probability is None:
        return "the gain has no spread to deflate"
    return (
        f"deflated score {deflated.probability:.3f} (the probability that the gain is above "
        "what the best of as many idle trials shows)"
    )
