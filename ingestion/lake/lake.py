"""The lake: the only writer of raw tables, quarantine and feature files."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import pandas as pd
import polars as pl

from home.manifest import TableState, latest
from ingestion.lake.data_folder import DataFolder
from ingestion.lake.quarantine import (
    FOLDER,
    REASON,
    RELEASED,
    REPLACED,
    ROW_ID,
    check_payable,
    outdated,
    refused_rows,
    replaced_generations,
    with_release,
)
from ingestion.lake.splits import SPLIT, undo_known_splits
from ingestion.lake.versions import append, insert
from ingestion.tables.declare import Table
from ingestion.tables.frames import LANDED, SESSION, TIME, identity, partitions, quarantined, utc


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
            bad = 0 if rejected is None else self.quarantine(table, rejected, time)
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

    def quarantine(self, table: Table, rejected: pd.DataFrame, time: datetime) -> int:
        """Stage refused rows with their `reason`, each once; return how many are new ones.

        Parameters
        ----------
        table
            The declaration of the rows.
        rejected
            The rows, and the rules that each breaks.
        time
            When they were refused, UTC.
        """
        name, columns = FOLDER + table.name, (*identity(table), REASON)
        self.open_table(name, TableState(columns))
        count = 0
        for key, rows in quarantined(table, rejected, REASON):
            # The row and its reason are its key, so that it is kept once, released or not.
            fresh, stored = with_release(_landed(rows, time)), self.stored(name, key)
            known = None if stored is None else with_release(stored)
            result = append(known, fresh, columns, (), LANDED, time)
            if result.changed:
                self.stage(name, key, name, result.rows, table.dated, time)
            count += result.new
        return count

    def release(
        self,
        table: Table,
        key: str,
        chosen: pl.DataFrame,
        released_at: pd.Timestamp,
        views: Sequence[str],
    ) -> Landing:
        """Land quarantined rows as if they had passed the gate when they came, and mark them.

        They are known from their first refusal on: a version that landed later stays the newest.
        The views have to be built again; `open_view` starts their new generation.

        Parameters
        ----------
        table, key
            What the rows are.
        chosen
            As `ingestion.lake.quarantine.choose` gives them.
        released_at
            The time of the release, with a zone.
        views
            The views that are computed from the table.

        Raises
        ------
        InputError
            If two rows that differ would be the same version, or a dividend could not be
            reinvested any more.
        """
        time, name = utc(released_at), FOLDER + table.name
        is_chosen = pl.col(ROW_ID).is_in(chosen[ROW_ID].to_list())
        mark = {RELEASED: pl.lit(time).cast(TIME),
                REPLACED: pl.lit(replaced_generations(self.manifest, views))}  # fmt: skip
        with self.all_or_nothing():
            self.open_table(table.name, TableState(table.key))
            stored, rows = self.stored(table.name, key), chosen.select(*table.names, LANDED)
            result = insert(stored, rows, table.key, table.values, LANDED)
            check_payable(table, key, stored, result.rows)
            if result.changed:
                folder = f"raw/{table.name}"
                self.stage(table.name, key, folder, result.rows, table.dated, time)
            marked = refused_rows(self.data_dir, self.manifest, table, key).with_columns(
                pl.when(is_chosen).then(value).otherwise(pl.col(column)).alias(column)
                for column, value in mark.items()
            )
            self.open_table(name, self.manifest.tables[name])
            self.stage(name, key, name, marked.drop(ROW_ID), table.dated, time)
            self.commit()
        keys = (key,) if result.changed else ()
        return Landing(table.name, result.new, result.corrected, 0, keys)

    def open_view(
        self, view: str, entity: str, definition_hash: str, *, rebuild: bool = False
    ) -> TableState:
        """Open a view for writing, in a new generation if what it is built from changed.

        That is the feature definitions, or rows released from quarantine since.

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
        elif rebuild or held.definition_hash != definition_hash or self._is_outdated(view, held):
            state = TableState(held.key, held.generation + 1, definition_hash)
        else:
            state = held
        self.open_table(view, state)
        return state

    def _is_outdated(self, view: str, held: TableState) -> bool:
        return held.generation <= outdated(self.data_dir, self.manifest).get(view, 0)

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
        folder = features_folder(view, self.generation(view))
        self.stage(view, key, folder, rows, SESSION, utc(landed_at))


def features_folder(view: str, generation: int) -> str:
    """Return where the files of a generation of a view lie, relative to the data folder."""
    return f"features/{view}/g{generation}"


def _landed(rows: pl.DataFrame, time: datetime) -> pl.DataFrame:
    return rows.with_columns(pl.lit(time).cast(TIME).alias(LANDED))
