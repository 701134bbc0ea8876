import pytest

from tests.trading.report.made_backtest import made_backtest


@pytest.fixture(scope="session")
def backtest():
    return made_backtest(end="2023-06-30")
