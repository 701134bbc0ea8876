"""A candidate against the champion on the sessions that both were tested on (Decision 11)."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from home.records.training.judged import Compared
from market.bootstrap import interval, resample_weights


@dataclass(frozen=True)
class Champion:
    """The champion's version, run, and out-of-fold losses (`walk.Trained.losses`)."""

    version: int
    run_id: str
    losses: pd.DataFrame


def comparison(losses: pd.DataFrame, champion: Champion, resamples: int, seed: int) -> Compared:
    """Return mean log losses on common sessions, in nats, and the interval of the difference."""
    common = losses.merge(champion.losses, on="session", suffixes=("", "_champion"))
    if common.empty:
        return Compared(
            version=champion.version,
            run_id=champion.run_id,
            sessions=0,
            loss=None,
            champion_loss=None,
            difference=None,
            interval=None,
        )
    mine, theirs = common["loss"].to_numpy(), common["loss_champion"].to_numpy()
    weights = resample_weights(len(common), seed, resamples)
    spread = interval(weights @ (theirs - mine) / len(common))
    return Compared(
        version=champion.version,
        run_id=champion.run_id,
        sessions=len(common),
        loss=float(mine.mean()),
        champion_loss=float(theirs.mean()),
        difference=float(np.mean(theirs - mine)),
        interval=None if spread is None else [spread.low, spread.high],
    )
