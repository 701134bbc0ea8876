"""A row of features as the online store holds it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import pandas as pd

from market.options.chain import Chain


@dataclass(frozen=True)
class Quoted:
    """What is quoted of a ticker's options at a session: a chain, or why there is none.

    Attributes
    ----------
    own
        The ticker's newest.
    index
        That of the index which may price it; None where no index may.
    own_before, index_before
        Those of the session before the newest, the later first.
    """

    own: Chain | str
    index: Chain | str | None = None
    own_before: tuple[Chain, ...] = ()
    index_before: tuple[Chain, ...] = ()

    def candidates(self) -> tuple[Chain | str, ...]:
        """Return what may price a position, the first that can does."""
        index = () if self.index is None else (self.index, *self.index_before)
        return (self.own, *self.own_before, *index)


@dataclass(frozen=True)
class FeatureRow:
    """The features of one ticker and session, as the online store holds them.

    Attributes
    ----------
    session
        Midnight of the session, without a zone.
    values
        Every feature by name; all finite.
    ages
        Sessions completed since, by view.
    beside
        Features that an answer can do without, of the same session; NaN where there is no value.
    carried
        The macro series and months that the month before stands in for (Decision 23), of a row
        that reads them; None where the store does not say.
    quoted
        The option chains of the session; None where they were not asked for.
    """

    ticker: str
    session: pd.Timestamp
    values: Mapping[str, float]
    ages: Mapping[str, int]
    carried: tuple[str, ...] | None = ()
    beside: Mapping[str, float] = field(default_factory=dict)
    quoted: Quoted | None = None

    def agrees(self, other: "FeatureRow") -> bool:
        """Return whether another row is of the same session, and says the same of what both hold.

        A feature beside may have no value in either: nothing is told by it.
        """
        same = (self.ticker, self.session) == (other.ticker, other.session)
        return same and all(other.values.get(name, own) == own for name, own in self.values.items())
