"""At which sessions the look-ahead audit cuts."""

import polars as pl
import pytest

from audit.subject import Subject
from ingestion.tables.frames import SESSION
from market.calendar import sessions

DAYS = sessions("2015-01-02", "2018-12-31")


def cuts_of(share: float, view: str, cuts: int) -> list:
    """The chosen sessions that a view holds which covers the last share of the history."""
    days = pl.Series(SESSION, DAYS.to_numpy()).dt.date()
    late = days[int((1 - share) * len(days)) :]
    subject = Subject(None, "SPY", (), None)
    subject.__dict__["stored"] = {"technical": days.to_frame(), view: late.to_frame()}
    chosen = subject.sessions(cuts, seed=0)
    assert chosen == sorted(set(chosen))
    assert days[-1] not in chosen, "it has no future"
    return [day for day in chosen if day in late]


@pytest.mark.parametrize("share", [0.02, 0.2, 0.4])
def test_short_optional_view_has_as_many_cuts_as_the_others(share: float) -> None:
    held = int(share * len(DAYS))
    assert len(cuts_of(share, "earnings", 50)) >= min(50, held)


def test_long_view_shares_the_cuts_of_the_others() -> None:
    assert 35 <= len(cuts_of(0.8, "earnings", 50)) <= 45
