"""Small files in the vendors' shapes, and short simulated histories."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from ingestion.sources.simulated.source import Simulated

FILES = {
    "yahoo/SPY.csv": """\
Date,Open,High,Low,Close,Adj Close,Volume,Dividends
2024-01-02,470.0,474.0,468.5,472.5,460.1,1000,0.0
2024-01-03,472.0,473.0,467.0,468.0,455.7,1200,1.5
2024-01-04,468.0,470.0,466.0,467.0,454.7,900,0.0
""",
    "yahoo/QQQ.csv": """\
Date,Open,High,Low,Close,Adj Close,Volume,Dividends
2024-01-02,405.0,406.0,400.0,402.5,399.1,700,0.0
2024-01-03,400.0,402.0,397.0,398.0,395.7,800,0.0
""",
    "cboe/VIX.csv": """\
Date,Open,High,Low,Close
2024-01-02,13.2,14.2,13.1,13.2
2024-01-03,13.4,14.3,13.3,14.04
""",
    "cboe/RVX.csv": """\
Date,Close
2024-01-02,21.5
""",
    "fred/DGS10.csv": """\
observation_date,DGS10
2024-01-01,.
2024-01-02,3.95
2024-01-03,3.91
""",
    "fred/CPIAUCSL.csv": """\
observation_date,CPIAUCSL
2023-12-01,308.742
2024-01-01,309.685
""",
    # 1704232800 is 2024-01-02 22:00 UTC.
    "finnhub/news.csv": """\
category,datetime,headline,id,image,related,source,summary,url
general,1704232800,Stocks fall on weak demand,101,,,Reuters,,
general,1704310200,"Stocks rise, great gains",102,,,,,
general,1704402000,Stocks trade flat,103,,,CNBC,,
""",
    "finnhub/earnings_calendar.csv": """\
date,epsActual,epsEstimate,hour,quarter,revenueActual,revenueEstimate,symbol,year
2024-01-02,2.18,2.10,amc,4,119575000000,117900000000,AAPL,2023
2024-01-04,2.93,2.78,amc,4,,,MSFT,2023
2024-01-19,1.53,,bmo,1,,,AAPL,2024
""",
    "apewisdom/history.csv": """\
ts,filter,rank,ticker,name,mentions,upvotes,rank_24h_ago,mentions_24h_ago
2024-01-02T14:00:00.123Z,wallstreetbets,1,SPY,SPDR S&amp;P 500,530,1990,2,465
2024-01-02T14:00:00.123Z,all-stocks,1,QQQ,Invesco QQQ,12,30,0,0
2024-01-02T14:00:00.123Z,4chan,1,SPY,SPDR S&amp;P 500,600,2100,2,500
2024-01-03T21:30:00Z,wallstreetbets,1,SPY,SPDR S&amp;P 500,400,1500,1,530
2024-01-03T21:30:00.001Z,wallstreetbets,1,QQQ,Invesco QQQ,90,300,12,86
""",
    "option_chains/SPY_2024-01-03.csv": """\
quote_time,underlying,underlying_last,expiration,strike,option_type,contract_symbol,last,bid,ask,volume,implied_volatility,delta,gamma,open_interest
2024-01-03T15:45:00-05:00,SPY,468.5,2024-01-19,470.0,call,SPY240119C00470000,4.1,4.05,4.12,2100,0.1175,0.4512,0.0312,9000
2024-01-03T15:45:00-05:00,SPY,468.5,2024-01-19,300.0,call,SPY240119C00300000,0,168.2,169.1,0,0,1,0,3
""",
    "option_chains/QQQ_2024-01-02.csv": """\
quote_time,underlying,underlying_last,expiration,strike,option_type,bid,ask,volume,implied_volatility,delta,gamma,open_interest
2024-01-02T15:45:00-05:00,QQQ,402.6,2024-01-19,400.0,put,4.9,5.0,2000,0.17,-0.41,0.02,4000
""",
}


@pytest.fixture
def vendor_folder(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    return tmp_path


@pytest.fixture(scope="session")
def simulated() -> Callable[..., Simulated]:
    """A simulated source, by default three years without a signal."""

    def make(
        seed: int = 7, strength: float = 0.0, as_of: str = "2024-12-31 21:30", **options: str
    ) -> Simulated:
        options.setdefault("first_session", "2022-01-03")
        return Simulated(seed, strength, pd.Timestamp(as_of, tz="UTC"), **options)

    return make
