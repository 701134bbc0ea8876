"""Reports as known at each cut-off: against a walk through the versions for every session."""

from dataclasses import fields

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feature_repo.features.earnings.group import EARNINGS
from feature_repo.features.earnings.known import earnings_by_session, report_sessions
from feature_repo.features.earnings.reports import EarningsVersions
from market.calendar import calendar, decision_time, session_shift, sessions
from market.errors import InputError

NAN = np.nan
EPOCH = pd.Timestamp("2024-01-01", tz="UTC")
# Cut-offs are ten ticks apart, so that versions become known on them and beside them.
STEP = 10
COLUMNS = [field.name for field in fields(EarningsVersions)]


def at(ticks):
    return pd.DatetimeIndex([EPOCH + int(tick) * pd.Timedelta(minutes=1) for tick in ticks])


def report(session, known=0, result=None, hour="bmo", symbol=0, event=1, **figures):
    """One version; its figures are known at the cut-off of its session if nothing is said."""
    result = session * STEP if result is None else result
    names = ("eps_actual", "eps_estimate", "revenue_actual", "revenue_estimate")
    values = [figures.get(name, NAN) for name in names]
    return (symbol, event, session, known, result, hour, *values)


def versions(rows):
    columns = dict(zip(COLUMNS, zip(*rows, strict=True), strict=True)) if rows else {}
    times = {name: at(columns.get(name, ())) for name in ("date_known", "result_known")}
    return EarningsVersions(
        **{n: np.array(columns.get(n, ()), dtype=int) for n in ("symbol", "event", "session")},
        **times,
        hour=np.array(columns.get("hour", ()), dtype=object),
        **{name: np.array(columns.get(name, ()), dtype=float) for name in COLUMNS[6:]},
    )


def compute(rows, first=0, count=30, weights=None):
    """Sources over the sessions of places first to first + count; a single stock by default."""
    places = np.arange(first, first + count)
    weights = np.ones((count, 1)) if weights is None else weights
    return earnings_by_session(at(places * STEP), places, versions(rows), weights)


def surprise(actual, estimate, base):
    return 100 * (actual - estimate) / base if base else NAN


def of_member(rows, place, cut):
    """Next (session, hour) and last reports (session, figures) of one company at a cut-off."""
    newest = {row[1]: row for row in rows if row[3] <= cut}
    coming, past = [], []
    for event, row in newest.items():
        _, _, session, _, result, hour, eps, expected, sales, planned = row
        if session + (hour not in ("bmo", "dmh")) > place:
            coming.append((session, {"bmo": 0, "dmh": 0, "amc": 2}.get(hour, 1)))
        elif result <= cut:
            beat = NAN if np.isnan(eps) or np.isnan(expected) else float(eps > expected)
            figures = (
                surprise(eps, expected, abs(expected)),
                beat,
                surprise(sales, planned, planned),
            )
            past.append((session, event, figures))
        else:
            past.append((session, event, (NAN,) * 3))
    return min(coming, default=None), [(s, f) for s, _, f in sorted(past, key=lambda p: p[:2])]


def expected(rows, place, weights):
    members = np.flatnonzero(weights)
    found = {m: of_member([r for r in rows if r[0] == m], place, place * STEP) for m in members}
    coming = [nearest for nearest, _ in found.values() if nearest]
    past = {m: last for m, (_, last) in found.items() if last}
    recent = {m: last for m, last in past.items() if place - last[-1][0] <= 90}
    soon = [m for m, (nearest, _) in found.items() if nearest and nearest[0] - place <= 5]
    counted = past if len(members) == 1 else recent

    def mean(figure):
        known = {m: figure(last) for m, last in counted.items()}
        known = {m: value for m, value in known.items() if not np.isnan(value)}
        total = sum(weights[m] for m in known)
        return sum(weights[m] * v for m, v in known.items()) / total if known else NAN

    def of_four(last, figure):
        return sum(f[figure] for _, f in last[-4:]) / 4 if len(last) >= 4 else NAN

    return {
        "sessions_to_report": min(coming)[0] - place if coming else NAN,
        "sessions_since_report": place - max(last[-1][0] for last in past.values())
        if past
        else NAN,
        "weight_within_5": sum(weights[m] for m in soon) if coming or recent else NAN,
        "next_report_after_close": (0.0, NAN, 1.0)[min(coming)[1]] if coming else NAN,
        "eps_surprise_last": mean(lambda last: last[-1][1][0]),
        "eps_surprise_mean_4": mean(lambda last: of_four(last, 0)),
        "eps_beats_4": mean(lambda last: of_four(last, 1)),
        "revenue_surprise_last": mean(lambda last: last[-1][1][2]),
    }


