"""The simulated source: vendors' calendars, a history that only grows, and a known signal."""

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import talib
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from ingestion.sources.recorded.source import Recorded
from ingestion.sources.simulated.macro import REVISED
from ingestion.sources.simulated.source import Simulated
from ingestion.tables.catalogue import TABLES
from market import calendar as markets
from market.availability import SERIES, available_at, federal_holidays
from market.calendar import decision_time
from market.errors import InputError
from market.underlyings import UNDERLYINGS, VOLATILITY_INDICES, Underlying

Make = Callable[..., Simulated]
KEYS = {
    "prices": tuple(UNDERLYINGS),
    "indices": VOLATILITY_INDICES,
    "macro_series": tuple(SERIES),
}
FULL = "2025-06-30 20:30"


def fetch(source: Simulated, table: str, *keys: str) -> pd.DataFrame:
    return source.fetch(table, keys or KEYS[table], None, source.last_session())


def total_return(prices: pd.DataFrame) -> pd.Series:
    """Simple return of a session with its dividend, in shares held before it."""
    before = prices["close"].shift() / prices["split"] - prices["dividend"]
    return pd.Series((prices["close"] / before - 1.0).to_numpy(), index=prices["session"])


def forward(returns: pd.Series, sessions: int = 5) -> pd.Series:
    growth = np.log1p(returns).cumsum()
    return np.expm1(growth.shift(-sessions) - growth)


# ---------------------------------------------------------------- days


def test_prices_and_indices_have_every_session_and_no_other(simulated: Make) -> None:
    source = simulated()
    days = markets.sessions("2022-01-03", "2024-12-31")
    for table in ("prices", "indices"):
        for _, rows in fetch(source, table).groupby(TABLES[table].partition):
            assert rows["session"].tolist() == days.tolist()


def test_an_open_session_is_not_given(simulated: Make) -> None:
    open_session = simulated(as_of="2024-12-30 21:29")
    assert open_session.last_session() == pd.Timestamp("2024-12-27")
    assert fetch(open_session, "prices")["session"].max() == pd.Timestamp("2024-12-27")
    assert simulated(as_of="2024-12-30 21:30").last_session() == pd.Timestamp("2024-12-30")


def test_the_clock_may_be_in_any_zone(simulated: Make) -> None:
    here = Simulated(7, 0.0, pd.Timestamp("2024-12-31 16:30", tz="America/New_York"), "2022-01-03")
    pd.testing.assert_frame_equal(fetch(here, "prices"), fetch(simulated(), "prices"))


@pytest.mark.parametrize("series", SERIES)
def test_macro_series_have_fred_s_days(simulated: Make, series: str) -> None:
    days = pd.DatetimeIndex(fetch(simulated(), "macro_series", series)["observation_date"])
    if series in ("UNRATE", "CPIAUCSL"):
        assert (days.day == 1).all()
        assert days.unique().equals(pd.date_range(days[0], days[-1], freq="MS").as_unit("ns"))
    elif series == "DFF":
        assert days.equals(pd.date_range(days[0], days[-1]).as_unit("ns"))
    else:
        assert (days.dayofweek < 5).all()
        assert days.isin(federal_holidays()).any() == (series == "VIXCLS")  # Columbus Day
    assert days[0] <= pd.Timestamp("2020-01-03") or series == "VIXCLS"


@pytest.mark.parametrize("series", SERIES)
def test_only_published_figures_are_given(simulated: Make, series: str) -> None:
    source = simulated(as_of="2024-12-05 22:00")
    days = pd.DatetimeIndex(fetch(source, "macro_series", series)["observation_date"])
    assert available_at(series, days).max() <= source.as_of
    later = fetch(simulated(as_of="2024-12-31 21:30"), "macro_series", series)
    missing = pd.DatetimeIndex(later["observation_date"]).difference(days)
    assert len(missing) > 0
    assert available_at(series, missing).min() > source.as_of


