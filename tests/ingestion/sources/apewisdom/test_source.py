"""ApeWisdom over a real socket: as sent, as it must land, and its faults."""

import json
import math
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pytest_httpserver import HTTPServer
from werkzeug import Response

from ingestion.gate.expectations import gate
from ingestion.sources.apewisdom.format import COUNTS, list_page, mentions
from ingestion.sources.apewisdom.source import BASE_URL, Apewisdom
from ingestion.sources.wire.http import Http
from ingestion.sources.wire.patience import Patience
from ingestion.tables.catalogue import MENTION_FILTERS, MENTIONS
from market.errors import InputError, SchemaViolation, SourceUnavailable

integration = pytest.mark.integration

NOW = pd.Timestamp("2024-03-05 16:45", tz="America/New_York")
END = pd.Timestamp("2024-03-05")
QUICK = Http(Patience(
    attempts=2, attempt_seconds=5, budget_seconds=20, pause_seconds=0.001,
    longest_pause_seconds=0.002, jitter_seconds=0.001,
))  # fmt: skip
FIRST, SECOND = MENTION_FILTERS


def listed(ticker: str = "SPY", **changes: Any) -> dict[str, Any]:
    sent = {
        "rank": 1, "ticker": ticker, "name": "SPDR S&amp;P 500 ETF Trust", "mentions": 530,
        "upvotes": 1990, "rank_24h_ago": 2, "mentions_24h_ago": 465,
    }  # fmt: skip
    return {name: value for name, value in (sent | changes).items() if value is not ...}


def page(*rows: Any, **changes: Any) -> dict[str, Any]:
    sent = {"count": len(rows), "pages": 1, "current_page": 1, "results": list(rows)}
    return {name: value for name, value in (sent | changes).items() if value is not ...}


def serve(server: HTTPServer, sent: Any, status: int = 200, name: str = FIRST, at: int = 1) -> None:
    text = sent if isinstance(sent, str) else json.dumps(sent)
    server.expect_request(f"/v1/filter/{name}/page/{at}").respond_with_data(text, status)


def fetched(server: HTTPServer, *tickers: str) -> pd.DataFrame:
    source = Apewisdom(lambda: NOW, server.url_for("/v1/"), QUICK)
    return MENTIONS.check(source.fetch("mentions", tickers or ["SPY"], None, END))


# --- as sent, as it must land -------------------------------------------------------------------

ABSENT: tuple[float | None, ...] = (None,) * len(COUNTS)
WHOLE = (1.0, 530.0, 1990.0, 2.0, 465.0)


class Fixture(NamedTuple):
    """A list, the counts of SPY that pass the gate, None for no row, and how many rows do not."""

    sent: Any
    landed: tuple[float | None, ...] | None
    refused: int = 0


FIXTURES = {
    "as recorded": Fixture(page(listed(), pages=..., current_page=...), WHOLE),
    "numbers as texts": Fixture(
        page(listed(rank="1", mentions="530", upvotes=" 1990", rank_24h_ago="2",
                    mentions_24h_ago="465")), WHOLE,
    ),
    "nulls": Fixture(
        page(listed(rank_24h_ago=None, mentions_24h_ago=None)), (1.0, 530.0, 1990.0, None, None)
    ),
    "empty texts": Fixture(page(listed(mentions_24h_ago="")), (*WHOLE[:4], None)),
    "not a number": Fixture(page(listed(upvotes=math.nan)), (1.0, 530.0, None, 2.0, 465.0)),
    "zero is zero": Fixture(page(listed(mentions_24h_ago=0)), (*WHOLE[:4], 0.0)),
    "a field missing": Fixture(
        page(listed(mentions_24h_ago=...), listed("QQQ")), (*WHOLE[:4], None)
    ),
    "extra fields": Fixture(page(listed(sentiment="good", url=[1]), note={}), WHOLE),
    "not in the list": Fixture(page(listed("GME")), ABSENT),
    "another's number unreadable": Fixture(page(listed(), listed("GME", mentions="many")), WHOLE),
    "another without a ticker": Fixture(page(listed(), listed(ticker=None)), WHOLE),
    "listed twice alike": Fixture(page(listed(), listed(), count=1), WHOLE),
    "listed twice": Fixture(page(listed(), listed(rank=9), count=1), None, 2),
    "negative": Fixture(page(listed(mentions=-1)), None, 1),
    "infinite": Fixture(page(listed(mentions=math.inf)), None, 1),
}  # fmt: skip


