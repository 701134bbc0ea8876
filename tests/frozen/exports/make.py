"""Made-up exports, each written by the program itself: `python make.py PROGRAM`, where it installs.

`optopsy` 2.2.0, `backtesting` 0.6.6, `lumibot` 4.6.30, `freqtrade` 2026.9. QuantConnect exports on
its own machines alone: its file is one of the columns and the form that its documentation shows.
"""

import json
import os
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd

HERE = Path(__file__).parent


def walk(days, seed=5, step=0.012):
    return 100.0 * np.exp(np.cumsum(step * np.random.default_rng(seed).standard_normal(len(days))))


def backtesting():
    from backtesting import Backtest, Strategy

    days = pd.bdate_range("2021-01-04", "2024-12-31")
    close = walk(days)
    prices = pd.DataFrame({"Open": close, "High": close, "Low": close, "Close": close}, index=days)

    class Turns(Strategy):
        def init(self):
            pass

        def next(self):
            at = len(self.data)
            if at % 9 == 1:
                self.buy(size=10, tag="long" if at % 2 else "other")
            if at % 9 == 7:
                self.position.close()

    found = Backtest(prices, Turns, cash=10_000, commission=0.001).run()
    found._trades.to_csv(HERE / "backtesting.csv")


def optopsy():
    import optopsy as op

    rows = []
    days = pd.bdate_range("2023-01-02", "2023-06-30")
    spots = dict(zip(days, walk(days), strict=True))
    for expiry in pd.to_datetime(["2023-02-17", "2023-03-17", "2023-04-21", "2023-05-19"]):
        for day in days[(days <= expiry) & (days >= expiry - pd.Timedelta(days=25))]:
            years = (expiry - day).days / 365
            for strike in (95.0, 100.0, 105.0):
                for kind, sign in (("c", 1.0), ("p", -1.0)):
                    worth = max(sign * (spots[day] - strike), 0.0) + 6.0 * np.sqrt(years)
                    quote = round(max(worth - 0.05, 0.0), 2), round(worth + 0.05, 2)
                    rows.append(("SPY", spots[day], kind, expiry, day, strike, *quote))
    columns = ["underlying_symbol", "underlying_price", "option_type", "expiration", "quote_date",
               "strike", "bid", "ask"]  # fmt: skip
    chain = pd.DataFrame(rows, columns=columns)
    op.short_put_spread(chain, raw=True).to_csv(HERE / "optopsy.csv", index=False)
    op.short_puts(chain, raw=True).head(20).to_csv(HERE / "optopsy_one_leg.csv", index=False)


def lumibot():
    os.environ.update(IS_BACKTESTING="True", LUMIBOT_DISABLE_UI="1", LUMIBOT_DISABLE_DOTENV="1")
    from lumibot.backtesting import PandasDataBacktesting
    from lumibot.entities import Asset, Data, TradingFee
    from lumibot.strategies import Strategy

    days = pd.bdate_range("2024-01-02", "2024-07-31", tz="America/New_York")
    close = walk(days)
    share, usd = Asset("SPY"), Asset("USD", "forex")
    left = np.maximum((pd.Timestamp("2024-03-15", tz=days.tz) - days).days / 365, 0.0)
    right = {}
    for strike, kind, sign in ((100, "CALL", 1.0), (95, "PUT", -1.0), (105, "PUT", -1.0)):
        option = Asset("SPY", "option", expiration=date(2024, 3, 15), strike=strike,
                       right=kind, multiplier=100)  # fmt: skip
        right[option] = np.maximum(sign * (close - strike), 0.0) + 5.0 * np.sqrt(left) + 0.01
    call, put, deep = right

    def data(asset, prices):
        frame = pd.DataFrame(dict.fromkeys(("open", "high", "low", "close"), prices), index=days)
        return Data(asset, frame.assign(volume=1e6), timestep="day", quote=usd)

    class Turns(Strategy):
        def initialize(self):
            self.sleeptime, self.at = "1D", 0

        def on_trading_iteration(self):
            self.at += 1
            orders = {
                1: (share, 10, "buy"), 4: (share, 4, "sell"), 7: (share, 6, "sell"),
                2: (call, 2, "buy_to_open"), 12: (call, 1, "sell_to_close"),
                3: (put, 1, "sell_to_open"), 5: (deep, 1, "sell_to_open"),
                60: (share, 200, "sell"), 70: (share, 5, "sell"), 75: (share, 5, "buy"),
            }  # fmt: skip
            if self.at in orders:
                self.submit_order(self.create_order(*orders[self.at]))

    fee = TradingFee(flat_fee=0.65)
    store = {(one, usd): data(one, prices) for one, prices in [(share, close), *right.items()]}
    folder = Path(sys.argv[2])
    Turns.backtest(
        PandasDataBacktesting, *(one.to_pydatetime() for one in (days[0], days[-20])),
        pandas_data=store,
        benchmark_asset=None, show_plot=False, show_tearsheet=False, save_tearsheet=False,
        show_indicators=False, buy_trading_fees=[fee], sell_trading_fees=[fee],
        trades_file=str(folder / "trades.csv"), stats_file=str(folder / "stats.csv"),
        quiet_logs=True,
    )  # fmt: skip
    (HERE / "lumibot.csv").write_text((folder / "trades.csv").read_text())
    worth = pd.read_csv(folder / "stats.csv")["portfolio_value"]
    (HERE / "lumibot.json").write_text(json.dumps({"gained": worth.iloc[-1] - worth.iloc[0]}))


def freqtrade():
    from freqtrade.data.btanalysis import trade_list_to_dataframe
    from freqtrade.persistence import LocalTrade

    LocalTrade.use_db = False
    start, trades = datetime(2024, 1, 1, tzinfo=UTC), []
    rng = np.random.default_rng(5)
    for at in range(40):
        opened = start + timedelta(hours=31 * at)
        rate, moved = 100.0 + at / 10.0, 0.03 * rng.standard_normal()
        trade = LocalTrade(
            id=at + 1, pair=("BTC/USDT", "ETH/USDT")[at % 2], stake_amount=100.0,
            amount=100.0 / rate,
            open_rate=rate, open_date=opened, fee_open=0.001, fee_close=0.001, is_open=True,
            exchange="binance", leverage=1.0, enter_tag=("", "dip")[at % 2], max_rate=rate,
            min_rate=rate, price_precision=8, amount_precision=8, precision_mode=2,
        )  # fmt: skip
        trade.open_trade_value = trade._calc_open_trade_value(trade.amount, rate)
        if at < 38:
            trade.close_rate, trade.close_date = rate * (1.0 + moved), opened + timedelta(hours=20)
            trade.close_profit = trade.calc_profit_ratio(trade.close_rate)
            trade.close_profit_abs = trade.calc_profit(trade.close_rate)
            trade.is_open, trade.exit_reason = False, "roi" if moved > 0 else "stop_loss"
        trades.append(trade)
    rows = trade_list_to_dataframe(trades).to_dict(orient="records")
    results = {"strategy": {"Dips": {"trades": rows}}, "strategy_comparison": []}
    (HERE / "freqtrade.json").write_text(json.dumps(results, default=str))


if __name__ == "__main__":
    {one.__name__: one for one in (backtesting, optopsy, lumibot, freqtrade)}[sys.argv[1]]()
