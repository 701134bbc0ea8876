"""`optrade audit pit` in a home, as a person runs it."""

import json
from collections.abc import Callable

import polars as pl
import pytest
from typer.testing import CliRunner, Result

from market.errors import InputError
from optrade.cli.store.audit import app
from tests.audit.conftest import DAYS, TICKERS, Built
from tests.audit.test_pit import changed

Run = Callable[..., Result]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Callable[[Built], Run]:
    def of(home: Built) -> Run:
        monkeypatch.setenv("OPTRADE_HOME", str(home.data.parent))
        home.store()
        return lambda *words: CliRunner().invoke(app, ["pit", "--tickers", "SPY,QQQ", *words])

    return of


def lowered(rows: pl.DataFrame) -> pl.DataFrame:
    at = pl.col("session") == DAYS[150].date()
    rate = pl.col("unemployment_rate")
    return rows.with_columns(pl.when(at).then(rate - 1).otherwise(rate))


def test_a_home_in_order_exits_with_0(build: Callable[[str], Built], run: Callable) -> None:
    command = run(build("with vintages"))
    shown = command()
    assert shown.exit_code == 0, shown.output
    assert "training frame, read twice" in shown.output
    assert "what a fixed lag would have changed" in shown.output
    asked = command("--json", "--service", "volatility")
    document = json.loads(asked.stdout)
    assert (asked.exit_code, document["mismatches"]) == (0, 0)
    assert (document["tickers"], document["sessions"]) == (list(TICKERS), len(DAYS))
    assert [row["vintages"] > 20 for row in document["vintages"]] == [True, True]


def test_a_mismatch_exits_with_1_and_names_it(build: Callable[[str], Built], run: Callable) -> None:
    home = build("without vintages")
    changed(home, "macro", "US", lowered)
    shown = run(home)()
    assert shown.exit_code == 1
    assert "the first 1 of 1 mismatches" in shown.output
    assert str(DAYS[150].date()) in shown.output
    assert "UNRATE: no vintage has landed" in shown.output


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (("--service", "moon"), "unknown feature service: got 'moon'"),
        (("--tickers", "IWM"), "no prices of IWM in this home: run `optrade ingest"),
        (("--tickers", "X"), "unknown ticker: got 'X'"),
    ],
)
def test_bad_input_says_what_to_do(
    words: tuple[str, ...], error: str, build: Callable[[str], Built], run: Callable
) -> None:
    done = run(build("with vintages"))(*words)
    assert isinstance(done.exception, InputError)
    assert error in str(done.exception)
