"""What the queries read out of files that the platform's own writers wrote."""

import ast
import json
import os
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import polars as pl
import pytest

from dashboard.loading import stamp
from dashboard.queries import (
    data as queries_data,
)
from dashboard.queries import (
    drift as queries_drift,
)
from dashboard.queries import (
    models as queries_models,
)
from dashboard.queries import (
    signals as queries_signals,
)
from dashboard.queries.documents import NothingYet, read_json, read_only
from dashboard.queries.lacking import lacking
from dashboard.queries.ledger import signal_history
from dashboard.queries.paper import paper_book
from dashboard.queries.quarantine import DATES, quarantined
from dashboard.queries.reports import content_of, report_pages
from dashboard.queries.signals import positions_of
from feature_repo.features.catalogue import GROUPS
from feature_repo.features.macro.group import DAILY, MONTHLY
from home.manifest import read_manifest
from home.records.signal import Signal
from ingestion.lake.lake import Lake
from ingestion.tables.catalogue import INDICES, MACRO_SERIES, TABLES
from market.errors import InputError
from market.underlyings import TERM_SLOPE, VOLATILITY_INDICES
from tests.dashboard.worth import VERDICT, came_to, write_backtest
from tests.landed import land_as_it_is
from trading.ledger.outcomes import record_structure_outcomes
from trading.ledger.read import read_outcomes, read_signals, read_structure_outcomes
from trading.ledger.signals import Ledger

ROOT = Path(__file__).resolve().parents[2]
NOW = pd.Timestamp("2025-07-03 12:00", tz="UTC")
AT = pd.Timestamp("2025-06-30 20:30", tz="UTC")


# Documents


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b"\xff\xfe", b"null"])
def test_a_file_that_is_no_json_object_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "some.json"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"some\.json"):
        read_json(path)


def test_a_connection_cannot_write(filled: Path) -> None:
    ledger = filled / "data" / "ledger.db"
    with pytest.raises(InputError, match="readonly"), read_only(ledger, "ledger") as connection:
        connection.execute("DELETE FROM signals")


def test_a_stamp_changes_with_the_write_ahead_log(tmp_path: Path, signal: Callable) -> None:
    path = tmp_path / "ledger.db"
    with Ledger(path) as ledger:
        ledger.record(signal(), AT)
        before = stamp(path)
        ledger.record(signal("QQQ"), AT)
        assert stamp(path) != before
    assert stamp(tmp_path / "nothing") == ()


# Ledger


def test_the_test_signal_is_one_the_service_would_send(signal: Callable) -> None:
    Signal.model_validate_json(json.dumps(signal().document()))