# Few sessions, so that reports of two members and moved dates meet on one; some far away, so
# that a last report grows old.
figure = st.sampled_from([NAN, 0.0, 1.0, -2.0, 3.0])
rows_of = st.builds(
    report,
    session=st.one_of(st.integers(0, 30), st.integers(0, 160)),
    known=st.one_of(st.integers(-20, 300), st.integers(0, 150).map(lambda n: n * STEP)),
    result=st.integers(-20, 1700),
    hour=st.sampled_from(["bmo", "amc", "dmh", ""]),
    symbol=st.integers(0, 2),
    event=st.integers(0, 5),
    eps_actual=figure,
    eps_estimate=figure,
    revenue_actual=figure,
    revenue_estimate=figure,
)
calendars = st.lists(rows_of, max_size=40)
baskets = st.lists(st.tuples(*[st.sampled_from([0.0, 0.25, 0.5])] * 3), min_size=1, max_size=3).map(
    lambda rows: np.repeat(np.array(rows), [60, 20, 70][: len(rows)], axis=0)
)


@given(calendars, baskets, st.integers(0, 8))
@settings(max_examples=80, deadline=None)
def test_one_session_after_the_other(rows, weights, first):
    got = compute(rows, first, len(weights), weights)
    assert tuple(got) == EARNINGS.sources
    by_hand = [expected(rows, first + t, held) for t, held in enumerate(weights)]
    for name, array in got.items():
        values = [value[name] for value in by_hand]
        np.testing.assert_allclose(array, values, rtol=1e-12, err_msg=name)


@given(calendars, baskets, st.integers(0, 149))
def test_what_becomes_known_later_changes_no_value_to_the_last_bit(rows, weights, place):
    place = min(place, len(weights) - 1)
    known = [row for row in rows if row[3] <= place * STEP]
    # Nor do figures that come later: unknown by then, they might as well be others.
    known = [row if row[4] <= place * STEP else (*row[:6], 9.0, 1.0, 9.0, 1.0) for row in known]
    full, cut = (compute(part, 0, len(weights), weights) for part in (rows, known))
    for name, array in full.items():
        np.testing.assert_array_equal(array[: place + 1], cut[name][: place + 1], err_msg=name)


@given(calendars, baskets)
@settings(max_examples=50, deadline=None)
def test_later_sessions_change_no_value_to_the_last_bit(rows, weights):
    full, cut = compute(rows, 0, len(weights), weights), compute(rows, 0, 33, weights[:33])
    for name, array in full.items():
        np.testing.assert_array_equal(array[:33], cut[name], err_msg=name)


@given(calendars, baskets)
@settings(max_examples=50, deadline=None)
def test_the_features_of_any_calendar_are_in_bounds(rows, weights):
    values = EARNINGS.compute(compute(rows, 0, len(weights), weights))
    for row in EARNINGS.features:
        known = values[row.name][~np.isnan(values[row.name])]
        assert not np.isinf(known).any()
        if row.unit == "sessions":
            assert ((known >= 0) & (known <= 90) & (known % 1 == 0)).all()
        if row.unit == "flag 0/1":
            assert set(known) <= {0.0, 1.0}


@pytest.mark.parametrize(
    ("hour", "to", "since"),
    [
        # On its session a report before or during trading is past.
        ("bmo", [2, 1, NAN, NAN], [NAN, NAN, 0, 1]),
        ("dmh", [2, 1, NAN, NAN], [NAN, NAN, 0, 1]),
        ("amc", [2, 1, 0, NAN], [NAN, NAN, NAN, 1]),
        ("", [2, 1, 0, NAN], [NAN, NAN, NAN, 1]),
    ],
)
def test_a_report_passes_by_its_hour(hour, to, since):
    got = compute([report(12, hour=hour)], first=10, count=4)
    np.testing.assert_array_equal(got["sessions_to_report"], to)
    np.testing.assert_array_equal(got["sessions_since_report"], since)