@integration
@pytest.mark.parametrize("fixture", FIXTURES.values(), ids=FIXTURES)
def test_as_sent_as_it_lands(fixture: Fixture, httpserver: HTTPServer) -> None:
    serve(httpserver, fixture.sent)
    serve(httpserver, page(listed()), name=SECOND)
    frame = fetched(httpserver)
    # The gate takes its time; it is asked where it has something to refuse, and once besides.
    asked = fixture.refused or fixture is FIXTURES["as recorded"]
    good, bad = gate(MENTIONS, frame) if asked else (frame, frame.head(0))
    landed = good[good["filter"] == FIRST]
    assert len(bad) == fixture.refused
    assert good["recorded_at"].eq(NOW).all()
    assert (good["filter"] == SECOND).sum() == 1
    if fixture.landed is None:
        assert landed.empty
    else:
        expected = [math.nan if value is None else value for value in fixture.landed]
        assert landed[list(COUNTS)].to_numpy().tolist() == [pytest.approx(expected, nan_ok=True)]


@integration
def test_one_row_a_ticker_and_list(httpserver: HTTPServer) -> None:
    serve(httpserver, page(listed("QQQ"), listed("SPY")))
    serve(httpserver, page(listed("IWM")), name=SECOND)
    frame = fetched(httpserver, "SPY", "IWM", "SPY")
    assert frame[["ticker", "filter"]].to_numpy().tolist() == [
        [ticker, name] for ticker in ("IWM", "SPY") for name in sorted(MENTION_FILTERS)
    ]
    known = frame.set_index(["ticker", "filter"])["mentions"].notna()
    assert known.to_dict() == {
        ("SPY", FIRST): True, ("SPY", SECOND): False,
        ("IWM", FIRST): False, ("IWM", SECOND): True,
    }  # fmt: skip
    assert len(httpserver.log) == 2


@integration
def test_every_page_is_read(httpserver: HTTPServer) -> None:
    serve(httpserver, page(listed("GME"), count=2, pages=2))
    serve(httpserver, page(listed("SPY", mentions=7), count=2, pages="2", current_page=2), at=2)
    serve(httpserver, page(listed("GME")), name=SECOND)
    frame = fetched(httpserver).set_index("filter")
    assert frame.loc[FIRST, "mentions"] == 7.0
    assert math.isnan(frame.loc[SECOND, "mentions"])


@integration
def test_pages_that_are_not_told_are_counted(httpserver: HTTPServer) -> None:
    for at, rows in enumerate([("GME", "AMC"), ("TSLA", "F"), ("SPY",)], start=1):
        serve(httpserver, page(*map(listed, rows), count=5, pages=...), at=at)
    serve(httpserver, page(listed()), name=SECOND)
    assert fetched(httpserver)["mentions"].tolist() == [530.0, 530.0]


@integration
def test_pages_after_the_last_ticker_are_not_asked_for(httpserver: HTTPServer) -> None:
    for name in MENTION_FILTERS:
        serve(httpserver, page(listed(), count=900, pages=9), name=name)
    assert len(fetched(httpserver)) == 2
    assert len(httpserver.log) == 2


