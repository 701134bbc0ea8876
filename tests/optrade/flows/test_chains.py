"""Option chains recorded alone, exported and merged."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from home.layout import Home
from home.manifest import read_rows
from ingestion.lake.lake import Lake
from ingestion.sources.recorded.chain_files import as_file
from ingestion.sources.vendor import LiveOptions, Vendor
from ingestion.sources.wire.option_quotes import Sent, chain_rows
from ingestion.tables.catalogue import OPTION_CHAINS
from market.calendar import NEW_YORK
from market.errors import InputError, SourceUnavailable
from optrade.cli import app
from optrade.flows.chains import VENDORS, _landed_lately, export, merge, record, vendor_of_chains

NOW = pd.Timestamp("2024-03-14 20:45", tz="UTC")
QUOTED = pd.Timestamp("2024-03-14 20:00", tz="UTC")
OPTIONS = LiveOptions(lambda: NOW)


class Vendor1:
    """A vendor of chains of one contract, and of one without a market; of a key it may be down."""

    name, origin = "cboe", "live"
    tables: tuple[str, ...] = ("indices", "option_chains")

    def __init__(self, silent: str = "SPY") -> None:
        self.asked: list[str] = []
        self.silent = silent
        self.down = True

    def fetch(
        self, table: str, keys: Sequence[str], start: pd.Timestamp | None, end: pd.Timestamp
    ) -> pd.DataFrame:
        parts = []
        for key in keys:
            self.asked.append(key)
            if key == self.silent and self.down:
                raise SourceUnavailable(f"{key}: down")
            sent = [Sent(f"{key}240419{kind}00510000", bid, 1.1, 5.0, 9.0, 0.2)
                    for kind, bid in (("C", 1.0), ("P", 1.2))]  # fmt: skip
            parts.append(chain_rows("it", key, QUOTED, 511.0, sent))
        rows = pd.concat(parts)[list(OPTION_CHAINS.names)]
        return rows.astype(OPTION_CHAINS.dtypes).reset_index(drop=True)


def opened(source: Vendor1) -> Vendor:
    return replace(VENDORS["cboe"], open=lambda _: source)


def stored(home: Home) -> pd.DataFrame:
    return read_rows(home.data, "option_chains").to_pandas()


def test_chains_land_alone_and_a_run_is_taken_up(tmp_path: Path) -> None:
    home, source = Home(tmp_path), Vendor1()
    reports = list(record(home, opened(source), OPTIONS, ["QQQ", "SPY"], NOW))
    assert [row.stale_keys for row in reports] == [(), ("SPY",)]
    assert [row.rows_quarantined for row in reports] == [1, 1]  # crossed
    assert stored(home)["root"].tolist() == ["QQQ", "SPX"]
    source.asked, source.down = [], False
    soon = NOW + pd.Timedelta(minutes=5)
    (report,) = record(home, opened(source), OPTIONS, ["QQQ", "SPY"], soon)
    assert (set(source.asked), report.rows_new) == ({"SPY", "SPX"}, 1)
    later = NOW + pd.Timedelta(hours=2)
    assert len(list(record(home, opened(source), OPTIONS, ["QQQ"], later))) == 1


@pytest.mark.parametrize(
    ("landed", "quoted", "new"),
    [
        ("2024-03-14 15:50", "2024-03-13 16:00", False),  # a file of the day before
        ("2024-03-14 15:50", "2024-03-14 10:00", False),  # of the morning
        ("2024-03-14 15:50", "2024-03-14 15:35", True),  # delayed by a quarter of an hour
        ("2024-03-14 16:45", "2024-03-14 16:00", True),  # after the close
        ("2024-03-16 12:00", "2024-03-15 16:00", True),  # on a Saturday
        ("2024-03-16 12:00", "2024-03-14 16:00", False),
    ],
)
def test_an_old_file_that_was_merged_does_not_keep_the_vendor_from_being_asked(
    landed: str, quoted: str, new: bool, tmp_path: Path
) -> None:
    now, time = (pd.Timestamp(text, tz=NEW_YORK).tz_convert("UTC") for text in (landed, quoted))
    rows = Vendor1().fetch("", ["QQQ"], None, now).head(1).assign(quote_time=time)
    with Lake(tmp_path) as lake:
        lake.land(OPTION_CHAINS, rows.astype(OPTION_CHAINS.dtypes), "live", now)
        assert _landed_lately(lake, "QQQ", now + pd.Timedelta(minutes=29)) is new
        assert not _landed_lately(lake, "QQQ", now + pd.Timedelta(minutes=30))


def test_what_is_exported_is_merged_as_the_same_rows(tmp_path: Path) -> None:
    home, other = Home(tmp_path / "one"), Home(tmp_path / "two")
    source = Vendor1()
    source.down = False
    list(record(home, opened(source), OPTIONS, ["SPY"], NOW))
    file = tmp_path / "chains.parquet"
    told = export(home, ["SPY", "QQQ"], file)
    assert told.rows == 2
    assert export(home, ["SPY"], tmp_path / "again.parquet").sha256 == told.sha256
    assert merge(other, file, NOW).rows_new == 2
    assert merge(other, file, NOW + pd.Timedelta(hours=1)).rows_new == 0
    pd.testing.assert_frame_equal(stored(other), stored(home))


def test_a_file_that_is_quoted_ahead_lands_when_its_time_has_come(tmp_path: Path) -> None:
    home, file = Home(tmp_path), tmp_path / "chains.parquet"
    file.write_bytes(as_file(Vendor1().fetch("", ["QQQ"], None, NOW).head(1)))
    before = merge(home, file, QUOTED - pd.Timedelta(seconds=1))
    assert (before.rows_new, before.rows_quarantined) == (0, 1)
    assert merge(home, file, QUOTED).rows_new == 1


def test_what_cannot_be_done_is_named(tmp_path: Path) -> None:
    home = Home(tmp_path)
    with pytest.raises(InputError, match="--source: got 'fred', allowed are yahoo, cboe, tradier"):
        vendor_of_chains("fred")
    with pytest.raises(InputError, match="--export: no chain of SPY, SPX has landed"):
        export(home, ["SPY"], tmp_path / "chains.parquet")
    with pytest.raises(InputError, match="--merge: there is no file"):
        merge(home, tmp_path / "chains.parquet", NOW)
    with Lake(home.data) as lake:
        lake.land(OPTION_CHAINS, Vendor1().fetch("", ["QQQ"], None, NOW).head(1), "simulated", NOW)
    with pytest.raises(InputError, match="this home holds simulated data, got live data"):
        list(record(home, opened(Vendor1()), OPTIONS, ["QQQ"], NOW))


def test_what_was_recorded_is_told_and_nothing_is_called_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPTRADE_HOME", str(tmp_path))
    monkeypatch.setitem(VENDORS, "cboe", opened(Vendor1("QQQ")))
    asked = ["record-chains", "--source", "cboe", "--tickers", "QQQ"]
    done = CliRunner().invoke(app, asked)
    assert (done.exit_code, done.stdout) == (3, "recorded: nothing\n")
    assert done.stderr.splitlines()[-1] == "optrade: QQQ: down"
    monkeypatch.setitem(VENDORS, "cboe", opened(Vendor1()))
    done = CliRunner().invoke(app, asked)
    assert done.stdout == "recorded: table option_chains, keys 1, rows_new 1, rows_quarantined 1\n"
    assert done.stderr.splitlines()[1:] == [
        "option_chains: 1 rows went to quarantine, refused are 1 by `ask >= bid (to 0.00%)`: "
        "nothing, unless you vouch for them (`optrade quarantine list`)"
    ]
    done = CliRunner().invoke(app, asked)
    assert (done.exit_code, done.stdout) == (0, "recorded: nothing\n"), "the same quotes again"


def test_a_command_with_nothing_to_do_says_what_there_is() -> None:
    done = CliRunner().invoke(app, ["record-chains"])
    assert "allowed are --source, --export, --merge" in str(done.exception)