def test_a_date_is_known_at_the_cut_off_and_not_a_moment_later():
    for known, seen in ((50, True), (51, False)):
        got = compute([report(20, known)], count=6)["sessions_to_report"]
        np.testing.assert_array_equal(got, [*[NAN] * 5, 15 if seen else NAN])


def test_a_date_that_is_moved_later_counts_from_when_that_is_known():
    got = compute([report(6), report(9, known=40)], count=10)
    np.testing.assert_array_equal(got["sessions_to_report"], [6, 5, 4, 3, 5, 4, 3, 2, 1, NAN])


def test_a_date_that_is_moved_earlier_into_the_past_is_past():
    got = compute([report(9), report(2, known=40)], count=6)
    np.testing.assert_array_equal(got["sessions_to_report"], [9, 8, 7, 6, NAN, NAN])
    np.testing.assert_array_equal(got["sessions_since_report"], [NAN] * 4 + [2, 3])


def test_a_report_that_was_past_and_is_put_off_is_to_come_again():
    got = compute([report(3), report(7, known=50)], count=8)
    np.testing.assert_array_equal(got["sessions_since_report"], [NAN] * 3 + [0, 1, NAN, NAN, 0])
    np.testing.assert_array_equal(got["sessions_to_report"], [3, 2, 1, NAN, NAN, 2, 1, NAN])


def test_the_version_that_landed_last_counts_however_old_its_date():
    """Both are of a backfill: the second landed later, and its date was known earlier."""
    got = compute([report(9, known=30), report(8, known=10)], count=5)
    np.testing.assert_array_equal(got["sessions_to_report"], [NAN, 7, 6, 5, 4])


def test_figures_enter_when_they_are_known():
    figures = {"eps_actual": 1.5, "eps_estimate": -1.0}
    got = compute([report(3, hour="amc"), report(3, 50, 50, hour="amc", **figures)], count=7)
    np.testing.assert_array_equal(got["sessions_since_report"], [NAN] * 4 + [1, 2, 3])
    np.testing.assert_array_equal(got["eps_surprise_last"], [NAN] * 5 + [250, 250])


def test_figures_that_were_wrong_are_corrected_from_then_on():
    rows = [
        report(1, 0, 10, eps_actual=2.0, eps_estimate=1.0),
        report(1, 30, 30, eps_actual=3.0, eps_estimate=1.0),
    ]
    np.testing.assert_array_equal(
        compute(rows, count=5)["eps_surprise_last"], [NAN, 100, 100] + [200] * 2
    )


def test_a_new_report_without_figures_is_unknown_and_not_the_one_before():
    rows = [
        report(1, eps_actual=2.0, eps_estimate=1.0),
        report(4, event=2, result=60, eps_actual=1.0, eps_estimate=1.0),
    ]
    got = compute(rows, count=8)["eps_surprise_last"]
    np.testing.assert_array_equal(got, [NAN, 100, 100, 100, NAN, NAN, 0, 0])


def test_the_last_four_reports():
    actual = [2.0, 1.0, 0.5, 3.0, 1.0]
    rows = [
        report(n, event=n, eps_actual=x, eps_estimate=1.0) for n, x in enumerate(actual, start=1)
    ]
    got = compute(rows, count=7)
    np.testing.assert_array_equal(got["eps_surprise_mean_4"], [NAN] * 4 + [62.5, 37.5, 37.5])
    np.testing.assert_array_equal(got["eps_beats_4"], [NAN] * 4 + [0.5, 0.25, 0.25])


def test_a_zero_estimate_gives_no_surprise_but_a_beat():
    rows = [report(n, event=n, eps_actual=1.0, eps_estimate=0.0) for n in range(1, 5)]
    got = compute(rows, count=5)
    assert np.isnan(got["eps_surprise_last"]).all()
    assert np.isnan(got["eps_surprise_mean_4"]).all()
    assert got["eps_beats_4"][4] == 1


def test_surprises_are_relative_to_the_size_of_the_estimate_of_earnings():
    row = report(0, eps_actual=-1.0, eps_estimate=-2.0, revenue_actual=9.0, revenue_estimate=10.0)
    got = compute([row], count=1)
    assert (got["eps_surprise_last"][0], got["revenue_surprise_last"][0]) == (50, -10)


