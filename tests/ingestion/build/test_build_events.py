"""Sentiment and earnings from raw rows to feature rows: each session as it was known then."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest

from feature_repo.features.catalogue import names
from feature_repo.features.earnings.reports import WITHDRAWN
from home.manifest import MANIFEST, Answer, current_rows, read_manifest, read_rows
from ingestion.build import build
from ingestion.build.build import ViewReport, build_features
from ingestion.lake.lake import Lake
from ingestion.tables.catalogue import EARNINGS_CALENDAR, MENTIONS, NEWS, NEWS_SENTIMENT, PRICES
from ingestion.tables.frames import CREATED, EVENT, SESSION
from market.baskets import basket_symbols
from market.calendar import close, decision_time, sessions
from market.underlyings import UNDERLYINGS

Frame = Callable[..., pd.DataFrame]
Tree = Callable[[Path], dict[str, tuple[str, int]]]
DAYS = sessions("2024-01-02", "2024-12-31")
CUTS = decision_time(DAYS)
HOUR = pd.Timedelta(hours=1)
MINUTE = pd.Timedelta(minutes=1)


@dataclass
class Home:
    """A home that lands prices up to a session, and what else it is given, and builds."""

    data: Path
    prices: pd.DataFrame
    origin: str = "live"
    ticker: str = "SPY"
    reports: dict[str, ViewReport] = field(default_factory=dict)

    def land(self, at: pd.Timestamp, *landings: tuple[Any, pd.DataFrame]) -> None:
        with Lake(self.data) as lake:
            for table, frame in landings:
                lake.land(table, frame, self.origin, at)

    def answered(self, last: int, **others: Answer) -> None:
        """Let the source of reports have answered up to a session, for other companies else."""
        answers = dict.fromkeys(basket_symbols("SPY"), Answer(str(DAYS[last].date()))) | others
        with Lake(self.data) as lake:
            lake.answered({(EARNINGS_CALENDAR.name, key): row for key, row in answers.items()})
            lake.commit()

    def build(self, at: pd.Timestamp, **options: Any) -> dict[str, ViewReport]:
        with Lake(self.data) as lake:
            built = build_features(lake, [self.ticker], at, **options)
        self.reports = {report.view: report for report in built}
        return self.reports

    def step(
        self, last: int, *landings: tuple[Any, pd.DataFrame], at: pd.Timestamp | None = None
    ) -> None:
        """Land and build at the decision time of session number `last`, or later."""
        at = CUTS[last] if at is None else at
        priced = self.prices[self.prices[SESSION] <= DAYS[last]]
        self.land(at, (PRICES, priced), *landings)
        self.build(at)

    def rows(self, view: str) -> pl.DataFrame:
        return read_rows(self.data, view, [self.ticker])

    def values(self, view: str, name: str) -> dict[int, float | None]:
        """Return the newest value of a feature by number of the session."""
        rows = current_rows(self.data, view, [self.ticker])
        places = DAYS.get_indexer(pd.DatetimeIndex(rows[SESSION].to_list()))
        return dict(zip(places.tolist(), rows[name].to_list(), strict=True))


@pytest.fixture
def home(tmp_path: Path, prices: Frame) -> Home:
    return Home(tmp_path / "data", prices("SPY", days=list(DAYS.astype(str))))


# Sentiment.


def test_a_session_counts_what_was_published_and_recorded_in_its_window(
    home: Home, news: Frame
) -> None:
    moments = [CUTS[3] - HOUR, CUTS[3], CUTS[3] + MINUTE, CUTS[4] - HOUR]
    home.step(4, (NEWS, news(moments, [0.9, -0.9, 0.9, 0.9])))
    assert home.values("sentiment", "news_article_count") == {3: 2.0, 4: 2.0}
    assert home.values("sentiment", "sentiment_score") == {3: 0.0, 4: 1.0}
    rows = home.rows("sentiment")
    assert rows.columns == ["ticker", SESSION, EVENT, CREATED, *names("sentiment")]
    assert rows[EVENT].to_list() == close(DAYS[3:5]).to_pydatetime().tolist()
    assert home.reports["sentiment"] == ViewReport(
        "sentiment", 1, 1, 2, 0, str(DAYS[4].date()), None
    )


def test_news_recorded_late_is_in_no_session(home: Home, news: Frame) -> None:
    published = [CUTS[3] - HOUR, CUTS[3] - HOUR, CUTS[4] - HOUR]
    recorded = [CUTS[3], CUTS[3] + MINUTE, CUTS[4]]
    home.step(4, (NEWS, news(published, recorded=recorded, ids=["a", "b", "c"])))
    assert home.values("sentiment", "news_article_count") == {3: 1.0, 4: 1.0}


def test_a_past_session_keeps_its_news_whatever_lands_later(home: Home, news: Frame) -> None:
    home.step(3, (NEWS, news([CUTS[3] - HOUR])))
    before = home.rows("sentiment")
    late = news([CUTS[3] - 2 * HOUR, CUTS[4] - HOUR], recorded=[CUTS[4] - MINUTE] * 2)
    home.step(4, (NEWS, late))
    rows = home.rows("sentiment")
    assert rows.head(1).equals(before)
    assert home.values("sentiment", "news_article_count") == {3: 1.0, 4: 1.0}


def test_unwatched_sessions_are_null_and_not_zero(home: Home, news: Frame) -> None:
    home.step(8, (NEWS, news([CUTS[3] - HOUR, CUTS[6] - HOUR])))
    counts = home.values("sentiment", "news_article_count")
    assert counts == {3: 1.0, 4: None, 5: None, 6: 1.0}
    rows = home.rows("sentiment").filter(pl.col("news_article_count").is_null())
    assert rows.select(names("sentiment")).null_count().row(0) == (2,) * len(names("sentiment"))
    # Sessions after the last watched one are pending, and said to be.
    assert home.reports["sentiment"].stale == "an input of SPY ends before its prices"
    assert home.reports["sentiment"].last_session == str(DAYS[6].date())


def test_a_session_with_late_headlines_only_is_unknown(home: Home, news: Frame) -> None:
    # Recorded in the window of session 4, but published in that of session 3.
    published, recorded = [CUTS[3] - HOUR] * 2, [CUTS[3] - HOUR, CUTS[4] - HOUR]
    home.step(4, (NEWS, news(published, recorded=recorded, ids=["a", "b"])))
    assert home.values("sentiment", "news_article_count") == {3: 1.0, 4: None}
    assert home.values("sentiment", "sentiment_score") == {3: 1.0, 4: None}


def test_a_reworded_headline_counts_once_as_it_was_known(home: Home, news: Frame) -> None:
    def worded(score: float, recorded: pd.Timestamp) -> tuple[Any, pd.DataFrame]:
        return NEWS, news([CUTS[3] - 3 * HOUR], score, recorded=[recorded], ids=["a"])

    home.land(CUTS[3] - 2 * HOUR, worded(0.9, CUTS[3] - 2 * HOUR))
    home.step(3, worded(-0.9, CUTS[3] - HOUR))
    home.step(4, worded(0.9, CUTS[4] - HOUR))
    assert home.values("sentiment", "news_article_count") == {3: 1.0, 4: None}
    assert home.values("sentiment", "sentiment_score")[3] == -1.0
    assert home.reports["sentiment"].rows_corrected == 0


def test_mentions_are_the_last_snapshot_of_both_lists(home: Home, mentions: Frame) -> None:
    moments = [CUTS[3] - 2 * HOUR, CUTS[3] - HOUR, CUTS[4] - HOUR, CUTS[5] - HOUR]
    frame = mentions("SPY", moments, [10.0, 30.0, 40.0, np.nan], [5.0, 15.0, 0.0, 7.0])
    one_list = (frame["filter"] == "all-stocks") & (frame["recorded_at"] == moments[2])
    home.step(5, (MENTIONS, frame[~one_list].reset_index(drop=True)))
    assert home.values("sentiment", "reddit_mentions") == {3: 60.0, 4: None, 5: None}
    assert home.values("sentiment", "reddit_momentum") == {3: 1.0, 4: None, 5: None}
    assert home.values("sentiment", "high_social_attention") == {3: 1.0, 4: None, 5: None}
    assert home.values("sentiment", "news_article_count") == {3: None, 4: None, 5: None}


def test_premium_sentiment_takes_the_place_of_the_headlines(
    home: Home, news: Frame, premium: Frame
) -> None:
    moments = [CUTS[3] - 2 * HOUR, CUTS[3] - HOUR]
    frame = premium("SPY", moments, [0.2, 0.6])
    home.step(4, (NEWS, news([CUTS[3], CUTS[4]], -0.9)), (NEWS_SENTIMENT, frame))
    scores = home.values("sentiment", "sentiment_score")
    assert scores == {3: pytest.approx(0.5), 4: -1.0}
    assert home.values("sentiment", "sentiment_vs_sector")[3] == pytest.approx(0.5)
    assert home.values("sentiment", "news_article_count") == {3: 1.0, 4: 1.0}


def test_backfill_is_known_at_the_decision_time_and_live_rows_from_their_landing(
    home: Home, news: Frame
) -> None:
    home.step(3, (NEWS, news(CUTS[2:4] - HOUR)))
    late = CUTS[5] + 2 * HOUR
    home.step(5, (NEWS, news(CUTS[4:6] - HOUR)), at=late)
    created = home.rows("sentiment")[CREATED].to_list()
    assert created == [*CUTS[2:4].to_pydatetime(), late, late]


def test_an_unwatched_session_is_known_when_a_later_one_is(home: Home, news: Frame) -> None:
    home.step(3, (NEWS, news([CUTS[3] - HOUR])))
    home.step(4)
    assert home.rows("sentiment").height == 1
    home.step(5, (NEWS, news([CUTS[5] - HOUR])))
    assert home.rows("sentiment")[CREATED].to_list() == [CUTS[3], CUTS[5], CUTS[5]]


def test_a_recorded_home_knows_every_session_at_its_decision_time(home: Home, news: Frame) -> None:
    home.origin = "recorded"
    home.step(3, (NEWS, news(CUTS[2:4] - HOUR)))
    home.step(5, (NEWS, news(CUTS[4:6] - HOUR)), at=CUTS[9])
    assert home.rows("sentiment")[CREATED].to_list() == CUTS[2:6].to_pydatetime().tolist()


# Earnings. AAPL is a member of SPY's basket in 2024, of a weight of 0.07.


def reported(earnings: Frame, day: int, **columns: Any) -> tuple[Any, pd.DataFrame]:
    return EARNINGS_CALENDAR, earnings("AAPL", [str(DAYS[day].date())], **columns).assign(
        fiscal_year=2024.0, fiscal_quarter=1.0
    )


def test_a_backfilled_date_is_known_ten_sessions_before(home: Home, earnings: Frame) -> None:
    home.origin = "recorded"
    home.step(40, reported(earnings, 30))
    assert home.values("earnings", "days_to_earnings") == {
        day: float(30 - day) if day <= 30 else None for day in range(20, 41)
    }
    since = home.values("earnings", "days_since_earnings")
    assert (since[30], since[31], since[40]) == (None, 1.0, 10.0)
    assert home.rows("earnings")[CREATED].to_list() == close(DAYS[20:41]).to_pydatetime().tolist()
    assert home.values("earnings", "earnings_intensity_5d")[25] == pytest.approx(0.07)


def test_a_date_moved_twice_is_at_each_session_as_known_then(home: Home, earnings: Frame) -> None:
    home.step(20, reported(earnings, 29))
    expected = {19: 10.0, 20: 9.0}
    for day in range(21, 34):
        landings = {23: [reported(earnings, 33)], 27: [reported(earnings, 31)]}.get(day, [])
        home.step(day, *landings, at=CUTS[day] - 20 * MINUTE if landings else None)
        planned = 29 if day < 23 else 33 if day < 27 else 31
        expected[day] = float(planned - day) if day <= planned else None
    assert home.values("earnings", "days_to_earnings") == expected
    rows = home.rows("earnings")
    assert rows.height == len(expected)
    home.build(CUTS[34], rebuild=True)
    assert home.reports["earnings"].generation == 2
    assert home.rows("earnings").equals(rows)


@pytest.mark.parametrize(("hour", "first"), [("bmo", 30), ("dmh", 30), ("amc", 31), ("", 31)])
def test_results_count_from_the_session_that_could_know_them(
    home: Home, earnings: Frame, hour: str, first: int
) -> None:
    home.origin = "recorded"
    home.step(40, reported(earnings, 30, hour=hour, eps_actual=1.2))
    known = home.values("earnings", "eps_surprise_pct")
    assert [known[day] for day in range(20, first)] == [None] * (first - 20)
    assert known[first] == pytest.approx(20.0)


def test_a_result_of_a_live_home_counts_from_its_landing(home: Home, earnings: Frame) -> None:
    home.step(29, reported(earnings, 30, hour="bmo"))
    home.step(31)
    home.step(33, reported(earnings, 30, hour="bmo", eps_actual=1.2))
    known = home.values("earnings", "eps_surprise_pct")
    assert [known[day] for day in (30, 31, 32)] == [None, None, None]
    assert known[33] == pytest.approx(20.0)


def test_a_corrected_result_changes_no_earlier_session(home: Home, earnings: Frame) -> None:
    for origin in ("live", "recorded"):
        here = Home(home.data / origin, home.prices, origin)
        here.step(35, reported(earnings, 30, eps_actual=1.2))
        before = here.rows("earnings")
        here.step(37, reported(earnings, 30, eps_actual=1.5))
        assert here.rows("earnings").head(before.height).equals(before)
        known = here.values("earnings", "eps_surprise_pct")
        assert known[35] == pytest.approx(20.0)
        assert known[37] == pytest.approx(50.0)
        rows = here.rows("earnings")
        assert here.reports["earnings"].rows_corrected == 0
        here.build(CUTS[38], rebuild=True)
        assert here.rows("earnings").equals(rows)


def test_days_landed_together_are_as_days_landed_one_by_one(home: Home, earnings: Frame) -> None:
    homes = [Home(home.data / name, home.prices, "recorded") for name in ("daily", "weekly")]
    planned = {20: reported(earnings, 30), 24: reported(earnings, 30, eps_actual=np.nan)}
    planned[31] = reported(earnings, 30, eps_actual=1.2)
    for day in range(18, 35):
        homes[0].step(day, *([planned[day]] if day in planned else []))
    homes[1].step(18)
    for day, last in ((20, 22), (24, 26), (31, 34)):
        homes[1].step(last, planned[day])
    assert homes[0].rows("earnings").equals(homes[1].rows("earnings"))


def test_earnings_wait_for_their_table(home: Home, earnings: Frame) -> None:
    home.step(25, reported(earnings, 30))
    home.land(CUTS[26], (PRICES, home.prices[home.prices[SESSION] <= DAYS[26]]))
    home.answered(25)
    reports = home.build(CUTS[26])
    assert "earnings_calendar could not be fetched: AAPL since 20" in reports["earnings"].stale
    assert reports["earnings"].last_session == str(DAYS[25].date())
    assert reports["technical"].last_session == str(DAYS[26].date())
    home.answered(26)
    assert home.build(CUTS[26])["earnings"].rows_new == 1


def test_one_member_that_does_not_answer_holds_the_view_back(home: Home, earnings: Frame) -> None:
    home.step(25, reported(earnings, 30))
    home.land(CUTS[26], (PRICES, home.prices[home.prices[SESSION] <= DAYS[26]]))
    # The plan does not include it, or it is in no basket any more: nothing waits for it.
    home.answered(26, MSFT=Answer(None, refused=True), GE=Answer(None))
    assert home.build(CUTS[26])["earnings"].rows_new == 1
    home.land(CUTS[27], (PRICES, home.prices[home.prices[SESSION] <= DAYS[27]]))
    home.answered(27, MSFT=Answer(str(DAYS[26].date())))
    assert home.build(CUTS[27])["earnings"].stale.endswith(f"MSFT since {DAYS[26].date()}")


def test_a_member_that_the_plan_includes_no_more_has_no_report(home: Home, earnings: Frame) -> None:
    home.step(25, reported(earnings, 30))
    known = home.values("earnings", "days_to_earnings")
    home.answered(26, AAPL=Answer(str(DAYS[25].date()), refused=True))
    home.step(26)
    assert home.values("earnings", "days_to_earnings") == known | {26: None}


def test_a_ticker_out_of_the_baskets_blocks_no_generation(
    home: Home, earnings: Frame, monkeypatch: pytest.MonkeyPatch
) -> None:
    home.step(25, reported(earnings, 30))
    monkeypatch.setitem(UNDERLYINGS, "SPY", replace(UNDERLYINGS["SPY"], baskets=()))
    reports = home.build(CUTS[25], rebuild=True)
    assert (reports["technical"].generation, reports["earnings"].generation) == (2, 2)
    manifest = read_manifest(home.data)
    assert (manifest.keys("technical"), manifest.keys("earnings")) == (("SPY",), ())
    home.build(CUTS[25])
    assert read_manifest(home.data) == manifest


def test_a_withdrawn_report_is_neither_to_come_nor_past(home: Home, earnings: Frame) -> None:
    home.step(25, reported(earnings, 30))
    before = home.values("earnings", "days_to_earnings")
    assert before[25] == 5
    home.step(26, reported(earnings, 30, hour=WITHDRAWN))
    home.step(34)
    after = dict.fromkeys(range(26, 35))
    assert home.values("earnings", "days_to_earnings") == before | after
    assert set(home.values("earnings", "days_since_earnings").values()) == {None}
    home.step(35, reported(earnings, 40))
    assert home.values("earnings", "days_to_earnings") == before | after | {35: 5}


# Homes with and without the tables.


@pytest.fixture
def whole(home: Home, news: Frame, mentions: Frame, earnings: Frame) -> Home:
    home.step(
        20,
        (NEWS, news(CUTS[5:21] - HOUR, np.linspace(-0.9, 0.9, 16))),
        (MENTIONS, mentions("SPY", CUTS[5:21] - HOUR)),
        reported(earnings, 25),
    )
    return home


def test_a_home_without_the_tables_has_no_such_view(home: Home) -> None:
    home.step(20)
    reports = home.reports
    nothing = "nothing of news, news_sentiment, mentions has landed"
    assert reports["sentiment"] == ViewReport("sentiment", 0, 0, 0, 0, None, None, nothing)
    assert reports["earnings"].unavailable == "nothing of earnings_calendar has landed"
    assert reports["earnings"].document()["stale"] is None
    assert {"sentiment", "earnings"} & set(read_manifest(home.data).tables) == set()
    assert reports["technical"].unavailable is None


def test_a_home_that_was_never_watched_by_a_decision_time_has_no_such_view(
    home: Home, news: Frame, earnings: Frame
) -> None:
    home.step(20, (NEWS, news([CUTS[20] + HOUR])), reported(earnings, 60))
    words = "tells nothing yet of a ticker at any session's decision time"
    assert home.reports["sentiment"].unavailable == f"news {words}"
    # Known from its landing on, at the decision time of session 20.
    assert home.values("earnings", "days_to_earnings") == {20: 40.0}


def test_a_ticker_without_a_basket_has_no_earnings(
    home: Home, prices: Frame, earnings: Frame
) -> None:
    assert basket_symbols("IWM") == ()
    home.ticker, home.prices = "IWM", prices("IWM", days=list(DAYS.astype(str)))
    home.step(40, reported(earnings, 30))
    words = "earnings_calendar tells nothing yet of a ticker at any session's decision time"
    assert home.reports["earnings"].unavailable == words


def test_a_second_run_changes_no_byte(whole: Home, tree: Tree) -> None:
    before, manifest = tree(whole.data), (whole.data / MANIFEST).read_bytes()
    whole.step(20, at=CUTS[22])
    assert tree(whole.data) == before
    assert (whole.data / MANIFEST).read_bytes() == manifest


@pytest.mark.parametrize("origin", ["live", "recorded"])
def test_a_new_generation_gives_the_same_rows(
    whole: Home, news: Frame, premium: Frame, origin: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = whole
    home.step(22, (NEWS, news(CUTS[21:23] - HOUR)))
    # An input that starts later, and a correction of prices in between.
    home.prices.loc[10, "volume"] *= 2
    home.step(24, (NEWS_SENTIMENT, premium("SPY", CUTS[23:25] - HOUR)))
    home.step(25, (NEWS, news([CUTS[18] - HOUR], ids=["late"], recorded=[CUTS[25] - HOUR])))
    before = {view: home.rows(view) for view in ("technical", "sentiment", "earnings")}
    monkeypatch.setattr(build, "definition_hash", lambda: "f" * 64)
    home.build(CUTS[30])
    for view, rows in before.items():
        assert home.reports[view].generation == 2
        assert home.rows(view).equals(rows), view


def test_an_input_whose_past_lands_later_is_a_correction(
    home: Home, news: Frame, mentions: Frame
) -> None:
    home.origin = "recorded"
    home.step(10, (NEWS, news(CUTS[5:11] - HOUR)))
    before = home.rows("sentiment")
    home.step(12, (NEWS, news(CUTS[11:13] - HOUR)), (MENTIONS, mentions("SPY", CUTS[8:13] - HOUR)))
    rows = home.rows("sentiment")
    assert home.reports["sentiment"].rows_corrected == 3
    assert rows.filter(pl.col(CREATED) < CUTS[11]).equals(before)
    corrected = rows.filter(pl.col(CREATED) == CUTS[12].to_pydatetime(), pl.col(SESSION) < DAYS[11])
    assert corrected["reddit_mentions"].to_list() == [80.0] * 3
    home.build(CUTS[15], rebuild=True)
    assert home.rows("sentiment").equals(rows)


def test_a_snapshot_that_lands_after_its_session_was_built_is_left_out(
    home: Home, news: Frame
) -> None:
    home.origin = "recorded"
    home.step(10, (NEWS, news(CUTS[5:11] - HOUR)))
    before = home.rows("sentiment")
    home.step(12, (NEWS, news([CUTS[8] - HOUR, CUTS[12] - HOUR], ids=["late", "new"])))
    assert home.rows("sentiment").head(before.height).equals(before)
    assert home.reports["sentiment"].rows_corrected == 0
