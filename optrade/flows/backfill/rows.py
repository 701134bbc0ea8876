"""Rows of features of many past sessions, each as it was known when its signal could be given."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import pandas as pd

from feature_repo.features.macro.group import MACRO
from feature_repo.on_demand import compute_row, is_on_demand, stored_features
from ingestion.online.pointer import carried_by_each
from market.calendar import last_complete_session, read_time
from serving.answer.boards import PRICED_WITH
from serving.answer.signals import Models
from serving.answer.structure import references
from serving.reading.chains import LandedChains
from serving.reading.freshness import age_in_sessions
from serving.reading.row import FeatureRow
from training.frames.dataset import load_features

if TYPE_CHECKING:
    from feast import FeatureStore


#: By session; None where the store does not say.
Carried: TypeAlias = Mapping[pd.Timestamp, tuple[str, ...] | None]


@dataclass(frozen=True)
class PastRows:
    """What a ticker's signals read, by session.

    Attributes
    ----------
    frame
        Stored features by session; NaN where there was no value.
    """

    ticker: str
    frame: pd.DataFrame
    chains: LandedChains
    carried: Carried

    @classmethod
    def read(
        cls, data_dir: Path, store: "FeatureStore", ticker: str, carried: Carried,
        days: pd.DatetimeIndex, models: Collection[Models],
    ) -> "PastRows":  # fmt: skip
        """Read what models, and the pricing of positions, ask for of sessions."""
        asked = dict.fromkeys(name for one in models for name in stored_features(one.features()))
        beside = dict.fromkeys(name for one in models for name in _beside(one))
        views = {view.name for view in store.list_feature_views()}
        held = {
            name: reference
            for name, reference in references(tuple({**asked, **beside})).items()
            if name in asked or reference.partition(":")[0] in views
        }
        frame = load_features(store, held, ticker, days)
        return cls(ticker, frame, LandedChains(data_dir), carried)

    def at(self, session: pd.Timestamp, models: Models) -> FeatureRow | str:
        """Return the row of a session, or which features had no value then."""
        found = dict(zip(self.frame, self.frame.loc[session].to_numpy(np.float64), strict=True))
        names = models.features()
        stored = stored_features(names)
        values = {name: float(found[name]) for name in stored}
        values |= compute_row([name for name in names if is_on_demand(name)], values)
        if unknown := [name for name, value in values.items() if not np.isfinite(value)]:
            return f"no value was known of {_listed(unknown)}"
        as_of = read_time(pd.DatetimeIndex([session]))[0]
        age = age_in_sessions(session, last_complete_session(as_of))
        views = {reference.partition(":")[0] for reference in references(tuple(stored)).values()}
        return FeatureRow(
            ticker=self.ticker,
            session=session,
            values=values,
            ages=dict.fromkeys(sorted(views), age),
            carried=self.carried[session] if MACRO.name in views else (),
            beside={name: float(found.get(name, np.nan)) for name in _beside(models)},
            quoted=self.chains.quoted(self.ticker, session, as_of),
        )


def _beside(models: Models) -> tuple[str, ...]:
    read = () if models.distribution is None else models.distribution.features
    return tuple(dict.fromkeys((*PRICED_WITH, *read)))


def carried_over(data_dir: Path, days: pd.DatetimeIndex) -> Carried:
    """Return by session which macro series and months the one before stood in for, as then known.

    Of no ticker: it is read once for all.
    """
    asked = [(str(day.date()), as_of) for day, as_of in zip(days, read_time(days), strict=True)]
    told = carried_by_each(data_dir, asked)
    return {day: None if one is None else tuple(one) for day, one in zip(days, told, strict=True)}


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - 1} more" if len(names) > 1 else ""
    return f"{names[0]}{more}"
