"""The command that shows an option chain: what a position would be priced on, for the curious."""

from typing import TYPE_CHECKING, Annotated

import typer

from optrade.cli import options
from optrade.cli.output import print_json, print_table

if TYPE_CHECKING:
    from home.records.chain import ChainView, Contract, Expiry

Day = Annotated[
    str | None,
    typer.Option("--expiry", help="Show the strikes of this expiry, such as 2025-07-18."),
]
EXPIRIES = [
    "expiry", "days", "root", "forward", "at the money", "25-delta skew", "curvature", "strikes",
    "spread", "parity", "butterflies",
]  # fmt: skip
SIDE = ["bid", "ask", "IV", "vendor's", "delta"]
STRIKES = [*(f"put {name}" for name in SIDE), "strike", *(f"call {name}" for name in SIDE), "smile"]
BEYOND = "beyond the quotes"


def chain(
    ticker: options.Ticker,
    expiry: Day = None,
    as_of: options.AsOf = None,
    as_json: options.AsJson = False,
) -> None:
    """Show the option chain that positions are priced on, and what its quotes are worth."""
    from optrade.flows.serve.signals import compute_chain
    from optrade.runtime import runtime

    run = runtime()
    asked = options.parse_ticker(ticker)
    day = None if expiry is None else expiry.strip()
    found = compute_chain(run, asked, run.as_of(as_of), day)
    if as_json:
        print_json(found.document())
    else:
        show_chain(found)


def show_chain(found: "ChainView") -> None:
    """Print the expiries, the strikes of the one that was asked for, and the source in words."""
    print_table(f"{found.ticker} at {found.spot:.2f}, {found.session}: {found.pricing}",
                EXPIRIES, [_expiry(one) for one in found.expiries])  # fmt: skip
    if found.contracts is not None:
        title = f"{found.expiration}: puts and calls by strike, USD a share"
        print_table(title, STRIKES, _strikes(found.contracts))
    for line in source_words(found):
        typer.echo(line)


def source_words(found: "ChainView") -> list[str]:
    """Return where the numbers come from, and what is to be known of it, a line each."""
    if found.quote_time is None or found.age_hours is None:
        band = 100.0 * (found.band or 0.0)
        source = (
            "synthetic: no quotes, a form of the volatility index at the usual expiries; its level "
            f"may be {band:.0f} point lower or higher"
        )
    else:
        scaled = "" if found.pricing == "chain" else f", scaled to {found.ticker}"
        source = (
            f"{found.pricing}: quotes of {found.quoted_on} of {found.quote_time}"
            f"{scaled}, {found.age_hours:.1f} hours old"
        )
    none = [
        f"{one.expiration} {one.root}: {one.why_none}" for one in found.expiries if one.why_none
    ]
    return [source, *found.notes, *none]


def _expiry(one: "Expiry") -> list[str | None]:
    return [
        one.expiration,
        str(one.days_to_expiry),
        one.root,
        _number(one.forward, "{:.2f}"),
        _number(one.at_the_money, "{:.1%}"),
        _number(one.skew, "{:+.1%}"),
        _number(one.curvature, "{:+.1%}"),
        _number(one.strikes, "{}"),
        _number(one.spread, "{:.1%}"),
        _number(one.parity, "{:.0%}"),
        _number(one.butterflies, "{}"),
    ]


def _strikes(contracts: "list[Contract]") -> list[list[str | None]]:
    """Return the puts on the left and the calls on the right of their strikes."""
    sides = {
        right: {one.strike: one for one in contracts if one.right == right}
        for right in ("put", "call")
    }
    rows = []
    for strike in sorted({one.strike for one in contracts}):
        put, call = (sides[right].get(strike) for right in ("put", "call"))
        beyond = any(one.extrapolated for one in (put, call) if one is not None)
        rows.append([*_side(put), f"{strike:g}", *_side(call), BEYOND if beyond else "within"])
    return rows


def _side(one: "Contract | None") -> list[str | None]:
    if one is None:
        return [None] * len(SIDE)
    return [
        _number(one.bid, "{:.2f}"),
        _number(one.ask, "{:.2f}"),
        _number(one.implied_volatility, "{:.1%}"),
        _number(one.vendor_volatility, "{:.1%}"),
        f"{one.delta:+.3f}",
    ]


def _number(value: float | None, form: str) -> str | None:
    return None if value is None else form.format(value)


COMMANDS = {"chain": chain}
