"""Every page through Streamlit's own test runner: empty, filled, and damaged homes."""

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from dashboard.page import PAGES
from dashboard.queries.ledger import signal_history
from home.findings import findings_bytes
from home.layout import Home
from home.records.finding import Finding
from home.served_model import write_checked
from home.strict_json import signed
from tests.dashboard.conftest import make_signal
from tests.dashboard.worth import VERDICT, came_to
from trading.ledger.outcomes import record_structure_outcomes
from trading.ledger.signals import Ledger

APP = Path(__file__).resolve().parents[2] / "dashboard" / "app.py"
NAMES = [name for name, _, _ in PAGES]
TITLES = {name: title for name, title, _ in PAGES}
Open = Callable[[Path, str], AppTest]


@pytest.fixture
def open_page(monkeypatch: pytest.MonkeyPatch) -> Open:
    """Open a page of a home by its own address, as a bookmark does."""

    def opened(home: Path, name: str) -> AppTest:
        monkeypatch.setattr("sys.argv", [str(APP), "--home", str(home)])
        app = AppTest.from_file(str(APP), default_timeout=60)
        return app.switch_page(f"pages/{name}.py").run()

    return opened


def messages(app: AppTest) -> str:
    return "\n".join(row.value for kind in (app.info, app.error, app.warning) for row in kind)


def words(app: AppTest) -> str:
    return "\n".join(row.value for row in app.markdown)


def state(home: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(home)): path.read_bytes()
        for path in home.rglob("*")
        if path.is_file() and not path.name.endswith(("-shm", "-wal"))
    }


@pytest.mark.parametrize("name", NAMES)
def test_an_empty_home_names_the_command_to_run(tmp_path: Path, open_page: Open, name: str) -> None:
    app = open_page(tmp_path, name)
    assert not app.exception
    assert not app.error
    assert [row.value for row in app.title] == [TITLES[name]]
    assert "run `optrade" in messages(app)
    assert list(tmp_path.iterdir()) == []


def test_a_home_that_is_not_there_is_said(tmp_path: Path, open_page: Open) -> None:
    app = open_page(tmp_path / "nowhere", "drift")
    assert not app.exception
    assert "There is no folder" in messages(app)
    assert not (tmp_path / "nowhere").exists()


@pytest.mark.parametrize("name", NAMES)
def test_a_filled_home_is_shown_and_left_as_it_was(
    filled: Path, open_page: Open, name: str
) -> None:
    before = state(filled)
    app = open_page(filled, name)
    assert not app.exception
    assert not app.error
    assert len(app.dataframe) >= 1
    assert "SIMULATED" in app.warning[0].value
    assert any("simulated" in row.value for row in app.sidebar.caption)
    assert state(filled) == before


@pytest.mark.parametrize("name", NAMES)
def test_a_page_is_whole_when_opened_a_second_time(
    filled: Path, open_page: Open, name: str
) -> None:
    app = open_page(filled, name)
    app.run()
    assert not app.exception
    assert [row.value for row in app.title] == [TITLES[name]]


