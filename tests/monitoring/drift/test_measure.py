"""The drift report: its figures, its windows, and features that cannot be compared."""

import json

import numpy as np
import pandas as pd
import pytest
from scipy.signal import lfilter

from feature_repo.features.catalogue import GROUPS, names
from home.records.drift import DriftReport, FeatureDrift
from market.calendar import sessions
from market.errors import InputError
from monitoring.drift.measure import CURRENT_SESSIONS, drift_report, windows
from monitoring.drift.null import alarm_levels, null_psi
from monitoring.drift.psi import decile_bins, decile_psi

REFERENCE, CURRENT = 600, 63
DAYS = sessions("2021-01-04", "2025-06-30")[: REFERENCE + CURRENT]


def frame(columns: int = 12, seed: int = 0, persistence: float = 0.5) -> pd.DataFrame:
    shocks = np.random.default_rng(seed).normal(size=(len(DAYS), columns))
    values = lfilter([1.0], [1.0, -persistence], shocks, axis=0)
    table = pd.DataFrame(values, columns=[f"f{number}" for number in range(columns)])
    return table.assign(session=DAYS)


def halves(table: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    return table.iloc[:REFERENCE], table.iloc[REFERENCE:]


def views(table: pd.DataFrame) -> dict[str, str]:
    return {name: "technical" for name in table if name.startswith("f")}


def report(table: pd.DataFrame, **options) -> DriftReport:
    return drift_report("SPY", *halves(table), views(table), **{"resamples": 200, **options})


def rows(found: DriftReport) -> dict[str, FeatureDrift]:
    return {row.name: row for row in found.features}


def test_a_report_holds_the_fields_of_the_design():
    found = report(frame())
    assert found.reference.document() == {
        "start": str(DAYS[0].date()),
        "end": str(DAYS[REFERENCE - 1].date()),
        "rows": REFERENCE,
    }
    assert found.current.rows == CURRENT
    assert found.current.end == str(DAYS[-1].date())
    assert [row.name for row in found.features] == list(views(frame()))
    for row in found.features:
        assert {"name", "view", "psi", "alarm_level", "null_share"} <= set(row.document())
        assert row.view == "technical"
        assert row.status == "ok"
    text = json.dumps(found.document(), allow_nan=False)
    assert DriftReport.from_json(text, "drift report") == found


def test_figures_are_those_of_the_parts():
    table = frame()
    found = report(table, seed=4)
    before, after = halves(table)
    features = list(views(table))
    codes = [
        decile_bins(before[name].to_numpy()).codes(before[name].to_numpy()) for name in features
    ]
    null = null_psi(codes, [CURRENT] * len(features), CURRENT, 200, 4)
    assert [row.psi for row in found.features] == pytest.approx(
        [decile_psi(before[name].to_numpy(), after[name].to_numpy()) for name in features]
    )
    assert [row.alarm_level for row in found.features] == alarm_levels(null).tolist()
    assert found.alarmed == sum(row.psi > row.alarm_level for row in found.features)
    counts = (null > alarm_levels(null)).sum(axis=1)
    assert (counts > found.alarmed_level).mean() <= 0.01


def test_the_order_of_rows_does_not_matter():
    table = frame()
    before, after = halves(table)
    mixed = drift_report(
        "SPY", before.sample(frac=1, random_state=1), after[::-1], views(table), resamples=200
    )
    assert mixed == report(table)


def test_the_seed_decides_levels_and_nothing_else():
    one, other = report(frame(), seed=1), report(frame(), seed=2)
    assert one == report(frame(), seed=1)
    assert [r.psi for r in one.features] == [r.psi for r in other.features]
    assert [r.alarm_level for r in one.features] != [r.alarm_level for r in other.features]


def test_nothing_drifts_without_drift():
    found = [report(frame(40, seed)) for seed in range(8)]
    assert sum(r.alert for r in found) == 0
    assert np.mean([r.alarmed for r in found]) < 0.05 * 40


def test_a_planted_shift_is_alarmed_and_alerts():
    table = frame(40)
    shifted = [f"f{number}" for number in range(30)]
    table.loc[REFERENCE:, shifted] += 3.0
    found = report(table)
    assert [rows(found)[name].alarm for name in shifted] == [True] * 30
    assert found.alarmed >= 30
    assert found.alert is True


def test_one_feature_alone_is_alarmed_without_an_alert():
    table = frame(40)
    table.loc[REFERENCE:, "f7"] += 3.0
    found = report(table)
    assert rows(found)["f7"].alarm is True
    assert found.alert is False


def test_nulls_are_counted_apart_and_are_no_bin():
    table = frame()
    table.loc[REFERENCE + np.arange(0, 63, 3), "f0"] = np.nan
    table.loc[:59, "f1"] = np.nan
    found = rows(report(table))
    assert found["f0"].null_share == pytest.approx(21 / 63)
    assert found["f0"].reference_null_share == 0.0
    assert found["f1"].reference_null_share == pytest.approx(0.1)
    assert found["f1"].null_share == 0.0
    before, after = halves(table)
    for name in ("f0", "f1"):
        known = (half[name].dropna().to_numpy() for half in (before, after))
        assert found[name].psi == pytest.approx(decile_psi(*known))
    # Fewer values are further from their reference by chance alone.
    assert found["f0"].alarm_level > rows(report(frame()))["f0"].alarm_level


def broken() -> pd.DataFrame:
    table = frame(10)
    table["f0"] = np.nan
    table.loc[:599, "f1"] = np.nan
    table.loc[600:, "f2"] = np.nan
    table["f3"] = 4.0
    table.loc[600:, "f4"] = 4.0
    table.loc[:599, "f5"] = 4.0
    table.loc[:520, "f6"] = np.nan
    table.loc[605:, "f7"] = np.nan
    table["f8"] = pd.Series([None] * len(table), dtype=object)
    return table


STATUSES = {
    "f0": "all_null",
    "f1": "all_null",
    "f2": "all_null",
    "f3": "constant",
    "f4": "constant",
    "f5": "constant",
    "f6": "too_few_rows",
    "f7": "too_few_rows",
    "f8": "all_null",
    "f9": "ok",
}


def test_features_that_say_nothing_are_reported():
    found = report(broken())
    assert {name: row.status for name, row in rows(found).items()} == STATUSES
    assert found.compared == 4
    for row in found.features:
        compared = row.status in ("ok", "constant")
        assert (row.psi is not None) == compared
        assert (row.alarm_level is not None) == compared
        assert (row.alarm is not None) == compared
        assert row.null_share is not None
    json.dumps(found.document(), allow_nan=False)


def test_a_constant_that_stays_is_no_drift_and_one_that_moves_is():
    found = rows(report(broken()))
    assert (found["f3"].psi, found["f3"].alarm_level, found["f3"].alarm) == (0, 0, False)
    assert found["f5"].alarm_level == 0.0
    assert found["f5"].alarm is True
    assert found["f4"].psi > 1.0  # a feed that stands still


def test_a_rare_flag_that_becomes_frequent_is_alarmed():
    table = frame(2)
    table["f0"] = (np.arange(len(table)) % 50 == 0).astype(float)
    table["f1"] = 1.0 - table["f0"]
    table.loc[REFERENCE:, "f0"] = np.arange(CURRENT) % 2
    table.loc[REFERENCE:, "f1"] = np.arange(CURRENT) % 2
    found = rows(report(table))
    assert found["f0"].alarm is True
    assert found["f1"].alarm is True
    assert found["f0"].status == "ok"


@pytest.mark.parametrize("window", [0, 1])
def test_an_empty_window_is_reported(window):
    table = frame(3)
    both = list(halves(table))
    both[window] = both[window].iloc[:0]
    found = drift_report("SPY", *both, views(table), resamples=50)
    assert {row.status for row in found.features} == {"too_few_rows"}
    empty = found.current if window else found.reference
    assert empty.document() == {"start": None, "end": None, "rows": 0}
    assert found.alert is None
    assert found.alarmed_level is None
    assert found.compared == 0
    null_share = "null_share" if window else "reference_null_share"
    assert {getattr(row, null_share) for row in found.features} == {None}


def test_no_feature_is_an_empty_report():
    found = drift_report("SPY", *halves(frame()), {}, resamples=50)
    assert found.features == []
    assert found.alert is None


def test_every_feature_of_the_catalogue_has_a_row_of_its_view():
    catalogue = {name: group for group in GROUPS for name in names(group)}
    values = np.random.default_rng(1).normal(size=(len(DAYS), len(catalogue)))
    table = pd.DataFrame(values, columns=list(catalogue)).assign(session=DAYS)
    found = drift_report("SPY", *halves(table), catalogue, resamples=50)
    assert {row.name: row.view for row in found.features} == catalogue


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.drop(columns="f3"), "'f3': got 0 columns"),
        (lambda t: t.drop(columns="session"), "lacks the column session"),
        (lambda t: t.assign(f3="high"), "a number or null"),
        (lambda t: t.assign(f3=np.inf), "infinite"),
        (lambda t: pd.concat([t, t.tail(1)]), "twice"),
    ],
)
def test_bad_windows_are_refused(change, message):
    table = frame()
    before, after = halves(table)
    for both in ((change(before), after), (before, change(after))):
        with pytest.raises(InputError, match=message):
            drift_report("SPY", *both, views(table), resamples=50)


