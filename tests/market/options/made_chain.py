"""A chain of smiles of one shape, their levels given: what a chain says of them is known."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from market.options.black import price_76
from market.options.chain import Chain
from market.options.costs import half_spread
from market.options.expiries import expiry_time, years_left
from market.options.smile import Cubic, Smile

SHAPE = Cubic(-0.2, 0.04, 0.0)
FORWARD, RATE = 5000.0, 0.04
STRIKES = np.arange(4300.0, 5505.0, 20.0)


def smile_at(moment: str, root: str, day: str, level: float) -> Smile:
    """Return the smile of a root and expiry, its level in points."""
    settled = expiry_time(root, pd.DatetimeIndex([day]))
    years = float(years_left(pd.DatetimeIndex([pd.Timestamp(moment, tz="UTC")]), settled)[0])
    return Smile(FORWARD, float(np.exp(-RATE * years)), years, level / 100, SHAPE)


def made_chain(
    moment: str, levels: Mapping[tuple[str, str], float], underlying: str = "SPX"
) -> Chain:
    """Return the quotes that levels in points by root and expiry make at a moment, in UTC."""
    parts = []
    for (root, day), level in levels.items():
        smile = smile_at(moment, root, day, level)
        volatility = smile.volatility(STRIKES)
        for sign in (1.0, -1.0):
            mid = price_76(FORWARD, STRIKES, smile.years, volatility, sign, smile.discount)
            half = half_spread(mid, 0.01, 0.01)
            bid = np.maximum(mid - half, 0.0)
            parts.append((root, day, STRIKES, np.full(len(STRIKES), sign), bid, mid + half))
    count = len(STRIKES)
    return Chain(
        underlying=underlying,
        quote_time=pd.Timestamp(moment, tz="UTC"),
        spot=FORWARD,
        root=np.repeat([part[0] for part in parts], count),
        expiration=np.repeat(np.array([part[1] for part in parts], "M8[D]"), count),
        **{
            name: np.concatenate([part[at] for part in parts])
            for at, name in enumerate(("strike", "sign", "bid", "ask"), start=2)
        },
    )
