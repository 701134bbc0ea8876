"""Splits that cannot be right: one judge of every source's answer, each ticker's as a whole."""

import numpy as np
import pandas as pd
import polars as pl
import pytest

from ingestion.gate.sequences import no_split_missing, nothing_stored, wrong_splits
from ingestion.sources.yahoo.traded_prices import as_traded
from ingestion.tables.catalogue import PRICES
from ingestion.tables.frames import LANDED, typed
from market.calendar import sessions

DAYS = sessions("2024-01-02", "2024-03-01").as_unit("ns")
LEVELS = ["open", "high", "low", "close"]


def answer(
    levels: object = 100.0, ticker: str = "SPY", repeat: int | None = None, **splits: float
) -> pd.DataFrame:
    """Return a vendor's split-adjusted levels as traded, with splits by place (`d5=2.0`)."""
    frame = pd.DataFrame({"ticker": ticker, "session": DAYS})
    frame = frame.assign(**dict.fromkeys(LEVELS, np.broadcast_to(levels, len(DAYS)).astype(float)))
    frame = frame.assign(volume=1e6, dividend=0.0, split=1.0, adj_close=frame["close"])
    for place, ratio in splits.items():
        frame.loc[int(place[1:]), "split"] = ratio
    if repeat is not None:
        frame = frame.loc[np.sort([*frame.index, repeat])].reset_index(drop=True)
    return PRICES.check(as_traded(frame)[list(PRICES.names)])


def stepped(before: float, after: float, day: int) -> np.ndarray:
    return np.where(np.arange(len(DAYS)) < day, before, after)


def refused(frame: pd.DataFrame, stored: pl.DataFrame | None = None) -> dict[str, str]:
    return wrong_splits(PRICES, frame, lambda _key: stored)


WRONG = {
    "given twice, a day apart": (
        answer(d5=2.0, d6=2.0),
        "got the split 2 on 2024-01-09 and again on 2024-01-10, allowed is once",
    ),
    "given twice, a week apart": (answer(d5=2.0, d9=2.0), "2024-01-09 and again on 2024-01-16"),
    "given twice on one day": (
        answer(repeat=5, d5=2.0), "got the split 2 on 2024-01-09 and again on 2024-01-09",
    ),
    "given and not applied": (answer(stepped(200, 100, 5), d5=2.0), "split not applied: got the"),
    "applied twice": (answer(stepped(50, 100, 5), d5=2.0), "split 2 on 2024-01-09"),
    "applied to a part of the history": (
        answer(stepped(1000, 100, 20), d30=10.0),
        "split not applied evenly: got a close of 1000 on 2024-01-31 after 10000",
    ),
    "the reverse, not applied": (answer(stepped(10, 98, 5), d5=0.1), "split 0.1 on 2024-01-09"),
    # However far the share moved that day, and whatever the ratio.
    "and a fall by 7 %": (answer(stepped(10, 93, 5), d5=0.1), "split not applied"),
    "and a fall by a third": (answer(stepped(1, 131, 5), d5=1 / 190), "split not applied"),
    "1 for 2, and a fall by 7 %": (answer(stepped(10, 18.6, 5), d5=0.5), "split not applied"),
}  # fmt: skip


@pytest.mark.parametrize(("frame", "words"), WRONG.values(), ids=WRONG)
def test_an_answer_with_a_wrong_split_is_refused(frame: pd.DataFrame, words: str) -> None:
    (reason,) = refused(frame).values()
    assert reason.startswith("SPY: ")
    assert words in reason
    assert reason.endswith("try again later, or correct the recorded file")


RIGHT = {
    "a split": answer(d5=4.0),
    "a split, and a fall by 7 %": answer(stepped(100, 93, 5), d5=4.0),
    "a reverse split, and a fall by a third": answer(stepped(100, 69, 5), d5=1 / 190),
    "twice by the same ratio, seven weeks apart": answer(d2=2.0, d38=2.0),
    "two ratios, a day apart": answer(d5=2.0, d6=1.5),
    "a fall through the day to a half": answer(stepped(200, 100, 5)).assign(
        open=stepped(200, 100, 6), high=stepped(200, 100, 6)
    ),
    "a single bar": answer(d0=2.0).iloc[:1],
    "a null bar": answer(d5=2.0).assign(close=lambda bars: bars["close"].mask(bars.index == 8)),
    "a bar of zeros": answer(stepped(0, 100, 5), d5=2.0),
    "no row": PRICES.empty(),
}  # fmt: skip


@pytest.mark.parametrize("frame", RIGHT.values(), ids=RIGHT)
def test_splits_and_moves_that_can_be_right_pass(frame: pd.DataFrame) -> None:
    assert refused(frame) == {}
    assert no_split_missing(PRICES, frame, nothing_stored).all()


@pytest.mark.parametrize(
    ("before", "after"), [(400, 101), (150, 100)], ids=["to a quarter", "by exactly a third"]
)
def test_a_split_neither_given_nor_applied_holds_the_rows_from_it_on(
    before: float, after: float
) -> None:
    frame = answer(stepped(before, after, 5))
    assert refused(frame) == {}
    wrong = ~no_split_missing(PRICES, frame, nothing_stored)
    assert np.flatnonzero(wrong).tolist() == list(range(5, len(DAYS)))


def test_only_the_ticker_of_the_wrong_split_is_refused() -> None:
    both = pd.concat([answer(stepped(10, 93, 5), d5=0.1), answer(ticker="QQQ", d5=2.0)])
    assert list(refused(both.reset_index(drop=True))) == ["SPY"]


def test_a_split_that_the_lake_holds_with_its_prices_has_been_vouched_for() -> None:
    frame = answer(stepped(10, 93, 5), d5=0.1)
    landed = pl.lit(pd.Timestamp("2024-03-02T00:00Z").to_pydatetime()).alias(LANDED)
    assert refused(frame, typed(PRICES, frame).with_columns(landed)) == {}


@pytest.mark.parametrize("move", [0.85, 0.96, 1.0, 1.04, 1.18])
@pytest.mark.parametrize("ratio", [2.0, 3.0, 7.0, 10.0, 100.0, 190.0, 1 / 100])
def test_rows_too_high_or_low_are_refused_and_the_right_ones_after_them_land(
    ratio: float, move: float
) -> None:
    levels = stepped(100, 100 * move, 5)
    levels[5:7] *= ratio
    wrong = ~no_split_missing(PRICES, answer(levels), nothing_stored)
    assert np.flatnonzero(wrong).tolist() == [5, 6]
    # The other way round: the market moves on the day of the way back.
    levels = stepped(100, 100 * move, 7)
    levels[5:7] *= ratio
    wrong = ~no_split_missing(PRICES, answer(levels), nothing_stored)
    assert np.flatnonzero(wrong).tolist() == [5, 6]


@pytest.mark.parametrize("move", [2 / 3, 0.45, 0.4, 1.6, 1.8, 2.3])
def test_a_move_of_the_market_itself_passes(move: float) -> None:
    levels = stepped(100, 100 * move, 5)
    if move == 2 / 3:
        levels = stepped(150, 103, 5)
    assert no_split_missing(PRICES, answer(levels), nothing_stored).all()
