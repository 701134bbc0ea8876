"""What vendors write in more than one way, read as the one thing that it means."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ingestion.sources.recorded.chains import chain_quotes
from ingestion.sources.wire.csv_file import read_csv
from ingestion.sources.yahoo.format import recorded_prices
from market.calendar import sessions

DAYS = sessions("2024-03-06", "2024-03-13")


def history(gains: float = 0.0, dividend: float = 0.0) -> pd.DataFrame:
    """Return a frame as `Ticker.history(auto_adjust=False)` gives it; summer time begins within."""
    frame = pd.DataFrame({"Open": 100.0, "High": 101.0, "Low": 99.0, "Close": 100.0,
                          "Adj Close": 90.0, "Volume": 1000, "Dividends": 0.0,
                          "Stock Splits": 0.0, "Capital Gains": 0.0},
                         index=DAYS.tz_localize("America/New_York").rename("Date"))  # fmt: skip
    frame.iloc[2, frame.columns.get_indexer(["Dividends", "Capital Gains"])] = [dividend, gains]
    return frame


def recorded(folder: Path, frame: pd.DataFrame) -> pd.DataFrame:
    frame.to_csv(folder / "SPY.csv")
    return recorded_prices(read_csv(folder, "SPY.csv"), "SPY")


def test_a_history_of_yfinance_is_read_as_it_writes_it(tmp_path: Path) -> None:
    found = recorded(tmp_path, history())
    assert found["session"].tolist() == list(DAYS)
    assert found["session"].dtype == "datetime64[ns]"
    dates = history().tz_localize(None)
    pd.testing.assert_frame_equal(recorded(tmp_path, dates[dates.columns[::-1]]), found)


@pytest.mark.parametrize(
    ("dividend", "gains", "paid"), [(0.0, 25.0, 25.0), (0.5, 25.0, 25.5), (25.5, 25.0, 25.5)]
)
def test_a_capital_gain_is_paid_and_counted_once(
    tmp_path: Path, dividend: float, gains: float, paid: float
) -> None:
    assert recorded(tmp_path, history(gains, dividend))["dividend"].tolist()[2] == paid


@pytest.mark.parametrize("mark", ["0", "0.00001", "1e-05", "1.0000000000000003e-05"])
def test_a_volatility_that_was_not_inverted_is_null(tmp_path: Path, mark: str) -> None:
    header = "quote_time,underlying,underlying_last,expiration,strike,option_type,bid,ask,volume,"
    row = "2024-03-08T16:00:00-05:00,SPY,100,2024-03-15,100.0,call,0,0.1,0,"
    text = f"{header}implied_volatility,delta,gamma,open_interest\n"
    text += f"{row}{mark},0.5,0.1,9\n{row}0.0002,0.5,0.1,9\n"
    (tmp_path / "chain.csv").write_text(text)
    found = chain_quotes(read_csv(tmp_path, "chain.csv"), "SPY")["implied_volatility"]
    np.testing.assert_array_equal(found, [np.nan, 0.0002])
