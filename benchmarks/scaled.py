"""SPY's positions on its own chain, on that of SPX of the same moment scaled, and on none.

`python -m benchmarks.scaled CHAINS --recorded RECORDED` reads `SPY_2023-09-14.parquet` and
`SPX_2022-03-23_2023-09-14.parquet` of a folder (the shape of
`ingestion.sources.recorded.chain_files`), and closes, indices and the rate of a folder of recorded
data.
"""

import argparse
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from ingestion.sources.recorded.chain_files import chain_file
from market.options.black import price_76
from market.options.chain_rows import chains_of
from market.underlyings import underlying
from trading.structures.board import Board, choose_legs
from trading.structures.legs import STRUCTURES
from trading.structures.price import price_structure
from trading.structures.quote import Closing, chain_quote, synthetic_quote
from trading.structures.scaled_quote import scaled_quote

SESSION: Final = pd.Timestamp("2023-09-14")
SPY: Final = underlying("SPY")
FILES: Final = {"SPY": "SPY_2023-09-14", "SPX": "SPX_2022-03-23_2023-09-14"}


def closing(recorded: Path) -> Closing:
    """Return what the session closed with, of recorded data."""

    def last(path: str, column: str, day: str = "Date") -> float:
        series = pd.read_csv(recorded / path, index_col=day, parse_dates=True)[column]
        return float(pd.to_numeric(series, errors="coerce").dropna()[:SESSION].iloc[-1])

    return Closing(
        last("yahoo/SPY.csv", "Close"),
        last("cboe/VIX.csv", "Close"),
        last("cboe/VIX3M.csv", "Close"),
        last("fred/DGS3MO.csv", "DGS3MO", "observation_date") / 100,
    )


def compare(boards: dict[str, Board]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return volatilities and nets of the legs that the own chain gives, by each source.

    Volatilities in points, a leg a row; net prices at mid in USD a share, a strategy a row.
    """
    legs, nets = [], []
    for name, plan in STRUCTURES.items():
        chosen = choose_legs(boards["own"], plan)
        priced = {"strategy": name}
        for source, board in boards.items():
            smile = board.smile
            points = smile.volatility(chosen.strike)
            mids = price_76(
                smile.forward, chosen.strike, smile.years, points, chosen.sign, smile.discount
            )
            priced[source] = float(mids @ chosen.side)
            legs += [
                {"strategy": name, "strike": strike, "source": source, "points": 100 * point}
                for strike, point in zip(chosen.strike, points, strict=True)
            ]
        priced["width"] = max(
            np.ptp(chosen.strike[chosen.sign == sign]) for sign in (1, -1) if sign in chosen.sign
        )
        nets.append(priced)
    points = pd.DataFrame(legs).pivot_table(
        index=["strategy", "strike"], columns="source", values="points"
    )
    return points, pd.DataFrame(nets).set_index("strategy")


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("chains", type=Path)
    parser.add_argument("--recorded", type=Path, required=True)
    arguments = parser.parse_args()
    at = closing(arguments.recorded)
    spy, spx = (
        list(chains_of(chain_file(arguments.chains / f"{FILES[name]}.parquet", name)))[-1]
        for name in ("SPY", "SPX")
    )
    found = {
        "own": chain_quote(SPY, SESSION, at, spy),
        "scaled": scaled_quote(SPY, SESSION, at, spx),
        "synthetic": synthetic_quote(SPY, SESSION, at),
    }
    for source, (board, life) in found.items():
        smile = board.smile
        print(f"{source}: {board.pricing} of {board.quote_time}, {board.quotes.expiration.date()}, "
              f"forward {smile.forward:.2f}, at the money {smile.at_the_money:.2%}")  # fmt: skip
        for name in STRUCTURES:
            priced = price_structure(name, board, life, None)
            strikes = "/".join(f"{leg.strike:g}" for leg in priced.legs)
            print(
                f"  {name:17} {strikes:16} mid {priced.mid.net:6.2f} "
                f"natural {priced.natural.net:6.2f} largest loss {priced.natural.max_loss:5.0f}"
            )
    points, nets = compare({source: board for source, (board, _) in found.items()})
    print("\nvolatility of the own chain's legs, points")
    print(points.round(2).to_string())
    spreads = nets[nets["width"] > 0]
    for source in ("scaled", "synthetic"):
        away = (points[source] - points["own"]).abs()
        net = 100 * ((spreads[source] - spreads["own"]) / spreads["width"]).abs()
        print(
            f"{source}: mean distance {away.mean():.2f} points, largest {away.max():.2f}; "
            f"net of spreads, mean {net.mean():.1f} % of the width, largest {net.max():.1f}"
        )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
