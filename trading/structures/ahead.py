"""What lies ahead in a position's life: events, and where a short call may be assigned early."""

from collections.abc import Iterator
from typing import Final

import numpy as np

from home.records.structure import Assignment, Event, Structure
from market.events import EX_DIVIDEND, FOMC, Due, fomc_unknown, scheduled
from market.options.american import assignment_risk
from market.options.black import price_76
from market.underlyings import OptionListing
from trading.structures.board import Board
from trading.structures.chances import Outlook
from trading.structures.price import Life

#: Deviations above a strike at which the put is asked for.
PLACES: Final = np.linspace(0.0, 4.0, 401)


def look_ahead(
    structure: Structure, board: Board, life: Life, outlook: Outlook | None, listing: OptionListing
) -> Structure:
    """Return a position with the events of its life and the risk that a short call is assigned.

    Parameters
    ----------
    board, life, outlook
        What it was priced on.
    listing
        When the underlying goes ex-dividend; a dividend is an equal part of a year's yield.
    """
    due = scheduled(life.entered, life.closes[-1], listing.ex_dividend)
    events = [
        Event(kind=one.kind, first=str(one.first.date()), last=str(one.last.date())) for one in due
    ]
    short = [leg.strike for leg in structure.legs if (leg.action, leg.right) == ("sell", "call")]
    dividend = listing.dividend_share * board.spot
    risks = [
        found
        for one in due
        if one.kind == EX_DIVIDEND
        for strike in short
        if (found := _assignment(board, strike, life, outlook, dividend, one)) is not None
    ]
    notes = [*structure.notes, *_unknown(life), *(_words(one) for one in risks)]
    return structure.model_copy(update={"events": events, "assignments": risks, "notes": notes})


def _unknown(life: Life) -> Iterator[str]:
    if fomc_unknown(life.closes[-1]):
        yield f"meetings of the Fed after {FOMC[-1].date()} are not known to this version"


def _assignment(
    board: Board, strike: float, life: Life, outlook: Outlook | None, dividend: float, due: Due
) -> Assignment | None:
    """Return the risk of one short call and dividend; None where exercise gains nothing anywhere.

    Where the day is not known, the last eve that it may have is the worst: the least time value is
    left.
    """
    eve = int(life.closes.searchsorted(due.last)) - 1  # -1 is the close it is entered at
    eve = min(eve, len(life.closes) - 2)  # on the last, in the money, it is exercised anyway
    above = _exercised_above(
        board, strike, board.smile.years if eve < 0 else life.years[eve], dividend
    )
    if above is None:
        return None
    known = due.first == due.last
    chance = None
    if known and eve < 0:
        chance = float(board.spot > above)
    elif known and outlook is not None:
        chance = float((outlook.paths[:, eve] > above).mean())
    day = life.entered if eve < 0 else life.closes[eve]
    return Assignment(
        strike=strike,
        eve=str(day.date()) if known else None,
        dividend=dividend,
        above=above,
        chance=chance,
    )


def _exercised_above(board: Board, strike: float, years: float, dividend: float) -> float | None:
    """Return the least price of the underlying in USD at which exercise beats holding, if any.

    There the put of the same strike and expiry, and the interest on the strike, are worth less than
    the dividend. The smile keeps its level and its shape in deviations.
    """
    smile = board.smile
    deviation, share = smile.at_the_money * float(np.sqrt(years)), years / smile.years
    spots = strike * np.exp(PLACES * deviation)
    forward = spots * (smile.forward / board.spot) ** share
    volatility = smile.at_the_money * smile.shape.ratio(np.log(strike / forward) / deviation)
    discount = smile.discount**share
    puts = price_76(forward, strike, years, volatility, -1.0, discount)
    gains = assignment_risk(spots, strike, puts, dividend, years, -np.log(discount) / years).gain
    return float(spots[np.argmax(gains > 0.0)]) if (gains > 0.0).any() else None


def _words(risk: Assignment) -> str:
    when = risk.eve or "the session before it goes ex-dividend, on a day not known here"
    chance = "" if risk.chance is None else f" ({risk.chance:.0%} of the paths, held or not)"
    return (
        f"the short call {risk.strike:g} may be assigned after the close of {when}, for the "
        f"dividend of about {risk.dividend:.2f}, where the underlying is above "
        f"{risk.above:.2f}{chance}"
    )
