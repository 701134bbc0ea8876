"""Finnhub: headlines of the market, reports of companies, and where the plan allows news sentiment.

Headlines and sentiment have no history: they are known from when they were first recorded.
"""

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pandas as pd
from pydantic import SecretStr

from ingestion.sources.base import requested_scope
from ingestion.sources.finnhub.format import headlines, reports, sentiment
from ingestion.sources.headlines.scores import HeadlineScores, open_scorer
from ingestion.sources.wire.call_rate import CallRate
from ingestion.sources.wire.each_key import fetch_each
from ingestion.sources.wire.keys import KeyForm
from ingestion.sources.wire.patience import Patience, patiently
from ingestion.sources.wire.recording import Clock, recording_time
from ingestion.tables.catalogue import EARNINGS_CALENDAR, NEWS, NEWS_SENTIMENT
from market.calendar import NEW_YORK
from market.errors import InputError
from market.underlyings import underlying

if TYPE_CHECKING:
    import finnhub

API_URL: Final = "https://api.finnhub.io/api/v1"
# A key goes into a header as it stands.
KEY: Final = KeyForm(
    "Finnhub", "FINNHUB_API_KEY", re.compile(r"[A-Za-z0-9_-]{8,128}"),
    "8 to 128 letters, digits, - and _", "https://finnhub.io/register",
    without="go on without its tables",
)  # fmt: skip
CALLS_A_MINUTE: Final = 60
# More tries and time than others get: a used up minute has to pass.
FINNHUB_PATIENCE: Final = Patience(attempts=5, budget_seconds=150.0)
PAST: Final = pd.Timedelta(days=366)
AHEAD: Final = pd.Timedelta(days=120)
# One to five letters, and a class after a dot.
COMPANY: Final = re.compile(r"[A-Z]{1,5}(\.[A-Z])?")


class Finnhub:
    """Headlines, reports and news sentiment from Finnhub.

    Parameters
    ----------
    now
        The clock, with a zone: an answer counts as recorded when it is there.
    api_key
        A key of Finnhub's API; without one every question is refused with `MissingCredential`.
    cache_dir
        The folder where the calls of all processes are booked; None books those of this object.
    scorer
        What scores headlines; None is the default of `headlines.scores`.
    api_url, patience, rate
        The address, the tries that each question is worth, and how often it may be asked; a rate
        takes the place of the folder.
    """

    name = "finnhub"
    origin = "live"
    tables: tuple[str, ...] = (NEWS.name, NEWS_SENTIMENT.name, EARNINGS_CALENDAR.name)

    def __init__(
        self,
        now: Clock,
        api_key: str | None = None,
        cache_dir: Path | None = None,
        *,
        scorer: HeadlineScores | None = None,
        api_url: str = API_URL,
        patience: Patience = FINNHUB_PATIENCE,
        rate: CallRate | None = None,
    ) -> None:
        self.now = now
        self._key = SecretStr(api_key) if api_key else None
        self.scorer = open_scorer() if scorer is None else scorer
        self.api_url = api_url.rstrip("/")
        self.patience = patience
        self.rate = CallRate(CALLS_A_MINUTE, 60.0, cache_dir) if rate is None else rate

    def fetch(
        self, table: str, keys: Sequence[str], start: pd.Timestamp | None, end: pd.Timestamp
    ) -> pd.DataFrame:
        """Return the rows of the keys dated from `start` on; see `Source.fetch`.

        Headlines and sentiment are those of now. Reports lie between a year ago, or as far back as
        the plan goes, and 120 days ahead.

        Raises
        ------
        InputError
            If the table or a key is not possible, or start lies after end.
        MissingCredential, NotEntitled
            If there is no key, Finnhub refuses it, or the plan does not include the table.
        SourceUnavailable
            If Finnhub did not answer usefully.
        SchemaViolation
            If an answer cannot be read to the letter.
        """
        readers: dict[str, Callable[[str], pd.DataFrame]] = {
            NEWS.name: self._news,
            NEWS_SENTIMENT.name: self._sentiment,
            EARNINGS_CALENDAR.name: lambda symbol: self._earnings(symbol, start),
        }
        return fetch_each(self, table, keys, (start, end), lambda key: readers[table](key))

    def _news(self, scope: str) -> pd.DataFrame:
        requested_scope(scope)
        what = "Finnhub, news"
        found = self._asked(what, lambda client: client.general_news("general"))
        return headlines(what, found, recording_time(self.now), self.scorer)

    def _sentiment(self, ticker: str) -> pd.DataFrame:
        what = f"Finnhub, news sentiment of {underlying(ticker).ticker}"
        found = self._asked(what, lambda client: client.news_sentiment(ticker))
        return sentiment(what, found, ticker, recording_time(self.now))

    def _earnings(self, symbol: str, start: pd.Timestamp | None) -> pd.DataFrame:
        if not COMPANY.fullmatch(symbol):
            raise InputError(
                f"impossible company symbol: got {symbol!r:.40}, allowed are 1 to 5 capital "
                "letters, with a class after a dot"
            )
        today = recording_time(self.now).tz_convert(NEW_YORK).tz_localize(None).normalize()
        first = today - PAST if start is None else max(start, today - PAST)
        days = {"_from": f"{first:%Y-%m-%d}", "to": f"{today + AHEAD:%Y-%m-%d}"}
        what = f"Finnhub, earnings of {symbol}"
        found = self._asked(what, lambda client: client.earnings_calendar(symbol=symbol, **days))
        return reports(what, found, symbol)

    def _asked(self, what: str, ask: "Callable[[finnhub.Client], Any]") -> Any:  # noqa: ANN401
        key = KEY.check(self._key)
        from ingestion.sources.finnhub.api import answer

        def call(seconds: float) -> Any:  # noqa: ANN401 - any JSON value
            self.rate.take()
            return answer(what, ask, key, self.api_url, seconds)

        return patiently(what, call, self.patience)
