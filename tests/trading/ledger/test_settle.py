"""Settlement against brute force and against the labels that models are trained on."""

import copy
import sqlite3
from contextlib import closing

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from home.records.outcome import Outcome
from home.records.signal import Signal
from market.adjust import adjusted_close
from market.calendar import INDEX_DELAY, calendar, close, decision_time, sessions
from market.errors import InputError
from serving.http.examples import SIGNAL_ANSWER
from trading.ledger.read import read_outcomes
from trading.ledger.settle import Pending, outcomes, settle
from trading.ledger.signals import Ledger
from training.frames.labels import direction_labels, regime_labels

# Christmas, New Year, the mourning day of 2025-01-09 and a weekend lie between.
DAYS = sessions("2024-12-02", "2025-01-31")
LATE = pd.Timestamp("2025-03-03", tz="UTC")


def a_signal(session, ticker="SPY", direction="UP", regime="LOW", version=1) -> Signal:
    document = copy.deepcopy(SIGNAL_ANSWER) | {
        "ticker": ticker, "session": str(pd.Timestamp(session).date()),
        "direction": direction, "iv_regime": regime,
    }  # fmt: skip
    document["provenance"]["models"]["direction"]["version"] = version
    return Signal.parse(document, "signal")


def price_rows(closes, ticker="SPY", dividend=0.0, split=1.0, days=DAYS) -> pd.DataFrame:
    close_ = np.broadcast_to(np.asarray(closes, dtype=float), len(days))
    return pd.DataFrame(
        {
            "ticker": ticker,
            "session": days,
            **dict.fromkeys(("open", "high", "low", "close"), close_),
            "volume": 1e6,
            "dividend": np.broadcast_to(dividend, len(days)),
            "split": np.broadcast_to(split, len(days)),
        }
    )


def rank_rows(ranks, ticker="SPY", days=DAYS) -> pd.DataFrame:
    values = np.broadcast_to(np.asarray(ranks, dtype=float), len(days))
    return pd.DataFrame({"ticker": ticker, "session": days, "iv_rank": values})


def market(seed: int, ticker: str = "SPY") -> tuple[pd.DataFrame, pd.DataFrame]:
    source = np.random.default_rng(seed)
    split = np.where(np.arange(len(DAYS)) == 17, 2.0, 1.0)
    dividend = np.where(np.arange(len(DAYS)) == 25, 1.3, 0.0)
    traded = 400 * np.exp(np.cumsum(source.normal(0, 0.01, len(DAYS)))) / np.cumprod(split)
    ranks = source.uniform(0, 100, len(DAYS))
    ranks[source.random(len(DAYS)) < 0.1] = np.nan
    return price_rows(traded, ticker, dividend, split), rank_rows(ranks, ticker)


def one(prices, ranks, session=DAYS[0], as_of=LATE, **signal) -> Outcome | Pending:
    (found,) = outcomes([a_signal(session, **signal)], prices, ranks, as_of)
    return found


def money_made(prices: pd.DataFrame, start: pd.Timestamp, end: pd.Timestamp) -> float:
    """Return what one share, with dividends reinvested at the ex-date, came to, by hand."""
    rows = prices.set_index("session")
    shares, previous = 1.0, rows.loc[start, "close"]
    for day in rows.index[(rows.index > start) & (rows.index <= end)]:
        before = previous / rows.loc[day, "split"]
        shares *= rows.loc[day, "split"] / (1 - rows.loc[day, "dividend"] / before)
        previous = rows.loc[day, "close"]
    return shares * previous / rows.loc[start, "close"] - 1


@given(st.integers(0, 10_000), st.sampled_from(["UP", "DOWN"]))
@settings(max_examples=15, deadline=None)
def test_every_signal_against_brute_force(seed, direction):
    prices, ranks = market(seed)
    asked = [a_signal(day, direction=direction, regime="NORMAL") for day in DAYS]
    found = outcomes(asked, prices.sample(frac=1, random_state=seed), ranks, LATE)
    held = ranks.set_index("session")["iv_rank"]
    days = list(calendar().sessions)
    for day, outcome in zip(DAYS, found, strict=True):
        end = days[days.index(day) + 5]
        if end > DAYS[-1]:
            assert isinstance(outcome, Pending)
            continue
        made = money_made(prices, day, end)
        assert outcome.end_session == str(end.date())
        assert outcome.realised_return == pytest.approx(made, abs=1e-11)
        expected = "UP" if made > 0.01 else "DOWN" if made < -0.01 else "FLAT"
        assert outcome.label == expected
        assert outcome.direction_hit is (None if expected == "FLAT" else expected == direction)
        rank = held[end]
        if np.isnan(rank):
            assert (outcome.iv_rank, outcome.realised_regime, outcome.regime_hit) == (None,) * 3
        else:
            assert outcome.iv_rank == rank
            assert outcome.regime_hit is bool(30 <= rank < 60)


