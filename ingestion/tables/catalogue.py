"""The raw tables: columns, units, bounds and keys, declared once as data.

The gate before the lake, the sources' contract tests and the lake's file names are generated
from these rows. Adding a table is one row in `TABLES`.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from feature_repo.features.earnings.reports import WITHDRAWN
from ingestion.tables.declare import ROUNDING, Column, Pair, Splits, Table
from market.availability import SERIES

# Cboe's opening prints of 1992 to 2005 may lie outside their own day's range, by up to 24 % (45
# rows of VIX, all with the right close); beyond 30 % are misprints (VIX 2004-11-08, 2006-02-08).
INDEX_OPENING: Final = 0.30
# Finnhub's general news, one stream for every ticker (Decision 15).
MARKET_SCOPE: Final = "market"
# ApeWisdom's lists of Reddit forums that are summed; the second holds the first, so that
# wallstreetbets counts twice.
MENTION_FILTERS: Final = ("wallstreetbets", "all-stocks")
# Before the market opens, after it closes, during it; the empty text is a report of unknown hour,
# and one that the vendor lists no more is withdrawn.
REPORT_HOURS: Final = ("bmo", "amc", "dmh", "", WITHDRAWN)


def _price(name: str, *, nullable: bool = False) -> Column:
    return Column(name, "float", "USD", nullable, minimum=0.0, maximum=1e7, strict_minimum=True)


def _level(name: str, *, nullable: bool = True) -> Column:
    return Column(
        name, "float", "index points, annualised %", nullable,
        minimum=0.0, maximum=300.0, strict_minimum=True, strict_maximum=True,
        null_share=0.05 if nullable else None,
    )  # fmt: skip


def _bar_order(opening: float) -> tuple[Pair, ...]:
    return (
        Pair("high", "low"),
        Pair("high", "close"),
        Pair("close", "low"),
        Pair("high", "open", opening),
        Pair("open", "low", opening),
    )


PRICES: Final = Table(
    name="prices",
    key=("ticker", "session"),
    partition="ticker",
    dated="session",
    columns=(
        Column("ticker", "string", "underlying"),
        Column("session", "date", "XNYS session", session=True),
        _price("open"),
        _price("high"),
        _price("low"),
        _price("close"),
        Column("volume", "float", "shares traded", minimum=0.0, maximum=1e13),
        Column("dividend", "float", "USD per share, on the ex-date", minimum=0.0, maximum=1e5),
        Column(
            "split", "float", "new shares per old share, 1 = none",
            minimum=0.0, maximum=1e4, strict_minimum=True,
        ),
        Column(
            "adj_close", "float", "USD, the vendor's adjustment, only checked against",
            nullable=True, minimum=0.0, maximum=1e7, strict_minimum=True, restated=True,
        ),
    ),
    pairs=_bar_order(ROUNDING),
    splits=Splits("split", ("open", "high", "low", "close"), "dividend", "adj_close"),
    known="at the close of the session",
    revision="a corrected bar lands as a new row; as traded, so no later split changes one",
    tier="free",
)  # fmt: skip

INDICES: Final = Table(
    name="indices",
    key=("symbol", "session"),
    partition="symbol",
    dated="session",
    columns=(
        Column("symbol", "string", "volatility index, without a caret"),
        Column("session", "date", "XNYS session", session=True),
        _level("open"),
        _level("high"),
        _level("low"),
        _level("close", nullable=False),
    ),
    pairs=_bar_order(INDEX_OPENING),
    known="15 minutes after the close of the session",
    revision="rarely corrected; a correction lands as a new row",
    tier="free",
)

MACRO_SERIES: Final = Table(
    name="macro_series",
    key=("series", "observation_date", "vintage_date"),
    partition="series",
    dated="observation_date",
    columns=(
        Column("series", "string", "FRED series", allowed=tuple(SERIES)),
        Column("observation_date", "date", "day, or first day of the month, observed"),
        Column("vintage_date", "date", "day of publication, null = not known", nullable=True),
        # Rates in %, the consumer price index (1982-84 = 100): one range broad enough for both.
        Column("value", "float", "% or index points", minimum=-25.0, maximum=1000.0),
    ),
    known="by vintage where there is one, else market.availability",
    revision="daily rates rarely; UNRATE and CPIAUCSL every year, each revision a vintage",
    tier="free",
)


def _count(name: str, unit: str, null_share: float | None = None) -> Column:
    return Column(
        name, "float", unit, nullable=True, minimum=0.0, maximum=1e9, null_share=null_share
    )


def _share(name: str, unit: str, *, nullable: bool = False) -> Column:
    return Column(name, "float", unit, nullable, minimum=0.0, maximum=1.0)


def _amount(name: str, unit: str, largest: float, null_share: float | None = None) -> Column:
    return Column(
        name, "float", unit, nullable=True, minimum=-largest, maximum=largest,
        null_share=null_share,
    )  # fmt: skip


def _quote(name: str) -> Column:
    return Column(name, "float", "USD", nullable=True, minimum=0.0, maximum=1e7, null_share=0.1)


# When we first saw a row: seen again later it is not news, so the first time stays.
_RECORDED = Column("recorded_at", "timestamp", "when it was first recorded, UTC", restated=True)
_SNAPSHOT = Column("recorded_at", "timestamp", "when the snapshot was taken, UTC")

NEWS: Final = Table(
    name="news",
    key=("scope", "news_id"),
    partition="scope",
    dated="published",
    columns=(
        Column("scope", "string", "market, or the ticker that a headline is about"),
        Column("news_id", "string", "the vendor's number of the headline"),
        Column("published", "timestamp", "when the vendor dates it, UTC"),
        _RECORDED,
        Column("headline", "string", "text"),
        Column("source", "string", "publisher", nullable=True, null_share=0.5),
        Column("score", "float", "mood of the text, -1 to 1", minimum=-1.0, maximum=1.0),
        Column("scorer", "string", "what gave the score, with its version"),
    ),
    known="when first recorded; a headline of the past is never added to a past session",
    revision="a reworded headline lands as a new row",
    tier="free",
    sessional=False,
)

NEWS_SENTIMENT: Final = Table(
    name="news_sentiment",
    key=("ticker", "recorded_at"),
    partition="ticker",
    dated="recorded_at",
    columns=(
        Column("ticker", "string", "underlying"),
        _SNAPSHOT,
        _share("bullish_percent", "share of articles, 0 to 1"),
        _share("bearish_percent", "share of articles, 0 to 1"),
        _share("sector_bullish_percent", "mean of the sector, 0 to 1", nullable=True),
        _count("articles_in_last_week", "articles"),
        _count("weekly_average", "articles"),
    ),
    known="when recorded",
    revision="never: each snapshot is a row",
    tier="paid",
    sessional=False,
)

MENTIONS: Final = Table(
    name="mentions",
    key=("ticker", "filter", "recorded_at"),
    partition="ticker",
    dated="recorded_at",
    columns=(
        Column("ticker", "string", "underlying"),
        Column("filter", "string", "ApeWisdom's list", allowed=MENTION_FILTERS),
        _SNAPSHOT,
        # All null: the list was read to its end and does not hold the ticker, which is not zero.
        # A landing with none of the tickers in any list is worth a look.
        _count("rank", "place in the list, from 1"),
        _count("mentions", "mentions in 24 hours", 0.9),
        _count("upvotes", "upvotes in 24 hours"),
        _count("rank_24h_ago", "place in the list a day before"),
        _count("mentions_24h_ago", "mentions a day before"),
    ),
    known="when recorded",
    revision="never: each snapshot is a row",
    tier="free",
    sessional=False,
)

# Not by the name of the view `earnings`: raw tables and views share the manifest.
EARNINGS_CALENDAR: Final = Table(
    name="earnings_calendar",
    key=("symbol", "fiscal_year", "fiscal_quarter"),
    partition="symbol",
    dated="date",
    columns=(
        Column("symbol", "string", "company"),
        Column("fiscal_year", "float", "year", minimum=1980, maximum=2100),
        Column("fiscal_quarter", "float", "quarter, 1 to 4", minimum=1, maximum=4),
        Column("date", "date", "day of the report, planned or past"),
        Column("hour", "string", "bmo, amc, dmh, withdrawn, empty = unknown", allowed=REPORT_HOURS),
        _amount("eps_actual", "USD per share", 1e6),
        _amount("eps_estimate", "USD per share", 1e6, 0.5),
        _amount("revenue_actual", "USD", 1e13),
        _amount("revenue_estimate", "USD", 1e13, 0.5),
    ),
    alone=("symbol", "date"),
    known="a date 10 sessions before in a backfill, else when it landed",
    revision="dates move and results come in: each change lands as a new row",
    tier="free",
    sessional=False,
)

OPTION_CHAINS: Final = Table(
    name="option_chains",
    # Two roots of an index list the same day and strike: they settle at other hours.
    key=("underlying", "root", "quote_time", "expiration", "strike", "option_type"),
    partition="underlying",
    dated="quote_time",
    columns=(
        Column("underlying", "string", "underlying, or the index whose chain may price it"),
        # Chains landed before there were indices among them: an underlying's root is its ticker.
        Column("root", "string", "of the contract's symbol", formerly="underlying"),
        Column("quote_time", "timestamp", "time of the quotes, UTC"),
        Column("expiration", "date", "last trading day"),
        Column(
            "strike", "float", "USD", minimum=0.0, maximum=1e7, strict_minimum=True
        ),
        Column("option_type", "string", "call or put", allowed=("call", "put")),
        Column("underlying_price", "float", "USD, null = not of that moment", nullable=True,
               minimum=0.0, maximum=1e7, strict_minimum=True),
        # What a vendor writes for none is null; a bid of 0 beside an ask is a bid of nobody's.
        _quote("bid"),
        _quote("ask"),
        _count("volume", "contracts"),
        _count("open_interest", "contracts"),
        # Vendors write 0 for what they could not invert: unknown, so null.
        Column("implied_volatility", "float", "annualised, 1 = 100 %", nullable=True,
               minimum=0.0, maximum=20.0, strict_minimum=True, null_share=0.25),
        Column("delta", "float", "-1 to 1", nullable=True, minimum=-1.0, maximum=1.0,
               null_share=0.25),
        # A file of chains may lack it, and no feature reads it: none of it is no finding.
        Column("gamma", "float", "per USD", nullable=True, minimum=0.0, maximum=1e3),
    ),
    pairs=(Pair("ask", "bid", 0.0),),
    known="at the time of the quotes",
    revision="never: each snapshot is a row",
    tier="paid",
    sessional=False,
)  # fmt: skip

TABLES: Final[Mapping[str, Table]] = MappingProxyType(
    {
        table.name: table
        for table in (
            PRICES,
            INDICES,
            MACRO_SERIES,
            NEWS,
            NEWS_SENTIMENT,
            MENTIONS,
            EARNINGS_CALENDAR,
            OPTION_CHAINS,
        )
    }
)
