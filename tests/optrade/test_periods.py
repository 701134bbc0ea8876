"""Training windows in words."""

import pandas as pd
import pytest

from market.errors import InputError
from optrade.periods import training_window

HOME = ("2010-01-04", "2025-06-30")


@pytest.mark.parametrize(
    ("period", "start", "end", "expected"),
    [
        ("5y", None, None, ("2020-06-30", "2025-06-30")),
        ("18mo", None, None, ("2023-12-30", "2025-06-30")),
        ("max", None, None, HOME),
        ("40y", None, None, HOME),
        ("5y", "2012-08-01", "2019-08-15", ("2012-08-01", "2019-08-15")),
        ("5y", None, "2019-08-15", ("2014-08-15", "2019-08-15")),
        ("1y", "1999-01-01", "2030-01-01", HOME),
    ],
)
def test_window(period, start, end, expected) -> None:
    assert training_window(period, start, end, *HOME) == tuple(map(pd.Timestamp, expected))


@pytest.mark.parametrize("period", ["", "y", "0y", "5", "five years", "-1y", "100y", "5Y "])
def test_unreadable_period(period) -> None:
    with pytest.raises(InputError, match="5y or 24mo"):
        training_window(period, None, None, *HOME)


@pytest.mark.parametrize(
    "day", ["2024-02-30", "20240101", "today", "2024-1-1", "9999-12-31", "1000-01-01"]
)
def test_unreadable_date(day) -> None:
    with pytest.raises(InputError, match="--start"):
        training_window("5y", day, None, *HOME)


def test_empty_window_names_what_there_is() -> None:
    with pytest.raises(InputError, match="this home has 2010-01-04 to 2025-06-30"):
        training_window("5y", "2026-01-01", None, *HOME)
