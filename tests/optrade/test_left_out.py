"""What an ingest could not publish is named with its reason, and the exit code is 3."""

import pandas as pd
import pytest
import typer

from home.manifest import Entry, Manifest
from ingestion.online.lacking import without_lacking
from ingestion.online.pointer import Materialization
from optrade.cli.store.data import show_ingest
from optrade.flows.data import Ingested

CLOCK = pd.Timestamp("2019-07-22 20:30", tz="UTC")
DAY = "2019-07-22"
FULL = {"SPY": DAY, "IWM": DAY}


def entry(table: str, key: str) -> Entry:
    return Entry(table, key, 1, f"raw/{table}/{key}.parquet", 1, DAY, DAY, "0", CLOCK.isoformat())


HELD = Manifest(
    origin="recorded",
    entries={
        (table, key): entry(table, key)
        for table, key in [("prices", "SPY"), ("prices", "IWM"), ("indices", "VIX"),
                           ("indices", "VIX3M")]
    },
)  # fmt: skip


def found(iv: dict[str, str | None], macro: str | None = DAY) -> Materialization:
    views = {"technical": FULL, "iv": iv, "macro": dict.fromkeys(FULL, macro)}
    done = Materialization(CLOCK, "recorded", ("SPY", "IWM"), views, {"earnings": {"IWM": DAY}})
    return without_lacking(done, HELD)


def test_a_ticker_without_a_row_is_left_out_with_the_command_of_a_home_without_it() -> None:
    done = found({"SPY": DAY, "IWM": None})
    assert (done.tickers, done.session, done.optional) == (("SPY",), DAY, {"earnings": {}})
    assert done.lacking == {
        "IWM": "no row of it in iv by 2019-07-22 20:30 UTC, as nothing of RVX of indices has "
        "landed: ingest with a later `--as-of`, where the recorded folder begins later; or begin "
        "another home (OPTRADE_HOME) without it: `optrade ingest --source recorded "
        "--recorded-dir FOLDER --as-of 2019-07-22 --tickers SPY`"
    }


@pytest.mark.parametrize(
    ("iv", "macro"), [({"SPY": DAY, "IWM": "2019-07-19"}, DAY), ({"SPY": None, "IWM": None}, DAY),
                      (FULL, None)],
)  # fmt: skip
def test_one_that_lags_or_lacks_what_all_lack_is_not_left_out(iv: dict, macro: str | None) -> None:
    done = found(iv, macro)
    assert (done.tickers, done.session, done.lacking) == (("SPY", "IWM"), None, {})


@pytest.mark.parametrize(
    ("iv", "line"),
    [
        ({"SPY": DAY, "IWM": None}, "optrade: IWM was not published: no row of it in iv by"),
        ({"SPY": DAY, "IWM": "2019-07-19"},
         "optrade: no session was published: behind are iv/IWM: 2019-07-19"),
    ],
)  # fmt: skip
def test_what_was_not_published_is_a_line_and_exit_code_3(
    iv: dict, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(typer.Exit) as ended:
        show_ingest(Ingested(online=found(iv)), as_json=False)
    assert ended.value.exit_code == 3
    assert line in capsys.readouterr().err


def test_all_published_is_no_failure(capsys: pytest.CaptureFixture[str]) -> None:
    show_ingest(Ingested(online=found(FULL)), as_json=True)
    assert capsys.readouterr().err == ""
