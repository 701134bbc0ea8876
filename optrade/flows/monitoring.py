"""What became of recorded signals, and whether features still look as they did in training."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from feature_repo.errors import InputError
from feature_repo.features.catalogue import GROUPS
from feature_repo.manifest import current_rows, read_manifest
from feature_repo.markets import sessions
from monitoring.drift import drift_report, windows
from monitoring.outcomes import Settlement, settle
from monitoring.report import write_report
from training.dataset import load_frame

if TYPE_CHECKING:
    from optrade.runtime import Runtime

SERVICES: Final = ("direction", "volatility")


def settle_signals(run: "Runtime", as_of: pd.Timestamp) -> Settlement:
    """Write the outcomes that are known by now into the ledger."""
    prices = current_rows(run.home.data, "prices").to_pandas()
    ranks = current_rows(run.home.data, "iv").select("ticker", "session", "iv_rank").to_pandas()
    return settle(run.home.ledger, prices, ranks, as_of)


def report_drift(run: "Runtime", ticker: str, current_sessions: int) -> tuple[dict[str, Any], Path]:
    """Compare a ticker's last sessions with the training window of its direction model.

    Raises
    ------
    InputError
        If no model of the ticker serves, or the home lacks the sessions.
    """
    start, end = _trained(run, ticker)
    frame = _features(run, ticker, start)
    reference, current = windows(frame, start, end, current_sessions)
    views = {
        feature.name: group.name
        for group in GROUPS.values()
        for feature in group.features
        if feature.name in frame
    }
    report = {"ticker": ticker, **drift_report(reference, current, views)}
    page = write_report(run.home.reports / "drift" / ticker, report, reference, current)
    return report, page


def _trained(run: "Runtime", ticker: str) -> tuple[str, str]:
    path = run.home.models / "serving" / f"direction_{ticker}.json"
    if not path.is_file():
        raise InputError(f"no direction model of {ticker} serves: run `optrade train` first")
    trained = json.loads(path.read_text("utf-8"))["trained"]
    return trained["start"], trained["end"]


def _features(run: "Runtime", ticker: str, start: str) -> pd.DataFrame:
    last = read_manifest(run.home.data).entries["prices", ticker].last
    store = run.feature_store(online=False)
    asked = sessions(start, last)
    frames = [load_frame(store, service, [ticker], asked) for service in SERVICES]
    both = frames[0].merge(
        frames[1][[*("ticker", "session"), *frames[1].columns.difference(frames[0].columns)]],
        on=["ticker", "session"],
    )
    return both.drop(columns="ticker")
