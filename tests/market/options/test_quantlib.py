"""The kernel beside QuantLib: prices, greeks, and American options inside their bound.

Its binomial tree and its solver for implied volatility are no oracles: the tree skips the payoff at
some maturities, the solver answers where there is no solution. Its QdFp engine is one.
"""

from typing import NamedTuple

import numpy as np
import pytest
import QuantLib as ql  # noqa: N813 - as its own pages write it

from market.arrays import FloatArray
from market.options.american import dividends_bound, premium_bound
from market.options.black import black_76, black_scholes, price_scholes
from market.options.implied_volatility import implied_volatility

MANY = [pytest.param(5_000, id="few"), pytest.param(100_000, marks=pytest.mark.long, id="many")]
SPOT = 100.0


class Drawn(NamedTuple):
    """Random options on a spot of 100, days to expiry whole."""

    strike: FloatArray
    days: FloatArray
    volatility: FloatArray
    sign: FloatArray
    rate: FloatArray
    dividend_yield: FloatArray

    @property
    def inputs(self) -> tuple[float | FloatArray, ...]:
        years = self.days / 365.0
        return (SPOT, self.strike, years, *self[2:])


def drawn(count: int, lowest_rate: float) -> Drawn:
    rng = np.random.default_rng(20)
    days = rng.integers(1, 1000, count).astype(np.float64)
    volatility = rng.uniform(0.05, 1.0, count)
    away = volatility * np.sqrt(days / 365.0) * rng.uniform(-5.0, 5.0, count)
    return Drawn(
        SPOT * np.exp(away), days, volatility, rng.choice([-1.0, 1.0], count),
        rng.uniform(lowest_rate, 0.08, count), rng.uniform(max(lowest_rate, 0.0), 0.05, count),
    )  # fmt: skip


def payoff(strike: float, sign: float) -> ql.PlainVanillaPayoff:
    return ql.PlainVanillaPayoff(ql.Option.Call if sign > 0 else ql.Option.Put, strike)


@pytest.mark.parametrize("count", MANY)
def test_prices_and_greeks_are_those_of_quantlib(count: int) -> None:
    options = drawn(count, -0.02)
    years = options.days / 365.0
    forward = SPOT * np.exp((options.rate - options.dividend_yield) * years)
    discount = np.exp(-options.rate * years)
    told = np.empty((9, count))
    deviation = options.volatility * np.sqrt(years)
    columns = (options.strike, options.sign, forward, deviation, discount, years)
    rows = zip(*(one.tolist() for one in columns), strict=True)
    for at, (strike, sign, ahead, root, now, left) in enumerate(rows):
        one = ql.BlackCalculator(payoff(strike, sign), ahead, root, now)
        told[:, at] = (
            one.value(), one.delta(SPOT), one.gamma(SPOT), one.vega(left), one.theta(SPOT, left),
            one.rho(left), one.deltaForward(), one.gammaForward(), one.theta(ahead, left),
        )  # fmt: skip
    told[[3, 5]] /= 100.0
    told[[4, 8]] /= 365.0
    scholes = black_scholes(*options.inputs)
    black = black_76(forward, options.strike, years, options.volatility, options.sign, discount)
    np.testing.assert_allclose(scholes.price, told[0], rtol=0, atol=1e-10 * SPOT)
    np.testing.assert_allclose(black.price, told[0], rtol=0, atol=1e-10 * SPOT)
    np.testing.assert_allclose(np.array(scholes[1:]), told[1:6], rtol=0, atol=1e-6)
    np.testing.assert_allclose(np.array(black[1:4]), told[[6, 7, 3]], rtol=0, atol=1e-6)
    np.testing.assert_allclose(black.theta, told[8], rtol=0, atol=1e-6)
    found = implied_volatility(
        told[0], forward, options.strike, years, options.sign, discount
    ).volatility
    # What the last digit of a price leaves open.
    left_open = 1e-14 * (SPOT + options.strike) / np.maximum(100.0 * scholes.vega, 1e-300)
    known = left_open < 1e-3 * options.volatility
    assert known.mean() > 0.8
    error = np.abs(found - options.volatility)[known]
    assert (error <= 1e-10 * options.volatility[known] + left_open[known]).all()


@pytest.mark.parametrize("count", MANY)
def test_an_american_option_lies_between_the_european_one_and_its_bound(count: int) -> None:
    options = drawn(count, 1e-3)
    spot, rate, income, volatility = (ql.SimpleQuote(value) for value in (SPOT, 0.0, 0.0, 0.1))
    today, basis = ql.Date(2, 1, 2024), ql.Actual365Fixed()
    ql.Settings.instance().evaluationDate = today

    def curve(quote: ql.SimpleQuote) -> ql.YieldTermStructureHandle:
        return ql.YieldTermStructureHandle(ql.FlatForward(today, ql.QuoteHandle(quote), basis))

    smile = ql.BlackConstantVol(today, ql.NullCalendar(), ql.QuoteHandle(volatility), basis)
    process = ql.BlackScholesMertonProcess(
        ql.QuoteHandle(spot), curve(income), curve(rate), ql.BlackVolTermStructureHandle(smile)
    )
    engine = ql.QdFpAmericanEngine(process, ql.QdFpAmericanEngine.fastScheme())
    american = np.empty(count)
    for at, row in enumerate(zip(*(one.tolist() for one in options), strict=True)):
        strike, days, level, sign, short, paid = row
        for quote, value in ((rate, short), (income, paid), (volatility, level)):
            quote.setValue(value)
        exercise = ql.AmericanExercise(today, today + int(days))
        option = ql.VanillaOption(payoff(strike, sign), exercise)
        option.setPricingEngine(engine)
        american[at] = option.NPV()
    premium = american - price_scholes(*options.inputs)
    bound = premium_bound(*options.inputs)
    error = 1e-6 * (SPOT + options.strike)  # of the fast scheme
    assert (premium >= -error).all()
    assert (premium <= bound + error).all()
    some = premium > 0.01
    assert np.median(premium[some] / bound[some]) > 0.2  # no idle bound


@pytest.mark.parametrize("strike", [80.0, 95.0, 100.0])
@pytest.mark.parametrize("rate", [0.0, 0.04])
def test_known_dividends_bound_the_premium_of_a_call(strike: float, rate: float) -> None:
    today, basis = ql.Date(2, 1, 2024), ql.Actual365Fixed()
    ql.Settings.instance().evaluationDate = today
    days, amounts = [40, 130], [1.2, 1.2]
    process = ql.BlackScholesMertonProcess(
        ql.QuoteHandle(ql.SimpleQuote(SPOT)),
        *(ql.YieldTermStructureHandle(ql.FlatForward(today, one, basis)) for one in (0.0, rate)),
        ql.BlackVolTermStructureHandle(ql.BlackConstantVol(today, ql.NullCalendar(), 0.2, basis)),
    )
    paid = ql.DividendVector([today + day for day in days], amounts)
    engine = ql.FdBlackScholesVanillaEngine(process, paid, 200, 400)
    values = []
    for exercise in (ql.AmericanExercise(today, today + 170), ql.EuropeanExercise(today + 170)):
        option = ql.VanillaOption(payoff(strike, 1.0), exercise)
        option.setPricingEngine(engine)
        values.append(option.NPV())
    bound = dividends_bound(strike, 170 / 365, rate, np.array(amounts), np.array(days) / 365)
    assert -1e-3 <= values[0] - values[1] <= bound + 1e-3
