"""What a task is: the row that a walk trains by, and the one that classes are judged by."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Generic, TypeVar

import pandas as pd

from forecasters.base import Parameters
from home.records.training.words import Setting
from market.arrays import FloatArray, IntArray
from market.errors import InputError
from training.fit.mixture import Forecaster
from training.frames.folds import Fold
from training.frames.rows import Rows
from training.settings import OPTIONS, Settings
from training.tasks.baselines import Baseline
from training.tasks.scores import Scores

Fitted = TypeVar("Fitted")


@dataclass(frozen=True, kw_only=True)
class Declared:
    """What every forecast that is trained says of itself.

    Attributes
    ----------
    service
        The feature service that a model type reads.
    check
        Refuses settings, by an `InputError`.
    options
        Those of `settings.OPTIONS` that it has.
    without
        Settings that say nothing of it, and so are not recorded.
    needs_prices
        Whether its labels come from prices.
    """

    name: str
    service: Callable[[str], str]
    check: Callable[[Settings], None]
    options: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    needs_prices: bool = False

    def resolve(self, settings: Settings) -> Settings:
        """Return settings with their feature service named.

        Raises
        ------
        InputError
            If the task has no such model type, or not one of the options.
        """
        self.check(settings)
        for option in fields(Settings):
            value = getattr(settings, option.name)
            if option.name in self._lacking and value != option.default:
                raise InputError(
                    f"{option.name} of a {self.name}: got {value!r:.40}, allowed is "
                    f"{option.default!r}: leave it out, a {self.name} has no such setting"
                )
        service = settings.feature_service or self.service(settings.model_type)
        return replace(settings, feature_service=service)

    def document(self, settings: Settings) -> dict[str, Setting]:
        """Return the settings that the task has, as plain values."""
        unsaid = self._lacking | set(self.without)
        return {key: one for key, one in asdict(settings).items() if key not in unsaid}

    @property
    def _lacking(self) -> frozenset[str]:
        return frozenset(OPTIONS) - set(self.options)


@dataclass(frozen=True, kw_only=True)
class Trainable(Declared, Generic[Fitted]):
    """A forecast as a walk needs it: its rows, and how parts of them are fitted.

    Attributes
    ----------
    rows
        The labelled rows of one ticker, from a frame, prices, the ticker and settings.
    fit
        Fits a training part, given the positions of its rows, with all that is chosen inside it.
    finish
        Fits all rows: what serves. What a training part chooses inside itself is chosen here by
        what each fold's fit says of its own test part.
    require
        Refuses rows of all tickers and sessions, by an `InputError`.
    """

    rows: Callable[[pd.DataFrame, pd.DataFrame | None, str, Settings], Rows]
    fit: Callable[[Rows, IntArray, Settings], Fitted]
    finish: Callable[[Rows, Sequence[Fold], Sequence[Fitted], Settings], Fitted]
    require: Callable[[Rows], None] = field(default=lambda _: None)


@dataclass(frozen=True, kw_only=True)
class Registered(Declared):
    """A forecast of which versions are judged, registered and served.

    Attributes
    ----------
    classes
        By code; a distribution has none.
    file_stem
        Begins a model's file name.
    headline
        The scores that a person looks at first; the gate's is the first.
    preset
        Settings that `train-all` trains it with.
    """

    classes: tuple[str, ...]
    file_stem: str
    headline: tuple[str, ...]
    preset: Mapping[str, bool]


@dataclass(frozen=True, kw_only=True)
class Task(Trainable[Forecaster], Registered):
    """A forecast of classes: how it is scored, and what it must beat.

    Attributes
    ----------
    gate_baselines
        Those that the gate takes the best of (`out_of_fold.hardest`): Decision 11's, and a coin.
        Each with its fit from class codes and today's figure of the window's rows: the one taken
        serves where every version is refuted.
    has_flat
        Whether some sessions are scored that have no class.
    """

    scores: Scores
    baselines: Mapping[str, Baseline]
    gate_baselines: Mapping[str, Callable[[IntArray, FloatArray], Parameters]]
    has_flat: bool
