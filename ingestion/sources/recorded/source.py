"""A folder of vendor-shaped CSV files: `yahoo/`, `cboe/` and `fred/`, and what else is there.

Each file is read by its vendor's `format`: `yahoo/<TICKER>.csv`, `cboe/<SYMBOL>.csv`,
`fred/<SERIES>.csv`, `finnhub/news.csv`, `finnhub/earnings_calendar.csv` and
`apewisdom/history.csv`; `option_chains/` by `chain_folder`. A table of the last four whose file is
not there is not among the tables of the source.

Columns beyond those that a format names are ignored. Days without a row stay without one.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from itertools import chain
from pathlib import Path
from types import MappingProxyType
from typing import Final

import pandas as pd

from ingestion.sources.apewisdom.format import recorded_mentions, with_absent
from ingestion.sources.base import assembled, requested_scope, requested_table
from ingestion.sources.cboe.format import recorded_levels
from ingestion.sources.finnhub.format import recorded_news, recorded_reports
from ingestion.sources.fred.format import recorded_observations
from ingestion.sources.headlines.scored_once import scored
from ingestion.sources.headlines.scores import Scorer
from ingestion.sources.later import Later, together
from ingestion.sources.recorded.chain_folder import CHAIN_FILES, opened_chains, unopened_chains
from ingestion.sources.recorded.known_by import known, left_out
from ingestion.sources.recorded.standing import last_standing
from ingestion.sources.wire.csv_file import CsvFile, read_csv
from ingestion.sources.yahoo.format import recorded_prices
from market.calendar import sessions
from market.errors import InputError, KeyUnavailable, SchemaViolation
from market.underlyings import UNDERLYINGS, underlying

# Letters of a ticker, index or series: a key names a file and must not lead out of the folder.
KEY: Final = re.compile(r"[A-Z0-9][A-Z0-9.=-]*")

# Table -> (folder, reader of one of its files).
FORMATS: Final[Mapping[str, tuple[str, Callable[[CsvFile, str], pd.DataFrame]]]] = MappingProxyType(
    {
        "prices": ("yahoo", recorded_prices),
        "indices": ("cboe", recorded_levels),
        "macro_series": ("fred", recorded_observations),
    }
)
# Table -> (the one file of all its keys, reader).
WHOLE_FILES: Final[Mapping[str, tuple[str, Callable[[CsvFile], pd.DataFrame]]]] = MappingProxyType(
    {
        "news": ("finnhub/news.csv", recorded_news),
        "mentions": ("apewisdom/history.csv", recorded_mentions),
        "earnings_calendar": ("finnhub/earnings_calendar.csv", recorded_reports),
    }
)
CHAINS: Final = "option_chains"


class Recorded:
    """Recorded data of the vendors, from a folder of their CSV files.

    Nothing recorded after the decision time of the last session asked for is given; `later` tells
    of it. A file of events is read once in the life of the source.

    Parameters
    ----------
    folder
        The folder that holds `yahoo/`, `cboe/` and `fred/`, each file named by its key, and maybe
        `finnhub/`, `apewisdom/` and `option_chains/`.
    scorer
        Gives headlines their mood; None takes the default of `headlines.scores`.

    Attributes
    ----------
    tables
        The tables of `FORMATS`, and those of events whose file is there.
    """

    name = "recorded"
    origin = "recorded"

    def __init__(self, folder: Path, scorer: Scorer | None = None) -> None:
        self.folder = Path(folder)
        self.scorer = scorer
        events = [name for name, (file, _) in WHOLE_FILES.items() if (self.folder / file).exists()]
        found = [path for form in CHAIN_FILES for path in (self.folder / CHAINS).glob(form)]
        chains = [CHAINS] if found else []
        self.tables: tuple[str, ...] = (*FORMATS, *events, *chains)
        self._whole: dict[str, pd.DataFrame] = {}
        self._later: dict[tuple[str, str], list[Later]] = {}

    def fetch(
        self, table: str, keys: Sequence[str], start: pd.Timestamp | None, end: pd.Timestamp
    ) -> pd.DataFrame:
        """Return the recorded rows of the keys dated in [start, end]; see `Source.fetch`.

        Raises
        ------
        KeyUnavailable
            If the file of a key is missing.
        InputError
            If the table or a key is not possible, or start lies after end.
        SchemaViolation
            If a file cannot be read to the letter: its name, line, column and cell are given.
        """
        shape = requested_table(self, table)
        asked = list(dict.fromkeys(keys))
        unopened: list[Later] = []
        if table in FORMATS:
            held = [self._read(table, key) for key in asked]
        elif table == CHAINS:
            folder = self.folder / CHAINS
            held = [opened_chains(folder, key, start, end) for key in asked]
            unopened = [part for key in asked for part in unopened_chains(folder, key, end)]
        else:
            held = [self._events(table, asked)]
        found = [known(shape, rows, end) for rows in held]
        rest = [left_out(shape, *pair) for pair in zip(held, found, strict=True)]
        parts = [*chain.from_iterable(rest), *unopened]
        self._later |= {(table, key): [p for p in parts if p.key == key] for key in asked}
        if table == "news":
            found = [scored(rows, self.scorer) for rows in found]
        return assembled(shape, found, start, end)

    def later(self, table: str, keys: Sequence[str]) -> Later | None:
        """Return what the last `fetch` of keys left out, see `HoldsLater`."""
        return together(part for key in keys for part in self._later.get((table, key), ()))

    def last_session(self) -> pd.Timestamp:
        """Return the last session with a close in the price files, at midnight without a zone.

        Files that cannot be read do not count, nor do those of no underlying: the fetch of their
        ticker names them. Nor does a stray row at a file's end, see `last_standing`.

        Raises
        ------
        InputError
            If there is no price file, none can be read, or none has a session with a close.
        """
        folder = self.folder / FORMATS["prices"][0]
        there = {path.stem for path in folder.glob("*.csv")}
        named = [ticker for ticker in UNDERLYINGS if ticker in there]
        if not named:
            raise InputError(
                f"no price file: {folder} holds {', '.join(sorted(there)) or 'no CSV file'}, "
                f"allowed is a folder with {folder.name}/<TICKER>.csv of {', '.join(UNDERLYINGS)}"
            )
        read, faults = [], []
        for ticker in named:
            try:
                read.append(_traded(self._read("prices", ticker)))
            except (SchemaViolation, KeyUnavailable) as error:
                faults.append(str(error))
        if not read:
            raise InputError(f"no price file can be read: {faults[0]}")
        traded = [days for days in read if len(days)]
        if not traded:
            raise InputError(f"no session with a close in {folder}: got none")
        return last_standing(traded)

    def _read(self, table: str, key: str) -> pd.DataFrame:
        folder, read = FORMATS[table]
        return read(read_csv(self.folder, f"{folder}/{_possible(key)}.csv"), key)

    def _events(self, table: str, keys: list[str]) -> pd.DataFrame:
        """Return all that the file of a table holds of keys."""
        file, read = WHOLE_FILES[table]
        if table not in self._whole:
            self._whole[table] = read(read_csv(self.folder, file))
        rows = self._whole[table]
        if table == "news":
            for key in keys:
                requested_scope(key)
            return rows[rows["scope"].isin(keys)]
        if table == "mentions":
            return with_absent(rows, [underlying(key).ticker for key in keys])
        companies = [_possible(key) for key in keys]
        return rows[rows["symbol"].isin(companies)]


def _traded(priced: pd.DataFrame) -> pd.DatetimeIndex:
    """Return the sessions with a close of a price file, ascending."""
    days = pd.DatetimeIndex(priced.loc[priced["close"].notna(), "session"])
    if not len(days):
        return days
    known = sessions(days.min(), days.max())
    return known[known.isin(days)]


def _possible(key: str) -> str:
    if not KEY.fullmatch(key):
        raise InputError(
            f"impossible key: got {key!r:.40}, allowed are capital letters, digits, . = and -"
        )
    return key
