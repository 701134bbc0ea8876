"""What the feature services ask for: lists of stored features, and of what these make on demand."""

from typing import Final

from feature_repo.features.catalogue import find, names
from feature_repo.features.cross import CROSS

# Decision 2: the inputs of the volatility forecaster.
VOLATILITY_INPUTS: Final = (
    "iv_rank",
    "iv_percentile",
    "iv_hv_spread",
    "vix_close",
    "vix_zscore",
    "vix_trend",
    "vix_change_1d",
    "vix_change_5d",
    "iv_rank_lag_5",
    "iv_rank_lag_10",
    "iv_rank_lag_20",
    "iv_rank_change_5d",
    "iv_rank_change_10d",
    "vix_term_slope",
    "vix_contango",
    "hv_5",
    "hv_10",
    "hv_20",
    "hv_60",
    "hv_ratio_5_20",
    "hv_ratio_20_60",
    "hv_trend",
    "vix_sma_10",
    "vix_sma_20",
    "iv_premium",
    "iv_regime_low",
    "iv_regime_high",
)


def references(features: tuple[str, ...]) -> tuple[str, ...]:
    """Return `view:feature` references, in the order given."""
    return tuple(f"{find(name)[0].name}:{name}" for name in features)


_BASE: Final = (*names("technical"), *names("iv"), *names("macro"))


def _with_cross(*views: str) -> tuple[str, ...]:
    """Return references of the base pool, of views, and of what on demand these make possible."""
    stored = (*_BASE, *(name for view in views for name in names(view)))
    crossed = (row.name for row in CROSS.features if set(row.inputs) <= set(stored))
    return references((*stored, *crossed))


# Decision 1: the base pool of 135, +12 sentiment, +11 earnings, +3 and +2 on demand; Decision 2:
# the 27; for models that simulate the index, what they start from as well; what scales returns.
SERVICES: Final = {
    "direction": references(_BASE),
    "direction_sentiment": _with_cross("sentiment"),
    "direction_earnings": _with_cross("earnings"),
    "direction_sentiment_earnings": _with_cross("sentiment", "earnings"),
    "volatility": references(VOLATILITY_INPUTS),
    "volatility_paths": references((*VOLATILITY_INPUTS, *names("iv_path"))),
    "distribution": references(("vix_close", *names("variance"))),
}