def test_the_funds_rate_keeps_friday_s_value_over_the_weekend(simulated: Make) -> None:
    rows = fetch(simulated(), "macro_series", "DFF").set_index("observation_date")["value"]
    assert rows["2024-11-09"] == rows["2024-11-10"] == rows["2024-11-08"]


# ---------------------------------------------------------------- identities


def test_series_that_fred_derives_equal_what_they_derive_from(simulated: Make) -> None:
    source = simulated()
    rows = fetch(source, "macro_series")
    rows = rows[~rows["series"].isin(REVISED)]
    wide = rows.set_index(["observation_date", "series"])["value"].unstack()  # noqa: PD010
    rates = wide.dropna(subset=["DGS10", "DGS2", "T10YIE", "DFII10", "T10Y2Y"])
    assert len(rates) > 1000
    np.testing.assert_array_equal(rates["T10Y2Y"], (rates["DGS10"] - rates["DGS2"]).round(2))
    np.testing.assert_array_equal(rates["DFII10"], (rates["DGS10"] - rates["T10YIE"]).round(2))
    closes = fetch(source, "indices", "VIX").set_index("session")["close"]
    vixcls = wide["VIXCLS"].dropna()
    assert len(vixcls) == len(closes) - 1  # the last one is published the day after
    np.testing.assert_array_equal(vixcls, closes[vixcls.index])


@pytest.mark.parametrize("seed", range(3))
def test_bars_are_in_order_and_rounded_as_vendors_do(simulated: Make, seed: int) -> None:
    source = simulated(seed)
    for table in ("prices", "indices"):
        rows = fetch(source, table)
        bar = rows[["open", "high", "low", "close"]]
        np.testing.assert_array_equal(bar, bar.round(2))
        assert (rows["high"] >= bar[["open", "close"]].max(axis=1)).all()
        assert (rows["low"] <= bar[["open", "close"]].min(axis=1)).all()
        assert (rows["low"] > 0).all()
    prices = fetch(source, "prices")
    assert (prices["volume"] % 100 == 0).all()
    assert (prices["volume"] > 0).all()
    assert prices["adj_close"].isna().all()


def test_dividends_are_quarterly_on_the_third_friday_or_after(simulated: Make) -> None:
    prices = fetch(simulated(as_of=FULL, first_session="2010-01-04"), "prices", "SPY")
    paid = prices[prices["dividend"] > 0]
    days = pd.DatetimeIndex(paid["session"])
    assert len(paid) == 62
    assert set(days.month) == {3, 6, 9, 12}
    assert days.day.min() >= 15
    assert days.day.max() <= 21
    assert (days.dayofweek == 4).mean() > 0.9
    year = paid["dividend"].to_numpy() * 4 / paid["close"].to_numpy()
    np.testing.assert_allclose(year, 0.017, rtol=0.2)


def test_splits_happen_and_leave_the_return_of_their_day_usual(simulated: Make) -> None:
    split = 0
    for seed in range(4):
        prices = fetch(simulated(seed, as_of=FULL, first_session="2010-01-04"), "prices")
        for _, rows in prices.groupby("ticker"):
            days = rows["split"].to_numpy() != 1.0
            split += days.sum()
            assert np.abs(total_return(rows).to_numpy()[days]).max(initial=0.0) < 0.15
            raw = np.abs(np.log(rows["close"]).diff().to_numpy()[days])
            assert (raw > 0.15).all()
    assert split >= 8


# ---------------------------------------------------------------- determinism


def test_the_same_seed_is_the_same_history(simulated: Make) -> None:
    for table in KEYS:
        pd.testing.assert_frame_equal(fetch(simulated(), table), fetch(simulated(), table))


def test_another_seed_is_another_history(simulated: Make) -> None:
    for table in KEYS:
        column = TABLES[table].names[-1] if table == "macro_series" else "close"
        one, other = fetch(simulated(1), table), fetch(simulated(2), table)
        both = one.merge(other, on=list(TABLES[table].key), suffixes=("", "_other"))
        assert len(both) > 0.9 * len(one)
        assert (both[column] != both[f"{column}_other"]).mean() > 0.9


