"""The structures of the matrix on real chains of the S&P 500, beside the synthetic board.

`python -m benchmarks.on_chains CHAINS RECORDED [--days 2019-06-12,2023-03-08] [--json]` reads
`SPX_2019.parquet` and `SPX_2023.parquet` of one folder, prices, indices and rates of another. Each
strategy is priced on the chain of SPXW of that day and, at the same expiry, by VIX and VIX3M; the
distribution is SPY's, fitted on what was known that day.
"""

import argparse
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.calibration import closing_of, recorded_history
from benchmarks.distribution import POOLED, parts, recorded_rows
from forecasters.returns import ReturnDistribution
from home.records.structure import Structure
from ingestion.sources.recorded.chain_files import chain_file
from market.calendar import DECISION_DELAY, last_complete_session
from market.errors import InputError
from market.options.chain import Chain
from market.options.chain_rows import chains_of
from market.underlyings import Underlying, underlying
from trading.structures.expiry import usual_expiry
from trading.structures.legs import STRUCTURES
from trading.structures.price import price_structure
from trading.structures.quote import (
    Closing,
    chain_quote,
    listing_of,
    outlook_of,
    synthetic_quote,
)
from training.frames.return_rows import pooled_returns
from training.models.returns import fit_returns

FILES = ("SPX_2019", "SPX_2023")
HEAD = "     mid natural  cost   loss profit /width      P   P rn target   stop  value and its band"
DAYS = "2019-06-12,2023-03-08"
SPY = underlying("SPY")
#: Weekly options on the index, which settle at the close as those on SPY do.
SPX = Underlying(
    "SPX",
    SPY.volatility_index,
    options=listing_of(SPY)._replace(root="SPXW", strike_step=5.0, tick=0.05, spread_factor=0.05),
)


def chain_of(folder: Path, session: pd.Timestamp) -> Chain:
    """Return the quotes of a session at its usual expiry.

    Raises
    ------
    InputError
        If no file holds any.
    """
    for name in FILES:
        rows = chain_file(folder / f"{name}.parquet")
        for chain in chains_of(rows[rows["expiration"] == usual_expiry(session)]):
            if last_complete_session(chain.quote_time + DECISION_DELAY) == session:
                return chain
    raise InputError(f"{session.date()}: none of {', '.join(FILES)} holds its quotes")


def distribution_of(recorded: Path, session: pd.Timestamp) -> ReturnDistribution:
    """Return the distribution of SPY's return from a session on, fitted on what was known."""
    own, *others = [recorded_rows(recorded, one) for one in dict.fromkeys(("SPY", *POOLED))]
    day = str(session.date())
    train, test = next(parts(pooled_returns(own, others), day, day))
    return fit_returns(train).at(test.values[0])


def priced(chains: Path, recorded: Path, day: str) -> Iterator[tuple[float, Structure]]:
    """Yield each strategy on the chain and on the synthetic board, with VIX."""
    session = pd.Timestamp(day)
    chain, history = chain_of(chains, session), recorded_history(recorded, "SPY")
    held = closing_of(history, int(history.days.get_loc(session)))
    closing = Closing(chain.spot, held.index, held.long_index, held.rate)
    distribution = distribution_of(recorded, session)
    for strategy in STRUCTURES:
        for board, life in (
            chain_quote(SPX, session, closing, chain),
            synthetic_quote(SPX, session, closing),
        ):
            at = replace(closing, spot=board.spot)
            outlook = outlook_of(distribution, at, life, listing_of(SPX))
            yield held.index, price_structure(strategy, board, life, outlook)


def shown(found: Structure) -> str:
    """Return a row of the table."""
    legs = " ".join(f"{'+' if leg.action == 'buy' else '-'}{leg.strike:g}{leg.right[0]}"
                    for leg in found.legs)  # fmt: skip
    said, most = found.chances, found.natural.max_profit
    assert said is not None
    credit = found.natural.credit_of_width
    return (
        f"{found.strategy:17}{found.pricing:10}{legs:37}{found.mid.net:8.2f}{found.natural.net:8.2f}"
        f"{found.costs.spread + found.costs.commission:6.0f}{found.natural.max_loss:7.0f}"
        f"{np.inf if most is None else most:7.0f}{np.nan if credit is None else credit:7.3f}"
        f"{said.profit:7.3f}{said.profit_risk_neutral:7.3f}{said.target:7.3f}{said.stop:7.3f}"
        f"{said.expected_value:7.0f} [{said.low:.0f}, {said.high:.0f}]"
    )


def main() -> None:
    """Print a table a day."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("chains", type=Path)
    parser.add_argument("recorded", type=Path)
    parser.add_argument("--days", default=DAYS)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    found = {day: list(priced(asked.chains, asked.recorded, day)) for day in asked.days.split(",")}
    if asked.json:
        print(
            json.dumps({day: [one.model_dump() for _, one in rows] for day, rows in found.items()})
        )
        return
    for day, rows in found.items():
        index, first = rows[0]
        print(
            f"\n{day}: {first.root} {first.expiration}, {first.days_to_expiry} days, spot "
            f"{first.spot:.2f}, VIX {index:.2f}, at the money "
            + ", ".join(f"{one.pricing} {100 * one.at_the_money:.2f}" for _, one in rows[:2])
        )
        print(f"{'':27}{'legs':37}{HEAD}")
        for _, one in rows:
            print(shown(one))


if __name__ == "__main__":
    main()
