"""Events of the paper book, kept in the ledger: each is added to the end, all of a step or none."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import sqlalchemy as sa

from home.records.paper import PaperEvent
from home.strict_json import canonical
from market.errors import StoreUnavailable
from trading.ledger.schema import signed_row
from trading.ledger.tables import PAPER_EVENTS
from trading.ledger.writer import writing


def record_events(path: Path, events: Sequence[PaperEvent], recorded_at: pd.Timestamp) -> None:
    """Write events after those that are there; on return they are on disk.

    Parameters
    ----------
    path
        The ledger; begun where there is none.
    events
        In their order, the first one's number that after the last in the ledger.
    recorded_at
        Now, with a zone.

    Raises
    ------
    StoreUnavailable
        If the book was taken on by another program meanwhile; nothing is written.
    """
    if not events:
        return
    moment = recorded_at.tz_convert("UTC").isoformat()
    with writing(path, begin=True) as ledger, ledger.transaction() as rows:
        last = rows.connection.execute(sa.select(sa.func.max(PAPER_EVENTS.c.number))).scalar() or 0
        if events[0].number != last + 1:
            raise StoreUnavailable(
                f"ledger {path}: another program took the paper book on to event {last} "
                "meanwhile: run the command again"
            )
        rows.append_new(PAPER_EVENTS, [_row(event, moment) for event in events], ("number",))


def _row(event: PaperEvent, moment: str) -> dict[str, object]:
    told = event.document()
    row = {name: told.get(name) for name in ("number", "kind", "trade", "ticker", "session")}
    row |= {"cash": event.cash, "balance": event.balance, "recorded_at": moment}
    return dict(signed_row({**row, "document": canonical(told).decode()}))
