"""What another program's trades came to, as it is printed."""

from home.records.backtest import CellRow, Day
from home.records.record import Record


class JudgeReport(Record):
    """A judgement of trades.

    Attributes
    ----------
    program
        Whose export they are.
    verdict
        In words; the first line is sufficient.
    trades, first, last
        Closed ones, the first day of entry and the last of exit.
    left_out
        Rows that are no closed trade, by why.
    notes
        What a reader has to know of them.
    tried
        How many cells or variants were.
    of_risk
        Whether returns are shares of what each trade could lose; else they are USD.
    cells
        The best mean first among those that can be judged.
    page
        The page; null where none was written.
    """

    file: str
    program: str
    verdict: list[str]
    trades: int
    first: Day
    last: Day
    left_out: dict[str, int]
    notes: list[str]
    tried: int
    of_risk: bool
    cells: list[CellRow]
    page: str | None
