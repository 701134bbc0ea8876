"""A recipe out of a home: settings, the frame that the store gives, and the labels' prices."""

from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from home.manifest import Entry, read_manifest
from market.calendar import sessions
from market.errors import InputError
from market.underlyings import UNDERLYINGS
from training.frames.coverage import require_optional_views
from training.frames.dataset import load_frame, load_prices
from training.recipe import Recipe, recipe
from training.settings import DirectionSettings, RegimeSettings

if TYPE_CHECKING:
    from feast import FeatureStore

    from optrade.runtime import Runtime

# The preferred type of each task stands last.
DIRECTION_TYPES: Final = ("trees", "ensemble", "ridge", "logistic")
REGIME_TYPES: Final = ("table", "trees", "logistic", "blend", "paths")
Settings = DirectionSettings | RegimeSettings
SETTINGS: dict[str, type[DirectionSettings] | type[RegimeSettings]] = {
    "direction": DirectionSettings,
    "regime": RegimeSettings,
}


def settings_of(task: str, ticker: str, model_type: str, *, pooled: bool) -> Settings:
    """Return the settings of a training, all else by default.

    Raises
    ------
    InputError
        If there is no such task, or it has no such model.
    """
    kind = SETTINGS.get(task)
    if kind is None:
        raise InputError(f"--task: got {task!r:.40}, allowed are {', '.join(SETTINGS)}")
    return kind(ticker=ticker, model_type=model_type, pooled=pooled)


def landed_prices(run: "Runtime", ticker: str) -> Entry:
    """Return what the home says of the prices of a ticker.

    Raises
    ------
    InputError
        If it has none.
    """
    entry = read_manifest(run.home.data).entries.get(("prices", ticker))
    if entry is None:
        raise InputError(
            f"no prices of {ticker} in this home: run `optrade ingest --tickers {ticker}` first"
        )
    return entry


def home_recipe(
    run: "Runtime", settings: Settings, start: pd.Timestamp, end: pd.Timestamp
) -> Recipe:
    """Return the recipe of a training on the sessions of [start, end].

    Raises
    ------
    InputError
        If the home lacks what the training reads.
    """
    store = run.feature_store(online=False)
    return recipe(settings, *training_inputs(run, store, settings, start, end), start)


def training_inputs(
    run: "Runtime",
    store: "FeatureStore",
    settings: Settings,
    start: pd.Timestamp,
    end: pd.Timestamp,
) -> tuple[pd.DataFrame, pd.DataFrame | None]:
    """Return the frame of a training, and raw prices where its labels need them.

    A pooled one holds every underlying that has landed, one with history all sessions up to `end`.

    Raises
    ------
    InputError
        If the home lacks what the training reads.
    """
    manifest = read_manifest(run.home.data)
    require_optional_views(settings.feature_service, settings.ticker, manifest)
    others = [ticker for ticker in UNDERLYINGS if ("technical", ticker) in manifest.entries]
    tickers = list(dict.fromkeys([settings.ticker, *(others if settings.pooled else ())]))
    landed = [landed_prices(run, ticker).first for ticker in tickers]
    first = min(pd.Timestamp(day) for day in landed) if settings.history else start
    days = sessions(first, end)
    frame = load_frame(store, settings.feature_service, tickers, days, run.home.data)
    if isinstance(settings, RegimeSettings):
        return frame, None
    prices = [load_prices(run.home.data, ticker).assign(ticker=ticker) for ticker in tickers]
    return frame, pd.concat(prices, ignore_index=True)


def every_recipe(words: str | None = None) -> list[tuple[str, dict[str, Any]]]:
    """Return what `train-all` trains of each ticker: a task and its settings, preferred ones last.

    Without a champion the newest challenger serves. Directions are trained on the ticker's own
    window, as pooling has shown nothing there; regimes on all there is.

    Parameters
    ----------
    words
        Model types by comma; all if None.

    Raises
    ------
    InputError
        If a word names none of them.
    """
    direction, regime = {"optimize_threshold": True}, {"pooled": True, "history": True}
    recipes = [
        *(("direction", {"model_type": word} | direction) for word in DIRECTION_TYPES),
        *(("regime", {"model_type": word} | regime) for word in REGIME_TYPES),
    ]
    if words is None:
        return recipes
    asked = {word.strip() for word in words.split(",")}
    allowed = [*DIRECTION_TYPES, *REGIME_TYPES]
    if unknown := sorted(asked - set(allowed)):
        raise InputError(
            f"--models: got {', '.join(unknown)!r:.60}, allowed are "
            f"{', '.join(dict.fromkeys(allowed))}"
        )
    return [one for one in recipes if one[1]["model_type"] in asked]