def test_a_bootstrap_needs_a_resample():
    with pytest.raises(InputError, match="resamples: got 0"):
        report(frame(), resamples=0)


def test_windows_end_with_the_frame_and_never_overlap():
    table = frame().sample(frac=1, random_state=0)
    before, after = windows(table, DAYS[10], DAYS[-1])
    assert len(after) == CURRENT_SESSIONS
    assert list(after["session"]) == list(DAYS[-CURRENT_SESSIONS:])
    assert list(before["session"]) == list(DAYS[10:-CURRENT_SESSIONS])


def test_windows_take_the_reference_asked_for():
    before, after = windows(frame(), str(DAYS[0].date()), str(DAYS[299].date()), 20)
    assert (len(before), len(after)) == (300, 20)
    assert before["session"].iloc[-1] == DAYS[299]


@pytest.mark.parametrize("count", [0, -1])
def test_a_window_without_sessions_is_refused(count):
    with pytest.raises(InputError, match=f"got {count} sessions"):
        windows(frame(), DAYS[0], DAYS[-1], count)


@pytest.mark.parametrize(
    ("start", "end", "count"),
    [
        (DAYS[-5], DAYS[-1], CURRENT_SESSIONS),
        (DAYS[0], DAYS[-1], 10_000),
        ("1999-01-04", "2000-01-03", CURRENT_SESSIONS),
    ],
)
def test_a_reference_without_sessions_is_refused(start, end, count):
    with pytest.raises(InputError, match="no reference sessions"):
        windows(frame(), start, end, count)


def test_windows_of_no_rows_are_refused():
    with pytest.raises(InputError, match="no session"):
        windows(frame().iloc[:0], DAYS[0], DAYS[-1])


def test_windows_of_two_tickers_are_refused():
    table = pd.concat([frame(), frame()])
    with pytest.raises(InputError, match="one ticker at a time"):
        windows(table, DAYS[0], DAYS[-1])
