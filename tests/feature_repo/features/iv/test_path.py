"""What a simulation of the index reads, against plain loops over a series with holes."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feature_repo.features.iv.group import RANK_SESSIONS, iv_rank
from feature_repo.features.iv.path import DISTANCES, HELD, IV_PATH, VOL_WINDOWS
from forecasters.rank_after import rank_after
from market.targets import HORIZON

LENGTH = 420
series = given(
    seed=st.integers(0, 10**6),
    lead=st.integers(0, 30),
    holes=st.lists(st.integers(0, LENGTH - 1), max_size=50),
)


def index(seed, length=LENGTH):
    return 20 * np.exp(np.cumsum(np.random.default_rng(seed).normal(0, 0.05, length)))


def holed(seed, lead, holes):
    vix = index(seed)
    vix[holes] = np.nan
    vix[:lead] = np.nan
    return vix


def compute(vix):
    return IV_PATH.compute({"vix_close": vix})


def windows(vix, n):
    """(place of today, known values) of each window that is known well enough."""
    known = [at for at, x in enumerate(vix) if not math.isnan(x)]
    for t in known:
        held = [x for x in vix[max(t - n + 1, 0) : t + 1] if not math.isnan(x)]
        if t - n + 1 >= known[0] and len(held) >= 0.95 * n:
            yield t, held


@series
@settings(max_examples=15, deadline=None)
def test_extremes_and_distances_are_those_of_plain_windows(seed, lead, holes):
    vix = holed(seed, lead, holes)
    found = compute(vix)
    plain = {
        f"vix_{word}_{HELD}d": (HELD, reduce) for word, reduce in (("high", max), ("low", min))
    }
    for n in DISTANCES:
        plain[f"vix_log_distance_{n}"] = (
            n, lambda held, now: math.log(now) - sum(map(math.log, held)) / len(held),
        )  # fmt: skip
    for name, (n, reduce) in plain.items():
        expected = np.full(LENGTH, np.nan)
        for t, held in windows(vix, n):
            expected[t] = reduce(held, vix[t]) if "distance" in name else reduce(held)
        np.testing.assert_allclose(found[name], expected, atol=1e-12, err_msg=name)


@pytest.mark.parametrize(("half_life", "window"), VOL_WINDOWS.items())
@series
@settings(max_examples=15, deadline=None)
def test_decayed_deviations_are_those_of_plain_sums(half_life, window, seed, lead, holes):
    vix = holed(seed, lead, holes)
    known = [at for at, x in enumerate(vix) if not math.isnan(x)]
    expected = np.full(LENGTH, np.nan)
    for t in known:
        if t - window < known[0]:
            continue
        square = seen = every = 0.0
        for age in range(window):
            weight = 2.0 ** (-age / half_life)
            change = math.log(vix[t - age] / vix[t - age - 1])
            every += weight
            if not math.isnan(change):
                square, seen = square + weight * change**2, seen + weight
        if seen >= 0.75 * every:
            expected[t] = math.sqrt(square / seen)
    found = compute(vix)[f"vix_log_vol_{half_life}"]
    np.testing.assert_allclose(found, expected, atol=1e-12)


@given(
    seed=st.integers(0, 10**6),
    lead=st.integers(0, 20),
    holes=st.lists(st.integers(0, LENGTH - 1), max_size=25),
    at=st.integers(RANK_SESSIONS + 20, LENGTH - HORIZON - 1),
    stretch=st.sampled_from([0.2, 1.0, 12.0]),
)
@settings(max_examples=60, deadline=None)
def test_the_rank_after_a_path_is_the_rank_of_the_series_with_the_path_at_its_end(
    seed, lead, holes, at, stretch
):
    """Two ways to one rank, wherever both know it: new extremes, old ones that leave, holes."""
    vix = holed(seed, lead, holes)
    vix[at] = np.nan_to_num(vix[at], nan=21.0)
    path = stretch * np.cumsum(np.random.default_rng(seed).normal(0, 0.05, HORIZON))
    later = np.r_[vix[: at + 1], vix[at] * np.exp(path)]
    rank = iv_rank(later)[-1]
    features = compute(vix)
    high, low = (features[f"vix_{word}_{HELD}d"][at : at + 1] for word in ("high", "low"))
    with np.errstate(invalid="ignore"):
        found = rank_after(
            *(float(one[0]) for one in (vix[at : at + 1], high, low)), path[:, None]
        )[0]
    if np.isnan(rank) or np.isnan(high[0]):
        window = ~np.isnan(later[-RANK_SESSIONS:])
        assert window.sum() < 0.95 * RANK_SESSIONS or window[:-HORIZON].sum() < 0.95 * HELD
        return
    assert found == pytest.approx(rank, abs=1e-9)


def test_the_oldest_sessions_have_left_and_the_next_have_not():
    assert HELD + HORIZON == RANK_SESSIONS
    level = np.full(LENGTH, 20.0)
    flat = np.array([[0.0, 0.0, 0.0, 0.0, math.log(0.9)]]).T
    today = LENGTH - 1
    for back, stays in ((HELD - 1, True), (HELD, False)):
        vix = level.copy()
        vix[today - back] = 40.0
        vix[today - 3] = 10.0
        high, low = (compute(vix)[f"vix_{word}_{HELD}d"][-1:] for word in ("high", "low"))
        assert high[0] == (40.0 if stays else 20.0)
        rank = rank_after(vix[-1], high[0], low[0], flat)[0]
        assert rank == pytest.approx(100 * 8 / 30 if stays else 100 * 8 / 10)


def test_a_path_may_set_the_extreme_it_is_ranked_by():
    up = np.log([[1.2, 1.5, 2.0, 1.6, 1.3], [1.0, 1.0, 1.0, 1.0, 3.0], [0.5, 1.0, 1.0, 1.0, 1.0]])
    ranks = rank_after(20.0, 25.0, 15.0, up.T)
    assert ranks == pytest.approx([100 * 11 / 25, 100.0, 100 * 10 / 15])
    assert rank_after(20.0, 25.0, 15.0, up.T / 3.0, 3.0) == pytest.approx(ranks, rel=1e-12)


def test_a_range_of_zero_has_no_rank():
    with np.errstate(invalid="ignore"):
        assert np.isnan(rank_after(20.0, 20.0, 20.0, np.zeros((5, 1)))).all()
