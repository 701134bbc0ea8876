"""A peer's part of `benchmarks.backtest`, run by the interpreter of its own environment.

`python backtest_peer.py lumibot|optopsy FOLDER` leaves trades, processor seconds and USD there.
"""

import os
import sys
import time
from pathlib import Path

import pandas as pd


def optopsy(folder: str) -> tuple[int, float, float]:
    """Return what its spreads of the planned strikes came to, out of those of all strikes."""
    import optopsy as op

    dates = ["expiration", "quote_date"]
    board = pd.read_csv(f"{folder}/board.csv", parse_dates=dates)
    plans = pd.read_csv(f"{folder}/plans.csv", parse_dates=["entered", "expiry"])
    start = time.process_time()
    found = op.short_put_spread(board, raw=True, max_entry_dte=60)
    found["entered"] = found["expiration"] - pd.to_timedelta(found["dte_entry"], unit="D")
    keys = ["entered", "expiration", "strike_leg1", "strike_leg2"]
    mine = plans.rename(
        columns={"expiry": "expiration", "low": "strike_leg1", "high": "strike_leg2"}
    )[keys]
    kept = found.merge(mine, on=keys)
    spent = time.process_time() - start
    gained = (kept["total_exit_proceeds"] - kept["total_entry_cost"]).sum()
    return len(kept), spent, 100.0 * float(gained)


def contracts(
    prices: pd.DataFrame, spots: pd.Series, plans: pd.DataFrame
) -> tuple[object, dict, dict]:
    """Return the share, the contracts of each plan's strikes, and the prices of all.

    Each plan has contracts of its own: lumibot nets those of one name, and a sale of one position
    would close another's.
    """
    from lumibot.entities import Asset, Data

    usd, share = Asset("USD", "forex"), Asset("SPY")

    def data(asset: Asset, series: pd.Series) -> Data:
        days = series.index.tz_localize("America/New_York")
        columns = dict.fromkeys(("open", "high", "low", "close"), series.to_numpy())
        frame = pd.DataFrame(columns, index=days).assign(volume=1e6)
        return Data(asset, frame, timestep="day", quote=usd)

    series = {
        of: part.set_index("day")["price"].sort_index().reindex(spots.index).ffill().bfill()
        for of, part in prices.groupby(["strike", "expiry"])
    }
    assets, store = {}, {(share, usd): data(share, spots)}
    for plan in plans.itertuples():
        for strike in (plan.low, plan.high):
            # Sold before its expiry's settlement, so that what it does then is not asked.
            expires = (plan.expiry + pd.Timedelta(days=7)).date()
            asset = Asset("SPY", "option", expiration=expires, strike=strike + 1e-4 * plan.Index,
                          right="PUT", multiplier=100)  # fmt: skip
            assets[plan.Index, strike] = asset
            store[asset, usd] = data(asset, series[strike, plan.expiry])
    return share, assets, store


def lumibot(folder: str) -> tuple[int, float, float]:
    """Return what its strategy made of the same plans, day by day."""
    os.environ.update(
        IS_BACKTESTING="True", LUMIBOT_DISABLE_UI="1", LUMIBOT_DISABLE_DOTENV="1",
        BACKTESTING_QUIET_LOGS="true",
    )  # fmt: skip
    from lumibot.backtesting import BacktestingBroker, PandasDataBacktesting
    from lumibot.strategies import Strategy
    from lumibot.traders import Trader

    dates = ["entered", "expiry", "last", "left"]
    plans = pd.read_csv(f"{folder}/plans.csv", parse_dates=dates)
    prices = pd.read_csv(f"{folder}/prices.csv", parse_dates=["expiry", "day"])
    spots = prices.drop_duplicates("day").set_index("day")["spot"].sort_index()
    share, assets, store = contracts(prices, spots, plans)
    by_day = dict(iter(plans.groupby("entered")))

    class Spreads(Strategy):
        def initialize(self) -> None:
            self.sleeptime, self.held, self.done = "1D", [], 0

        def on_trading_iteration(self) -> None:
            now = pd.Timestamp(self.get_datetime().date())
            spot, kept = self.get_last_price(share), []
            for plan in self.held:
                low, high = (assets[plan.Index, strike] for strike in (plan.low, plan.high))
                worth = self.get_last_price(low) - self.get_last_price(high)
                if spot <= plan.below or worth >= plan.target or now >= plan.last:
                    self.trade(plan, "sell_to_close", "buy_to_close")
                    self.done += 1
                else:
                    kept.append(plan)
            self.held = kept
            for plan in by_day[now].itertuples() if now in by_day else ():
                self.trade(plan, "buy_to_open", "sell_to_open")
                self.held.append(plan)

        def trade(self, plan: object, low: str, high: str) -> None:
            for strike, side in ((plan.low, low), (plan.high, high)):
                asset = assets[plan.Index, strike]
                self.submit_order(self.create_order(asset, 1, side))

    first, last = (day.to_pydatetime() for day in (spots.index[0], spots.index[-1]))
    source = PandasDataBacktesting(first, last, pandas_data=store)
    strategy = Spreads(broker=BacktestingBroker(source), budget=1e7, benchmark_asset=None,
                       analyze_backtest=False)  # fmt: skip
    trader = Trader(backtest=True, quiet_logs=True)
    trader.add_strategy(strategy)
    start = time.process_time()
    trader.run_all(show_plot=False, show_tearsheet=False, save_tearsheet=False,
                   show_indicators=False)  # fmt: skip
    spent = time.process_time() - start
    return strategy.done, spent, float(strategy.get_portfolio_value() - 1e7)


if __name__ == "__main__":
    found = {"lumibot": lumibot, "optopsy": optopsy}[sys.argv[1]](sys.argv[2])
    Path(sys.argv[2], "found.txt").write_text(" ".join(map(str, found)))