@pytest.mark.parametrize("seed", range(3))
def test_outcomes_are_the_labels_that_models_are_trained_on(seed):
    prices, ranks = market(seed)
    directions = direction_labels(adjusted_close(prices))
    regimes = regime_labels(ranks.set_index("session")["iv_rank"])
    for day, outcome in zip(
        DAYS, outcomes([a_signal(day) for day in DAYS], prices, ranks, LATE), strict=True
    ):
        if isinstance(outcome, Pending):
            assert directions.loc[day, "label"] is None
            continue
        assert outcome.realised_return == directions.loc[day, "forward_return"]
        assert outcome.label == directions.loc[day, "label"]
        assert outcome.realised_regime == regimes.loc[day, "label"]
        assert pd.Timestamp(outcome.end_session) == directions.loc[day, "label_end"]


@pytest.mark.parametrize("start", [100.0, 400.0, 437.3, 0.7])
@pytest.mark.parametrize(
    ("factor", "expected"), [(1.01, "FLAT"), (0.99, "FLAT"), (1.0100001, "UP"), (0.9899999, "DOWN")]
)
def test_exactly_one_percent_is_flat_whatever_the_price(start, factor, expected):
    closes = np.full(len(DAYS), start)
    closes[5] = start * factor
    assert one(price_rows(closes), rank_rows(20.0)).label == expected


def test_a_holiday_is_no_session():
    # From Christmas Eve, a half day: 26, 27, 30, 31 December and 2 January.
    found = one(price_rows(400.0), rank_rows(20.0), "2024-12-24")
    assert found.end_session == "2025-01-02"
    # The exchange was closed on 9 January 2025.
    assert one(price_rows(400.0), rank_rows(20.0), "2025-01-06").end_session == "2025-01-14"


@pytest.mark.parametrize("session", ["2024-12-24", "2024-12-17", "2025-01-06"])
def test_an_outcome_is_due_when_its_last_session_has_closed_and_the_index_is_out(session):
    # The second ends on 24 December, which closes at 13:00.
    prices, ranks = price_rows(400.0), rank_rows(20.0)
    end = pd.DatetimeIndex([one(prices, ranks, session).end_session])
    known = (close(end) + INDEX_DELAY)[0]
    second = pd.Timedelta(seconds=1)
    for moment, kind in (
        (known - second, Pending),
        (known, Outcome),
        (known.tz_convert("Asia/Tokyo"), Outcome),
        (decision_time(end)[0], Outcome),
    ):
        assert isinstance(one(prices, ranks, session, moment), kind)
    early = one(prices, ranks, session, known - second)
    assert early.reason == f"not due before the close of {end[0].date()}"


def test_what_lies_after_the_last_session_changes_nothing():
    prices, ranks = market(1)
    whole = outcomes([a_signal(day) for day in DAYS[:10]], prices, ranks, LATE)
    end = DAYS[14]
    cut = outcomes(
        [a_signal(day) for day in DAYS[:10]],
        prices[prices["session"] <= end],
        ranks[ranks["session"] <= end],
        decision_time(pd.DatetimeIndex([end]))[0],
    )
    assert whole == cut
    assert all(isinstance(row, Outcome) for row in whole)


@pytest.mark.parametrize("missing", [0, 5])
def test_without_a_price_of_both_ends_an_outcome_waits(missing):
    prices = price_rows(400.0).drop(index=missing)
    found = one(prices, rank_rows(20.0))
    assert found.reason == f"no price of its session or of {DAYS[5].date()}"
    assert found.key.session == str(DAYS[0].date())


def test_a_hole_between_the_ends_does_no_harm():
    prices, ranks = price_rows(400.0).drop(index=[2, 3]), rank_rows(20.0)
    assert one(prices, ranks).realised_return == 0.0


def test_a_rank_that_is_not_there_yet_waits_and_one_that_is_null_does_not():
    prices, ranks = price_rows(400.0), rank_rows(20.0)
    waits = one(prices, ranks[ranks["session"] < DAYS[5]])
    assert waits.reason == f"no iv_rank row of {DAYS[5].date()}"
    ranks.loc[5, "iv_rank"] = np.nan
    found = one(prices, ranks)
    assert found.regime_hit is None
    assert found.label == "FLAT"


def test_tickers_are_kept_apart():
    spy, qqq = market(1), market(2, "QQQ")
    both = [pd.concat(pair, ignore_index=True) for pair in zip(spy, qqq, strict=True)]
    mixed = outcomes([a_signal(d, t) for d in DAYS for t in ("SPY", "QQQ")], *both, LATE)
    assert mixed[0::2] == outcomes([a_signal(d) for d in DAYS], *spy, LATE)
    assert mixed[1::2] == outcomes([a_signal(d, "QQQ") for d in DAYS], *qqq, LATE)
    assert "no price" in one(*spy, ticker="IWM").reason


