"""How what serves and its rival fared live, in words."""

from home.records.live_scores import Compared, LiveScores, NoLiveScores, Side


def live_words(found: LiveScores | NoLiveScores) -> str:
    """Return in a line what the ledger says of two versions, or why it says nothing."""
    if isinstance(found, NoLiveScores):
        return f"{found.name}, live: {found.why_none}"
    waiting = f", {found.waiting} more wait for their outcome" if found.waiting else ""
    damaged = (
        f", damaged rows left out: {found.damaged} (`optrade doctor` names them)"
        if found.damaged
        else ""
    )
    told = (
        f"{found.name}, live: {_side(found.rival)} beside {_side(found.serves)}, which serves; "
        f"{found.sessions} sessions that both answered in time are settled{waiting}"
        f"{damaged}"
    )
    if not found.n:
        return f"{told}; none of them decided"
    return (
        f"{told}; right on {found.share_right.rival:.0%} of {found.n} beside "
        f"{found.share_right.serves:.0%}, {_spread(found, found.share_right, 100, 1, ' points')}; "
        f"log loss {found.log_loss.rival:.4f} beside {found.log_loss.serves:.4f}, "
        f"{_spread(found, found.log_loss, 1, 4)}: {_verdict(found.log_loss)}"
    )


def _side(side: Side) -> str:
    return f"version {side.version} ({side.model or 'type unknown'})"


def _spread(found: LiveScores, figure: Compared, scale: int, digits: int, unit: str = "") -> str:
    difference = f"{scale * (figure.difference or 0.0):+.{digits}f}{unit}"
    if figure.interval is None:
        few = found.sessions < found.interval_from
        why = f"below {found.interval_from} sessions" if few else "as too few of them decided"
        return f"{difference} (no interval {why})"
    low, high = (f"{scale * end:+.{digits}f}" for end in figure.interval)
    return f"{difference} (95 % interval {low} to {high})"


def _verdict(loss: Compared) -> str:
    if loss.interval is None:
        return "nothing is shown yet"
    low, high = loss.interval
    if low <= 0.0 <= high:
        return "neither is shown to be better"
    return "the rival is better" if high < 0.0 else "what serves is better"