TWO = np.tile([0.3, 0.1], (12, 1))


@pytest.mark.parametrize(
    ("hours", "flag"),
    [
        (("amc", "amc"), 1),
        (("amc", "bmo"), 0),
        (("", "dmh"), 0),
        (("", "amc"), NAN),
        (("", ""), NAN),
    ],
)
def test_of_two_members_on_one_session_the_earlier_report_is_the_next(hours, flag):
    for order in (hours, hours[::-1]):
        rows = [report(8, hour=hour, symbol=n) for n, hour in enumerate(order)]
        np.testing.assert_array_equal(
            compute(rows, count=8, weights=TWO[:8])["next_report_after_close"], [flag] * 8
        )


def test_a_basket_has_the_nearest_and_latest_report_and_the_weights_that_report():
    rows = [report(7, symbol=0, hour="amc"), report(9, symbol=1), report(1, symbol=1, event=0)]
    got = compute(rows, count=12, weights=TWO)
    np.testing.assert_array_equal(got["sessions_to_report"], [1, *range(6, -1, -1), 1, *[NAN] * 3])
    np.testing.assert_array_equal(
        got["sessions_since_report"], [NAN, 0, 1, 2, 3, 4, 5, 6, 1, 0, 1, 2]
    )
    np.testing.assert_allclose(
        got["weight_within_5"], [0.1, 0, 0.3, 0.3, 0.4, 0.4, 0.4, 0.4, 0.1, 0, 0, 0]
    )


def test_surprises_of_a_basket_are_means_by_weight_of_the_members_known():
    rows = [
        report(0, symbol=0, eps_actual=2.0, eps_estimate=1.0),
        report(2, symbol=1, eps_actual=3.0, eps_estimate=1.0),
        report(4, symbol=1, event=2),
    ]
    got = compute(rows, count=6, weights=TWO[:6])["eps_surprise_last"]
    np.testing.assert_allclose(got, [100, 100, 125, 125, 100, 100])


def test_a_report_of_90_sessions_ago_counts_in_a_basket_and_an_older_one_does_not():
    rows = [report(0, eps_actual=2.0, eps_estimate=1.0)]
    basket = compute(rows, count=93, weights=np.tile([0.3, 0.1], (93, 1)))
    stock = compute(rows, count=93)
    np.testing.assert_array_equal(basket["eps_surprise_last"][[90, 91]], [100, NAN])
    # A single stock has but its last report, and its age beside it.
    np.testing.assert_array_equal(stock["eps_surprise_last"][[90, 91]], [100, 100])
    np.testing.assert_array_equal(stock["sessions_since_report"][[90, 91]], [90, 91])
    # A calendar that ended does not say that nobody reports.
    np.testing.assert_array_equal(stock["weight_within_5"][[90, 91]], [0, NAN])


def test_members_count_while_they_are_in_force():
    """The second company replaces the first at place 5."""
    weights = np.where(np.arange(10)[:, None] < 5, [0.3, 0.0], [0.0, 0.2])
    rows = [
        report(4, symbol=0, eps_actual=2.0, eps_estimate=1.0),
        report(3, symbol=1, eps_actual=4.0, eps_estimate=1.0),
        report(9, symbol=1, event=2),
    ]
    got = compute(rows, count=10, weights=weights)
    np.testing.assert_array_equal(got["sessions_to_report"], [4, 3, 2, 1, NAN, 4, 3, 2, 1, NAN])
    np.testing.assert_array_equal(got["sessions_since_report"][:9], [NAN] * 4 + [0, 2, 3, 4, 5])
    np.testing.assert_array_equal(got["eps_surprise_last"], [NAN] * 4 + [100] + [300] * 4 + [NAN])
    np.testing.assert_allclose(got["weight_within_5"], [0.3] * 4 + [0] + [0.2] * 4 + [0])


@pytest.mark.parametrize("symbols", [0, 1, 3])
def test_without_versions_or_members_everything_is_null(symbols):
    got = compute([], weights=np.ones((30, symbols)))
    assert all(np.isnan(array).all() and array.shape == (30,) for array in got.values())
    got = compute([report(9)], weights=np.zeros((30, 1)))
    assert all(np.isnan(array).all() for array in got.values())


