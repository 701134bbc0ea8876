"""The simulated economy: policy rate, yields, breakeven inflation, prices and unemployment.

Rates follow a policy rate that moves in quarter points at meetings towards a slow target;
yields lie between policy, target and a term premium of their own. All in %, mean-reverting,
drawn forward in time, and independent of the market: they carry no information about returns.
"""

from types import MappingProxyType
from typing import Final, NamedTuple

import numpy as np
import pandas as pd

from ingestion.sources.simulated.draws import Ornstein, stream
from market.arrays import FloatArray
from market.availability import available_at
from market.calendar import NEW_YORK

MEETING: Final = 32  # business days between two decisions on the policy rate: eight a year
STEP: Final = 0.25
LARGEST_MOVE: Final = 2
LOWEST_POLICY: Final = 0.0
# Where the funds rate trades within the policy's range.
FUNDS_SPREAD: Final = 0.08


TARGET: Final = Ornstein(2.3, 1.9, 0.9992)
FUNDS_NOISE: Final = Ornstein(0.0, 0.01, 0.5)
BILL_SPREAD: Final = Ornstein(0.0, 0.06, 0.95)
NOTE_SPREAD: Final = Ornstein(0.15, 0.20, 0.99)
BOND_PREMIUM: Final = Ornstein(0.90, 0.45, 0.995)
BREAKEVEN: Final = Ornstein(2.10, 0.32, 0.995)
BREAKEVEN_SLOPE: Final = Ornstein(-0.10, 0.15, 0.985)
INFLATION: Final = Ornstein(0.0021, 0.0015, 0.90)
INFLATION_NOISE: Final = 0.0012
FIRST_CPI: Final = 210.0
UNEMPLOYMENT: Final = Ornstein(5.2, 1.3, 0.992)
LOWEST_UNEMPLOYMENT: Final = 2.5
# Standard deviations of what is still missing in a figure when it is first published, and when it
# is revised with the figure of the next month; a year later it is final.
REVISED: Final = MappingProxyType({"UNRATE": (0.08, 0.05), "CPIAUCSL": (0.15, 0.08)})
REVISIONS: Final = (0, 1, 12)
# One release in ten comes up to five days late.
LATE_SHARE: Final = 0.1
LATEST: Final = 5
DIGITS: Final = MappingProxyType({"UNRATE": 1, "CPIAUCSL": 3})


class Rates(NamedTuple):
    """Rates of the business days in %, rounded as published; each of shape (n_days,)."""

    funds: FloatArray
    three_month: FloatArray
    two_year: FloatArray
    ten_year: FloatArray
    slope: FloatArray
    ten_year_breakeven: FloatArray
    five_year_breakeven: FloatArray
    ten_year_real: FloatArray


class Economy(NamedTuple):
    """Monthly figures, rounded as published; each of shape (n_months,)."""

    consumer_prices: FloatArray
    unemployment: FloatArray


RATE_DRAWS: Final = 7
MONTH_DRAWS: Final = 3

# FRED series of business days -> the rate it publishes.
DAILY_RATES: Final = MappingProxyType(
    {
        "DGS3MO": "three_month",
        "DGS2": "two_year",
        "DGS10": "ten_year",
        "T10Y2Y": "slope",
        "T10YIE": "ten_year_breakeven",
        "T5YIE": "five_year_breakeven",
        "DFII10": "ten_year_real",
    }
)


def simulate_rates(normal: FloatArray) -> Rates:
    """Return the rates of business days.

    The slope is ten-year less two-year, the real yield ten-year less breakeven, of the rounded
    figures and to the letter.

    Parameters
    ----------
    normal
        Standard normal, one row a business day, shape (n_days, 7).
    """
    target = TARGET.path(normal[:, 0])
    policy = _policy(target)
    funds = np.maximum(policy + FUNDS_SPREAD + FUNDS_NOISE.path(normal[:, 1]), 0.04)
    bill = 0.75 * policy + 0.25 * np.maximum(target, 0.0) + BILL_SPREAD.path(normal[:, 2])
    note = 0.45 * policy + 0.55 * target + NOTE_SPREAD.path(normal[:, 3])
    bond = 0.25 * policy + 0.45 * target + BOND_PREMIUM.path(normal[:, 4])
    breakeven = BREAKEVEN.path(normal[:, 5])
    three_month = np.maximum(bill, 0.01).round(2)
    two_year = np.maximum(note, 0.05).round(2)
    ten_year = np.maximum(bond, 0.40).round(2)
    ten_year_breakeven = breakeven.round(2)
    return Rates(
        funds=funds.round(2),
        three_month=three_month,
        two_year=two_year,
        ten_year=ten_year,
        slope=(ten_year - two_year).round(2),
        ten_year_breakeven=ten_year_breakeven,
        five_year_breakeven=(breakeven + BREAKEVEN_SLOPE.path(normal[:, 6])).round(2),
        ten_year_real=(ten_year - ten_year_breakeven).round(2),
    )


