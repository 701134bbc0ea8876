import numpy as np
import pandas as pd
import pytest

from feature_repo.features.maths.times import ascending, nanoseconds, same_length
from market.errors import InputError

NOON = pd.Timestamp("2024-07-01 12:00")


def test_times_with_and_without_a_zone_are_in_utc():
    berlin = pd.DatetimeIndex(["2024-07-01 14:00"], tz="Europe/Berlin")
    for times in (berlin, pd.DatetimeIndex([NOON]), np.array(["2024-07-01T12"], "datetime64[h]")):
        got = nanoseconds("x", times)
        assert got.tolist() == [NOON.value]
        assert got.dtype == np.int64


def test_a_missing_time_is_refused_by_row():
    with pytest.raises(InputError, match="news: got a missing time at row 1, allowed are times"):
        nanoseconds("news", pd.DatetimeIndex([NOON, pd.NaT]))


def test_no_times_at_all_are_fine():
    assert nanoseconds("x", pd.DatetimeIndex([])).size == 0
    assert ascending("x", pd.DatetimeIndex([])).size == 0


@pytest.mark.parametrize("second", [NOON, NOON - pd.Timedelta(nanoseconds=1)])
def test_times_that_do_not_ascend_are_refused(second):
    good = pd.DatetimeIndex([NOON, NOON + pd.Timedelta(nanoseconds=1)])
    assert np.diff(ascending("cut-offs", good)).tolist() == [1]
    with pytest.raises(InputError, match=r"cut-offs: got 2024-07-01 .* at row 1, allowed are asc"):
        ascending("cut-offs", pd.DatetimeIndex([NOON, second]))


def test_lengths():
    same_length("x", a=[1], b=[2])
    with pytest.raises(InputError, match=r"x: got lengths \{'a': 1, 'b': 0\}, allowed is one"):
        same_length("x", a=[1], b=[])
