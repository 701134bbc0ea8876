"""The earnings group: caps, bounds of the flags, and values that are passed on."""

import numpy as np
import pytest

from feature_repo.features.earnings.group import CAP, EARNINGS

NAN = np.nan


def compute(**arrays):
    given = {name: np.asarray(array, dtype=float) for name, array in arrays.items()}
    rows = next(iter(given.values())).size
    return EARNINGS.compute({name: np.full(rows, NAN) for name in EARNINGS.sources} | given)


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("sessions_to_report", "days_to_earnings"),
        ("sessions_since_report", "days_since_earnings"),
    ],
)
def test_distances_are_capped_and_unknown_stays_unknown(source, name):
    got = compute(**{source: [0, 1, 89, 90, 91, 500, NAN]})[name]
    np.testing.assert_array_equal(got, [0, 1, 89, CAP, CAP, CAP, NAN])


@pytest.mark.parametrize(
    ("source", "name", "bound"),
    [
        ("sessions_to_report", "earnings_within_5d", 5),
        ("sessions_to_report", "earnings_within_10d", 10),
        ("sessions_since_report", "post_earnings_5d", 5),
    ],
)
def test_flags_hold_up_to_their_bound(source, name, bound):
    got = compute(**{source: [0, bound, bound + 1, 200, NAN]})[name]
    np.testing.assert_array_equal(got, [1, 1, 0, 0, NAN])


def test_the_rest_is_passed_on():
    for source, name in (
        ("weight_within_5", "earnings_intensity_5d"),
        ("next_report_after_close", "earnings_after_close"),
        ("eps_surprise_last", "eps_surprise_pct"),
        ("eps_surprise_mean_4", "eps_surprise_avg_4q"),
        ("eps_beats_4", "eps_beat_rate_4q"),
        ("revenue_surprise_last", "revenue_surprise_pct"),
    ):
        values = compute(**{source: [0.0, 1.0, NAN]})
        np.testing.assert_array_equal(values[name], [0.0, 1.0, NAN])
        others = set(values) - {name}
        assert all(np.isnan(values[other]).all() for other in others)