days_of_2024 = st.sampled_from(markets.sessions("2023-02-01", "2024-12-30").tolist())


@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 2**64), strength=st.floats(0.0, 0.6), day=days_of_2024)
def test_a_later_clock_adds_rows_and_changes_none(
    seed: int, strength: float, day: pd.Timestamp
) -> None:
    late = Simulated(seed, strength, pd.Timestamp("2024-12-31 21:30", tz="UTC"), "2023-01-03")
    early = Simulated(seed, strength, decision_time(pd.DatetimeIndex([day]))[0], "2023-01-03")
    for table in KEYS:
        before, after = fetch(early, table), fetch(late, table)
        key = list(TABLES[table].key)
        assert len(after) > len(before)
        same = after.merge(before[key], on=key)
        pd.testing.assert_frame_equal(same, before, check_exact=True)


def test_an_underlying_of_the_user_has_prices_and_an_index_and_moves_nobody(
    simulated: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = {table: fetch(simulated(), table) for table in KEYS}
    monkeypatch.setitem(UNDERLYINGS, "AAPL", Underlying("AAPL", "VXAPL"))
    source = simulated()
    prices, index = fetch(source, "prices", "AAPL"), fetch(source, "indices", "VXAPL")
    assert set(prices["ticker"]) == {"AAPL"}
    assert len(index) == len(prices) == (before["prices"]["ticker"] == "SPY").sum()
    own = total_return(prices).std() * np.sqrt(252) * 100
    assert 0.6 * own < index["close"].median() < 2.0 * own
    assert source.best_score("AAPL", paths=64).auc < 0.53
    for table, rows in before.items():
        pd.testing.assert_frame_equal(fetch(source, table), rows, check_exact=True)


# ---------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    ("table", "key", "message"),
    [
        ("prices", "TSLA", "unknown ticker: got 'TSLA', allowed are SPY, QQQ, IWM"),
        ("indices", "VVIX", "unknown volatility index: got 'VVIX', allowed are VIX, VXN"),
        ("macro_series", "M2SL", "unknown macro series: got 'M2SL', allowed are DFF, DGS2"),
    ],
)
def test_an_unknown_key_is_refused(simulated: Make, table: str, key: str, message: str) -> None:
    source = simulated()
    with pytest.raises(InputError) as caught:
        fetch(source, table, key)
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"seed": -1}, "seed: got -1, allowed is a whole number from 0"),
        ({"strength": 0.9}, "signal strength: got 0.9, allowed is a correlation"),
        ({"strength": -0.1}, "signal strength: got -0.1, allowed is a correlation"),
        (
            {"first_session": "1990-01-02"},
            "first session: got 1990-01-02, allowed are days from 1992-01-02 to 2024-12-31",
        ),
        ({"first_session": "2025-01-02"}, "first session: got 2025-01-02, allowed are days from"),
    ],
)
def test_what_cannot_be_simulated_is_refused(
    simulated: Make, options: dict[str, object], message: str
) -> None:
    with pytest.raises(InputError) as caught:
        simulated(**options)
    assert str(caught.value).startswith(message)


def test_a_clock_without_a_zone_is_refused() -> None:
    with pytest.raises(InputError, match=r"as_of: got 2024-01-02 .* without a zone"):
        Simulated(1, 0.0, pd.Timestamp("2024-01-02 22:00"))


# ---------------------------------------------------------------- realism


@pytest.fixture(scope="module")
def histories(simulated: Make) -> list[Simulated]:
    """Eight histories from 2010 to mid-2025, without a signal."""
    return [simulated(seed, as_of=FULL, first_session="2010-01-04") for seed in range(8)]