def test_the_environment_names_the_home_where_no_argument_does(
    filled: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.argv", [str(APP)])
    monkeypatch.setenv("OPTRADE_HOME", str(filled))
    app = AppTest.from_file(str(APP), default_timeout=60).run()
    assert any(str(filled) in row.value for row in app.sidebar.caption)


def test_daily_signals_tells_the_trade_and_why(filled: Path, open_page: Open) -> None:
    app = open_page(filled, "daily_signals")
    history = signal_history(filled / "data" / "ledger.db").signals
    latest = history[history["session"] == history["session"].max()]
    table = app.dataframe[0].value.set_index("ticker")
    assert table["strategy"].to_dict() == latest.set_index("ticker")["strategy"].to_dict()
    assert table["size"].to_dict() == latest.set_index("ticker")["position_size"].to_dict()
    assert set(table["direction by"]) == {"logistic, unproven"}
    assert set(table["regime by"]) == {"paths, unproven"}
    assert set(table["oldest data"]) == {"1 session old"}
    text = words(app)
    assert text.count("Rule '") == len(latest)
    assert "-0.0123 (95 % interval -0.0323 to +0.0077) over the class prior" in text
    shown = [
        str(row.value.index.tolist()) + str(row.value.to_numpy().tolist()) for row in app.table
    ]
    assert any("max loss" in row and "2.0% of portfolio" in row for row in shown)
    assert any("NO TRADE" in row or "needs" in row for row in shown)
    assert any("sha256" in row for row in shown)


def test_an_earlier_session_can_be_chosen(filled: Path, open_page: Open) -> None:
    app = open_page(filled, "daily_signals")
    earlier = app.selectbox[0].options[7]
    app.selectbox[0].select(earlier).run()
    assert not app.exception
    assert f"session {earlier}" in words(app)


def test_performance_of_one_ticker_counts_its_signals_alone(filled: Path, open_page: Open) -> None:
    app = open_page(filled, "performance")
    assert [row.value for row in app.metric[:3]] == ["180", "60", "165"]
    app.segmented_control[0].set_value("SPY").run()
    assert [row.value for row in app.metric[:3]] == ["60", "60", "55"]
    assert not app.exception


def test_backfilled_signals_are_marked_and_in_no_live_score(
    tmp_path: Path, record: Callable, open_page: Open
) -> None:
    path = tmp_path / "data" / "ledger.db"
    record(path, 4)
    one = make_signal("SPY", "2015-01-02", 0.6, (0.6, 0.3, 0.1), 20.0)
    with Ledger(path) as ledger:
        ledger.record(one, pd.Timestamp(one.provenance.as_of), backfilled=True)
    app = open_page(tmp_path, "performance")
    assert not app.exception
    assert app.metric[0].value == "12"
    assert "1 of 13 signals are backfilled" in "".join(row.value for row in app.caption)
    app.segmented_control[0].set_value("backfilled").run()
    assert app.metric[0].value == "1"
    assert "nobody could have followed these" in messages(app)


def metrics(app: AppTest) -> dict[str, str]:
    return {row.label: row.value for row in app.metric}


def test_performance_tells_what_positions_were_worth(filled: Path, open_page: Open) -> None:
    app = open_page(filled, "performance")
    positions = signal_history(filled / "data" / "ledger.db").positions
    ended = positions.dropna(subset=["profit"])
    shown = metrics(app)
    assert shown["Positions ended"] == f"{len(ended):,}"
    assert shown["Held"] == f"{len(positions) - len(ended):,}"
    assert shown["Total, USD"] == f"{ended['profit'].sum():+,.2f}"
    table = next(one.value for one in app.dataframe if "priced_by" in one.value)
    assert table["strategy"].iloc[-1] == "all strategies"
    assert table["total"].iloc[:-1].sum() == pytest.approx(ended["profit"].sum())
    assert set(table["priced_by"]) == {"synthetic"}
    assert set(table["interval"]) == {"too few"}
    assert "Too few positions have ended" in messages(app)
    one = app.segmented_control[0].set_value("SPY").run()
    mine = ended[ended["ticker"] == "SPY"]
    assert metrics(one)["Total, USD"] == f"{mine['profit'].sum():+,.2f}"


def test_money_of_backfilled_signals_is_in_no_live_figure(tmp_path: Path, open_page: Open) -> None:
    path = tmp_path / "data" / "ledger.db"
    live, late = (make_signal("SPY", day, 0.6) for day in ("2025-06-02", "2025-06-03"))
    with Ledger(path) as ledger:
        for one, backfilled in ((live, False), (late, True)):
            ledger.record(one, pd.Timestamp(one.provenance.as_of), backfilled=backfilled)
    app = open_page(tmp_path, "performance")
    assert metrics(app)["Held"] == "1"
    assert "No position has ended: `optrade settle`" in messages(app)
    found = [came_to(live, 3, 0.5), came_to(late, 3, -1.0)]
    record_structure_outcomes(path, found[1:], pd.Timestamp("2025-07-01", tz="UTC"))
    first = open_page(tmp_path, "performance")
    assert first.segmented_control[0].value == "backfilled"  # all that there is to see
    assert metrics(first)["Total, USD"] == f"{found[1].profit:+,.2f}"
    record_structure_outcomes(path, found[:1], pd.Timestamp("2025-07-01", tz="UTC"))
    app.run()
    assert metrics(app)["Total, USD"] == f"{found[0].profit:+,.2f}"
    assert "Too few positions have ended" in messages(app)
    app.segmented_control[0].set_value("backfilled").run()
    assert metrics(app)["Total, USD"] == f"{found[1].profit:+,.2f}"


def test_signals_without_a_position_are_worth_nothing_that_is_known(
    tmp_path: Path, keep: Callable, open_page: Open
) -> None:
    keep(tmp_path, [make_signal("IWM", "2025-06-02", 0.6)])
    app = open_page(tmp_path, "performance")
    assert not app.exception
    assert "No signal here has a position" in messages(app)


def test_a_damaged_row_is_named_on_performance_and_the_others_are_shown(
    own: Path, open_page: Open
) -> None:
    with sqlite3.connect(own / "data" / "ledger.db") as ledger:
        ledger.execute("UPDATE signals SET strategy = 'NO TRADE', sha256 = 'x' WHERE id = 7")
    ledger.close()
    app = open_page(own, "performance")
    assert not app.exception
    (fault,) = [row.value for row in app.error]
    assert "its bytes are not those that were written" in fault
    assert app.metric[0].value == "179"
    with sqlite3.connect(own / "data" / "ledger.db") as ledger:
        ledger.execute("UPDATE signals SET sha256 = 'x'")
    ledger.close()
    app.run()
    assert not app.exception
    assert len(app.error) == 180


def test_the_paper_book_adds_up_on_its_page(filled: Path, open_page: Open) -> None:
    from dashboard.queries.paper import paper_book

    app = open_page(filled, "paper_book")
    book = paper_book(filled / "data" / "ledger.db").book
    shown = metrics(app)
    assert shown["Equity, USD"] == f"{book.equity / 100:,.2f}"
    assert shown["Cash, USD"] == f"{book.cash / 100:,.2f}"
    assert shown["Risk, USD"] == f"{book.open[2].opened.risk / 100:,.2f}"
    closed = next(one.value for one in app.dataframe if "P&L, USD" in one.value)
    assert closed["P&L, USD"].tolist() == [book.trades[1].profit / 100]
    assert (closed["why"].tolist(), closed["early exercise, USD"].tolist()) == (["target"], [12.34])
    legs = next(one.value for one in app.dataframe if "symbol" in one.value)
    assert legs["symbol"].tolist() == [leg.symbol for leg in book.open[2].opened.structure.legs]
    assert "its fill had passed when the book began" in "".join(row.value for row in app.caption)
    assert "**Exit.** Close it when that" in words(app)


def test_a_book_that_has_just_begun_and_one_that_is_stopped(
    tmp_path: Path, record: Callable, open_page: Open
) -> None:
    from trading.ledger.events import record_events
    from trading.paper.advance import begin, stop_all

    path = tmp_path / "data" / "ledger.db"
    record(path, 1)
    at = pd.Timestamp("2025-06-30 21:00", tz="UTC")
    begun = begin(1000.0, 0.06, at)
    record_events(path, begun.events, at)
    app = open_page(tmp_path, "paper_book")
    assert metrics(app)["Equity, USD"] == "1,000.00"
    assert "One session so far" in messages(app)
    record_events(path, stop_all(begun.book, {}).events, at)
    app.run()
    assert not app.exception
    assert "`optrade paper --resume`" in messages(app)


def test_backtests_are_listed_and_the_newest_is_shown_when_asked(
    own: Path, open_page: Open
) -> None:
    app = open_page(own, "backtests")
    assert VERDICT in messages(app)
    (table,) = [one.value for one in app.dataframe]
    assert table["file"].tolist() == ["SPY_20110103_20250630_open.html"]
    assert table["verdict"].tolist() == [VERDICT]
    assert not app.get("iframe")
    app.toggle[0].set_value(True).run()
    assert not app.exception
    (frame,) = app.get("iframe")
    assert VERDICT in frame.proto.srcdoc
    (own / "reports" / "backtests" / "broken.html").write_text("<h2>nothing</h2>")
    app.run()
    assert "broken.html: no page of a backtest" in app.error[0].value
    assert len(app.dataframe[0].value) == 1


def test_too_few_outcomes_are_not_judged(tmp_path: Path, record: Callable, open_page: Open) -> None:
    record(tmp_path / "data" / "ledger.db", 4)
    app = open_page(tmp_path, "performance")
    assert not app.exception
    assert "run `optrade settle`" in messages(app)
    assert "Too few to judge: 0 decided signals" in messages(app)


def test_models_shows_the_verdict_of_the_version_chosen(filled: Path, open_page: Open) -> None:
    app = open_page(filled, "models")
    assert list(app.selectbox[0].options) == ["direction_SPY", "regime_SPY"]
    assert list(app.selectbox[1].options) == ["version 2", "version 1"]
    serving = json.loads((filled / "models" / "serving" / "direction_SPY.json").read_text())
    spoken = [row.value for row in (*app.success, *app.warning)]
    assert any(serving["evidence"]["verdict"][1:40] in row for row in spoken)
    assert "Model type **logistic**" in words(app)
    for table in app.dataframe[:2]:
        assert set(table.value["model"]) == {"logistic"}
    app.selectbox[0].select("regime_SPY").run()
    assert not app.exception
    assert "transition table" in words(app)


def test_models_of_a_database_that_names_no_types_are_shown(own: Path, open_page: Open) -> None:
    with sqlite3.connect(own / "mlruns" / "mlflow.db") as runs:
        runs.execute("DELETE FROM params WHERE key = 'model_type'")
        runs.execute("DELETE FROM model_version_tags WHERE key = 'model'")
    runs.close()
    app = open_page(own, "models")
    assert not app.exception
    assert app.dataframe[1].value["model"].isna().all()


def test_no_panel_stands_empty_where_nothing_was_measured(own: Path, open_page: Open) -> None:
    charts = len(open_page(own, "models").get("plotly_chart"))
    for path in (own / "models" / "serving").glob("*.json"):
        document = json.loads(path.read_text())
        document["evidence"] |= {
            "improvement": None, "interval": None, "proven": False, "standing": "unproven",
        }  # fmt: skip
        write_checked(path, json.dumps(signed(document)).encode())
    app = open_page(own, "models")
    assert not app.error
    assert len(app.get("plotly_chart")) == charts - 1


def test_drift_is_filtered_by_view(filled: Path, open_page: Open) -> None:
    app = open_page(filled, "drift")
    assert set(app.dataframe[0].value["name"]) == {"moved", "still", "gone"}
    app.selectbox[1].select("iv").run()
    assert set(app.dataframe[0].value["name"]) == {"still"}
    app.selectbox[1].select("macro").run()
    assert "No feature of this view could be compared" in messages(app)
    assert not app.exception


def test_data_health_checks_the_bytes_when_asked(own: Path, open_page: Open) -> None:
    app = open_page(own, "data_health")
    app.toggle[0].set_value(True).run()
    assert "Every file is as it landed." in [row.value for row in app.success]
    next((own / "data" / "raw" / "prices").glob("SPY*")).write_bytes(b"broken")
    app.run()
    assert "SPY" in app.error[0].value
    assert "run `optrade repair`" in app.error[0].value
    assert not app.exception


def test_data_health_names_the_views_that_are_not_there(own: Path, open_page: Open) -> None:
    app = open_page(own, "data_health")
    (absent,) = [row.value for row in app.caption if "nothing has landed" in row.value]
    assert "sentiment" in absent
    assert "earnings" in absent
    assert "technical" not in absent


def test_data_health_says_which_ticker_lacks_what_and_whether_to_act(
    filled: Path, open_page: Open
) -> None:
    app = open_page(filled, "data_health")
    (refused,) = [row.value for row in app.caption if "the gate refused" in row.value]
    assert "`optrade quarantine show` gives its id" in refused
    assert "`optrade quarantine release --table … --key … --row …`" in refused
    text = messages(app)
    assert "**IWM** lacks RVX, VIX3M, VIX in `indices`" in text
    assert "To act? Yes: `optrade ingest --source simulated`" in text


def _garble(path: Path) -> None:
    path.write_bytes(b"{ this is neither JSON nor a database, nor parquet" * 100)


DAMAGE = {
    "ledger": ("data/ledger.db", {"daily_signals", "performance", "paper_book"}),
    "mlflow": ("mlruns/mlflow.db", {"models"}),
    "serving": ("models/serving/direction_SPY.json", {"models"}),
    "drift": ("reports/drift/SPY/drift.json", {"drift"}),
    "manifest": ("data/manifest.json", set(NAMES)),
}


@pytest.mark.parametrize("kind", DAMAGE)
def test_a_malformed_file_is_said_where_it_is_read_and_nowhere_else(
    own: Path, open_page: Open, kind: str
) -> None:
    file, pages = DAMAGE[kind]
    _garble(own / file)
    for name in NAMES:
        app = open_page(own, name)
        assert not app.exception, (name, app.exception)
        assert bool(app.error) == (name in pages), name
        if app.error:
            assert Path(file).name in app.error[0].value
    if kind == "manifest":  # the frame says it; pages that need no lake go on
        assert len(open_page(own, "performance").dataframe) >= 1


@pytest.mark.parametrize("kind", ["missing", "garbled"])
def test_a_view_that_cannot_be_read_leaves_the_rest_of_the_page(
    own: Path, open_page: Open, kind: str
) -> None:
    path = next((own / "data" / "features" / "technical").rglob("SPY*"))
    path.unlink() if kind == "missing" else _garble(path)
    app = open_page(own, "data_health")
    assert not app.exception
    assert "technical" in app.error[0].value
    assert len(app.dataframe) == 3


def test_a_signal_without_a_field_names_the_field(own: Path, open_page: Open) -> None:
    with sqlite3.connect(own / "data" / "ledger.db") as ledger:
        ledger.execute(
            "UPDATE signals SET sha256 = NULL, "
            "document = json_remove(document, '$.prediction.probability') WHERE ticker = 'SPY'"
        )
    ledger.close()
    app = open_page(own, "daily_signals")
    assert not app.exception
    assert "prediction.probability is missing" in app.error[0].value
    assert app.dataframe[0].value["ticker"].tolist() == ["IWM", "QQQ"]


def test_data_health_lists_the_findings_and_whether_to_act(own: Path, open_page: Open) -> None:
    assert "None are kept yet" in messages(open_page(own, "data_health"))
    kept = Home(own).files.findings
    finding = Finding("prices", "SPY", "adj_close", "a return near", 2, "jumps", "nothing, see")
    kept.write_bytes(findings_bytes({"prices": [finding], "indices": []}))
    page = open_page(own, "data_health")
    (told,) = [table.value for table in page.dataframe if "wrong" in table.value]
    assert told.to_dict("records") == [
        {
            "table": "prices",
            "key": "SPY",
            "column": "adj_close",
            "wrong": "expected is a return near; got jumps (2)",
            "act": "nothing, see",
        }
    ]
    kept.write_bytes(findings_bytes({"prices": []}))
    page = open_page(own, "data_health")
    assert page.success[0].value == "Nothing in the raw tables is worth a look."
    kept.write_bytes(kept.read_bytes().replace(b"prices", b"prince"))
    page = open_page(own, "data_health")
    assert "findings.json is damaged" in messages(page)
    assert "Quarantine" in [part.value for part in page.subheader]
