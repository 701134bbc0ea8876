"""A drift report: which features have left their reference, against what chance would do."""

from typing import Annotated, Final, Literal

from pydantic import Field

from home.records.record import Record
from home.records.signal import Day, Share

#: The files of a report in its folder.
DOCUMENT: Final = "drift.json"
INDEX: Final = "index.html"

Status = Literal["ok", "constant", "all_null", "too_few_rows"]


class Window(Record):
    """The sessions compared: first and last as ISO dates, None in an empty window."""

    start: Day | None
    end: Day | None
    rows: int


class Method(Record):
    """How a report was made.

    Attributes
    ----------
    deciles
        Bins of the reference.
    level
        Quantile of the bootstrap that an alarm has to pass.
    mean_block
        Mean length of its blocks, in sessions.
    orientation
        The two usual marks of the index, drawn and not judged by.
    """

    deciles: int
    level: Share
    mean_block: int
    resamples: int
    seed: int
    orientation: Annotated[list[float], Field(min_length=2, max_length=2)]


class FeatureDrift(Record):
    """One feature in both windows.

    Attributes
    ----------
    psi, alarm_level, alarm
        Population stability index, what it has to pass, and whether it does; None for a feature
        that cannot be compared.
    null_share, reference_null_share
        Share of rows without a value, 0 to 1, of the current window and of the reference; None
        where it has no row.
    """

    name: str
    view: str
    status: Status
    psi: float | None
    alarm_level: float | None
    alarm: bool | None
    null_share: Share | None
    reference_null_share: Share | None


class DriftReport(Record):
    """The drift of one ticker's features between two windows.

    Attributes
    ----------
    alert
        Whether more features are alarmed than chance explains; None where none can be compared.
    compared, alarmed
        How many features could be compared, and how many of these passed their level.
    alarmed_level
        How many pass it by chance in 1 case of 100; None where none can be compared.
    """

    ticker: str
    reference: Window
    current: Window
    alert: bool | None
    compared: int
    alarmed: int
    alarmed_level: float | None
    method: Method
    features: list[FeatureDrift]