def facts(source: Simulated | Recorded, end: pd.Timestamp) -> dict[str, float]:
    """What one looks at first in the data of a market."""
    start = pd.Timestamp("2010-01-04")
    prices = source.fetch("prices", ["SPY", "QQQ", "IWM"], start, end)
    levels = source.fetch("indices", ["VIX", "VIX3M"], start, end)
    returns = pd.DataFrame({t: total_return(rows) for t, rows in prices.groupby("ticker")})
    wide = levels.set_index(["session", "symbol"])["close"].unstack()  # noqa: PD010
    wide = wide.reindex(returns.index)
    vix, spy = wide["VIX"], returns["SPY"]
    change = np.log(vix).diff()
    realised = spy.rolling(21).std().shift(-21) * np.sqrt(252) * 100
    year = returns.std() * np.sqrt(252) * 100
    return {
        "SPY volatility": year["SPY"],
        "QQQ over SPY": year["QQQ"] / year["SPY"],
        "IWM over SPY": year["IWM"] / year["SPY"],
        "SPY-QQQ": returns.corr().loc["SPY", "QQQ"],
        "SPY-IWM": returns.corr().loc["SPY", "IWM"],
        "kurtosis": spy.kurt() + 3,
        "clustering": spy.abs().autocorr(1),
        "VIX 1 %": vix.quantile(0.01),
        "VIX median": vix.median(),
        "VIX 99 %": vix.quantile(0.99),
        "VIX change": change.std(),
        "VIX change kurtosis": change.kurt() + 3,
        "VIX persistence": np.log(vix).autocorr(1),
        "leverage": spy.corr(change),
        "premium": (vix - realised).mean(),
        "premium positive": (vix > realised)[realised.notna()].mean(),
        "contango": (wide["VIX3M"] > vix).mean(),
    }


RANGES = {
    "SPY volatility": (13.0, 23.0),
    "QQQ over SPY": (1.1, 1.4),
    "IWM over SPY": (1.2, 1.6),
    "SPY-QQQ": (0.85, 0.95),
    "SPY-IWM": (0.80, 0.92),
    "kurtosis": (5.0, 30.0),
    "clustering": (0.15, 0.45),
    "VIX 1 %": (8.0, 12.5),
    "VIX median": (14.0, 21.0),
    "VIX 99 %": (28.0, 65.0),
    "VIX change": (0.06, 0.10),
    "VIX change kurtosis": (5.0, 25.0),
    "VIX persistence": (0.95, 0.99),
    "leverage": (-0.85, -0.55),
    "premium": (2.0, 6.0),
    "premium positive": (0.70, 0.95),
    "contango": (0.65, 0.95),
}


@pytest.fixture(scope="module")
def simulated_facts(histories: list[Simulated]) -> pd.DataFrame:
    return pd.DataFrame([facts(source, source.last_session()) for source in histories])


@pytest.fixture(scope="module")
def real_facts(recorded_dir: Path) -> dict[str, float]:
    return facts(Recorded(recorded_dir), pd.Timestamp("2025-06-30"))


@pytest.mark.parametrize("fact", RANGES)
def test_the_market_looks_like_one(simulated_facts: pd.DataFrame, fact: str) -> None:
    low, high = RANGES[fact]
    assert low < simulated_facts[fact].min()
    assert simulated_facts[fact].max() < high


@pytest.mark.recorded
@pytest.mark.parametrize("fact", RANGES)
def test_the_real_market_lies_in_the_same_ranges(real_facts: dict[str, float], fact: str) -> None:
    low, high = RANGES[fact]
    assert low < real_facts[fact] < high


# ---------------------------------------------------------------- the signal


def seen(source: Simulated, ticker: str) -> pd.DataFrame:
    """Standard features of a close, and the five-session return after it."""
    prices = fetch(source, "prices", ticker)
    returns = total_return(prices)
    close = np.exp(np.log1p(returns.fillna(0.0)).cumsum())
    vix = fetch(source, "indices", "VIX").set_index("session")["close"]
    slow = fetch(source, "indices", "VIX3M").set_index("session")["close"]
    volume = prices.set_index("session")["volume"] / prices["split"].cumprod().to_numpy()
    return pd.DataFrame(
        {
            "rsi_14": talib.RSI(close.to_numpy(), 14),
            "return_1d": returns,
            "return_5d": close.pct_change(5),
            "return_20d": close.pct_change(20),
            "vix": np.log(vix),
            "vix_change": np.log(vix).diff(5),
            "slope": slow - vix,
            "volume": np.log(volume).diff(5),
            "dividend": (prices["dividend"].to_numpy() > 0).astype(float),
            "month": returns.index.month,
            "ahead": forward(returns),
            "scale": returns.rolling(60).std(),
        },
        index=returns.index,
    ).dropna()


