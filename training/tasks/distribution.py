"""The distribution of the log-return of the adjusted close, 5, 10 and 21 sessions ahead."""

from typing import Final

from market.errors import InputError
from training.frames.return_rows import HORIZONS
from training.models.returns import WORD
from training.settings import Settings
from training.tasks.declare import Registered

NAME: Final = "distribution"
INDEX_LOGNORMAL: Final = "index_lognormal"
HISTORY: Final = "history"


def _check(settings: Settings) -> None:
    if settings.model_type != WORD:
        raise InputError(
            f"unknown {NAME} model type: got {settings.model_type!r:.40}, allowed: {WORD}"
        )


# Trained on all underlyings and on all sessions before the window: tails are rare.
DISTRIBUTION: Final = Registered(
    name=NAME,
    service=lambda _: NAME,
    check=_check,
    without=("n_features", "horizon"),
    needs_prices=True,
    classes=(),
    file_stem="return_distribution",
    headline=("crps", *(f"crps_{horizon}" for horizon in HORIZONS)),
    preset={"pooled": True, "history": True},
)
