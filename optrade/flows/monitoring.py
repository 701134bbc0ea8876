"""What became of recorded signals, and whether features still look as they did in training."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pandas as pd
import polars as pl

from feature_repo.features.catalogue import GROUPS, ON_DEMAND, OPTIONAL_GROUPS
from feature_repo.features.definition_hash import definition_hash
from home.garbage import uncollected
from home.layout import next_model
from home.manifest import current_rows, read_manifest
from home.records.drift import DriftReport
from market.calendar import sessions
from market.errors import InputError
from monitoring.drift.measure import drift_report, windows
from monitoring.drift.report import write_report
from optrade.flows.paper.book import take_on
from optrade.flows.paper.structures import settle_structures
from serving.reading.artifact import Artifact, artifact_path, load_artifact
from trading.ledger.checked import RecordedSignal
from trading.ledger.connection import is_new
from trading.ledger.read import each_signal
from trading.ledger.settle import Settlement, settle
from training.frames.dataset import load_frame

if TYPE_CHECKING:
    from optrade.runtime import Runtime

VOLATILITY: Final = "volatility"
# A home may lack these: without a single value they are left out of a report.
MAY_LACK: Final = (*OPTIONAL_GROUPS, *ON_DEMAND)


@uncollected()
def settle_signals(run: "Runtime", as_of: pd.Timestamp) -> Settlement:
    """Write the outcomes that are known by now into the ledger; without one there are none.

    So it is with what their positions came to, and the paper book is taken on.

    Those of a ticker with a damaged file are pending, and say so.
    """
    if is_new(run.home.ledger):
        return Settlement((), 0, ())
    damaged: dict[str, str] = {}
    prices, ranks = (_whole_rows(run, table, damaged) for table in ("prices", "iv"))
    ranks = ranks.select("ticker", "session", "iv_rank")
    rows = each_signal(run.home.ledger, shadows=True)
    done = settle(run.home.ledger, prices.to_pandas(), ranks.to_pandas(), as_of, rows)
    told = (
        replace(row, reason=f"{row.reason}; {damaged[row.key.ticker]}")
        if row.key.ticker in damaged
        else row
        for row in done.pending
    )
    shadows = {row.signal.key for row in rows if isinstance(row, RecordedSignal) and row.shadow}
    waiting = {row.key.ticker for row in done.pending}
    unread = {ticker: why for ticker, why in damaged.items() if ticker in waiting}
    ended, held, unfit = settle_structures(run, rows, as_of)
    taken = take_on(run, as_of, rows)
    return replace(
        done,
        pending=tuple(told),
        unread={**unread, **unfit, **done.unread},
        structures=tuple(row for row in ended if row.key not in shadows),
        held=tuple(row for row in held if row.key not in shadows),
        paper=() if taken is None else taken.done.events,
        waits=() if taken is None else taken.told,
        shadows=done.shadows
        and replace(
            done.shadows,
            structures=tuple(row for row in ended if row.key in shadows),
            held=tuple(row for row in held if row.key in shadows),
        ),
    )


def _whole_rows(run: "Runtime", table: str, damaged: dict[str, str]) -> pl.DataFrame:
    """Return the current rows of the tickers whose files are whole; note why others are not."""
    manifest = read_manifest(run.home.data)
    whole = []
    for ticker in manifest.keys(table):
        fault = manifest.fault(run.home.data, manifest.entries[table, ticker])
        if fault is None:
            whole.append(ticker)
        else:
            damaged[ticker] = fault
    # Without one the reading itself says why.
    return current_rows(run.home.data, table, whole or None, manifest)


def report_drift(run: "Runtime", ticker: str, current_sessions: int) -> tuple[DriftReport, Path]:
    """Compare a ticker's last sessions with the training window of its direction model.

    Raises
    ------
    InputError
        If no model of the ticker serves, or the home lacks the sessions.
    Refusal
        If the model's file is damaged, or of other feature definitions.
    """
    model = _served(run, ticker)
    start, end = model.trained.start, model.trained.end
    frame = _features(run, ticker, start, (model.feature_service, VOLATILITY))
    reference, current = windows(frame, start, end, current_sessions)
    report = drift_report(ticker, reference, current, known_views(frame))
    page = write_report(run.home.drift / ticker, report, reference, current)
    return report, page


def known_views(frame: pd.DataFrame) -> dict[str, str]:
    """Return the view of every feature of a frame, without views that the home does not have."""
    views: dict[str, str] = {}
    for name, group in (GROUPS | ON_DEMAND).items():
        held = [feature.name for feature in group.features if feature.name in frame]
        if name not in MAY_LACK or frame[held].notna().any(axis=None):
            views |= dict.fromkeys(held, name)
    return views


def _served(run: "Runtime", ticker: str) -> Artifact:
    path = artifact_path(run.home.models, "direction", ticker)
    if not (path.is_file() or next_model(path).is_file()):
        run.home.origin()  # without data that is the first step
        raise InputError(
            f"no direction model of {ticker} serves: run `optrade train --ticker {ticker}` first"
        )
    return load_artifact(run.home.models, "direction", ticker, definition_hash())


def _features(run: "Runtime", ticker: str, start: str, services: tuple[str, ...]) -> pd.DataFrame:
    last = read_manifest(run.home.data).entries["prices", ticker].last
    store = run.feature_store(online=False)
    asked = sessions(start, last)
    frames = [load_frame(store, service, [ticker], asked) for service in services]
    both = frames[0].merge(
        frames[1][[*("ticker", "session"), *frames[1].columns.difference(frames[0].columns)]],
        on=["ticker", "session"],
    )
    return both.drop(columns="ticker")