def test_without_a_signal_no_feature_tells_the_coming_return(histories: list[Simulated]) -> None:
    correlations = []
    for source in histories:
        rows = seen(source, "QQQ").iloc[::5]  # returns that do not overlap
        outcome = rows["ahead"] / rows["scale"]
        features = rows.drop(columns=["ahead", "scale"])
        correlations.append(features.corrwith(outcome) * np.sqrt(len(rows)))
    # Standard normal each, so their mean over histories has a deviation of 1 / sqrt(8).
    scores = pd.DataFrame(correlations).mean() * np.sqrt(len(histories))
    assert scores.abs().max() < 3.5, scores


def test_without_a_signal_the_mean_return_is_the_drift(histories: list[Simulated]) -> None:
    returns = [total_return(fetch(source, "prices", "SPY")) for source in histories]
    mean = np.mean([row.mean() for row in returns])
    error = np.mean([row.std() for row in returns]) / np.sqrt(sum(len(row) for row in returns))
    assert abs(mean - histories[0].law.drift / 252) < 3.5 * error


def auc_of_rsi(source: Simulated, ticker: str) -> float:
    rows = seen(source, ticker)
    decided = rows[rows["ahead"].abs() > 0.01]
    return float(roc_auc_score(decided["ahead"] > 0, -decided["rsi_14"]))


def test_a_feature_of_the_catalogue_finds_the_planted_signal(simulated: Make) -> None:
    found, best = [], []
    for strength in (0.0, 0.15, 0.4):
        sources = [
            simulated(seed, strength, as_of=FULL, first_session="2010-01-04") for seed in range(2)
        ]
        found.append(np.mean([auc_of_rsi(s, t) for s in sources for t in ("SPY", "IWM")]))
        best.append(np.mean([s.best_score("SPY", paths=64).auc for s in sources]))
    assert abs(found[0] - 0.5) < 0.03
    for weaker, stronger in pairwise(found):
        assert weaker + 0.02 < stronger
    # What RSI sees is most of what there is; luck may carry it a little above the expectation.
    for auc, limit in zip(found, best, strict=True):
        assert 0.6 * (limit - 0.5) - 0.03 < auc - 0.5 < (limit - 0.5) + 0.04


def test_the_true_odds_score_on_the_outcomes_what_they_promise(simulated: Make) -> None:
    promised, scored = [], []
    for seed in range(4):
        source = simulated(seed, 0.3, as_of=FULL, first_session="2010-01-04")
        odds = source.odds("QQQ", paths=256)
        rows = seen(source, "QQQ")
        decided = rows[rows["ahead"].abs() > 0.01]
        at = odds.loc[decided.index]
        scored.append(roc_auc_score(decided["ahead"] > 0, at["up"] / (at["up"] + at["down"])))
        promised.append(source.best_score("QQQ", paths=256).auc)
    assert np.mean(scored) == pytest.approx(np.mean(promised), abs=0.025)


def test_the_best_score_is_of_the_period_asked_for(simulated: Make) -> None:
    source = simulated(strength=0.2)
    odds = source.odds("SPY", paths=64)
    assert odds.index.equals(markets.sessions("2022-01-03", "2024-12-31"))
    assert list(odds.columns) == ["up", "down"]
    start, end = pd.Timestamp("2023-01-03"), pd.Timestamp("2023-12-29")
    part = source.best_score("SPY", start, end, paths=64)
    assert part.decided == pytest.approx(odds.loc[start:end].sum(axis=1).mean())
    assert part != source.best_score("SPY", paths=64)
    with pytest.raises(InputError, match="unknown ticker: got 'TSLA'"):
        source.odds("TSLA")
