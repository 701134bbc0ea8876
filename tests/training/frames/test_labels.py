from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from market.calendar import calendar, session_shift, sessions
from market.targets import DIRECTIONS
from training.frames.labels import codes, direction_labels, regime_labels

# Thanksgiving, Christmas, the closure of 2018-12-05, Juneteenth and half days lie in here.
DAYS = sessions("2018-06-01", "2019-03-01")


def closes(values: list[float], start: int = 0) -> pd.Series:
    return pd.Series(values, index=DAYS[start : start + len(values)], dtype=float)


def one_label(first: float, last: float) -> str | None:
    return direction_labels(closes([first, 1.0, 1.0, 1.0, 1.0, last]))["label"].iloc[0]


@pytest.mark.parametrize(
    ("last", "label"),
    [
        (101.0, "FLAT"),
        (99.0, "FLAT"),
        (100.0, "FLAT"),
        (101.0001, "UP"),
        (98.9999, "DOWN"),
        (150.0, "UP"),
        (50.0, "DOWN"),
    ],
)
def test_moves_of_exactly_one_percent_are_flat(last: float, label: str) -> None:
    assert one_label(100.0, last) == label


@settings(max_examples=50, deadline=None)
@given(cents=st.integers(100, 100_000), bps=st.integers(-2000, 2000))
def test_labels_agree_with_exact_decimal_arithmetic(cents: int, bps: int) -> None:
    first = Decimal(cents) / 100
    last = first * (1 + Decimal(bps) / 10_000)
    move = last / first - 1
    expected = "UP" if move > Decimal("0.01") else "DOWN" if move < Decimal("-0.01") else "FLAT"
    assert one_label(float(first), float(last)) == expected


def test_forward_return_agrees_with_a_walk_over_the_calendar() -> None:
    rng = np.random.default_rng(1)
    series = closes(list(100 * np.exp(np.cumsum(0.01 * rng.standard_normal(len(DAYS))))))
    found = direction_labels(series)
    cal = calendar()
    for day in DAYS[:-5]:
        ahead = day
        for _ in range(5):
            ahead = cal.next_session(ahead)
        assert found.loc[day, "label_end"] == ahead
        expected = series[ahead] / series[day] - 1
        assert found.loc[day, "forward_return"] == pytest.approx(expected, abs=1e-12)


def test_closed_days_do_not_count_as_sessions() -> None:
    # 2018-12-05 was a day of mourning: five sessions after 2018-12-04 is 2018-12-12.
    series = closes([100.0] * len(DAYS))
    end = direction_labels(series).loc[pd.Timestamp("2018-12-04"), "label_end"]
    assert end == pd.Timestamp("2018-12-12")


def test_the_last_sessions_have_no_label_yet_but_an_end() -> None:
    found = direction_labels(closes([100.0] * 8))
    assert found["label"].tolist() == ["FLAT"] * 3 + [None] * 5
    assert found["forward_return"].iloc[-5:].isna().all()
    assert found["label_end"].notna().all()


def test_a_missing_session_gives_null_never_a_longer_return() -> None:
    series = closes([100.0, 101.0, 102.0, 103.0, 104.0, 105.0, 106.0, 107.0]).drop(DAYS[5])
    found = direction_labels(series)
    assert found.loc[DAYS[0], "label"] is None
    assert found.loc[DAYS[1], "label"] == "UP"


def test_null_prices_give_null_labels() -> None:
    found = direction_labels(closes([100.0, 1.0, 1.0, 1.0, 1.0, np.nan]))
    assert found["label"].isna().all()


@settings(max_examples=50, deadline=None)
@given(horizon=st.integers(1, 20))
def test_horizon_moves_the_end(horizon: int) -> None:
    found = direction_labels(closes([100.0] * 40), horizon)
    assert (found["label_end"] == session_shift(DAYS[:40], horizon)).all()
    assert found["label"].notna().sum() == 40 - horizon


@settings(max_examples=50, deadline=None)
@given(ranks=st.lists(st.one_of(st.none(), st.floats(0, 100)), min_size=1, max_size=60))
def test_regime_labels_are_the_class_five_sessions_later(ranks: list[float | None]) -> None:
    series = pd.Series(np.array(ranks, dtype=float), index=DAYS[: len(ranks)])
    found = regime_labels(series)
    for at in range(len(ranks)):
        later = ranks[at + 5] if at + 5 < len(ranks) else None
        expected = None
        if later is not None:
            expected = "LOW" if later < 30 else "NORMAL" if later < 60 else "HIGH"
        assert found["label"].iloc[at] == expected
        assert found["label_end"].iloc[at] == DAYS[at + 5]


def test_regime_labels_step_over_a_missing_session() -> None:
    series = pd.Series([10.0, 20.0, 40.0, 80.0, 80.0, 80.0, 80.0], index=DAYS[:7]).drop(DAYS[5])
    found = regime_labels(series)
    assert found.loc[DAYS[0], "label"] is None
    assert found.loc[DAYS[1], "label"] == "HIGH"


def test_codes_are_places_and_anything_else_is_minus_one() -> None:
    labels = pd.Series(["UP", "DOWN", "FLAT", None, np.nan], dtype=object)
    assert codes(labels, DIRECTIONS).tolist() == [1, 0, -1, -1, -1]