def test_no_ledger_and_an_empty_one_are_nothing_yet(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    for query in (queries_signals.recorded_sessions, signal_history):
        with pytest.raises(NothingYet, match="signal-all --record"):
            query(path)
    assert not path.exists()
    with Ledger(path):
        pass
    for query in (queries_signals.recorded_sessions, signal_history):
        with pytest.raises(NothingYet, match="signal-all --record"):
            query(path)


def test_a_ledger_of_another_version_is_refused(own: Path) -> None:
    path = own / "data" / "ledger.db"
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(InputError, match="schema version 99"):
        signal_history(path)


def test_a_signal_is_read_as_it_was_recorded(filled: Path) -> None:
    ledger = filled / "data" / "ledger.db"
    session = queries_signals.recorded_sessions(ledger)[0]
    assert session == "2025-06-30"
    recorded = {row.signal.ticker: row for row in read_signals(ledger)[-3:]}
    daily, faults = queries_signals.signals_of(ledger, session)
    assert faults == []
    assert [row.signal.ticker for row in daily] == sorted(recorded)
    for row in daily:
        same = recorded[row.signal.ticker]
        assert (row.signal, row.recorded_at) == (same.signal, same.recorded_at)
        assert row.recordings == 1


def test_the_newest_recording_of_a_ticker_stands(tmp_path: Path, signal: Callable) -> None:
    path = tmp_path / "ledger.db"
    older, newer = signal(up=0.9), signal(up=0.7).document()
    newer["provenance"]["models"]["direction"]["version"] = 2
    with Ledger(path) as ledger:
        for row in (older, Signal.parse(newer, "signal")):
            ledger.record(row, AT)
    (daily,), _ = queries_signals.signals_of(path, older.session)
    assert (daily.signal.prediction.probability, daily.recordings) == (0.7, 2)
    assert daily.signal.provenance.models.direction.version == 2


def test_the_history_holds_every_signal_and_the_outcomes_beside_theirs(filled: Path) -> None:
    ledger = filled / "data" / "ledger.db"
    history = signal_history(ledger).signals
    settled = {outcome.key: outcome for outcome in read_outcomes(ledger)}
    assert len(history) == len(read_signals(ledger)) == 180
    assert history["label"].notna().sum() == len(settled) == 165
    for row in history.dropna(subset=["label"]).sample(20, random_state=0).itertuples():
        key = (row.ticker, str(row.session.date()), row.direction_version, row.regime_version)
        outcome = settled[key]
        assert (row.label, row.realised_return) == (outcome.label, outcome.realised_return)
        hit = None if pd.isna(row.direction_hit) else bool(row.direction_hit)
        assert hit == outcome.direction_hit


def test_a_ledger_without_outcomes_has_null_ones(tmp_path: Path, record: Callable) -> None:
    record(tmp_path / "ledger.db", 3)
    history = signal_history(tmp_path / "ledger.db").signals
    assert len(history) == 9
    assert history[["label", "direction_hit", "regime_hit"]].isna().all(axis=None)


def test_a_position_is_worth_what_its_outcome_says_of_its_own_risk(filled: Path) -> None:
    ledger = filled / "data" / "ledger.db"
    positions = signal_history(ledger).positions
    signals = {row.signal.key: row.signal for row in read_signals(ledger)}
    ended = {one.key: one for one in read_structure_outcomes(ledger)}
    priced = [one for one in signals.values() if one.structure is not None]
    assert len(positions) == len(priced) > len(ended) > 0
    for row in positions.itertuples():
        key = (row.ticker, str(row.session.date()), row.direction_version, row.regime_version)
        assert row.risk == signals[key].structure.natural.max_loss
        if key in ended:
            one = ended[key]
            assert (row.profit, row.reason, row.pricing) == (one.profit, one.reason, one.pricing)
            assert str(row.end_session.date()) == one.end_session
        else:
            assert pd.isna(row.profit)


@pytest.mark.parametrize("table", ["signals", "outcomes", "structure_outcomes"])
def test_a_damaged_row_is_named_and_the_others_are_there(own: Path, table: str) -> None:
    ledger = own / "data" / "ledger.db"
    before = signal_history(ledger)
    with sqlite3.connect(ledger) as connection:
        connection.execute(f"UPDATE {table} SET sha256 = 'x' WHERE rowid = 40")  # noqa: S608 - of three
    connection.close()
    after = signal_history(ledger)
    (fault,) = after.damaged
    assert "its bytes are not those that were written" in fault
    assert len(after.signals) == len(before.signals) - (table == "signals")
    if table == "structure_outcomes":  # neither ended nor held: what it came to is not known
        assert len(after.positions) == len(before.positions) - 1
        assert after.positions["profit"].isna().sum() == before.positions["profit"].isna().sum()


def test_a_damaged_outcome_leaves_the_others_their_positions(own: Path) -> None:
    ledger = own / "data" / "ledger.db"
    with sqlite3.connect(ledger) as connection:
        connection.execute("UPDATE structure_outcomes SET sha256 = 'x' WHERE rowid = 1")
        sessions = "SELECT session, count(*) FROM structure_outcomes GROUP BY session"
        due = dict(connection.execute(f"{sessions} ORDER BY min(rowid)").fetchall())
    connection.close()
    first = next(iter(due))
    for session, count in due.items():
        found, damaged = positions_of(ledger, session)
        assert len(found) == count - (session == first)
        assert len(damaged) == 1


def test_a_shadow_and_what_it_came_to_are_left_out(tmp_path: Path, signal: Callable) -> None:
    path = tmp_path / "ledger.db"
    given, rival = signal(), signal().document()
    rival["provenance"]["models"]["direction"]["version"] = 2
    rival = Signal.parse(rival, "signal")
    with Ledger(path) as ledger:
        ledger.record(given, AT)
        ledger.record(rival, AT, shadow=True)
    record_structure_outcomes(path, [came_to(one, 3, 0.5) for one in (given, rival)], AT)
    history = signal_history(path)
    assert history.signals["direction_version"].tolist() == [1]
    assert history.positions["direction_version"].tolist() == [1]
    assert history.damaged == ()


# The paper book


def test_the_equity_of_a_book_ends_where_the_book_does(filled: Path) -> None:
    found = paper_book(filled / "data" / "ledger.db")
    book = found.book
    assert [one.closed is None for one in book.trades.values()] == [False, True]
    assert found.equity["equity"].iloc[-1] * 100 == pytest.approx(book.equity)
    assert found.equity["cash"].iloc[-1] * 100 == pytest.approx(book.cash)
    assert found.equity["session"].is_monotonic_increasing
    assert found.equity["session"].is_unique
    height = found.equity["equity"].cummax()
    assert (1 - found.equity["equity"] / height).tolist() == pytest.approx(
        found.equity["drawdown"].tolist()
    )
    assert found.marked_at[2] == book.marked
    assert found.passed["why"].tolist() == ["its fill had passed when the book began"]
    assert found.told["what"].tolist() == [
        "trade 2, SPY: a split of 2 for 1",
        "trade 1: early exercise of a short call for a dividend cost 12.34 USD",
    ]
    assert found.damaged is None


def test_a_book_ends_before_an_event_that_is_damaged(own: Path) -> None:
    ledger = own / "data" / "ledger.db"
    with sqlite3.connect(ledger) as connection:
        connection.execute("UPDATE paper_events SET cash = cash + 1 WHERE kind = 'closed'")
    connection.close()
    found = paper_book(ledger)
    assert "its bytes are not those" in found.damaged
    assert list(found.book.open) == [1]
    with sqlite3.connect(ledger) as connection:
        connection.execute("UPDATE paper_events SET cash = cash + 1 WHERE number = 1")
    connection.close()
    with pytest.raises(InputError, match="its bytes are not those"):
        paper_book(ledger)


def test_a_ledger_without_a_book_says_how_to_begin_one(tmp_path: Path, record: Callable) -> None:
    with pytest.raises(NothingYet, match="run `optrade paper`"):
        paper_book(tmp_path / "ledger.db")
    record(tmp_path / "ledger.db", 1)
    with pytest.raises(NothingYet, match="run `optrade paper`"):
        paper_book(tmp_path / "ledger.db")


# Pages of judged trades


def test_pages_say_their_verdict_the_newest_first(tmp_path: Path) -> None:
    with pytest.raises(NothingYet, match="run `optrade backtest`"):
        report_pages(tmp_path)
    older, newer = write_backtest(tmp_path, "a"), write_backtest(tmp_path, "b")
    os.utime(older, (1.0, 1.0))
    (tmp_path / "c.html").write_text("<p>no verdict</p>")
    (tmp_path / "d.html").write_bytes(b"\xff" * 100)
    (tmp_path / "e.html").mkdir()
    pages, faults = report_pages(tmp_path)
    assert [page.path for page in pages] == [newer, older]
    assert pages[0].verdict == VERDICT
    assert pages[0].about == "Backtest of SPY, 2011-01-03 to 2025-06-30"
    assert pages[0].size == newer.stat().st_size
    assert content_of(pages[0]) == newer.read_text()
    assert [fault.split(":")[0] for fault in faults] == [
        str(tmp_path / name) for name in ("c.html", "d.html", "e.html")
    ]
    newer.unlink()
    with pytest.raises(InputError, match=r"b\.html cannot be read"):
        content_of(pages[0])


# Models


def test_versions_are_those_of_mlflow(filled: Path) -> None:
    from training.registry.tracking_database import open_client

    versions = queries_models.model_versions(filled / "mlruns" / "mlflow.db")
    client = open_client(filled / "mlruns")
    known_versions = {
        (one.name, int(one.version)): one.run_id for one in client.search_model_versions()
    }
    found = {(row.name, row.version): row.run_id for row in versions.itertuples(index=False)}
    assert found == known_versions
    for model in client.search_registered_models():
        rows = versions[versions["name"] == model.name].set_index("version")
        for alias, version in model.aliases.items():
            assert alias in rows.loc[int(version), "alias"]
    for one in client.search_model_versions():
        row = versions[(versions["name"] == one.name) & (versions["version"] == int(one.version))]
        told = [one.tags["model"], one.tags["standing"], one.tags["trial"] == "true"]
        assert row[["model", "standing", "trial"]].values.tolist() == [told]


def test_a_promotion_by_force_is_marked(own: Path) -> None:
    path = own / "mlruns" / "mlflow.db"
    assert not queries_models.model_versions(path)["forced"].any()
    with sqlite3.connect(path) as connection:
        connection.execute(
            "INSERT INTO model_version_tags (key, value, name, version, workspace) "
            "VALUES ('forced', 'true', 'direction_SPY', 1, 'default')"
        )
    connection.close()
    versions = queries_models.model_versions(path)
    assert versions.loc[versions["forced"], ["name", "version"]].values.tolist() == [
        ["direction_SPY", 1]
    ]


def test_a_database_without_a_registry_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "mlflow.db"
    with pytest.raises(NothingYet, match="optrade train"):
        queries_models.model_versions(path)
    sqlite3.connect(path).close()
    with pytest.raises(InputError, match="model_versions"):
        queries_models.model_versions(path)


def test_serving_models_are_those_of_the_files(filled: Path) -> None:
    table, faults = queries_models.serving_models(filled / "models" / "serving")
    assert faults == []
    for row in table.itertuples():
        document = json.loads((filled / "models" / "serving" / f"{row.name}.json").read_text())
        assert (row.version, row.alias) == (document["version"], document["alias"])
        assert (row.model, row.standing) == (document["model"], document["evidence"]["standing"])
        assert row.improvement == document["evidence"]["improvement"]
        assert [row.low, row.high] == document["evidence"]["interval"]


def test_evidence_is_told_with_its_n_and_interval(filled: Path) -> None:
    for run_id in queries_models.model_versions(filled / "mlruns" / "mlflow.db")["run_id"]:
        path = queries_models.evidence_path(filled / "mlruns" / "artifacts", run_id)
        evidence = queries_models.read_evidence(path)
        gate = evidence.gate
        assert gate.improvement == pytest.approx(gate.baseline_value - gate.value)
        assert gate.interval[0] <= gate.improvement <= gate.interval[1]
        scores = queries_models.comparison(evidence)
        assert scores["score"].tolist() == [row.score for row in evidence.comparison]
        folds = queries_models.folds(evidence)
        assert folds["fold"].tolist() == [1, 2, 3, 4, 5]
        assert folds["test_n"].sum() == evidence.window.tested_decided


@pytest.mark.parametrize("field", ["gate", "comparison", "folds", "verdict"])
def test_evidence_without_its_fields_is_an_error(filled: Path, tmp_path: Path, field: str) -> None:
    run_id = queries_models.model_versions(filled / "mlruns" / "mlflow.db")["run_id"].iloc[0]
    whole = queries_models.evidence_path(filled / "mlruns" / "artifacts", run_id)
    document = json.loads(whole.read_text())
    path = tmp_path / "evidence.json"
    path.write_text(json.dumps({name: document[name] for name in document if name != field}))
    with pytest.raises(InputError, match=f"evidence.json: {field} is missing"):
        queries_models.read_evidence(path)


@pytest.mark.parametrize("field", ["curves", "importance", "members", "trials"])
def test_evidence_of_an_earlier_version_is_read(filled: Path, tmp_path: Path, field: str) -> None:
    run_id = queries_models.model_versions(filled / "mlruns" / "mlflow.db")["run_id"].iloc[0]
    whole = queries_models.evidence_path(filled / "mlruns" / "artifacts", run_id)
    document = json.loads(whole.read_text())
    path = tmp_path / "evidence.json"
    path.write_text(json.dumps({name: document[name] for name in document if name != field}))
    found = queries_models.read_evidence(path)
    assert getattr(found, field) is None
    assert found.document() == json.loads(path.read_text())


# Drift


def test_the_newest_report_stands_first_and_hidden_ones_are_left_out(
    tmp_path: Path, report: Callable
) -> None:
    with pytest.raises(NothingYet, match="optrade drift"):
        queries_drift.report_names(tmp_path / "reports" / "drift")
    for age, name in enumerate(("SPY", "2025-06-30/QQQ", ".IWM.new")):
        path = report(tmp_path, name)
        os.utime(path, (1_000 - age, 1_000 - age))
    assert queries_drift.report_names(tmp_path / "reports" / "drift") == ["SPY", "2025-06-30/QQQ"]


def test_a_report_is_read_as_written(filled: Path) -> None:
    path = filled / "reports" / "drift" / "SPY" / "drift.json"
    document, found = json.loads(path.read_text()), queries_drift.read_report(path)
    assert (found.alert, found.alarmed, found.compared) == tuple(
        document[name] for name in ("alert", "alarmed", "compared")
    )
    assert found.document() == document
    table = queries_drift.feature_table(found)
    for row, same in zip(table.to_dict("records"), document["features"], strict=True):
        for name in same:
            value = None if pd.isna(row[name]) else row[name]
            assert value == same[name], name


@pytest.mark.parametrize("field", ["alert", "method", "features"])
def test_a_report_that_lacks_a_field_is_refused(own: Path, field: str) -> None:
    path = own / "reports" / "drift" / "SPY" / "drift.json"
    document = json.loads(path.read_text())
    path.write_text(json.dumps({key: document[key] for key in document if key != field}))
    with pytest.raises(InputError, match=f"drift.json: {field} is missing"):
        queries_drift.read_report(path)
    path.write_text(json.dumps(document | {"features": [{}]}))
    with pytest.raises(InputError, match="name"):
        queries_drift.read_report(path)


# Data


def test_no_data_is_nothing_yet(tmp_path: Path) -> None:
    for query in (quarantined, queries_data.latest_nulls, queries_data.absent_views):
        with pytest.raises(NothingYet, match="optrade demo"):
            query(tmp_path)
    with pytest.raises(NothingYet, match="optrade demo"):
        queries_data.tables(tmp_path, NOW)
    assert queries_data.origin(tmp_path) is None


def test_tables_are_those_of_the_manifest(filled: Path) -> None:
    table = queries_data.tables(filled / "data", NOW)
    manifest = read_manifest(filled / "data")
    assert set(zip(table["table"], table["key"], strict=True)) == set(manifest.entries)
    kinds = table.set_index(["table", "key"])["kind"]
    assert kinds["prices", "SPY"] == "raw"
    assert kinds["technical", "SPY"] == "view"
    assert kinds["quarantine/prices", "QQQ"] == "quarantine"


def test_a_home_that_stands_still_does_not_age(filled: Path) -> None:
    for now in (NOW, NOW + pd.Timedelta(days=200)):
        ages = queries_data.tables(filled / "data", now).set_index(["table", "key"])["age"]
        assert ages["prices", "SPY"] == ages["technical", "SPY"] == 0
        assert ages["macro_series", "UNRATE"] == 40  # sessions of 2 May to 30 June, 2025
        assert ages["mentions", "SPY"] == 0


def test_a_file_without_rows_has_no_age(filled: Path) -> None:
    manifest = read_manifest(filled / "data")
    entries = [replace(entry, last="") for entry in manifest.entries.values()]
    newest = queries_data.newest_session(manifest, NOW)
    assert queries_data._ages(entries, newest) == [None] * len(entries)


def test_a_live_home_ages_with_the_clock(tmp_path: Path, land: Callable) -> None:
    land(tmp_path, origin="live")
    for now, age in (("2025-06-30 20:30", 0), ("2025-07-01 20:29", 0), ("2025-07-03 18:00", 3)):
        table = queries_data.tables(tmp_path, pd.Timestamp(now, tz="UTC"))
        assert table.set_index(["table", "key"])["age"]["prices", "SPY"] == age


def test_refused_rows_come_with_their_reason_and_values(filled: Path) -> None:
    found = quarantined(filled / "data")
    assert found[["table", "key", "columns", "reason"]].values.tolist() == [
        ["prices", "QQQ", "close", "close > 0"]
    ]
    assert found["released_at"].isna().all()
    assert "close -1.0" in found["row"][0]
    assert found["date"][0] == read_manifest(filled / "data").entries["prices", "QQQ"].first


def test_rows_of_every_table_are_dated() -> None:
    for table in TABLES.values():
        assert table.dated == next(name for name in DATES if name in table.names)


def test_a_released_row_is_not_told_as_kept_out(own: Path) -> None:
    at = datetime(2025, 7, 1, tzinfo=UTC)
    path = own / "data" / read_manifest(own / "data").entries["quarantine/prices", "QQQ"].path
    pl.read_parquet(path).with_columns(released_at=pl.lit(at)).write_parquet(path)
    land_as_it_is(own / "data", path)
    assert quarantined(own / "data")["released_at"].tolist() == [at]


def test_nulls_of_the_latest_session_are_counted_and_named(filled: Path) -> None:
    found = queries_data.latest_nulls(filled / "data").set_index("key")
    assert found.loc["SPY", ["view", "session", "features", "nulls", "names"]].tolist() == [
        "technical", "2025-06-30", 2, 1, "rsi_14",
    ]  # fmt: skip
    assert found["null_share"].eq(0.5).all()


def test_views_in_which_nothing_has_landed_are_named(filled: Path, tmp_path: Path) -> None:
    absent = queries_data.absent_views(filled / "data")
    held = set(queries_data.latest_nulls(filled / "data")["view"])
    assert absent == tuple(view for view in GROUPS if view not in held)
    assert {"sentiment", "earnings"} <= set(absent)


def test_the_newest_version_of_a_corrected_row_is_looked_at(own: Path) -> None:
    path = own / "data" / read_manifest(own / "data").entries["technical", "SPY"].path
    frame = pl.read_parquet(path)
    later = frame.tail(1).with_columns(
        pl.col("created_timestamp").dt.offset_by("1d"), rsi_14=pl.lit(50.0)
    )
    pl.concat([frame, later]).write_parquet(path)
    land_as_it_is(own / "data", path)
    found = queries_data.latest_nulls(own / "data").set_index("key")
    assert found.loc["SPY", "nulls"] == 0


def test_a_path_with_the_characters_of_a_pattern_is_read(tmp_path: Path, land: Callable) -> None:
    land(tmp_path / "a[1]*" / "data")
    assert len(queries_data.latest_nulls(tmp_path / "a[1]*" / "data")) == 3


def _land_everything(data: Path, but: tuple[str, ...] = ()) -> None:
    """Name a file for each key that signals need; nothing reads its rows here."""
    with Lake(data) as lake:
        day = pd.DatetimeIndex(["2025-06-30"])
        for series in (*DAILY, *MONTHLY):
            rows = {"series": series, "observation_date": day, "vintage_date": pd.NaT, "value": 1.0}
            lake.land(MACRO_SERIES, pd.DataFrame(rows), "recorded", AT)
        for symbol in sorted({*VOLATILITY_INDICES, *TERM_SLOPE} - set(but)):
            bar = dict.fromkeys(("open", "high", "low", "close"), 20.0)
            rows = pd.DataFrame({"symbol": symbol, "session": day, **bar})
            lake.land(INDICES, rows, "recorded", AT)


def test_a_ticker_whose_index_is_not_there_is_told_with_what_to_do(
    tmp_path: Path, land: Callable
) -> None:
    land(tmp_path, origin="recorded", features=False)
    _land_everything(tmp_path, but=("RVX",))
    (row,) = lacking(tmp_path).to_dict("records")
    assert (row["ticker"], row["table"], row["lacks"]) == ("IWM", "indices", "RVX")
    assert "no `close` has landed" in row["wrong"]
    assert "--recorded-dir" in row["act"]


def test_all_raw_rows_there_is_nothing_lacking_until_a_view_is_built(
    tmp_path: Path, land: Callable
) -> None:
    land(tmp_path / "raw", origin="recorded", features=False)
    _land_everything(tmp_path / "raw")
    assert lacking(tmp_path / "raw").empty
    land(tmp_path / "built", origin="recorded")
    _land_everything(tmp_path / "built")
    found = lacking(tmp_path / "built").set_index("ticker")
    assert found["table"].to_dict() == {
        **dict.fromkeys(("IWM", "QQQ", "SPY"), "variance, iv, iv_lags, iv_path"), "US": "macro",
    }  # fmt: skip
    assert found["act"].str.contains("build-features").all()


def test_missing_series_keep_the_whole_market_from_signals(filled: Path) -> None:
    found = lacking(filled / "data").set_index("ticker")
    assert found.loc["US", "table"] == "macro_series"
    assert "CPIAUCSL" in found.loc["US", "lacks"]
    assert "UNRATE" not in found.loc["US", "lacks"]


# Rules


def modules() -> list[Path]:
    return sorted((ROOT / "dashboard").rglob("*.py"))


@pytest.mark.parametrize("path", modules(), ids=lambda path: path.stem)
def test_queries_and_charts_know_no_streamlit_and_nothing_heavy_is_imported(path: Path) -> None:
    imported = {
        name.split(".")[0]
        for node in ast.walk(ast.parse(path.read_text()))
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    assert not imported & {"mlflow", "feast", "training", "ingestion", "serving", "optrade"}
    if path.name.startswith(("queries", "charts", "scoring", "documents")):
        assert "streamlit" not in imported
