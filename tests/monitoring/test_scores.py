"""Scores of a ledger, against sums written out by hand and by other libraries."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.calibration import calibration_curve

from market.calendar import sessions
from monitoring import scores as scoring

LABELS = ("UP", "DOWN", "FLAT", None)


def history(rows: list[tuple]) -> pd.DataFrame:
    """Return a ledger of (strategy, P(UP), label, IV hit), one signal a session."""
    frame = pd.DataFrame(rows, columns=["strategy", "probability", "label", "regime_hit"])
    called = np.where(frame["probability"] > 0.5, "UP", "DOWN")
    decided = frame["label"].isin(["UP", "DOWN"])
    hit = pd.Series(called == frame["label"], dtype="boolean").where(decided)
    return frame.assign(
        session=sessions("2015-01-02", "2025-06-30")[: len(frame)],
        direction_hit=hit,
        label=frame["label"].astype(object),
        regime_hit=frame["regime_hit"].astype("boolean"),
    )


SMALL = [
    ("Buy Calls", 0.70, "UP", True),
    ("Buy Calls", 0.60, "DOWN", False),
    ("Buy Calls", 0.60, "FLAT", None),
    ("Buy Puts", 0.20, "DOWN", True),
    ("Buy Puts", 0.30, None, None),
]


def test_hits_are_counted_with_their_n() -> None:
    calls, puts = scoring.hit_table(history(SMALL), "strategy").to_dict("records")
    assert (calls["strategy"], calls["signals"], calls["settled"], calls["flat"]) == (
        "Buy Calls", 3, 3, 1,
    )  # fmt: skip
    assert (calls["decided"], calls["direction_hits"], calls["direction_rate"]) == (2, 1, 0.5)
    assert (calls["up_share"], calls["iv_known"], calls["iv_rate"]) == (0.5, 2, 0.5)
    assert (puts["signals"], puts["settled"], puts["decided"]) == (2, 1, 1)
    assert (puts["direction_rate"], puts["up_share"]) == (1.0, 0.0)


@pytest.mark.parametrize(
    ("last", "period"),
    [("2025-06-02", "session"), ("2025-07-02", "session"), ("2025-07-03", "month")],
)
def test_a_first_month_is_counted_by_sessions(last: str, period: str) -> None:
    frame = pd.DataFrame({"session": pd.to_datetime(["2025-06-02", last])})
    assert scoring.period_of(frame) == period


def test_a_rate_without_an_n_is_null() -> None:
    row = scoring.hit_table(history([("Buy Calls", 0.6, None, None)]), "strategy").iloc[0]
    assert row[["settled", "decided", "iv_known"]].tolist() == [0, 0, 0]
    assert row[["direction_rate", "up_share", "iv_rate"]].isna().all()


def test_the_advantage_is_the_difference_of_two_rates_on_the_same_signals() -> None:
    up, down = scoring.advantages(history(SMALL))
    assert (up.baseline, up.n, up.sessions) == ("always UP", 3, 3)
    assert up.hit_rate == down.hit_rate == pytest.approx(2 / 3)
    assert (up.baseline_rate, down.baseline_rate) == (pytest.approx(1 / 3), pytest.approx(2 / 3))
    assert up.difference == pytest.approx(1 / 3)
    assert up.interval is None
    assert scoring.advantages(history([("Buy Calls", 0.6, "FLAT", None)])) == []


def rows(count: int, skill: float, seed: int = 0) -> list[tuple]:
    random = np.random.default_rng(seed)
    p = random.uniform(0.2, 0.8, count)
    came = random.uniform(size=count) < 0.5 + skill * (p - 0.5)
    return [
        ("Buy Calls", q, "UP" if up else "DOWN", bool(up)) for q, up in zip(p, came, strict=True)
    ]


def test_the_interval_holds_zero_without_skill_and_not_with_much() -> None:
    for skill, beats in ((0.0, False), (1.6, True)):
        (up, _) = scoring.advantages(history(rows(1_000, skill)))
        low, high = up.interval
        assert low < up.difference < high
        assert (low > 0.0) == beats


def test_the_interval_comes_with_enough_sessions_only() -> None:
    for count in (scoring.MIN_SESSIONS - 1, scoring.MIN_SESSIONS):
        (up, _) = scoring.advantages(history(rows(count, 1.0)))
        assert (up.interval is None) == (count < scoring.MIN_SESSIONS)


def test_the_interval_of_a_certain_difference_has_no_width() -> None:
    (up, _) = scoring.advantages(history([("Buy Puts", 0.2, "DOWN", True)] * 60))
    assert up.interval == (1.0, 1.0)


def test_signals_of_one_session_are_drawn_together() -> None:
    one = history(rows(100, 0.0))
    thrice = pd.concat([one, one, one], ignore_index=True)
    (single, _), (triple, _) = scoring.advantages(one), scoring.advantages(thrice)
    assert triple.n == 3 * single.n
    assert triple.interval == pytest.approx(single.interval)


def test_reliability_agrees_with_scikit_learn() -> None:
    frame = history(rows(500, 1.0))
    table = scoring.reliability(frame)
    came, forecast = calibration_curve(
        frame["label"].eq("UP"), frame["probability"], n_bins=10, strategy="uniform"
    )
    np.testing.assert_allclose(table["came"], came)
    np.testing.assert_allclose(table["forecast"], forecast)
    assert table["n"].sum() == 500


HITS = st.sampled_from([True, False, None])
SIGNALS = st.tuples(st.floats(0.0, 1.0), st.sampled_from(LABELS), HITS)


@given(st.lists(SIGNALS, min_size=1, max_size=60))
def test_every_decided_signal_is_in_one_bin_and_one_period(drawn: list[tuple]) -> None:
    frame = history([("NO TRADE", *row) for row in drawn])
    n = len(scoring.decided(frame))
    table = scoring.reliability(frame)
    assert table["n"].sum() == n
    assert (
        (table["forecast"] >= table["low"] - 1e-9) & (table["forecast"] <= table["high"] + 1e-9)
    ).all()
    assert (table["enough"] == (table["n"] >= scoring.MIN_BIN)).all()
    for period in ("session", "month"):
        times = scoring.by_period(frame, period)
        strategies = scoring.strategies_by_period(frame, period)
        assert times["decided"].sum() == n
        assert times["signals"].sum() == strategies["signals"].sum() == len(frame)
        assert times["period"].is_monotonic_increasing
        assert (times["direction_rate"].isna() == (times["decided"] == 0)).all()