def test_lake_frames_are_taken_as_they_are():
    import polars as pl

    prices, ranks = market(1)
    dated = [
        pl.from_pandas(table).with_columns(pl.col("session").cast(pl.Date)).to_pandas()
        for table in (prices, ranks)
    ]
    assert one(*dated) == one(prices, ranks)


def test_no_signal_has_no_outcome():
    assert outcomes([], price_rows(400.0), rank_rows(20.0), LATE) == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda p, r: (p.drop(columns="dividend"), r), "prices lacks columns.*dividend"),
        (lambda p, r: (p, r.drop(columns="iv_rank")), "iv_rank lacks columns"),
        (lambda p, r: (pd.concat([p, p.tail(1)]), r), "SPY 2025-01-31 twice"),
        (lambda p, r: (p, pd.concat([r, r.tail(1)])), "SPY 2025-01-31 twice"),
        (lambda p, r: (p, r.assign(iv_rank=101.0)), "iv_rank: got 101"),
    ],
)
def test_bad_frames_are_refused(change, message):
    with pytest.raises(InputError, match=message):
        one(*change(price_rows(400.0), rank_rows(20.0)))


def test_a_signal_of_no_session_is_refused():
    with pytest.raises(InputError, match="not an XNYS session: got 2024-12-25"):
        one(price_rows(400.0), rank_rows(20.0), "2024-12-25")


def test_empty_frames_leave_everything_pending():
    prices, ranks = price_rows(400.0).iloc[:0], rank_rows(20.0).iloc[:0]
    assert "no price" in one(prices, ranks).reason


@pytest.fixture
def ledger(tmp_path):
    path = tmp_path / "ledger.db"
    with Ledger(path) as opened:
        for day in DAYS[:12]:
            for version in (1, 2):
                opened.record(a_signal(day, version=version), LATE)
    return path


def test_settling_writes_what_is_known_and_says_what_is_not(ledger):
    prices, ranks = market(3)
    as_of = decision_time(DAYS[[8]])[0]
    found = settle(ledger, prices, ranks, as_of)
    assert (len(found.new), found.settled_before, len(found.pending)) == (8, 0, 16)
    assert read_outcomes(ledger) == list(found.new)
    assert {row.session for row in found.new} == {str(day.date()) for day in DAYS[:4]}
    assert {row.key.session for row in found.pending} == {str(day.date()) for day in DAYS[4:12]}
    assert all("not due" in row.reason for row in found.pending)


def test_a_damaged_outcome_leaves_the_others_and_is_named(ledger):
    prices, ranks = market(3)
    settle(ledger, prices, ranks, decision_time(DAYS[[8]])[0])
    with closing(sqlite3.connect(ledger)) as database, database:
        database.execute("UPDATE outcomes SET direction_hit = 7 WHERE rowid = 1")
    found = settle(ledger, prices, ranks, LATE)
    assert (len(found.new), found.settled_before, found.pending) == (16, 8, ())
    (words,) = found.unread.values()
    assert "its bytes are not those that were written" in words


def test_settling_twice_writes_nothing_more(ledger):
    prices, ranks = market(3)
    first = settle(ledger, prices, ranks, LATE)
    assert len(first.new) == 24
    before = ledger.read_bytes()
    again = settle(ledger, prices, ranks, LATE)
    assert (again.new, again.settled_before, again.pending) == ((), 24, ())
    assert ledger.read_bytes() == before


def test_settling_day_by_day_ends_where_settling_once_does(ledger, tmp_path):
    prices, ranks = market(3)
    for day in DAYS[:20]:
        settle(ledger, prices, ranks, decision_time(pd.DatetimeIndex([day]))[0])
    by_day = {row.key: row for row in read_outcomes(ledger)}
    signals = [a_signal(day, version=v) for day in DAYS[:12] for v in (1, 2)]
    assert by_day == {row.key: row for row in outcomes(signals, prices, ranks, LATE)}


def test_a_later_correction_changes_no_settled_outcome(ledger):
    prices, ranks = market(3)
    settle(ledger, prices, ranks, decision_time(DAYS[[8]])[0])
    before = read_outcomes(ledger)
    corrected = prices.assign(close=prices["close"] * np.linspace(1, 2, len(prices)))
    found = settle(ledger, corrected, ranks, LATE)
    assert read_outcomes(ledger)[: len(before)] == before
    assert len(found.new) == 24 - len(before)


def test_a_missing_row_of_a_settled_signal_is_not_pending_again(ledger):
    prices, ranks = market(3)
    settle(ledger, prices, ranks, LATE)
    assert settle(ledger, prices.iloc[20:], ranks, LATE).pending == ()


def test_settling_without_a_ledger_says_what_to_do(tmp_path):
    with pytest.raises(InputError, match="--record"):
        settle(tmp_path / "ledger.db", price_rows(400.0), rank_rows(20.0), LATE)
