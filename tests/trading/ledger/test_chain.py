"""The chain: whoever changes, takes away, adds or moves a row is seen."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from optrade.flows.doctor.stores import check_ledger
from tests.trading.ledger.test_outcomes import AS_OF, END
from tests.trading.ledger.test_signals import EVENING, a_signal
from trading.ledger.chain import GENESIS, Head, breaks, head_of, link
from trading.ledger.outcomes import outcome_of, record_outcomes
from trading.ledger.schema import row_hash
from trading.ledger.signals import Ledger

TICKERS = ("SPY", "QQQ", "IWM", "DIA")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four signals, then an outcome of each."""
    path = tmp_path_factory.mktemp("whole") / "ledger.db"
    with Ledger(path) as ledger:
        for ticker in TICKERS:
            ledger.record(a_signal(ticker), EVENING)
    for ticker in TICKERS:
        record_outcomes(path, [outcome_of(a_signal(ticker), END, 0.02, 20.0)], AS_OF)
    return path


@pytest.fixture
def path(whole: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(whole, tmp_path / "ledger.db"))


def run(path: Path, *statements: str) -> list[str]:
    with closing(sqlite3.connect(path)) as database:
        database.row_factory = None
        with database:
            for statement in statements:
                database.execute(statement)
        return list(breaks(database))


def test_every_row_follows_from_the_one_before(path: Path) -> None:
    with closing(sqlite3.connect(path)) as database:
        rows = [
            row
            for table in ("signals", "outcomes")
            for row in database.execute(f"SELECT position, chain, sha256 FROM {table}")  # noqa: S608 - of this file
        ]
        chain = GENESIS
        for place, (position, told, digest) in enumerate(sorted(rows), start=1):
            chain = link(chain, digest)
            assert (position, told) == (place, chain)
        assert head_of(database) == Head(8, chain)
        assert list(breaks(database)) == []
    assert check_ledger(path).found == f"4 recorded signals; chain of 8 rows, {chain[:16]}"


def test_a_second_recording_leaves_no_gap(path: Path) -> None:
    with Ledger(path) as ledger:
        assert not ledger.record(a_signal(), EVENING).new
        assert ledger.record(a_signal("XLF"), EVENING).new
    assert run(path) == []


SWAP = (
    "UPDATE {0} SET position = -1 WHERE ticker = 'QQQ'",
    "UPDATE {0} SET position = {1} WHERE ticker = 'IWM'",
    "UPDATE {0} SET position = {2} WHERE ticker = 'QQQ'",
)
CHANGED = {
    "one taken away": (
        ["DELETE FROM outcomes WHERE ticker = 'QQQ'"],
        ["1 row is gone before outcomes row IWM 2025-06-30: of position 6"],
    ),
    "the last of one table": (
        ["DELETE FROM signals WHERE ticker = 'DIA'"],
        ["1 row is gone before outcomes row SPY 2025-06-30: of position 4"],
    ),
    "two of them": (
        ["DELETE FROM outcomes WHERE ticker IN ('SPY', 'QQQ')"],
        ["2 rows are gone before outcomes row IWM 2025-06-30: of position 5 to 6"],
    ),
    "taken away and the gap closed": (
        ["DELETE FROM signals WHERE ticker = 'QQQ'",
         "UPDATE signals SET position = position - 1 WHERE position > 2",
         "UPDATE outcomes SET position = position - 1"],
        ["signals row IWM 2025-06-30, position 2, does not follow"],
    ),
    "put in another order": (
        [one.format("outcomes", 6, 7) for one in SWAP],
        [f"outcomes row {ticker} 2025-06-30, position {at}, does not follow"
         for ticker, at in (("IWM", 6), ("QQQ", 7), ("DIA", 8))],
    ),
    "numbered anew": (
        ["UPDATE signals SET id = 9 WHERE ticker = 'SPY'"],
        ["signals row QQQ 2025-06-30, position 2, stands before rows that were written earlier"],
    ),
    "put in from outside": (
        ["UPDATE outcomes SET position = NULL, chain = NULL WHERE ticker = 'DIA'"],
        ["outcomes row DIA 2025-06-30 was put in from outside"],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("statements", "words"), CHANGED.values(), ids=CHANGED)
def test_a_row_that_is_not_where_it_was_is_named(
    statements: list[str], words: list[str], path: Path
) -> None:
    found = run(path, *statements)
    assert len(found) == len(words)
    for line, due in zip(found, words, strict=True):
        assert line.startswith(due)
    finding = check_ledger(path)
    assert finding.level == "error"
    assert f"is not as it was written ({found[0]:.60}" in finding.found


def test_a_row_that_was_changed_with_its_hash_is_named(path: Path) -> None:
    with closing(sqlite3.connect(path)) as database, database:
        database.row_factory = sqlite3.Row
        row = dict(database.execute("SELECT * FROM outcomes WHERE ticker = 'QQQ'").fetchone())
        row["realised_return"] = 0.05
        database.execute(
            "UPDATE outcomes SET realised_return = 0.05, sha256 = ? WHERE ticker = 'QQQ'",
            (row_hash(row),),
        )
    assert run(path)[0].startswith("outcomes row QQQ 2025-06-30, position 6, does not follow")
