"""From chains as they landed to a signal: one that cannot price is left aside, and named."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from forecasters.document import Artifact
from ingestion.lake.lake import Lake
from ingestion.tables.catalogue import OPTION_CHAINS
from market.options.chain import Chain
from serving.answer.signals import Models, build_signal
from serving.answer.structure import Pricing
from serving.reading.chains import LandedChains
from serving.reading.row import FeatureRow
from tests.trading.structures.quoted import SESSION, index_chain, spy_chain

AS_OF = pd.Timestamp("2025-06-30 20:30", tz="UTC")
CLOSE = {
    "sma_20": 595.0, "price_to_sma_20": 600.0 / 595.0 - 1.0, "vix_close": 16.75,
    "vix_term_slope": 1.5, "treasury_3m": 4.3,
}  # fmt: skip
UP = {
    "coef": [[0.0] * 3], "intercept": [3.0], "calibration": {"slope": 1.0, "intercept": 0.0},
    "threshold": 0.5,
}  # fmt: skip


def land(data: Path, chain: Chain) -> None:
    frame = pd.DataFrame(
        {
            "underlying": chain.underlying,
            "root": chain.root,
            "quote_time": chain.quote_time,
            "expiration": chain.expiration,
            "strike": chain.strike,
            "option_type": np.where(chain.sign > 0, "call", "put"),
            "bid": chain.bid,
            "ask": chain.ask,
        }
    ).reindex(columns=list(OPTION_CHAINS.names))
    with Lake(data) as lake:
        lake.land(OPTION_CHAINS, frame.astype(OPTION_CHAINS.dtypes), "recorded", chain.quote_time)


@pytest.fixture
def signal(documents, values, tmp_path: Path):
    """The signal of a home in which chains landed."""
    models = Models(*(Artifact.model_validate(documents[task](**given)) for task, given in
                      (("direction", UP), ("regime", {}))))  # fmt: skip

    def made(*chains: Chain):
        for chain in chains:
            land(tmp_path, chain)
        quoted = LandedChains(tmp_path).quoted("SPY", SESSION, AS_OF)
        row = FeatureRow("SPY", SESSION, values, {}, beside=CLOSE, quoted=quoted)
        return build_signal(row, models, as_of=AS_OF, origin="recorded", pricing=Pricing())

    return made


SOME = spy_chain()
NONE = np.full(len(SOME.strike), np.nan)
FAR = np.abs(SOME.strike / 600.0 - 1.0) > 0.02  # enough for a smile, no call of the money's delta
LEFT_ASIDE = {
    "a sample": (
        replace(
            SOME,
            **{
                name: getattr(SOME, name)[FAR]
                for name in ("root", "expiration", "strike", "sign", "bid", "ask")
            },
        ),
        "not priced on the chain of SPY of 2025-06-30 20:15 UTC: SPY 2025-07-18: no call with bid "
        "and ask has a delta within 0.10 of 0.45",
    ),
    "stale": (
        spy_chain(moment="2025-06-25 20:00"),
        "no chain of SPY of 2025-06-30 was known: the newest is of 2025-06-25, 3 sessions before",
    ),
    "of the evening after": (
        spy_chain(moment="2025-06-30 23:00"),
        "no chain of SPY of 2025-06-30 was known, nor one before",
    ),
    "one-sided": (
        replace(SOME, bid=NONE),
        "not priced on the chain of SPY of 2025-06-30 20:15 UTC: SPY 2025-07-18: got 0 strikes "
        "near the money with bid and ask of call and put, needed are 3",
    ),
    "expired": (
        spy_chain(days=-21),
        "not priced on the chain of SPY of 2025-06-30 20:15 UTC: expiries: none lies 14 to 28 days "
        "after 2025-06-30, 1 are listed",
    ),
    "mini contracts": (
        replace(SOME, root=np.full(len(SOME.strike), "SPY7")),
        "not priced on the chain of SPY of 2025-06-30 20:15 UTC: SPY: got contracts of the roots "
        "SPY7, standard ones are SPY",
    ),
}


@pytest.mark.parametrize(("chain", "why"), LEFT_ASIDE.values(), ids=LEFT_ASIDE)
def test_a_signal_goes_on_without_the_chain_and_says_why(signal, chain: Chain, why: str) -> None:
    alone = signal(chain)
    assert (alone.structure.pricing, alone.structure.quote_time) == ("synthetic", None)
    assert alone.structure.notes[0].startswith(why)
    beside = signal(index_chain())
    assert (beside.strategy, beside.structure.pricing) == (alone.strategy, "scaled chain")
    told, scaled = beside.structure.notes[:2]
    assert told == alone.structure.notes[0]
    assert scaled == "scaled from the chain of SPX of 2025-06-30 20:15 UTC"


def test_an_own_chain_of_the_session_prices_a_signal(signal) -> None:
    found = signal(SOME, index_chain()).structure
    assert (found.pricing, found.quote_time) == ("chain", "2025-06-30T20:15:00+00:00")


def test_a_part_of_a_chain_does_not_hide_the_whole_one_before_it(signal) -> None:
    part, _ = LEFT_ASIDE["a sample"]
    part = replace(part, quote_time=pd.Timestamp("2025-06-30 20:20", tz="UTC"))
    found = signal(SOME, part).structure
    assert (found.pricing, found.quote_time) == ("chain", "2025-06-30T20:15:00+00:00")
    assert found.notes[0].startswith("not priced on the chain of SPY of 2025-06-30 20:20 UTC: SPY")


def test_without_any_chain_both_are_missed(signal) -> None:
    found = signal().structure
    missed = "no chain of {} of 2025-06-30 was known, nor one before"
    assert found.notes[:2] == [missed.format("SPY"), missed.format("SPX")]
