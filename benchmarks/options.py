"""Speed and memory of the options kernel beside its numpy floor and QuantLib's loop; one core.

`python -m benchmarks.options [--options 1000000] [--rounds 7] [--json]` prices random options, and
finds the volatilities that their prices imply. The floor is what no way round these formulas leaves
out: a logarithm, an exponential and two normal distributions of an option's own arguments, computed
beforehand, a chunk at a time, each into an array of its own. As with any answer its memory is new;
beside it stands the same into memory that is there. QuantLib's loop makes a `BlackCalculator` for
each option and asks it for price and five greeks; 20,000 options, extrapolated. CPU seconds are the
figure, as other processes do not count in them, and contenders take turns: the best round of each
is taken. Memory is the peak that numpy asked for beside the answer.
"""

import argparse
import json
import time
import tracemalloc
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import QuantLib as ql  # noqa: N813 - as its own pages write it
from scipy.special import ndtr

from market.arrays import FloatArray
from market.options.black import black_76, black_scholes, price_76
from market.options.chunks import CHUNK
from market.options.implied_volatility import Reason, implied_volatility

LOOPED = 20_000
GREEKS = "Black-76, price and five greeks"
IMPLIED = "implied volatility"
LOOP = "QuantLib's loop, price and five greeks"
FLOOR = "numpy floor: log, exp, two ndtr"
KEPT = "the same, into memory that is there"
ANSWER = 6  # arrays
GOALS = {
    "greeks, times the floor, at most": 1.5,
    "implied volatility, times the floor, at most": 8.0,
    "QuantLib's loop, times the greeks, at least": 50.0,
}


class Options(NamedTuple):
    """Random options on forwards, in the order of the arguments of `black_76`."""

    forward: FloatArray
    strike: FloatArray
    years: FloatArray
    volatility: FloatArray
    sign: FloatArray
    discount: FloatArray


def drawn(count: int) -> Options:
    """Return options of a day to two years, up to some four deviations from the money."""
    rng = np.random.default_rng(0)
    forward, years = rng.uniform(50.0, 500.0, count), rng.uniform(1 / 365, 2.0, count)
    volatility = rng.uniform(0.05, 1.0, count)
    away = volatility * np.sqrt(years) * np.clip(rng.standard_normal(count), -4.0, 4.0)
    sign = rng.choice([-1.0, 1.0], count)
    return Options(forward, forward * np.exp(away), years, volatility, sign, np.exp(-0.04 * years))


def floors(options: Options) -> tuple[Callable[[], object], Callable[[], object]]:
    """Return the four functions on the options' arguments, into new memory and into old."""
    deviation = options.volatility * np.sqrt(options.years)
    ratio = options.forward / options.strike
    first = np.log(ratio) / deviation + deviation / 2.0
    steps = (
        (np.log, ratio), (np.exp, -0.5 * first**2), (ndtr, options.sign * first),
        (ndtr, options.sign * (first - deviation)),
    )  # fmt: skip

    def fill(out: FloatArray) -> None:
        for start in range(0, len(ratio), CHUNK):
            part = slice(start, start + CHUNK)
            for into, (function, values) in zip(out, steps, strict=False):
                function(values[part], out=into[part])

    kept = np.zeros((len(steps), len(ratio)))
    return lambda: fill(np.empty((ANSWER, len(ratio)))), lambda: fill(kept)


def quantlib_loop(options: Options) -> None:
    """Ask QuantLib for the price and five greeks of options, one after the other."""
    deviation = options.volatility * np.sqrt(options.years)
    columns = (
        options.forward, options.strike, options.years, deviation, options.sign, options.discount
    )  # fmt: skip
    for forward, strike, years, spread, sign, discount in zip(
        *(one.tolist() for one in columns), strict=True
    ):
        kind = ql.Option.Call if sign > 0 else ql.Option.Put
        one = ql.BlackCalculator(ql.PlainVanillaPayoff(kind, strike), forward, spread, discount)
        one.value()
        one.deltaForward()
        one.gammaForward()
        one.vega(years)
        one.theta(forward, years)
        one.rho(years)


def seconds(contenders: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Return the best CPU seconds of each contender; they take turns."""
    best = dict.fromkeys(contenders, np.inf)
    for _ in range(rounds):
        for name, run in contenders.items():
            start = time.process_time()
            run()
            best[name] = min(best[name], time.process_time() - start)
    return best


def beside_the_answer(run: Callable[[], tuple[np.ndarray, ...]]) -> float:
    """Return the MiB that a run asks for at its peak, less those of its answer."""
    run()
    tracemalloc.start()
    answer = run()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return (peak - sum(one.nbytes for one in answer)) / 2**20


def measure(count: int, rounds: int) -> dict[str, dict[str, float]]:
    """Return microseconds, ratios to the floor, and MiB of every contender."""
    options = drawn(count)
    forward, strike, years, volatility, sign, discount = options
    price = price_76(*options)
    found = implied_volatility(price, forward, strike, years, sign, discount)
    assert (found.reason == Reason.SOLVED).all()
    assert np.nanmax(np.abs(found.volatility / volatility - 1.0)) < 1e-6
    few = Options(*(one[:LOOPED] for one in options))
    new, kept = floors(options)
    runs: dict[str, Callable[[], object]] = {
        FLOOR: new,
        KEPT: kept,
        GREEKS: lambda: black_76(*options),
        "Black-Scholes, price and five greeks": lambda: black_scholes(
            forward, strike, years, volatility, sign, 0.04, 0.01
        ),
        "Black-76, price alone": lambda: price_76(*options),
        IMPLIED: lambda: implied_volatility(price, forward, strike, years, sign, discount),
    }
    took = {name: one / count for name, one in seconds(runs, rounds).items()}
    took |= {LOOP: seconds({LOOP: lambda: quantlib_loop(few)}, 3)[LOOP] / len(few[0])}
    memory = {
        GREEKS: beside_the_answer(lambda: black_76(*options)),
        IMPLIED: beside_the_answer(
            lambda: implied_volatility(price, forward, strike, years, sign, discount)
        ),
    }
    return {
        name: {
            "us_an_option": 1e6 * one,
            "times_floor": one / took[FLOOR],
            "times_greeks": one / took[GREEKS],
            **({"mib_beside_the_answer": memory[name]} if name in memory else {}),
        }
        for name, one in took.items()
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--options", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    for name, least, most in (("options", LOOPED, 20_000_000), ("rounds", 1, 1_000)):
        if not least <= getattr(arguments, name) <= most:
            got = getattr(arguments, name)
            parser.error(f"--{name}: got {got}, allowed are {least:,} to {most:,}")
    figures = measure(arguments.options, arguments.rounds)
    reached = dict(
        zip(
            GOALS,
            (
                figures[GREEKS]["times_floor"],
                figures[IMPLIED]["times_floor"],
                figures[LOOP]["times_greeks"],
            ),
            strict=True,
        )
    )
    if arguments.json:
        print(json.dumps({"goals": GOALS, "reached": reached, "figures": figures}, indent=2))
        return
    print(f"{arguments.options:,} options{'':24}{'us an option':>14}{'x floor':>9}{'MiB':>7}")
    for name, one in figures.items():
        memory = one.get("mib_beside_the_answer")
        shown = "" if memory is None else f"{memory:7.2f}"
        print(f"{name:41}{one['us_an_option']:14.4f}{one['times_floor']:9.2f}{shown}")
    for name, goal in GOALS.items():
        print(f"{name} {goal:g}: {reached[name]:.2f}")


if __name__ == "__main__":
    main()
