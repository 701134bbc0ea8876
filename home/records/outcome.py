"""What a recorded signal came to, once its five sessions have passed."""

from home.records.record import Record
from home.records.signal import Day, Rank, SignalKey
from market.iv_rank import IvRegime
from market.targets import Label


class Outcome(Record):
    """What a signal came to, five sessions after its own.

    Attributes
    ----------
    end_session
        The session at whose close it is known, as an ISO date.
    realised_return
        Return of the adjusted close, a fraction.
    direction_hit
        Whether the direction was that of the label; None for FLAT, which no signal forecasts.
    iv_rank
        That of `end_session`, 0 to 100; None where it has none.
    realised_regime, regime_hit
        Its forecast class, and whether that was the one forecast; None without a rank.
    """

    ticker: str
    session: Day
    direction_version: int
    regime_version: int
    end_session: Day
    realised_return: float
    label: Label
    direction_hit: bool | None
    iv_rank: Rank | None
    realised_regime: IvRegime | None
    regime_hit: bool | None

    @property
    def key(self) -> SignalKey:
        """The key of its signal."""
        return SignalKey(self.ticker, self.session, self.direction_version, self.regime_version)
