"""A position in a sentence, as a terminal shows it."""

from home.records.structure import Chances, Structure


def in_words(structure: Structure) -> str:
    """Return legs, price and loss, chances, exit, events and source of a position, a line each."""
    parts = (_legs, _price, _chances, _exit, _ahead, _source)
    return "\n  ".join(words for part in parts if (words := part(structure)))


def _legs(found: Structure) -> str:
    legs = ", ".join(f"{leg.action} {leg.strike:g} {leg.right}" for leg in found.legs)
    count = "" if found.contracts is None else f"{found.contracts} x "
    return f"{count}{legs}, {found.expiration} ({found.days_to_expiry} days)"


def _price(found: Structure) -> str:
    net = found.natural.net
    kind = "pays" if net > 0 else "receives"
    profit = found.natural.max_profit
    most = "without limit" if profit is None else f"{profit:,.0f}"
    loss, count = found.natural.max_loss, found.contracts or 1
    in_all = "" if count == 1 else f" ({count * loss:,.0f} in all)"
    return (
        f"{kind} {abs(net):.2f} a share ({abs(found.mid.net):.2f} at mid), "
        f"loses at most {loss:,.0f} a contract{in_all}, wins {most}"
    )


def _chances(found: Structure) -> str:
    odds = found.chances
    if odds is None:
        return ""
    held = f"held to expiry {odds.profit:.0%} (the smile says {odds.profit_risk_neutral:.0%})"
    if odds.profit_by_plan is not None:
        held = f"by the plan {odds.profit_by_plan:.0%}, {held}"
    loses = ": expected to lose" if odds.expected_value < 0.0 else ""
    return (
        f"profit {held}; target first {odds.target:.0%}, stop first {odds.stop:.0%}; "
        f"worth {odds.expected_value:+.0f} a contract after costs{loses} "
        f"({odds.low:+.0f} to {odds.high:+.0f} with volatility a point lower or higher)"
        f"{_by(odds)}"
    )


def _by(odds: Chances) -> str:
    return "" if odds.by is None else f" by {odds.by.words()}"


def _exit(found: Structure) -> str:
    plan = found.exit
    stops = [
        f"{word} {price:.2f}"
        for word, price in (("below", plan.stop_below), ("above", plan.stop_above))
        if price is not None
    ]
    way = "brings" if plan.target > 0 else "costs"
    return (
        f"close when it {way} {abs(plan.target):.2f}, or the underlying closes "
        f"{' or '.join(stops)}, or on {plan.last_day}"
    )


def _ahead(found: Structure) -> str:
    events = found.events or ()
    return f"ahead: {', '.join(event.words() for event in events)}" if events else ""


def _source(found: Structure) -> str:
    words = {
        "chain": f"priced on the chain of {found.quote_time}",
        "scaled chain": f"priced on the index's chain of {found.quote_time}, scaled",
        "synthetic": "priced by the volatility index, not by quotes",
    }[found.pricing]
    return "; ".join([words, *found.notes])
