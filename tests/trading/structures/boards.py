"""Boards of a simulated expiry, for the tests of structures."""

import numpy as np
import pandas as pd

from market.calendar import sessions
from market.options.smile import Cubic
from market.options.synthetic_smile import INDEX_FORM, Form, Terms, synthetic_smile
from market.underlyings import underlying
from trading.structures.board import Board, modelled_board
from trading.structures.chances import Outlook
from trading.structures.price import Life

ENTERED = pd.Timestamp("2025-06-27")
EXPIRATION = pd.Timestamp("2025-07-18")
SPY = underlying("SPY").options
FLAT = Form(0.0, 0.0, Cubic(0.0, 0.0, 0.0))


def board(
    spot: float = 600.0, index: float = 17.0, slope: float = 1.1, form: Form = INDEX_FORM,
    rate: float = 0.04,
) -> Board:  # fmt: skip
    """Return the synthetic board of three weeks."""
    years = (EXPIRATION - ENTERED).days / 365
    forward = spot * np.exp((rate - SPY.dividend_yield) * years)
    terms = Terms(forward, float(np.exp(-rate * years)), years)
    smile = synthetic_smile(form, index, index * slope, terms)
    return modelled_board(EXPIRATION, smile, spot, SPY)


def life() -> Life:
    """Return the sessions of three weeks."""
    closes = sessions(ENTERED + pd.Timedelta(days=1), EXPIRATION)
    return Life(ENTERED, closes, np.array([(EXPIRATION - day).days / 365 for day in closes]))


def outlook(
    drift: float = 0.0, deviation: float = 0.01, spot: float = 600.0, count: int = 1000
) -> Outlook:
    """Return paths of independent normal daily log-returns, and their ends."""
    steps = np.random.default_rng(5).normal(drift, deviation, (count, len(life().closes)))
    paths = spot * np.exp(np.cumsum(steps, axis=1))
    return Outlook(np.sort(paths[:, -1]), paths)
