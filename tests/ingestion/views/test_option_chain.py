"""Chains on sessions: of which each is, from when on it counts, and whose counts first."""

from typing import Final

import numpy as np
import pandas as pd
import polars as pl
import pytest

from feature_repo.features.option_chain.group import OPTION_CHAIN
from ingestion.tables.catalogue import MACRO_SERIES
from ingestion.tables.frames import LANDED, SESSION, TIME, TYPES
from ingestion.views.aligned import Aligned
from ingestion.views.option_chain import VIEW, align_chains
from market.calendar import INDEX_DELAY, close, decision_time, sessions
from market.options.chain import TRIED
from tests.market.options.made_chain import made_chain

DAYS: Final = sessions("2023-04-03", "2023-04-12")
CUTS: Final = decision_time(DAYS)
EXPIRIES: Final = ("2023-04-21", "2023-05-19")
BEFORE: Final = CUTS[0] - pd.Timedelta(days=3)


def quotes(moment: str, level: float, landed: pd.Timestamp, root: str = "SPXW") -> pl.DataFrame:
    """Return a chain of a level in points, quoted at a moment of New York, as the lake holds it."""
    quoted = pd.Timestamp(moment, tz="America/New_York").tz_convert("UTC")
    levels = {(root, day): level for day in EXPIRIES}
    chain = made_chain(str(quoted.tz_convert(None)), levels, root[:3])
    names = ("root", "strike", "bid", "ask")
    return pl.DataFrame(
        {
            "underlying": [chain.underlying] * len(chain.strike),
            "quote_time": [quoted.to_pydatetime()] * len(chain.strike),
            "expiration": chain.expiration,
            "option_type": np.where(chain.sign > 0, "call", "put"),
            **{name: getattr(chain, name) for name in names},
            LANDED: [landed.to_pydatetime()] * len(chain.strike),
        }
    ).with_columns(pl.col("quote_time", LANDED).cast(TIME))


def rates(*landed: tuple[str, float, pd.Timestamp]) -> pl.DataFrame:
    """Return observations of the rate: day, percent, landing."""
    schema = {c.name: TYPES[c.dtype] for c in MACRO_SERIES.columns} | {LANDED: TIME}
    rows = [
        ("DGS3MO", pd.Timestamp(day).date(), None, value, at.to_pydatetime())
        for day, value, at in landed
    ]
    return pl.DataFrame(rows, schema=schema, orient="row")


RATES: Final = rates(("2023-03-30", 4.0, BEFORE))


def aligned(landed: pd.DatetimeIndex = CUTS, known: pl.DataFrame = RATES, **chains: pl.DataFrame):
    """Return the sources on `DAYS`, whose prices landed at those times."""
    closes = close(DAYS)
    base = Aligned(DAYS, closes, closes + INDEX_DELAY, landed, {}, DAYS[-1])
    times = pl.Series(list(landed.to_pydatetime()), dtype=TIME)
    market = pl.DataFrame({SESSION: list(DAYS.date), LANDED: times})
    return align_chains(base, chains, known, market)


def levels(found: Aligned, name: str = "atm_iv_30") -> list[float | None]:
    return [None if np.isnan(value) else round(value, 1) for value in found.arrays[name]]


def test_a_chain_is_of_the_session_of_its_quotes_and_anchors_two_more():
    found = aligned(SPX=quotes("2023-04-04 16:00", 20.0, CUTS[1]))
    assert levels(found) == [None, 20.0, *[None] * 5]
    assert levels(found, "newest_iv_30") == [None, 20.0, 20.0, 20.0, None, None, None]
    assert levels(found, "newest_age") == [None, 0.0, 1.0, 2.0, None, None, None]
    assert found.first == DAYS[1]
    assert found.last == DAYS[-1]


def test_quotes_of_an_evening_are_of_their_day_and_known_on_the_next_session():
    found = aligned(SPX=quotes("2023-04-04 21:18", 20.0, CUTS[1]))
    assert levels(found) == [None] * 7
    assert levels(found, "newest_age") == [None, None, 1.0, 2.0, None, None, None]
    assert found.first == DAYS[2]


def test_quotes_of_a_weekend_are_of_the_session_before():
    found = aligned(SPX=quotes("2023-04-08 07:01", 20.0, CUTS[3]))
    assert DAYS[3] == pd.Timestamp("2023-04-06")
    assert levels(found, "newest_age") == [None] * 4 + [1.0, 2.0, None]


def test_the_last_chain_of_a_session_counts():
    chain = pl.concat([quotes(f"2023-04-04 {at}", level, CUTS[1]) for at, level in
                       (("15:00", 19.0), ("16:20", 20.0), ("16:45", 21.0))])  # fmt: skip
    found = aligned(SPX=chain)
    assert levels(found)[1] == 20.0
    assert levels(found, "newest_iv_30")[1:4] == [20.0, 21.0, 21.0]


def test_what_lands_after_its_session_was_built_changes_none_before():
    first, late = (quotes(f"2023-04-0{day} 16:00", 20.0 + day, at) for day, at in
                   ((3, CUTS[0]), (4, CUTS[1] + pd.Timedelta(hours=1))))  # fmt: skip
    found = aligned(SPX=pl.concat([first, late]))
    assert levels(found) == [23.0, *[None] * 6]
    # From the first session on that had not landed by then it is known.
    assert levels(found, "newest_iv_30") == [23.0, 23.0, 24.0, 24.0, None, None, None]
    again = late.with_columns(pl.col("bid") * 2, pl.col("ask") * 2, pl.lit(CUTS[5]).alias(LANDED))
    after = aligned(SPX=pl.concat([first, late, again.cast({LANDED: TIME})]))
    assert levels(after, "newest_iv_30") == levels(found, "newest_iv_30")


