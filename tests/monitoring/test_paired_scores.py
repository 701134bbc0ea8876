"""Two versions on the same sessions: figures by hand, and the laws of a paired comparison."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from market.calendar import sessions
from monitoring.paired_scores import LEAST, MIN_SESSIONS, Forecast, forecasts, paired
from tests.trading.ledger.test_signals import a_signal, changed
from trading.ledger.checked import RecordedSignal
from trading.ledger.outcomes import outcome_of

DAYS = [str(day.date()) for day in sessions("2024-01-02", "2024-12-31")]
FLAT = Forecast(settled=True)
WAITS = Forecast(settled=False)


def said(right: bool, chance: float) -> Forecast:
    return Forecast(True, right, chance)


def by_day(*found: Forecast | None) -> dict[str, Forecast]:
    return {day: one for day, one in zip(DAYS, found, strict=False) if one is not None}


def test_figures_by_hand() -> None:
    serves = by_day(said(True, 0.8), said(False, 0.4), FLAT, None, WAITS, said(True, 0.5))
    rival = by_day(said(True, 0.5), said(True, 0.6), FLAT, said(True, 0.9), WAITS, None)
    found = paired(serves, rival)
    assert (found.sessions, found.waiting, found.n) == (3, 1, 2)
    right, loss = found.share_right, found.log_loss
    assert (right.serves, right.rival, right.difference, right.interval) == (0.5, 1.0, 0.5, None)
    assert loss.serves == pytest.approx(-(math.log(0.8) + math.log(0.4)) / 2)
    assert loss.rival == pytest.approx(-(math.log(0.5) + math.log(0.6)) / 2)
    assert loss.difference == pytest.approx(loss.rival - loss.serves)


def test_what_no_session_decided_is_null() -> None:
    found = paired(by_day(FLAT, WAITS), by_day(FLAT, WAITS))
    assert (found.sessions, found.waiting, found.n) == (1, 1, 0)
    assert set(found.log_loss.document().values()) == {None}
    assert paired({}, by_day(FLAT)).sessions == 0


def test_a_chance_of_none_costs_what_the_gate_says() -> None:
    found = paired(by_day(said(False, 0.0)), by_day(said(True, 1.0)))
    assert found.log_loss.serves == pytest.approx(-math.log(LEAST))
    assert math.copysign(1.0, found.log_loss.rival) == 1.0


MAYBE = st.one_of(
    st.just(FLAT), st.builds(said, st.booleans(), st.floats(0.0, 1.0, allow_nan=False))
)
PAIRS = st.lists(st.tuples(MAYBE, MAYBE), min_size=MIN_SESSIONS, max_size=MIN_SESSIONS + 20)


def both(pairs: list[tuple[Forecast, Forecast]]) -> tuple[dict, dict]:
    """Return the two sides; what a session decides, it decides of both."""
    decided = [pair if FLAT not in pair else (FLAT, FLAT) for pair in pairs]
    return by_day(*(one for one, _ in decided)), by_day(*(other for _, other in decided))


@given(PAIRS)
def test_swapping_the_two_negates(pairs: list[tuple[Forecast, Forecast]]) -> None:
    one, other = both(pairs)
    there, back = paired(one, other), paired(other, one)
    assert (there.sessions, there.n) == (back.sessions, back.n)
    for name in ("share_right", "log_loss"):
        forth, reverse = getattr(there, name), getattr(back, name)
        assert (forth.serves, forth.rival) == (reverse.rival, reverse.serves)
        if forth.difference is None:
            assert reverse.difference is None
            continue
        assert forth.difference == pytest.approx(-reverse.difference, abs=1e-12)
        if forth.interval is not None:
            negated = [-end for end in reversed(reverse.interval)]
            assert forth.interval == pytest.approx(negated, abs=1e-12)


@given(PAIRS)
def test_equal_rivals_do_not_differ(pairs: list[tuple[Forecast, Forecast]]) -> None:
    one, _ = both(pairs)
    found = paired(one, one)
    for figure in (found.share_right, found.log_loss):
        assert figure.difference in (None, 0.0)
        assert figure.interval in (None, [0.0, 0.0])


def test_an_interval_needs_three_mean_blocks() -> None:
    better, worse = said(True, 0.7), said(False, 0.3)
    for count, known in ((MIN_SESSIONS - 1, False), (MIN_SESSIONS, True)):
        found = paired(by_day(*[worse] * count), by_day(*[better] * count))
        assert (found.log_loss.interval is not None) is known
    assert found.log_loss.interval == pytest.approx([math.log(3 / 7)] * 2)
    assert found.share_right.interval == [1.0, 1.0]


def row(number: int, run_id: str, up: float, **fields: bool) -> RecordedSignal:
    one = changed(a_signal(version=number), "provenance.models.direction.run_id", run_id)
    one = changed(one, "prediction.probability", up)
    late = fields.pop("backfilled", False)
    return RecordedSignal("2025-06-30T20:31:00+00:00", one, number, late, **fields)


def test_a_version_is_known_by_its_run_and_late_rows_do_not_count() -> None:
    rows = [
        row(1, "mine", 0.9, backfilled=True),
        row(2, "mine", 0.7, shadow=True),
        row(3, "mine", 0.6),
        row(4, "other", 0.2),
    ]
    came = {row.signal.key: outcome_of(row.signal, "2025-07-08", -0.02, 20.0) for row in rows}
    (found,) = forecasts(rows, came, "direction", "SPY", "mine").values()
    assert found == Forecast(True, rows[1].signal.direction == "DOWN", pytest.approx(0.3))
    assert forecasts(rows, came, "direction", "QQQ", "mine") == {}
    assert [*forecasts(rows, {}, "direction", "SPY", "other").values()] == [WAITS]


def test_a_regime_is_judged_by_the_class_that_came() -> None:
    one = row(1, "mine", 0.7)
    run_id = one.signal.provenance.models.regime.run_id
    chances = one.signal.volatility.regime_probabilities
    for rank, label in ((5.0, "LOW"), (95.0, "HIGH"), (None, None)):
        came = {one.signal.key: outcome_of(one.signal, "2025-07-08", 0.0, rank)}
        (found,) = forecasts([one], came, "regime", "SPY", run_id).values()
        assert found.settled
        assert found.chance == (None if label is None else chances[label])
        assert found.right == (None if label is None else one.signal.iv_regime == label)