@integration
@pytest.mark.recorded
def test_the_recorded_answer(httpserver: HTTPServer, recorded_dir: Path) -> None:
    text = (recorded_dir / "apewisdom/wallstreetbets_response.json").read_text()
    for name in MENTION_FILTERS:
        serve(httpserver, text, name=name)
    sent = {row["ticker"]: row for row in json.loads(text)["results"]}
    frame = fetched(httpserver, "SPY", "QQQ")
    assert len(frame) == 4
    for _, row in frame.iterrows():
        own = sent[row["ticker"]]
        expected = [math.nan if own[name] is None else float(own[name]) for name in COUNTS]
        assert row[list(COUNTS)].tolist() == pytest.approx(expected, nan_ok=True)


# --- faults -------------------------------------------------------------------------------------


class Fault(NamedTuple):
    """An answer, the error it must give with its words, and whether it is worth a second try."""

    sent: Any
    error: type[Exception]
    words: str
    status: int = 200
    tried_again: bool = False


FAULTS = {
    "too many calls": Fault("", SourceUnavailable, "HTTP 429", 429, True),
    "refused": Fault("", SourceUnavailable, "HTTP 403 Forbidden", 403),
    "down": Fault("<html>", SourceUnavailable, "HTTP 503", 503, True),
    "page": Fault("<!DOCTYPE html>", SourceUnavailable, "got a web page ('<!DOCTYPE html>')"),
    "nothing": Fault("", SourceUnavailable, "got an empty answer, allowed is JSON"),
    "cut short": Fault('{"count": 3, "resu', SourceUnavailable, "not JSON, or cut short"),
    "empty list": Fault([], SchemaViolation, "got an empty JSON list, allowed is a JSON object"),
    "empty object": Fault({}, SchemaViolation, "missing field results, got no field"),
    "null": Fault(None, SchemaViolation, "got None, allowed is a JSON object"),
    "null results": Fault(page(results=None), SchemaViolation, "got None, allowed is a list"),
    "nobody mentioned": Fault(page(), SourceUnavailable, "got 0 tickers of a list of 0"),
    "pages that end too soon": Fault(
        page(listed("GME"), count=5), SourceUnavailable, "got 1 tickers of a list of 5"
    ),
    "row that is no object": Fault(page(listed(), "SPY"), SchemaViolation, "row 1: got 'SPY'"),
    "renamed field": Fault(
        page(listed(mentions=..., count=5)), SchemaViolation, "no row has the field mentions"
    ),
    "no count": Fault(page(listed(), count=...), SchemaViolation, "field count: got None"),
    "pages without end": Fault(
        page(listed("GME"), pages=10**9), SchemaViolation, "got 1000000000 pages, allowed are 100"
    ),
    "a word for a count": Fault(
        page(listed(mentions="many")), SchemaViolation,
        "ApeWisdom, wallstreetbets, SPY, field mentions: got 'many', allowed is a number or null",
    ),
    "a flag for a count": Fault(page(listed(upvotes=True)), SchemaViolation, "got True, allowed"),
    "endless number": Fault(page(listed(upvotes=10**400)), SchemaViolation, "than 64 bits"),
    "a number for a ticker": Fault(page(listed(5)), SchemaViolation, "field ticker: got 5"),
    "nested without end": Fault("[" * 100_000, SchemaViolation, "nested too deep"),
}  # fmt: skip


@integration
@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_fault(fault: Fault, httpserver: HTTPServer) -> None:
    serve(httpserver, fault.sent, fault.status)
    with pytest.raises(fault.error) as caught:
        fetched(httpserver)
    assert str(caught.value).startswith(f"ApeWisdom, {FIRST}")
    assert fault.words in str(caught.value)
    assert len(httpserver.log) == (2 if fault.tried_again else 1)


PARTS = {
    "second page down": ("", 500, "page 2: HTTP 500"),
    "second page gone": ("", 404, "page 2: HTTP 404"),
    "second page empty": (page(count=2, pages=2), 200, "got 1 tickers of a list of 2"),
    "list moved between pages": (
        page(listed("GME"), count=2, pages=2), 200, "got 1 tickers of a list of 2"
    ),
}  # fmt: skip


