"""The row of features that a signal was made from, as it was known at the signal's clock."""

from collections.abc import Collection
from pathlib import Path
from typing import Final

import pandas as pd
import polars as pl

from feature_repo.features.catalogue import find
from feature_repo.features.definition_hash import definition_hash
from feature_repo.features.macro.group import MACRO
from feature_repo.on_demand import compute_row, is_on_demand, stored_features
from home.manifest import Manifest, latest, read_manifest, read_rows
from home.records.signal import Signal
from ingestion.online.pointer import carried_by
from market.calendar import last_complete_session
from market.errors import InputError
from market.underlyings import MARKET
from serving.answer.boards import PRICED_WITH
from serving.answer.signals import Models
from serving.reading.chains import LandedChains
from serving.reading.freshness import age_in_sessions
from serving.reading.row import FeatureRow

CREATED: Final = "created_timestamp"
#: How many corrections of a session are told.
SHOWN: Final = 3


def check_definitions(signal: Signal) -> None:
    """Check that features are computed as they were for a signal.

    Raises
    ------
    InputError
        If they are not: none of its features can be made again.
    """
    told, now = signal.provenance.definition_hash, definition_hash()
    if told != now:
        raise InputError(
            f"feature definitions: recorded {told:.12}, this optrade computes {now:.12}"
        )


def row_of(data_dir: Path, signal: Signal, models: Models) -> FeatureRow:
    """Return the features of a signal's session, of what was known at its clock.

    Raises
    ------
    InputError
        If a feature had no value by then in the data that the home has now.
    """
    as_of, session = pd.Timestamp(signal.provenance.as_of), pd.Timestamp(signal.session)
    asked = models.features()
    views = {name: find(name)[0].name for name in stored_features(asked)}
    read = () if models.distribution is None else models.distribution.features
    extra = {name: find(name)[0].name for name in (*PRICED_WITH, *read)}
    manifest = read_manifest(data_dir)
    rows = {
        view: _row(data_dir, manifest, view, signal, as_of)
        for view in {*views.values(), *extra.values()}
    }
    values = {name: float(rows[view].get(name, float("nan"))) for name, view in views.items()}
    values |= compute_row([name for name in asked if is_on_demand(name)], values)
    unknown = sorted(name for name, value in values.items() if value != value)
    if unknown:
        raise InputError(
            f"data: {len(unknown)} features of {signal.ticker} {signal.session} have no value that "
            f"was known at {as_of}: {', '.join(unknown[:SHOWN])}"
        )
    age = age_in_sessions(session, last_complete_session(as_of))
    ages = dict.fromkeys(sorted(set(views.values())), age)
    carried = carried_by(data_dir, signal.session, as_of) if MACRO.name in ages else []
    return FeatureRow(
        ticker=signal.ticker,
        session=session,
        values=values,
        ages=ages,
        carried=None if carried is None else tuple(carried),
        beside={name: float(rows[view].get(name, float("nan"))) for name, view in extra.items()},
        quoted=LandedChains(data_dir).quoted(signal.ticker, session, as_of),
    )


def corrections(data_dir: Path, signal: Signal, views: Collection[str]) -> list[str]:
    """Return which rows of a signal's session have other versions now, in words."""
    as_of = pd.Timestamp(signal.provenance.as_of)
    manifest, found = read_manifest(data_dir), []
    for view in sorted(views):
        created = _row(data_dir, manifest, view, signal, None).get(CREATED)
        if created is not None and pd.Timestamp(created) > as_of:
            found.append(f"data corrected since: {view} of {signal.session}, at {created}")
    return found


def _row(
    data_dir: Path,
    manifest: Manifest,
    view: str,
    signal: Signal,
    known_by: pd.Timestamp | None,
) -> dict[str, object]:
    """Return the row of a view and the signal's session, empty where there is none."""
    key = signal.ticker if (view, signal.ticker) in manifest.entries else MARKET
    if (view, key) not in manifest.entries:
        return {}
    moment = None if known_by is None else known_by.to_pydatetime(warn=False)
    mine = pl.col("session").cast(pl.String).str.slice(0, 10) == signal.session
    rows = read_rows(data_dir, view, [key], manifest, part=lambda held: held.filter(mine))
    held = latest(rows, manifest.tables[view].key, moment)
    return (
        {}
        if held.is_empty()
        else {name: value for name, value in held.row(0, named=True).items() if value is not None}
    )
