"""Whether a position is worth more than nothing, and what refusing all others would choose."""

from dataclasses import replace

from home.records.signal import Alternative
from home.records.structure import Structure
from trading.strategies.selector import NO_TRADE, Recommendation

#: Beside the matrix, in every signal of a position: what `--require-edge` would have chosen.
RULE = "required edge"


def expectation(structure: Structure) -> str:
    """Return a position's expected value in words, USD a contract."""
    found = structure.chances
    if found is None:
        return "its expected value is unknown"
    return (
        f"its expected value after costs is {found.expected_value:+.0f} USD a contract, "
        f"{found.low:+.0f} to {found.high:+.0f} with volatility a point lower or higher"
    )


def has_edge(structure: Structure) -> bool:
    """Whether the expected value is above 0 after costs, over the whole band; unknown is none."""
    return structure.chances is not None and structure.chances.low > 0.0


def beside(chosen: Recommendation, structure: Structure) -> Alternative:
    """Return what refusing positions without an edge would have chosen, and why it was not."""
    strategy = chosen.strategy if has_edge(structure) else NO_TRADE.name
    return Alternative(
        strategy=f"{strategy} ({RULE})",
        why_not=f"an edge is not required; {expectation(structure)}",
    )


def without_edge(chosen: Recommendation, structure: Structure) -> Recommendation:
    """Return the recommendation of no trade in place of a position without an edge."""
    why = f"{RULE}: {expectation(structure)}"
    return replace(
        chosen,
        strategy=NO_TRADE.name,
        position_size="none",
        trade_parameters=NO_TRADE.plan.texts(),
        reasoning=f"{chosen.reasoning} Refused, {why}.",
        alternatives=(Alternative(strategy=chosen.strategy, why_not=why), *chosen.alternatives),
    )