@integration
@pytest.mark.parametrize(("sent", "status", "words"), PARTS.values(), ids=PARTS)
def test_list_read_in_part_makes_nobody_absent(
    sent: Any, status: int, words: str, httpserver: HTTPServer
) -> None:
    serve(httpserver, page(listed("GME"), count=2, pages=2))
    serve(httpserver, sent, status, at=2)
    serve(httpserver, page(listed()), name=SECOND)
    with pytest.raises(SourceUnavailable, match=words):
        fetched(httpserver)


@integration
def test_one_list_alone_does_not_land(httpserver: HTTPServer) -> None:
    serve(httpserver, page(listed()))
    serve(httpserver, "", 404, name=SECOND)
    with pytest.raises(SourceUnavailable, match=f"ApeWisdom, {SECOND}, page 1: HTTP 404"):
        fetched(httpserver)


@integration
def test_fault_that_passes_is_not_seen(httpserver: HTTPServer) -> None:
    answers = iter([Response("", 500), Response(json.dumps(page(listed())))])
    path = f"/v1/filter/{FIRST}/page/1"
    httpserver.expect_request(path).respond_with_handler(lambda _: next(answers))
    serve(httpserver, page(listed()), name=SECOND)
    assert len(fetched(httpserver)) == len(MENTION_FILTERS)


def test_unknown_ticker_is_refused_before_anybody_is_asked() -> None:
    with pytest.raises(InputError, match="unknown ticker: got 'NONESUCH'"):
        Apewisdom(lambda: NOW).fetch("mentions", ["SPY", "NONESUCH"], None, END)


def test_start_after_the_end_is_refused_before_anybody_is_asked() -> None:
    with pytest.raises(InputError, match="start 2024-03-06 lies after end 2024-03-05"):
        Apewisdom(lambda: NOW).fetch("mentions", ["SPY"], pd.Timestamp("2024-03-06"), END)


def test_address_is_apewisdoms_own_by_default() -> None:
    assert Apewisdom(lambda: NOW).base_url == BASE_URL
    assert BASE_URL.startswith("https://")


# --- anything at all ----------------------------------------------------------------------------

JSON = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(), st.text(),
        st.sampled_from(["SPY", " SPY", "5", "1e999", 10**400]),
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)  # fmt: skip
ROWS = st.dictionaries(st.sampled_from([*listed()]), st.just(...) | JSON, max_size=2).map(
    lambda changes: listed(**changes)
)
PAGES = st.dictionaries(
    st.sampled_from(["count", "pages", "results"]), st.just(...) | JSON, max_size=1
).flatmap(
    lambda changes: st.lists(ROWS | JSON, max_size=3).map(lambda rows: page(*rows, **changes))
)


def check_anything(sent: Any) -> None:
    """Assert that an answer gives rows of the table's dtypes, or one of our errors in one line."""
    try:
        rows, pages, count = list_page("ApeWisdom", json.dumps(sent))
        frame = mentions("ApeWisdom", rows, ["SPY", "QQQ"])
    except (SchemaViolation, SourceUnavailable) as error:
        assert str(error).startswith("ApeWisdom")
        assert len(str(error)) < 500
        return
    assert pages is None or isinstance(pages, int)
    assert isinstance(count, int)
    assert set(frame["ticker"]) == {"SPY", "QQQ"}
    whole = frame.assign(filter=FIRST, recorded_at=NOW.tz_convert("UTC").as_unit("ns"))
    MENTIONS.check(whole[list(MENTIONS.names)].astype(MENTIONS.dtypes))


@given(JSON | PAGES)
def test_anything_gives_rows_of_the_declared_types_or_our_error(sent: Any) -> None:
    check_anything(sent)


@pytest.mark.long
@given(JSON | PAGES)
@settings(max_examples=12_500, deadline=None)
def test_anything_at_length(sent: Any) -> None:
    check_anything(sent)
