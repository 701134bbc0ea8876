"""A row is believed only as it was written: whatever was changed in it, every reader refuses it."""

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from dashboard.queries.ledger import signal_history
from market.errors import StoreUnavailable
from optrade.flows.doctor.stores import check_ledger
from tests.trading.ledger.test_outcomes import AS_OF, END
from tests.trading.ledger.test_settle import LATE, price_rows, rank_rows
from tests.trading.ledger.test_signals import EVENING, a_signal
from trading.ledger.checked import DamagedRow
from trading.ledger.outcomes import outcome_of, record_outcomes
from trading.ledger.read import read_outcomes, read_signals, signals_of
from trading.ledger.schema import COLUMNS
from trading.ledger.settle import settle
from trading.ledger.signals import Ledger
from trading.ledger.states import STATES

SPY = "ticker = 'SPY'"
CURE = STATES["damaged"].cure


def of_day(path: Path) -> None:
    found, damaged = signals_of(path, "2025-06-30")
    assert [row.signal.ticker for row in found] == ["QQQ"]
    raise damaged[0]


def on_a_page(path: Path) -> None:
    history = signal_history(path)
    assert history.signals["ticker"].tolist() == ["QQQ"]
    raise StoreUnavailable(history.damaged[0])


def again(path: Path) -> None:
    with Ledger(path) as ledger:
        ledger.record(a_signal(), EVENING)


READERS = (read_signals, of_day, on_a_page, again)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("whole") / "ledger.db"
    with Ledger(path) as ledger:
        for ticker in ("SPY", "QQQ"):
            ledger.record(a_signal(ticker), EVENING)
    record_outcomes(path, [outcome_of(a_signal("QQQ"), END, 0.02, 20.0)], AS_OF)
    return path


@pytest.fixture
def path(whole: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(whole, tmp_path / "ledger.db"))


def run(path: Path, statement: str) -> None:
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("PRAGMA ignore_check_constraints = 1")
        database.execute(statement)


def put(column: str, value: str, *, older: bool = False) -> Callable[[Path], None]:
    """Change a column of SPY's row, with the hash left as it is, or none as in an older row."""
    also = ", sha256 = NULL" if older else ""
    return lambda path: run(path, f"UPDATE signals SET {column} = {value}{also} WHERE {SPY}")  # noqa: S608 - of this file


def other_day(at: str) -> str:
    return f"replace({at}, '2025-06-30', '2025-06-27')"


def bent(path: Path) -> None:
    """Change one bit of SPY's document, to a byte that is no UTF-8."""
    content = bytearray(path.read_bytes())
    place = content.rindex(b'"ticker":"SPY"') - 40
    content[place] ^= 0x80
    path.write_bytes(content)


HASHED = "its bytes are not those that were written"
CHANGED = {
    "a bit": (bent, HASHED),
    "the day of the document": (put("document", other_day("document")), HASHED),
    "a figure": (put("document", "replace(document, '0.', '1.')"), HASHED),
    "when it was recorded": (put("recorded_at", other_day("recorded_at")), HASHED),
    "the size": (put("position_size", "'huge'"), HASHED),
    "an older row's day": (
        put("document", other_day("document"), older=True),
        "session is 2025-06-30 in its column, 2025-06-27 in its document",
    ),
    "an older row's bit": (
        lambda path: (put("proven", "proven", older=True)(path), bent(path)), "signal"
    ),
    "an older row cut": (put("document", "'{'", older=True), "is no JSON"),
}  # fmt: skip


@pytest.mark.parametrize(("change", "words"), CHANGED.values(), ids=CHANGED)
def test_a_changed_row_is_refused_by_all_and_named_by_doctor(
    change: Callable[[Path], None], words: str, path: Path
) -> None:
    change(path)
    finding = check_ledger(path)
    assert finding.level == "error"
    said = [finding.found]
    for ask in READERS:
        with pytest.raises(StoreUnavailable) as refused:
            ask(path)
        said.append(str(refused.value))
    for line in said:
        assert line.startswith(f"ledger {path} is damaged (")
        assert words in line
        assert line.endswith(f": {CURE}")


@pytest.mark.parametrize("older", [False, True])
@pytest.mark.parametrize("column", COLUMNS)
def test_no_column_may_say_other_than_the_document(column: str, older: bool, path: Path) -> None:
    kind = "'OTHER'" if isinstance(_held(path, column), str) else "7"
    put(column, kind, older=older)(path)
    assert check_ledger(path).level == "error"
    with pytest.raises(DamagedRow):
        read_signals(path)


def _held(path: Path, column: str) -> object:
    with closing(sqlite3.connect(path)) as database:
        return database.execute(f"SELECT {column} FROM signals").fetchone()[0]  # noqa: S608 - one of COLUMNS


def test_a_row_of_a_later_optrade_is_not_called_damaged(path: Path, monkeypatch) -> None:
    monkeypatch.setattr("trading.ledger.signals._canonical", lambda _: '{"ticker":"IWM","new":1}')
    with Ledger(path) as ledger, pytest.raises(DamagedRow, match=r"newer schema .*use the optrade"):
        ledger.record(a_signal("IWM"), EVENING)


def test_the_others_are_settled_and_the_damaged_one_is_named(path: Path) -> None:
    again_qqq = a_signal("QQQ", version=2)
    with Ledger(path) as ledger:
        ledger.record(again_qqq, EVENING)
    put("document", other_day("document"))(path)
    done = settle(path, price_rows(400.0), rank_rows(20.0), LATE)
    assert [row.key for row in done.pending] == [again_qqq.key]
    assert done.settled_before == 1
    assert HASHED in done.unread["SPY"]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ("realised_return = 0.03", HASHED),
        ("as_of = 'later'", HASHED),
        ("label = 'DOWN', sha256 = NULL", "label is DOWN, its own figures say UP"),
        ("iv_rank = 99.0, sha256 = NULL", "realised_regime is LOW, its own figures say HIGH"),
        ("label = 'up', sha256 = NULL", "label: "),
    ],
)
def test_a_changed_outcome_is_refused(changes: str, words: str, path: Path) -> None:
    run(path, f"UPDATE outcomes SET {changes}")  # noqa: S608 - of this file
    with pytest.raises(DamagedRow, match=words) as refused:
        read_outcomes(path)
    assert f"outcome QQQ 2025-06-30: {words}" in str(refused.value)
    assert check_ledger(path).level == "error"
