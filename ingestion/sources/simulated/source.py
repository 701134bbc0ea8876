"""A seeded market model as a source: every raw table.

The true strength of the signal in the prices is a parameter, and the best scores that it
allows can be asked for, so that what the platform finds can be held against what is there.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from types import MappingProxyType
from typing import Final

import numpy as np
import pandas as pd

from ingestion.sources.base import assembled, requested_scope, requested_table
from ingestion.sources.headlines.scored_once import scored
from ingestion.sources.headlines.scores import Scorer
from ingestion.sources.recorded.known_by import recorded_by
from ingestion.sources.simulated.bars import Bars
from ingestion.sources.simulated.chains import option_chain
from ingestion.sources.simulated.draws import stream
from ingestion.sources.simulated.earnings import earnings
from ingestion.sources.simulated.history import History, simulate
from ingestion.sources.simulated.macro import (
    RATE_DRAWS,
    REVISED,
    Rates,
    daily_series,
    monthly_vintages,
    simulate_rates,
)
from ingestion.sources.simulated.market import Law, signal_gain
from ingestion.sources.simulated.mentions import mentions
from ingestion.sources.simulated.news import headlines
from ingestion.sources.simulated.sentiment import news_sentiment
from ingestion.sources.simulated.truth import BestScore, best_score, direction_odds
from ingestion.tables.catalogue import OPTION_CHAINS, TABLES
from market.availability import SERIES, available_at, federal_holidays
from market.calendar import NEW_YORK, last_complete_session, sessions
from market.errors import InputError, UnknownName
from market.options.roots import chain_roots
from market.underlyings import TERM_SLOPE, UNDERLYINGS, underlying

FIRST_SESSION: Final = "2010-01-04"
EARLIEST: Final = pd.Timestamp("1992-01-02")
# Macro features look back a year: the series start earlier than the prices.
MACRO_LEAD: Final = pd.DateOffset(years=2)
VIX: Final = "VIX"


class Simulated:
    """The market model with one seed, up to the last complete session.

    The same seed gives the same history; a later `as_of` adds to it and changes nothing before.

    Parameters
    ----------
    seed
        Any whole number from 0.
    signal_strength
        Correlation of the coming five-session return with its best forecast, of
        `signal_gain`: 0 leaves returns without any.
    as_of
        The clock, with a zone: sessions complete and figures published by then are given.
    first_session
        The day prices and indices start, from 1992 on.
    scorer
        Gives headlines their mood; None takes the default of `headline_scores`.

    Raises
    ------
    InputError
        If an argument is outside what is allowed.
    """

    name = "simulated"
    origin = "simulated"
    tables: tuple[str, ...] = tuple(TABLES)

    def __init__(
        self,
        seed: int,
        signal_strength: float,
        as_of: pd.Timestamp,
        first_session: str = FIRST_SESSION,
        scorer: Scorer | None = None,
    ) -> None:
        if seed < 0:
            raise InputError(f"seed: got {seed}, allowed is a whole number from 0")
        if as_of.tzinfo is None:
            raise InputError(f"as_of: got {as_of} without a zone, allowed is a time with one")
        self.seed = seed
        self.signal_strength = signal_strength
        self.as_of = as_of
        self.scorer = scorer
        self.law = Law()
        self.gain = signal_gain(signal_strength, self.law)
        self.first = pd.Timestamp(first_session)
        if not EARLIEST <= self.first <= self.last_session():
            raise InputError(
                f"first session: got {self.first.date()}, allowed are days from "
                f"{EARLIEST.date()} to {self.last_session().date()}, the last by --as-of"
            )

    def last_session(self) -> pd.Timestamp:
        """Return the last session complete at `as_of`, at midnight without a zone."""
        return last_complete_session(self.as_of)

    def fetch(
        self, table: str, keys: Sequence[str], start: pd.Timestamp | None, end: pd.Timestamp
    ) -> pd.DataFrame:
        """Return the simulated rows of the keys dated in [start, end]; see `Source.fetch`.

        Nothing known only after the decision time of the session `end` is given. Of chains no
        more than `simulated_chains.MOST_SESSIONS` can be asked for at a time.

        Raises
        ------
        InputError
            If the table or a key is unknown, start lies after end, or the sessions are too many.
        """
        shape = requested_table(self, table)
        last = min(end, self.last_session())
        made = [self._rows(table, key, start, last) for key in dict.fromkeys(keys)]
        return assembled(shape, (rows for rows in made if len(rows)), start, end)

    def odds(self, ticker: str, paths: int = 2048) -> pd.DataFrame:
        """Return the true probabilities of the label at each close: columns `up` and `down`.

        Parameters
        ----------
        paths
            Futures simulated from each close; too few overstate what can be known, 512 by
            about 0.005 of AUC, 2048 by less than 0.002.
        """
        history = self._history_of(ticker)
        up, down = direction_odds(
            self.law, history.exposure(ticker), self.gain, history.revealed(ticker),
            stream(self.seed, "odds"), paths,
        )  # fmt: skip
        return pd.DataFrame({"up": up, "down": down}, index=history.sessions)

    def best_score(
        self,
        ticker: str,
        start: pd.Timestamp | None = None,
        end: pd.Timestamp | None = None,
        paths: int = 2048,
    ) -> BestScore:
        """Return the best AUC and log loss to be expected on the decided days of a period."""
        odds = self.odds(ticker, paths).loc[start:end]
        return best_score(odds["up"].to_numpy(), odds["down"].to_numpy())

    def prices(self, ticker: str) -> pd.DataFrame:
        """Return a ticker's `prices`, as traded: USD to the cent, volume in round lots.

        `adj_close` is null: a vendor's adjusted closes hang on the last dividend, so a longer
        history would change them.
        """
        history = self._history_of(ticker)
        paid = history.payments(ticker)
        return pd.DataFrame(
            {
                "ticker": ticker,
                "session": history.sessions,
                **_rounded(history.bars(ticker, paid.base)),
                "volume": history.volume(ticker, paid.split).round(-2),
                "dividend": paid.dividend.round(4),
                "split": paid.split,
                "adj_close": np.nan,
            }
        )

    def index(self, symbol: str) -> pd.DataFrame:
        """Return the `indices` rows of a volatility index, in points to two digits.

        Raises
        ------
        InputError
            If no underlying has the index.
        """
        priced: dict[str, str] = {}
        for row in UNDERLYINGS.values():
            priced.setdefault(row.volatility_index, row.ticker)
        ticker = priced.get(TERM_SLOPE[1] if symbol == TERM_SLOPE[0] else symbol)
        if ticker is None:
            allowed = dict.fromkeys([*priced, TERM_SLOPE[0]])
            raise UnknownName("unknown volatility index", symbol, allowed)
        history = self._history_of(ticker)
        bars = _rounded(history.index(symbol, ticker))
        return pd.DataFrame({"symbol": symbol, "session": history.sessions, **bars})

    def series(self, name: str) -> pd.DataFrame:
        """Return the `macro_series` rows of a FRED series that were published by `as_of`.

        On FRED's days: business days, all days for DFF, sessions for VIXCLS, the first of the
        month for UNRATE and CPIAUCSL. These two are revised, and come with their vintages.

        Raises
        ------
        InputError
            If the series is not in `market.availability.SERIES`.
        """
        if name not in SERIES:
            raise UnknownName("unknown macro series", name, SERIES)
        if name in REVISED:
            return self._published(name)
        values = self._observed(name)
        published = values[available_at(name, pd.DatetimeIndex(values.index)) <= self.as_of]
        return pd.DataFrame(
            {
                "series": name,
                "observation_date": published.index,
                "vintage_date": pd.NaT,
                "value": published.to_numpy(),
            }
        )

    def _rows(
        self, table: str, key: str, start: pd.Timestamp | None, end: pd.Timestamp
    ) -> pd.DataFrame:
        if table in _TABLES:
            return _TABLES[table](self, key)
        if table == "news":
            return self._news(key, end)
        if table == "earnings_calendar":
            return earnings(self.seed, key, self.first, end)
        if table == "option_chains":
            return self._chains(key, start, end)
        return recorded_by(_SNAPSHOTS[table](self._history_of(key), key), "recorded_at", end)

    def _news(self, scope: str, end: pd.Timestamp) -> pd.DataFrame:
        requested_scope(scope)
        rows = recorded_by(headlines(self.history), "recorded_at", end)
        return scored(rows, self.scorer)

    def _chains(self, ticker: str, start: pd.Timestamp | None, end: pd.Timestamp) -> pd.DataFrame:
        chain_roots(ticker)
        if ticker not in UNDERLYINGS:
            # The market model has no index whose options trade.
            return OPTION_CHAINS.empty()
        history = self._history_of(ticker)
        days, rates = self._rates
        asked = history.sessions[history.sessions.slice_indexer(start, end)]
        return option_chain(history, ticker, asked, pd.Series(rates.three_month, index=days))

    @cached_property
    def history(self) -> History:
        """Everything that happened to the underlyings up to the last complete session."""
        days = sessions(self.first, self.last_session())
        return simulate(self.seed, self.law, self.gain, days, tuple(UNDERLYINGS))

    @cached_property
    def _rates(self) -> tuple[pd.DatetimeIndex, Rates]:
        days = sessions(self._macro_start, self.last_session())
        days = days[~days.isin(federal_holidays())]
        draws = stream(self.seed, "rates").standard_normal((len(days), RATE_DRAWS))
        return days, simulate_rates(draws)

    @property
    def _macro_start(self) -> pd.Timestamp:
        return (self.first - MACRO_LEAD).replace(day=1)

    def _history_of(self, ticker: str) -> History:
        underlying(ticker)
        return self.history

    def _published(self, name: str) -> pd.DataFrame:
        months = pd.date_range(self._macro_start, self.last_session(), freq="MS")
        rows = monthly_vintages(self.seed, name, months).assign(series=name)
        at_hour = rows["vintage_date"] + pd.Timedelta(hours=SERIES[name].hour)
        return rows[at_hour.dt.tz_localize(NEW_YORK) <= self.as_of]

    def _observed(self, name: str) -> pd.Series:
        if name == "VIXCLS":
            return self.index(VIX).set_index("session")["close"]
        return daily_series(name, *self._rates)


_TABLES: Final[Mapping[str, Callable[[Simulated, str], pd.DataFrame]]] = MappingProxyType(
    {"prices": Simulated.prices, "indices": Simulated.index, "macro_series": Simulated.series}
)
_SNAPSHOTS: Final[Mapping[str, Callable[[History, str], pd.DataFrame]]] = MappingProxyType(
    {"mentions": mentions, "news_sentiment": news_sentiment}
)


def _rounded(bars: Bars) -> dict[str, np.ndarray]:
    return {name: values.round(2) for name, values in bars._asdict().items()}
