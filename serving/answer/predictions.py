"""From a caller's own features to the design's prediction. Pure: no store, no file, no clock.

The online store is not asked: it holds the last session alone, and nothing says that the session
asked about is that one. So whatever a model reads has to be in the question.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from feature_repo.features.catalogue import GROUPS, ON_DEMAND
from feature_repo.features.services import VOLATILITY_INPUTS
from feature_repo.on_demand import compute_row, is_on_demand, stored_features
from forecasters.document import Artifact
from market.calendar import FIRST_SESSION, sessions
from market.errors import InputError
from market.iv_rank import Band, IvRegime, band
from serving.answer.signals import (
    CONTEXT_FEATURES,
    Outlook,
    forecasts,
    iv_context,
    iv_outlook,
    prediction,
    volatility,
)
from serving.http.schema import PredictAnswer, StrategySuggestion
from serving.reading.refusal import CallerFault, Refusal
from trading.strategies.selector import NO_TRADE, STRATEGIES, Forecasts, Recommendation, select

# Decision 19: today's band as a forecast class, where nothing is forecast.
BAND_CLASSES: Final[dict[Band, IvRegime]] = {
    "LOW": "LOW",
    "NORMAL": "NORMAL",
    "ELEVATED": "HIGH",
    "HIGH": "HIGH",
}
# Today's band is looked up and not forecast: nothing about it is uncertain.
OBSERVED: Final = 1.0
SHOWN: Final = 10


@dataclass(frozen=True)
class Question:
    """What a caller asks: a ticker, a day (YYYY-MM-DD) and the features of it, by name."""

    ticker: str
    date: str
    features: Mapping[str, float]

    @property
    def asks_for_forecast(self) -> bool:
        """Whether all inputs of Decision 2 are there, which have no use but a forecast."""
        return set(VOLATILITY_INPUTS) <= self.features.keys()

    def holds(self, names: Iterable[str]) -> bool:
        """Whether all these features are there."""
        return set(names) <= self.features.keys()


def check_question(question: Question) -> None:
    """Check the date and the names of a question; whether names are missing depends on a model.

    Raises
    ------
    CallerFault
        `bad_date` or `unknown_features`.
    """
    _check_date(question.date)
    groups = (GROUPS | ON_DEMAND).values()
    catalogue = {row.name for group in groups for row in group.features}
    unknown = [name for name in question.features if name not in catalogue]
    if unknown:
        raise CallerFault(
            "unknown_features",
            f"features: got {_listed(unknown)}; allowed are the {len(catalogue)} names of the "
            "feature catalogue, see the example of /predict in /docs.json",
        )


def build_prediction(
    question: Question, direction: Artifact, regime: Artifact | None
) -> PredictAnswer:
    """Return the design's prediction output for a question.

    Parameters
    ----------
    question
        As `check_question` lets it through.
    direction, regime
        The served models of the ticker; None for a regime takes today's band (Decision 19).

    Raises
    ------
    CallerFault
        `missing_features`, `out_of_range` or `not_finite`.
    """
    _check_complete(question, direction, regime)
    values = _with_on_demand(question.features, direction)
    try:
        predicted = prediction(values, direction)
        context = iv_context(values)
        outlook = (
            _band_outlook(values) if regime is None else iv_outlook(volatility(values, regime))
        )
    except Refusal as refusal:
        # The features are the caller's, so that a model overflows is the caller's too.
        raise CallerFault(refusal.error, refusal.detail) from None
    except InputError as error:
        raise CallerFault("out_of_range", str(error)) from None
    seen = forecasts(predicted, outlook)
    # The answer says nothing about size, which is all that a proof changes.
    return PredictAnswer(
        ticker=question.ticker,
        date=question.date,
        prediction=predicted,
        iv_context=context,
        strategy_suggestion=suggestion(seen, select(seen, proven=False), outlook.source),
    )


def suggestion(seen: Forecasts, choice: Recommendation, iv_source: str) -> StrategySuggestion:
    """Return the design's strategy suggestion: the position in words, and the rule that chose it.

    Parameters
    ----------
    iv_source
        Where the IV class comes from, in words.
    """
    return StrategySuggestion(
        primary=_position(choice.strategy),
        reasoning=f"Direction={seen.direction} + IV_{seen.iv_regime.title()} → "
        f"{_play(seen, choice)} (IV: {iv_source})",
    )


def _position(strategy: str) -> str:
    """Return a strategy with its strikes and expiry of Decision 16, as the design writes them."""
    plan = STRATEGIES[strategy].plan
    if not plan.deltas:
        return strategy
    texts = plan.texts()
    strikes = texts["strike"].replace(" (", ", ").rstrip(")")
    return f"{strategy} ({strikes}, {texts['expiry']} expiry)"


def _play(seen: Forecasts, choice: Recommendation) -> str:
    if choice.rule == "directional":
        return "Directional play"
    missed = " and ".join(seen.below_trading() or seen.below_directional())
    kind = "No trade" if choice.strategy == NO_TRADE.name else "Premium play"
    return f"{kind}, {choice.rule}: {missed}"


def _band_outlook(values: Mapping[str, float]) -> Outlook:
    today = band(values["iv_rank"])
    return Outlook(
        BAND_CLASSES[today],
        OBSERVED,
        f"today's band {today}, as not all inputs of a forecaster are sent",
    )


def _with_on_demand(features: Mapping[str, float], model: Artifact) -> dict[str, float]:
    """Return a caller's features, and those on demand that the model reads and were not sent."""
    unsent = [name for name in model.features if is_on_demand(name) and name not in features]
    return {**features, **compute_row(unsent, features)}


def _check_complete(question: Question, direction: Artifact, regime: Artifact | None) -> None:
    needed = [*direction.features, *CONTEXT_FEATURES, *(regime.features if regime else ())]
    unsent = [name for name in needed if name not in question.features]
    missing = [name for name in stored_features(unsent) if name not in question.features]
    if missing:
        raise CallerFault(
            "missing_features",
            f"features: {len(missing)} that the served models of {question.ticker} read are "
            f"missing: {', '.join(missing)}; none is filled in",
        )


def _check_date(date: str) -> None:
    # The features are the caller's own, so a holiday harms nobody: it is echoed as asked.
    known = sessions(FIRST_SESSION, pd.Timestamp.max).to_numpy().astype("datetime64[D]")
    try:
        day = np.datetime64(date, "D")
    except ValueError:
        raise CallerFault(
            "bad_date", f"date: got {date!r:.40}, allowed is a day of the calendar"
        ) from None
    if not known[0] <= day <= known[-1]:
        raise CallerFault("bad_date", f"date: got {date}, allowed are {known[0]} to {known[-1]}")


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(f"{name!r:.40}" for name in names[:SHOWN]) + more
