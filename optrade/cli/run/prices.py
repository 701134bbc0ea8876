"""The command that prices a position: of any one strategy, whatever the signal is."""

from typing import TYPE_CHECKING, Annotated

import typer

from optrade.cli import options
from optrade.cli.output import print_json, print_table

if TYPE_CHECKING:
    from home.records.structure import Leg, Structure, Terms

Strategy = Annotated[
    str, typer.Option("--strategy", help='A row of the matrix, such as "Bull Put Spread".')
]
LEGS = ["symbol", "action", "strike", "delta", "bid", "ask", "IV"]
TERMS = ["entered", "net", "largest loss", "largest profit", "breakevens", "of the width"]
WIDTH = 120  # characters, where nothing says how wide the terminal is


def price(
    ticker: options.Ticker,
    strategy: Strategy,
    as_of: options.AsOf = None,
    capital: options.Capital = None,
    as_json: options.AsJson = False,
) -> None:
    """Price the position of one strategy on the last complete session; records nothing."""
    from optrade.flows.serve.signals import compute_price
    from optrade.runtime import runtime

    run = runtime().pricing(capital, require_edge=False)
    asked, wanted = options.parse_ticker(ticker), parse_strategy(strategy)
    found = compute_price(run, asked, wanted, run.as_of(as_of))
    if as_json:
        print_json(found.document())
    else:
        show_structure(found)


def parse_strategy(text: str) -> str:
    """Return the name of the strategy that a text is, in capitals or not.

    Raises
    ------
    UnknownName
        If none that takes a position has it.
    """
    from market.errors import UnknownName
    from trading.structures.legs import STRUCTURES

    known = {name.casefold(): name for name in STRUCTURES}
    if (found := known.get(text.strip().casefold())) is None:
        raise UnknownName("--strategy", text, STRUCTURES)
    return found


def show_structure(found: "Structure") -> None:
    """Print a position: its legs, what it comes to, and all of it in words."""
    from trading.structures.words import in_words

    title = f"{found.strategy}, {found.root} at {found.spot:.2f}"
    print_table(title, LEGS, [_leg(leg) for leg in found.legs], width=WIDTH)
    rows = [_terms(name, terms) for name, terms in (("mid", found.mid), ("natural", found.natural))]
    print_table("a contract, USD; net a share", TERMS, rows, width=WIDTH)
    typer.echo(f"{found.strategy}: {in_words(found)}")


def _leg(leg: "Leg") -> list[str]:
    return [
        leg.symbol,
        leg.action,
        f"{leg.strike:g} {leg.right}",
        f"{leg.delta:+.3f}",
        f"{leg.bid:.2f}",
        f"{leg.ask:.2f}",
        f"{leg.implied_volatility:.1%}{' beyond the quotes' if leg.extrapolated else ''}",
    ]


def _terms(name: str, terms: "Terms") -> list[str]:
    most, share = terms.max_profit, terms.credit_of_width
    return [
        name,
        f"{'pays' if terms.net > 0 else 'receives'} {abs(terms.net):.2f}",
        f"{terms.max_loss:,.0f}",
        "without limit" if most is None else f"{most:,.0f}",
        ", ".join(f"{price:.2f}" for price in terms.breakevens),
        "-" if share is None else f"{share:.0%}",
    ]


COMMANDS = {"price": price}
