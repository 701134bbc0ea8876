"""What positions of recorded signals came to by their own exit rules. Pure."""

from collections.abc import Mapping, Sequence

from home.records.signal import Signal
from home.records.structure import Structure
from home.records.structure_outcome import StructureOutcome
from trading.backtest.history import History
from trading.paper.book import marked_by
from trading.paper.fills import own
from trading.paper.walks import Held, Walk, walks


def structure_outcomes(
    signals: Sequence[Signal], histories: Mapping[str, History]
) -> tuple[list[StructureOutcome], list[tuple[Signal, str]]]:
    """Return what positions came to that have ended, and the signals of others with the reason.

    A signal without a position is in neither.

    Parameters
    ----------
    histories
        By ticker, from the session of the oldest signal on, with the quotes of what was entered on
        quotes.
    """
    found: list[StructureOutcome] = []
    pending: list[tuple[Signal, str]] = []
    by_ticker: dict[str, list[tuple[Signal, Structure]]] = {}
    for signal in signals:
        if signal.structure is not None:
            by_ticker.setdefault(signal.ticker, []).append((signal, signal.structure))
    for ticker, mine in by_ticker.items():
        history = histories.get(ticker)
        if history is None:
            pending += [(signal, f"no prices of {ticker}") for signal, _ in mine]
            continue
        days = {str(day)[:10] for day in history.days}
        entered = [one for one in mine if one[0].session in days]
        pending += [
            (one, f"no prices of {one.session}") for one, _ in mine if one.session not in days
        ]
        held = [Held(one.session, of, of.natural.net, of.exit, own(of)) for one, of in entered]
        for (signal, structure), walk in zip(entered, walks(history, held), strict=True):
            outcome = _outcome(signal, structure, walk)
            if isinstance(outcome, str):
                pending.append((signal, outcome))
            else:
                found.append(outcome)
    return found, pending


def _outcome(signal: Signal, structure: Structure, walk: Walk) -> StructureOutcome | str:
    if walk.column is None or walk.reason is None:
        if walk.known == len(walk.days):
            return "nothing prices the closes that would have ended its position"
        return f"its position is open, to {structure.expiration} at the latest"
    notes = list(walk.notes)
    if len(walk.unmarked):
        days = ", ".join(map(str, walk.unmarked))
        notes.append(f"no price or no index at the close of {days}: no target was seen there")
    quoted, marked = walk.counted
    return StructureOutcome(
        **signal.key._asdict(),
        strategy=structure.strategy,
        reason=walk.reason,
        end_session=str(walk.days[walk.column]),
        worth=walk.worth,
        profit=walk.profit,
        assigned=walk.assigned,
        pricing=marked_by(quoted, marked, on_quotes=own(structure)),
        notes=notes,
    )
