"""A candidate against the champion on the sessions that both were tested on (Decision 11)."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from market.bootstrap import interval, resample_weights


@dataclass(frozen=True)
class Champion:
    """The champion's version, run, and out-of-fold losses (`walk.Trained.losses`)."""

    version: int
    run_id: str
    losses: pd.DataFrame


def comparison(
    losses: pd.DataFrame, champion: Champion, resamples: int, seed: int
) -> dict[str, Any]:
    """Return mean log losses on common sessions, in nats, and the interval of the difference.

    `difference` is positive where the candidate is better. Figures are None where the two
    have no session in common.
    """
    common = losses.merge(champion.losses, on="session", suffixes=("", "_champion"))
    found: dict[str, Any] = {
        "version": champion.version,
        "run_id": champion.run_id,
        "sessions": len(common),
    }
    if common.empty:
        return found | dict.fromkeys(("loss", "champion_loss", "difference", "interval"))
    mine, theirs = common["loss"].to_numpy(), common["loss_champion"].to_numpy()
    weights = resample_weights(len(common), seed, resamples)
    spread = interval(weights @ (theirs - mine) / len(common))
    return found | {
        "loss": float(mine.mean()),
        "champion_loss": float(theirs.mean()),
        "difference": float(np.mean(theirs - mine)),
        "interval": None if spread is None else [spread.low, spread.high],
    }
