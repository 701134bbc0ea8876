"""The lake: the only writer of raw tables, quarantine and feature files."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

import pandas as pd
import polars as pl

from feature_repo.manifest import TableState, latest
from ingestion.data_folder import DataFolder
from ingestion.frames import LANDED, SESSION, TIME, partitions, quarantined, utc
from ingestion.splits import SPLIT, undo_known_splits
from ingestion.table import Table
from ingestion.versions import append

REASON: Final = "reason"


@dataclass(frozen=True)
class Landing:
    """What one landing changed: rows by kind, and the keys whose raw files were replaced."""

    table: str
    rows_new: int
    rows_corrected: int
    rows_quarantined: int
    keys: tuple[str, ...]


class Lake(DataFolder):
    """The data folder of a home with its raw tables and views, see `DataFolder`."""

    def land(
        self,
        table: Table,
        frame: pd.DataFrame,
        origin: str,
        landed_at: pd.Timestamp,
        rejected: pd.DataFrame | None = None,
    ) -> Landing:
        """Land rows that passed the gate, all keys under one switch of the manifest.

        A new key is appended, equal values change nothing, a value that moved by more than 1e-9 of
        itself is appended as a correction, later than the row it corrects. A landing that changes
        nothing writes nothing.

        Parameters
        ----------
        table
            The declaration of the rows.
        frame
            Rows of exactly its columns and dtypes, no key twice.
        origin
            live, recorded or simulated.
        landed_at
            The time of the landing, with a zone.
        rejected
            Rows that the gate refused, with their `reason`: they go to quarantine, each once.

        Raises
        ------
        InputError
            If the home holds another origin, or a key cannot name a file.
        SchemaViolation
            If the frame is not as declared, or holds a key twice.
        """
        self.check_origin(origin)
        time = utc(landed_at)
        with self.all_or_nothing():
            self.open_table(table.name, TableState(table.key))
            parts = partitions(table, frame)
            landed = {key: self._land_key(table, key, rows, time) for key, rows in parts}
            bad = 0 if rejected is None else self._quarantine(table, rejected, time)
            keys = tuple(key for key, counts in landed.items() if any(counts))
            self.commit(origin, time if keys and origin == "live" else None)
        new, corrected = (sum(counts[i] for counts in landed.values()) for i in (0, 1))
        return Landing(table.name, new, corrected, bad, keys)

    def _land_key(
        self, table: Table, key: str, rows: pl.DataFrame, time: datetime
    ) -> tuple[int, int]:
        stored = self.stored(table.name, key)
        if stored is not None and SPLIT in table.names:
            rows = undo_known_splits(latest(stored, table.key), rows)
        result = append(stored, _landed(rows, time), table.key, table.values, LANDED, time)
        if result.changed:
            self.stage(table.name, key, f"raw/{table.name}", result.rows, table.dated, time)
        return result.new, result.corrected

    def _quarantine(self, table: Table, rejected: pd.DataFrame, time: datetime) -> int:
        name, columns = f"quarantine/{table.name}", (*table.names, REASON)
        self.open_table(name, TableState(columns))
        count = 0
        for key, rows in quarantined(table, rejected, REASON):
            # The whole row and its reason are its key, so that it is kept once.
            result = append(self.stored(name, key), _landed(rows, time), columns, (), LANDED, time)
            if result.changed:
                self.stage(name, key, name, result.rows, table.dated, time)
            count += result.new
        return count

    def open_view(
        self, view: str, entity: str, definition_hash: str, *, rebuild: bool = False
    ) -> TableState:
        """Open a view for writing, in a new generation if its definitions changed.

        Parameters
        ----------
        view
            The name of the view.
        entity
            Its entity column, ticker or market.
        definition_hash
            The hash of the feature definitions that the rows are computed by.
        rebuild
            Start a new generation in any case.

        Returns
        -------
        TableState
            The generation that rows will be written to. Where it is a new one, every key of the
            old one has to be written before the commit, which switches to it.
        """
        held = self.manifest.tables.get(view)
        if held is None:
            state = TableState((entity, SESSION), 1, definition_hash)
        elif rebuild or held.definition_hash != definition_hash:
            state = TableState(held.key, held.generation + 1, definition_hash)
        else:
            state = held
        self.open_table(view, state)
        return state

    def is_new_generation(self, view: str) -> bool:
        """Return whether an opened view will replace one of an earlier generation."""
        held = self.manifest.tables.get(view)
        return held is not None and self.generation(view) != held.generation

    @property
    def first_live(self) -> datetime | None:
        """The home's first live landing, None where there was none."""
        text = self.manifest.first_live_landing
        return None if text is None else datetime.fromisoformat(text)

    def write_features(
        self, view: str, key: str, rows: pl.DataFrame, landed_at: pd.Timestamp
    ) -> None:
        """Write all versions of the rows of one key of an opened view; `commit` switches to them.

        Parameters
        ----------
        view, key
            The view, and the ticker or market.
        rows
            Entity, session, event_timestamp, created_timestamp and the features, sorted by
            session and created_timestamp.
        landed_at
            The time of the landing, with a zone.
        """
        folder = f"features/{view}/g{self.generation(view)}"
        self.stage(view, key, folder, rows, SESSION, utc(landed_at))


def _landed(rows: pl.DataFrame, time: datetime) -> pl.DataFrame:
    return rows.with_columns(pl.lit(time).cast(TIME).alias(LANDED))
