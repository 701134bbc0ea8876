"""Small files in the vendors' shapes, and short simulated histories."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from ingestion.sources.simulated import Simulated

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
