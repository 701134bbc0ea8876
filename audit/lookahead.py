"""The look-ahead audit: whether a stored row changes once the future of its session is cut off.

The raw rows are cut at a session, the features computed again by the path that built them, and
the session's row is compared with the stored one as it was first known. A feature that read
anything of later days, by whatever way, has another value then.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import numpy as np

from audit.subject import Row, Subject
from feature_repo.features.catalogue import GROUPS, names
from feature_repo.features.declare import Group
from feature_repo.features.planted import groups_of
from home.manifest import Manifest, read_manifest
from home.strict_json import Json
from ingestion.tables.frames import CREATED
from ingestion.views.reader import RawReader
from market.errors import InputError
from market.underlyings import MARKET

TICKER_VIEWS: Final = tuple(name for name, group in GROUPS.items() if group.entity == "ticker")
MARKET_VIEWS: Final = tuple(name for name in GROUPS if name not in TICKER_VIEWS)


@dataclass(frozen=True)
class Leak:
    """A feature whose stored values are not what could be known; None is null.

    `created_timestamp` in the place of a feature: the row counts as known before its inputs were.
    `got` and `expected` are of the first such session; times are seconds since 1970.
    """

    view: str
    key: str
    feature: str
    sessions: int
    first: str
    got: float | None
    expected: float | None


@dataclass(frozen=True)
class LookaheadReport:
    """The outcome of the audit.

    Attributes
    ----------
    tickers, cuts, seed
        What was asked.
    rows, compared
        Rows of a session and view, and values, that were compared.
    absent
        Views without a row for any of the tickers.
    leaks
        What was found, in catalogue order.
    """

    tickers: tuple[str, ...]
    cuts: int
    seed: int
    rows: int
    compared: int
    absent: tuple[str, ...]
    leaks: tuple[Leak, ...]

    def document(self) -> dict[str, Json]:
        """Return the report as plain values."""
        return {"findings": len(self.leaks), **asdict(self)}


def leaks(data_dir: Path, tickers: Sequence[str], cuts: int, seed: int) -> LookaheadReport:
    """Return the look-ahead audit of all views of some tickers, and of the market's.

    Parameters
    ----------
    data_dir
        The data folder of a home.
    tickers
        Tickers whose features were built.
    cuts
        How many sessions to cut at: one in each of as many equal parts of the history, and as many
        again in an optional view that covers less than half of it.
    seed
        Chooses the sessions.

    Raises
    ------
    InputError
        If nothing was built for a ticker, or by definitions of another version.
    """
    reader, groups = opened(data_dir, tickers)
    subjects = [Subject(reader, TICKER_VIEWS, reader.raw("ticker", key), groups) for key in tickers]
    if any(reader.manifest.keys(view) for view in MARKET_VIEWS):
        subjects.append(Subject(reader, MARKET_VIEWS, reader.raw("market", MARKET), groups))
    found = [row for subject in subjects for row in subject.compared(cuts, seed)]
    held = {view for subject in subjects for view in subject.stored}
    return LookaheadReport(
        tickers=tuple(tickers),
        cuts=cuts,
        seed=seed,
        rows=len(found),
        compared=sum(row.expected.size for row in found),
        absent=tuple(view for view in GROUPS if view not in held),
        leaks=tuple(_leaks(found)),
    )


def refuse_leaks(data_dir: Path, ticker: str, cuts: int = 3) -> None:
    """Refuse features that know the future: look at a few sessions of a ticker and of the market.

    Raises
    ------
    InputError
        If a feature leaks, naming it; or as `leaks`.
    """
    found = leaks(data_dir, [ticker], cuts, seed=0).leaks
    if found:
        named = ", ".join(dict.fromkeys(f"{leak.view}:{leak.feature}" for leak in found))
        raise InputError(
            f"look-ahead: got features of {ticker} that read later sessions ({named:.300}), "
            f"allowed are none; see `optrade audit lookahead --tickers {ticker}`, then build them "
            "again without the fault"
        )


def opened(data_dir: Path, tickers: Sequence[str]) -> tuple[RawReader, Mapping[str, Group]]:
    """Return the raw rows of a home, and the definitions that its features were built by.

    Raises
    ------
    InputError
        If nothing was built for a ticker, or by definitions of another version.
    """
    manifest = read_manifest(data_dir)
    check_built(manifest, tickers)
    return RawReader(data_dir, manifest), _definitions(manifest)


def check_built(manifest: Manifest, tickers: Sequence[str]) -> None:
    """Check that technical features were built for each ticker.

    Raises
    ------
    InputError
        Naming those that lack them.
    """
    missing = [ticker for ticker in tickers if ("technical", ticker) not in manifest.entries]
    if missing:
        raise InputError(
            f"no features of {', '.join(missing)} in this home: run "
            f"`optrade ingest --tickers {','.join(missing)}` first, or name others"
        )


def _definitions(manifest: Manifest) -> Mapping[str, Group]:
    """Return the definitions that the views of a home were built by, one version for all."""
    built = {manifest.tables[view].definition_hash for view in GROUPS if manifest.keys(view)}
    groups = groups_of(str(built.pop())) if len(built) == 1 else None
    if groups is None:
        raise InputError(
            "features of another version of the definitions: run `optrade build-features` first"
        )
    return groups


def _leaks(rows: Sequence[Row]) -> Iterator[Leak]:
    """Yield one leak for each feature of a key that differs in any session."""
    found: dict[tuple[str, str, int], list[Row]] = {}
    for row in rows:
        for place in np.flatnonzero(row.differs).tolist():
            found.setdefault((row.view, row.key, place), []).append(row)
    order = {view: number for number, view in enumerate(GROUPS)}
    for view, key, place in sorted(found, key=lambda at: (order[at[0]], at[1], at[2])):
        held = found[view, key, place]
        pair = (held[0].got[place], held[0].expected[place])
        got, expected = (None if np.isnan(value) else float(value) for value in pair)
        feature = [*names(view), CREATED][place]
        yield Leak(view, key, feature, len(held), str(held[0].session), got, expected)
