"""A company reports a quarter on a day once, under the label that is in order with the others."""

import pandas as pd
import pytest

from ingestion.gate.expectations import gate
from ingestion.tables.catalogue import EARNINGS_CALENDAR

REAL = [(2023, 4, "2024-01-25"), (2024, 1, "2024-04-25"), (2024, 2, "2024-07-25"),
        (2024, 3, "2024-10-24"), (2024, 4, "2025-01-30")]  # fmt: skip


def reports(*labels: tuple[int, int, str], symbol: str = "AAPL") -> pd.DataFrame:
    frame = pd.DataFrame(labels, columns=["fiscal_year", "fiscal_quarter", "date"])
    frame = frame.assign(symbol=symbol, date=pd.to_datetime(frame["date"]), hour="amc")
    figures = ("eps_actual", "eps_estimate", "revenue_actual", "revenue_estimate")
    frame = frame.assign(**dict.fromkeys(figures, 1.0))
    return frame[list(EARNINGS_CALENDAR.names)].astype(EARNINGS_CALENDAR.dtypes)


@pytest.mark.parametrize("years", [-1, 1])
def test_the_label_out_of_order_goes(years: int) -> None:
    doubles = [(year + years, quarter, day) for year, quarter, day in REAL if quarter < 4]
    good, bad = gate(EARNINGS_CALENDAR, reports(*REAL, *doubles))
    pd.testing.assert_frame_equal(good, reports(*REAL))
    assert len(bad) == 3
    assert bad["reason"].str.startswith("symbol, date: under one fiscal_year").all()


def test_where_no_label_is_known_to_be_right_none_lands() -> None:
    good, bad = gate(EARNINGS_CALENDAR, reports(REAL[1], (2023, 1, "2024-04-25")))
    assert (len(good), len(bad)) == (0, 2)


def test_companies_that_report_on_one_day_are_no_doubles() -> None:
    both = pd.concat([reports(*REAL), reports(*REAL, symbol="MSFT")], ignore_index=True)
    assert gate(EARNINGS_CALENDAR, both)[1].empty