def simulate_economy(normal: FloatArray) -> Economy:
    """Return the monthly figures.

    Parameters
    ----------
    normal
        Standard normal, one row a month, shape (n_months, 3).
    """
    growth = INFLATION.path(normal[:, 0]) + INFLATION_NOISE * normal[:, 1]
    unemployment = np.maximum(UNEMPLOYMENT.path(normal[:, 2]), LOWEST_UNEMPLOYMENT)
    return Economy((FIRST_CPI * np.exp(np.cumsum(growth))).round(3), unemployment.round(1))


def daily_series(name: str, days: pd.DatetimeIndex, rates: Rates) -> pd.Series:
    """Return a FRED series of rates in %, by day: business days, and every day for DFF.

    Parameters
    ----------
    days
        Those of the rates, shape (n_days,).
    """
    if name == "DFF":
        every_day = pd.date_range(days[0], days[-1])
        return pd.Series(rates.funds, index=days).reindex(every_day, method="ffill")
    return pd.Series(getattr(rates, DAILY_RATES[name]), index=days)


def monthly_series(seed: int, name: str, months: pd.DatetimeIndex) -> pd.Series:
    """Return UNRATE in % or CPIAUCSL in points, by the first day of the month."""
    draws = stream(seed, "economy").standard_normal((len(months), MONTH_DRAWS))
    economy = simulate_economy(draws)
    values = economy.unemployment if name == "UNRATE" else economy.consumer_prices
    return pd.Series(values, index=months)


def monthly_vintages(seed: int, name: str, months: pd.DatetimeIndex) -> pd.DataFrame:
    """Return UNRATE or CPIAUCSL as it was published, again where it was revised.

    Parameters
    ----------
    months
        First days of months, ascending without a gap.

    Returns
    -------
    pd.DataFrame
        `observation_date`, `vintage_date` (day of publication, maybe in the future) and `value`,
        a row for each value when it was new.
    """
    values = monthly_series(seed, name, months).to_numpy()
    noise = stream(seed, "revisions", name).standard_normal((len(months), 2))
    published = _releases(seed, name, months)
    missing = [*(noise * REVISED[name]).T, np.zeros(len(months))]
    parts = [
        pd.DataFrame(
            {
                "observation_date": months,
                "vintage_date": published[later : later + len(months)],
                "value": (values + error).round(DIGITS[name]),
            }
        )
        for later, error in zip(REVISIONS, missing, strict=True)
    ]
    rows = pd.concat(parts).sort_values(["observation_date", "vintage_date"], kind="stable")
    # Figures of two months that come out on one day: the earlier one's is revised at once.
    rows = rows.drop_duplicates(["observation_date", "vintage_date"], keep="last")
    before = rows.groupby("observation_date")["value"].shift()
    return rows[rows["value"] != before].reset_index(drop=True)


def _releases(seed: int, name: str, months: pd.DatetimeIndex) -> pd.DatetimeIndex:
    """Return the days on which figures of the months, and of a year more, are published."""
    every = pd.date_range(months[0], periods=len(months) + REVISIONS[-1], freq="MS")
    due = available_at(name, every).tz_convert(NEW_YORK).tz_localize(None).normalize()
    share, days = stream(seed, "releases", name).random((len(every), 2)).T
    late = np.where(share < LATE_SHARE, np.ceil(days * LATEST), 0.0)
    return due + pd.to_timedelta(late, unit="D")


def _policy(target: FloatArray) -> FloatArray:
    """Return the policy rate: moved at every meeting by whole steps towards the target."""
    decided = target[::MEETING]
    start = max(LOWEST_POLICY, float(np.round(decided[0] / STEP)) * STEP) if len(decided) else 0.0
    rates = [start]
    for aim in decided[1:]:
        steps = np.clip(np.round((aim - rates[-1]) / STEP), -LARGEST_MOVE, LARGEST_MOVE)
        rates.append(max(LOWEST_POLICY, rates[-1] + STEP * float(steps)))
    return np.repeat(rates, MEETING)[: len(target)]
