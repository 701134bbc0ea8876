"""What a position's expected value makes of it: edge, size, words."""

import pytest

from market.errors import InputError
from tests.trading.structures.boards import board, life, outlook
from trading.strategies.selector import Forecasts, select
from trading.structures.edge import beside, expectation, has_edge, without_edge
from trading.structures.legs import STRUCTURES
from trading.structures.price import price_structure
from trading.structures.sizing import contracts
from trading.structures.words import in_words

UP = select(Forecasts("UP", 0.8, "HIGH", 0.8), proven=True)
FOUND = price_structure("Bull Put Spread", board(), life(), outlook())


def at(low, value, high):
    seen = FOUND.chances.model_copy(update={"low": low, "expected_value": value, "high": high})
    return FOUND.model_copy(update={"chances": seen})


UNKNOWN = FOUND.model_copy(update={"chances": None})


@pytest.mark.parametrize(
    ("found", "edge"),
    [(at(0.5, 9.0, 20.0), True), (at(0.0, 9.0, 20.0), False), (at(-3.0, 9.0, 20.0), False),
     (UNKNOWN, False)],
)  # fmt: skip
def test_an_edge_is_a_whole_band_above_0(found, edge):
    assert has_edge(found) == edge
    other = beside(UP, found)
    assert other.strategy == f"{UP.strategy if edge else 'NO TRADE'} (required edge)"
    assert other.why_not == f"an edge is not required; {expectation(found)}"


def test_an_expected_value_is_told_with_its_band():
    assert expectation(at(-3.4, 8.6, 22.0)) == (
        "its expected value after costs is +9 USD a contract, -3 to +22 with volatility a point "
        "lower or higher"
    )
    assert expectation(UNKNOWN) == "its expected value is unknown"


def test_a_refused_position_is_no_trade_and_the_first_alternative():
    refused = without_edge(UP, at(-3.0, 9.0, 20.0))
    assert (refused.strategy, refused.position_size) == ("NO TRADE", "none")
    assert refused.trade_parameters["strike"] == "no position"
    assert refused.alternatives[0].strategy == UP.strategy
    assert refused.alternatives[1:] == UP.alternatives
    assert refused.reasoning.startswith(f"{UP.reasoning} Refused, required edge: its expected")
    assert refused.direction_confidence == UP.direction_confidence


@pytest.mark.parametrize("times", [1, 2, 7])
def test_contracts_lose_at_most_their_share_of_the_capital(times):
    loss = FOUND.natural.max_loss
    assert contracts(FOUND, (times + 0.5) * loss / 0.02, "full") == times
    assert contracts(FOUND, (times + 0.5) * loss / 0.01, "half") == times


@pytest.mark.parametrize(
    ("capital", "size", "words"),
    [
        (100.0, "full", r"is 2; one contract needs a capital of [\d,]+ USD"),
        (1e6, "none", r"2% of 1,000,000 USD at size none is 0$"),
        (0.0, "full", r"capital: got 0.0, allowed is an amount in USD above 0"),
        (float("nan"), "full", r"capital: got nan, allowed is"),
    ],
)  # fmt: skip
def test_a_capital_below_one_contract_is_refused_with_what_one_needs(capital, size, words):
    with pytest.raises(InputError, match=words):
        contracts(FOUND, capital, size)


def test_words_hold_legs_price_loss_chances_exit_and_source():
    low, high = FOUND.legs
    told = in_words(FOUND.model_copy(update={"contracts": 3}))
    for words in (
        f"3 x buy {low.strike:g} put, sell {high.strike:g} put, 2025-07-18 (21 days)",
        f"receives {-FOUND.natural.net:.2f} a share ({-FOUND.mid.net:.2f} at mid)",
        f"loses at most {FOUND.natural.max_loss:,.0f} a contract "
        f"({3 * FOUND.natural.max_loss:,.0f} in all)",
        f"profit by the plan {FOUND.chances.profit_by_plan:.0%}, "
        f"held to expiry {FOUND.chances.profit:.0%}",
        f"close when it costs {-FOUND.exit.target:.2f}, or the underlying closes below 588.00",
        "priced by the volatility index, not by quotes",
    ):
        assert words in told


def test_words_of_a_long_option_name_no_limit_and_its_notes():
    told = in_words(price_structure("Buy Calls", board(), life(), None, ["a note"]))
    assert "wins without limit" in told
    assert "pays" in told
    assert "held to expiry" not in told
    assert told.endswith("; a note")


def test_words_name_the_chain_that_priced_it():
    quoted = FOUND.model_copy(
        update={"pricing": "chain", "quote_time": "2025-06-27T20:00:00+00:00"}
    )
    assert "priced on the chain of 2025-06-27T20:00" in in_words(quoted)
    both = in_words(price_structure("Iron Condor", board(), life(), None))
    assert "closes below 588.00 or above 612.00" in both


def test_a_position_that_is_expected_to_lose_says_so_beside_its_value():
    value = replace(FOUND, -12.0)
    assert "worth -12 a contract after costs: expected to lose (" in in_words(value)
    assert "expected to lose" not in in_words(replace(FOUND, 12.0))


def replace(structure, value):
    chances = structure.chances.model_copy(update={"expected_value": value})
    return structure.model_copy(update={"chances": chances})


def test_the_chance_of_a_profit_by_the_plan_lies_between_those_of_its_ends():
    for name in STRUCTURES:
        odds = price_structure(name, board(), life(), outlook()).chances
        assert odds.target <= odds.profit_by_plan + 1e-12
        assert odds.profit_by_plan <= 1.0 - 0.5 * odds.stop  # a stop can end with a profit


@pytest.mark.parametrize("drift", [-0.02, 0.02])
def test_no_expected_value_lies_below_the_largest_loss(drift):
    for name in STRUCTURES:
        found = price_structure(name, board(), life(), outlook(drift=drift))
        assert found.chances.low >= -found.natural.max_loss - 1e-9
        assert found.chances.expected_value_of_risk >= -1.0 - 1e-12