def test_what_lands_of_a_chain_later_counts_from_the_next_session_on():
    whole, dearer = (quotes("2023-04-04 16:00", level, CUTS[1]) for level in (20.0, 25.0))
    rest = dearer.filter(pl.col("option_type") == "put")
    # Another chain landed before, as a later one than the key's first is no backfill.
    before = quotes("2023-04-03 15:00", 10.0, CUTS[0]).with_columns(bid=pl.lit(0.0))
    for first, late in ((whole, dearer), (whole.filter(pl.col("option_type") == "call"), rest)):
        at = CUTS[2] - pd.Timedelta(hours=1)
        late = late.with_columns(pl.lit(at.to_pydatetime()).cast(TIME).alias(LANDED))
        alone = levels(aligned(SPX=pl.concat([before, first])), "newest_iv_30")
        found = levels(aligned(SPX=pl.concat([late, before, first])), "newest_iv_30")
        assert found[1] == alone[1]
        assert found[2] == found[3]
        assert found[2] not in (alone[2], None)


def test_a_part_of_a_chain_hides_no_whole_one_before_it():
    whole = quotes("2023-04-04 15:00", 20.0, CUTS[1])
    parts = [quotes(f"2023-04-04 15:{at}", 30.0, CUTS[1]).head(5) for at in range(10, 10 + TRIED)]
    assert levels(aligned(SPX=pl.concat([whole, *parts[1:]])))[1:3] == [20.0, None]
    found = aligned(SPX=pl.concat([whole, *parts]))
    assert levels(found, "newest_iv_30") == [None] * 7


def test_the_first_landing_is_a_backfill():
    late = CUTS[-1] + pd.Timedelta(days=30)
    found = aligned(SPX=quotes("2023-04-04 16:00", 20.0, late))
    assert levels(found)[1] == 20.0
    assert found.landed[1] == late
    assert found.available[1] == CUTS[1]


def test_an_own_chain_counts_before_that_of_the_index():
    own = quotes("2023-04-04 16:00", 20.0, CUTS[1], "SPY")
    index = pl.concat([quotes(f"2023-04-0{day} 16:00", 30.0, CUTS[2]) for day in (4, 5)])
    found = aligned(SPY=own, SPX=index)
    assert levels(found)[:4] == [None, 20.0, 30.0, None]
    assert levels(found, "newest_iv_30")[1:5] == [20.0, 30.0, 30.0, 30.0]
    nobody = own.with_columns(bid=pl.lit(0.0))
    assert levels(aligned(SPY=nobody, SPX=index))[:3] == [None, 30.0, 30.0]


def test_quotes_of_nobody_are_null_and_no_error():
    found = aligned(SPX=quotes("2023-04-04 16:00", 20.0, CUTS[1]).with_columns(bid=pl.lit(0.0)))
    assert levels(found) == [None] * 7
    assert found.first == DAYS[1]


def test_without_a_rate_nothing_is_known():
    chain = quotes("2023-04-04 16:00", 20.0, CUTS[1])
    assert levels(aligned(known=rates(), SPX=chain)) == [None] * 7
    late = rates(("2023-04-03", 4.0, BEFORE))  # known from 18:00 of the day after on
    assert levels(aligned(known=late, SPX=chain)) == [None] * 7


def test_a_rate_that_is_corrected_later_changes_no_session_before():
    chain = quotes("2023-04-04 16:00", 20.0, CUTS[1])
    corrected = pl.concat([RATES, rates(("2023-03-30", 40.0, CUTS[-1]))])
    before, after = (aligned(known=known, SPX=chain) for known in (RATES, corrected))
    np.testing.assert_array_equal(before.arrays["atm_iv_30"], after.arrays["atm_iv_30"])


def test_no_chain_is_no_view():
    assert aligned() is None
    early = quotes("2023-03-03 16:00", 20.0, CUTS[1])
    assert aligned(SPX=early) is None


def test_columns_and_expiries_that_are_not_needed_are_not_read():
    rows = quotes("2023-04-04 21:18", 20.0, CUTS[1]).with_columns(delta=pl.lit(0.5))
    far = rows.with_columns(expiration=pl.lit(pd.Timestamp("2024-01-19").date()))
    near = rows.with_columns(expiration=pl.lit(pd.Timestamp("2023-04-10").date()))
    (part,) = [one.part for one in VIEW.inputs if one.part is not None]
    read = part(pl.concat([rows, far, near]).lazy()).collect()
    assert read.height == rows.height
    assert set(read.columns) == set(rows.columns) - {"delta"}
    assert "root" not in part(rows.drop("root").lazy()).collect().columns


@pytest.mark.parametrize(("age", "moved"), [(0.0, 20.0), (1.0, 25.0), (2.0, 12.5), (np.nan, None)])
def test_an_anchor_is_moved_with_the_index_since_its_chain(age, moved):
    names = {name: np.full(3, 20.0) for name in OPTION_CHAIN.sources}
    names |= {"vix_close": np.array([24.0, 12.0, 15.0]), "newest_age": np.array([0.0, 0.0, age])}
    anchor = OPTION_CHAIN.compute(names)["chain_iv_anchor"]
    assert anchor[:2].tolist() == [20.0, 20.0]
    assert anchor[2] == pytest.approx(moved if moved is not None else np.nan, nan_ok=True)
