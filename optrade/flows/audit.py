"""Audits of a home: what its frames and features hold, against what they should."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from audit.pit import PitReport, audit_pit
from feature_repo.errors import InputError
from feature_repo.manifest import read_manifest
from feature_repo.markets import sessions

if TYPE_CHECKING:
    from optrade.runtime import Runtime


def point_in_time(run: "Runtime", service: str, tickers: Sequence[str]) -> PitReport:
    """Return the point-in-time audit of a service over all sessions of the tickers.

    Raises
    ------
    InputError
        If a ticker has not landed, or there is no such service.
    """
    entries = read_manifest(run.home.data).entries
    missing = [ticker for ticker in tickers if ("prices", ticker) not in entries]
    if missing:
        raise InputError(
            f"no prices of {', '.join(missing)} in this home: run "
            f"`optrade ingest --tickers {','.join(tickers)}` first, or name others by --tickers"
        )
    held = [entries["prices", ticker] for ticker in tickers]
    days = sessions(min(entry.first for entry in held), max(entry.last for entry in held))
    store = run.feature_store(online=False)
    return audit_pit(store, run.home.data, service, tickers, days)
