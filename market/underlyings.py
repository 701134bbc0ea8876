"""What options are traded on: one row an underlying, with everything of it."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, NamedTuple

from market.errors import UnknownName

MARKET: Final = "US"


class Member(NamedTuple):
    """A company of a basket, and the share of the ticker that it makes up, 0 to 1."""

    symbol: str
    weight: float


class Basket(NamedTuple):
    """The members in force from a date on, until the next basket of the ticker."""

    since: str
    members: tuple[Member, ...]


class Profile(NamedTuple):
    """What a simulation of a ticker starts from.

    Attributes
    ----------
    beta
        To the market.
    own
        Median annualised volatility of its own.
    dividend_yield
        A year, a fraction.
    price
        First price in USD.
    volume
        Usual shares traded a session.
    mentions
        Usual mentions on Reddit a day.
    """

    beta: float
    own: float
    dividend_yield: float
    price: float
    volume: float
    mentions: float


class ExDividend(NamedTuple):
    """When a ticker goes ex-dividend.

    Attributes
    ----------
    months
        Of the year.
    after
        Sessions after the day on which monthly options expire; None where no rule holds.
    days
        Of the month, between which it fell in the past: what is known without a rule.
    since
        The first day from which on all of this holds; before, it may fall on any day of the months
        and of those after them.
    """

    months: tuple[int, ...]
    after: int | None = None
    days: tuple[int, int] = (1, 28)
    since: str = "1900-01-01"


class OptionListing(NamedTuple):
    """How options on a ticker are listed.

    Attributes
    ----------
    root
        Of its contracts.
    strike_step
        Distance of the strikes near the money, in USD.
    tick
        The least change of a price, in USD.
    spread_factor
        Half a spread is about this times the root of the price, see `market.options.costs`.
    dividend_yield
        About what it pays a year, a fraction: carries the forward where no chain says it.
    term_slope
        Whether its smile follows VIX3M over VIX (`market.options.synthetic_smile`).
    scaled_from
        An index whose chain may price it, scaled to its price; None for none.
    ex_dividend
        When it goes ex-dividend; None where nothing is known.
    """

    root: str
    strike_step: float
    tick: float
    spread_factor: float
    dividend_yield: float
    term_slope: bool = False
    scaled_from: str | None = None
    ex_dividend: ExDividend | None = None

    @property
    def dividend_share(self) -> float:
        """About what one dividend is of the price; 0 where its days are unknown."""
        return (
            0.0 if self.ex_dividend is None else self.dividend_yield / len(self.ex_dividend.months)
        )


@dataclass(frozen=True)
class Underlying:
    """A ticker that options are traded on.

    Attributes
    ----------
    volatility_index
        The index of its implied volatility.
    profile
        What it is simulated with; None draws a single stock's.
    baskets
        Whose reports stand for it, ascending by `since`; () where nobody's do, None for a single
        stock, which is its own.
    options
        How its options are listed; None refuses to price any.
    """

    ticker: str
    volatility_index: str
    profile: Profile | None = None
    baskets: tuple[Basket, ...] | None = None
    options: OptionListing | None = None


def _baskets(percents: dict[str, str]) -> tuple[Basket, ...]:
    """Baskets from the words `SYMBOL percent` of each, by the date they are in force from."""
    return tuple(Basket(since, _members(words.split())) for since, words in percents.items())


def _members(words: list[str]) -> tuple[Member, ...]:
    pairs: Iterable[tuple[str, str]] = zip(words[::2], words[1::2], strict=True)
    return tuple(Member(symbol, float(percent) / 100) for symbol, percent in pairs)


# Decision 13: one row an underlying; the term slope (VIX3M - VIX) is shared by all.
#
# Decision 14: an ETF aggregates a configured basket. About the ten largest holdings of each fund
# at the turn of the year, both share classes of a company under one symbol, with its weight in the
# fund. The weights are approximate, set by hand and rounded: they say which reports matter, and
# are no index composition. Symbols are those of their time.
#
# The spread factors were measured on chains after the close, IWM's is taken from QQQ's. The rules
# of the ex-dividend days have held since 2005 for SPY, since the end of 2017 for QQQ, with one day
# of December 2023 apart; IWM's days follow no rule, and are those since 2020.
_QUARTERS: Final = (3, 6, 9, 12)
_ROWS: Final = (
    Underlying("SPY", "VIX", Profile(1.00, 0.010, 0.017, 112.0, 1.0e8, 420.0), _baskets({
        "2012-01-01":
        "XOM 3.6 AAPL 3.3 IBM 1.9 CVX 1.9 MSFT 1.7 GE 1.7 PG 1.6 JNJ 1.6 T 1.6 PFE 1.5",
        "2015-01-01":
        "AAPL 3.5 XOM 2.1 MSFT 2.1 JNJ 1.6 BRK.B 1.5 GOOGL 1.5 GE 1.4 WFC 1.4 PG 1.4 JPM 1.3",
        "2018-01-01":
        "AAPL 3.8 MSFT 2.9 GOOGL 2.8 AMZN 2.1 FB 1.9 BRK.B 1.7 JNJ 1.6 JPM 1.6 XOM 1.5 BAC 1.2",
        "2020-01-01":
        "AAPL 4.6 MSFT 4.5 GOOGL 3.0 AMZN 2.9 FB 1.8 BRK.B 1.7 JPM 1.6 JNJ 1.4 V 1.2 PG 1.2",
        "2022-01-01":
        "AAPL 6.9 MSFT 6.3 GOOGL 4.2 AMZN 3.6 TSLA 2.1 META 2.0 NVDA 1.8 BRK.B 1.4 UNH 1.2 JPM 1.2",
        "2024-01-01":
        "AAPL 7.0 MSFT 6.9 GOOGL 3.8 AMZN 3.4 NVDA 3.0 META 2.0 TSLA 1.7 BRK.B 1.6 UNH 1.3 JPM 1.2",
        "2025-01-01":
        "AAPL 7.6 NVDA 6.6 MSFT 6.3 AMZN 4.1 GOOGL 4 META 2.6 TSLA 2.3 AVGO 2.2 BRK.B 1.7 JPM 1.4",
        "2026-01-01":
        "NVDA 7.7 AAPL 6.9 MSFT 6.1 GOOGL 5.6 AMZN 3.8 AVGO 2.8 META 2.5 TSLA 2.2 BRK.B 1.6 V 1.1",
    }), OptionListing("SPY", 1.0, 0.01, 0.012, 0.012, term_slope=True, scaled_from="SPX",
                     ex_dividend=ExDividend(_QUARTERS, after=0, since="2005-01-01"))),
    Underlying("QQQ", "VXN", Profile(1.08, 0.075, 0.007, 46.0, 4.5e7, 85.0), _baskets({
        "2012-01-01":
        "AAPL 14 MSFT 9 GOOG 7 ORCL 5.5 INTC 5 AMZN 3.5 CSCO 4 QCOM 4 AMGN 2.5 CMCSA 2.5",
        "2015-01-01":
        "AAPL 14 MSFT 8 GOOGL 6.5 FB 4 INTC 4 AMZN 3.5 CSCO 3 CMCSA 3 GILD 3 QCOM 2.7",
        "2018-01-01":
        "AAPL 11.5 MSFT 9 AMZN 9 GOOGL 9 FB 6 INTC 3 CSCO 2.6 CMCSA 2.6 NVDA 1.9 AMGN 1.7",
        "2020-01-01":
        "AAPL 11.5 MSFT 11 AMZN 8.5 GOOGL 8.5 FB 5 INTC 3 CSCO 2.3 CMCSA 2.3 PEP 2.1 ADBE 1.8",
        "2022-01-01":
        "AAPL 12 MSFT 10 GOOGL 8 AMZN 7 TSLA 5.5 NVDA 5 META 4.8 AVGO 2 ADBE 1.9 COST 1.8",
        "2024-01-01":
        "AAPL 9.2 MSFT 8.6 GOOGL 5 AMZN 4.8 AVGO 4.1 NVDA 4 META 3.9 TSLA 3 COST 2.4 ADBE 2",
        "2026-01-01":
        "NVDA 9 AAPL 8 MSFT 7.2 GOOGL 7 AMZN 4.9 META 3.9 TSLA 3.7 AVGO 3.3 PLTR 2.5 NFLX 1.9",
    }), OptionListing("QQQ", 1.0, 0.01, 0.018, 0.006,
                      ex_dividend=ExDividend(_QUARTERS, after=1, since="2017-10-01"))),
    # The ten largest of IWM's 2,000 make up 3 to 5 % of it.
    Underlying("IWM", "RVX", Profile(1.18, 0.100, 0.013, 64.0, 3.6e7, 11.0), (),
               OptionListing("IWM", 1.0, 0.01, 0.018, 0.012,
                             ex_dividend=ExDividend(_QUARTERS, days=(7, 27), since="2019-09-01"))),
)  # fmt: skip
UNDERLYINGS: Final = {row.ticker: row for row in _ROWS}
TERM_SLOPE: Final = ("VIX3M", "VIX")
VOLATILITY_INDICES: Final = tuple(
    dict.fromkeys([*(row.volatility_index for row in UNDERLYINGS.values()), *TERM_SLOPE])
)


def underlying(ticker: str) -> Underlying:
    """Return the row of a ticker.

    Raises
    ------
    InputError
        If the ticker is not in `UNDERLYINGS`.
    """
    try:
        return UNDERLYINGS[ticker]
    except KeyError:
        raise UnknownName(
            "unknown ticker",
            ticker,
            UNDERLYINGS,
            "another underlying is one row in market/underlyings.py",
        ) from None