def test_no_sessions():
    got = compute([report(9)], count=0, weights=np.ones((0, 1)))
    assert all(array.shape == (0,) for array in got.values())


def test_bad_input_is_refused():
    with pytest.raises(InputError, match=r"got symbol 3, allowed are the 1 columns of the weights"):
        compute([report(9, symbol=3)])
    with pytest.raises(InputError, match="earnings alignment: got lengths"):
        compute([report(9)], weights=np.ones((29, 1)))
    with pytest.raises(InputError, match="cut-offs: got"):
        earnings_by_session(at([10, 10]), np.arange(2), versions([]), np.ones((2, 1)))
    with pytest.raises(InputError, match="date_known: got a missing time at row 0"):
        broken = versions([report(9)])
        object.__setattr__(broken, "date_known", pd.DatetimeIndex([pd.NaT]))
        earnings_by_session(at([10]), np.arange(1), broken, np.ones((1, 1)))
    with pytest.raises(InputError, match=r"earnings alignment: got lengths .*'hour': 2"):
        good = vars(versions([report(9)]))
        EarningsVersions(**{**good, "hour": np.array(["amc", "bmo"])})


def test_a_report_of_a_weekend_or_holiday_belongs_to_the_next_session():
    days = calendar().sessions
    # Berkshire reports on Saturdays; Good Friday; a session of its own.
    dates = pd.DatetimeIndex(["2018-05-05", "2018-08-04", "2024-03-29", "2024-04-02"])
    got = days[report_sessions(days, dates)]
    assert list(got) == list(
        pd.DatetimeIndex(["2018-05-07", "2018-08-06", "2024-04-01", "2024-04-02"])
    )
    assert report_sessions(days, days[-1:] + pd.Timedelta(days=1))[0] == len(days)


@given(st.dates(pd.Timestamp("2012-01-01").date(), pd.Timestamp("2026-12-31").date()))
def test_the_session_of_a_report_is_the_first_that_is_not_before_it(date):
    days = calendar().sessions
    place = report_sessions(days, pd.DatetimeIndex([date]))[0]
    assert days[place - 1] < pd.Timestamp(date) <= days[place]


@pytest.mark.recorded
def test_recorded_reports_of_one_company(recorded_dir):
    """Every known date of Apple, ten sessions ahead; its reports are after the close."""
    frame = pd.read_csv(recorded_dir / "finnhub" / "earnings_calendar.csv", parse_dates=["date"])
    frame = frame[frame["symbol"] == "AAPL"].sort_values("date", ignore_index=True)
    days = calendar().sessions
    place = report_sessions(days, pd.DatetimeIndex(frame["date"]))
    asked = sessions("2012-10-01", "2019-08-30")
    none = np.full(len(frame), NAN)
    given_ = EarningsVersions(
        symbol=np.zeros(len(frame), dtype=int),
        event=np.arange(len(frame)),
        session=place,
        date_known=decision_time(session_shift(days[place], -10)),
        result_known=decision_time(session_shift(days[place], 1)),
        hour=frame["hour"].to_numpy(),
        eps_actual=frame["epsActual"].to_numpy(),
        eps_estimate=frame["epsEstimate"].to_numpy(),
        revenue_actual=none,
        revenue_estimate=none,
    )
    at_, weights = days.get_indexer(asked), np.ones((len(asked), 1))
    got = pd.DataFrame(earnings_by_session(decision_time(asked), at_, given_, weights), index=asked)
    reported = got.loc[days[place]]
    assert (reported["sessions_to_report"] == 0).all()
    assert (reported["next_report_after_close"] == 1).all()
    assert got["sessions_to_report"].max() == 10
    assert got["sessions_to_report"].notna().sum() == 11 * len(frame)
    after = got.loc[days[place + 1]]
    assert (after["sessions_since_report"] == 1).all()
    by_hand = 100 * (frame["epsActual"] / frame["epsEstimate"] - 1)
    np.testing.assert_allclose(after["eps_surprise_last"], by_hand)
    np.testing.assert_allclose(after["eps_surprise_mean_4"], by_hand.rolling(4).mean(), atol=1e-9)
    assert got["revenue_surprise_last"].isna().all()
