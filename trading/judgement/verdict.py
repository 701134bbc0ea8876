"""The verdict over all cells that were tried, in words: its first line is what a reader needs."""

from dataclasses import dataclass

from market.bootstrap import LEVEL
from trading.judgement.cells import Against, Cell, judge_cells
from trading.judgement.trades import Trades


@dataclass(frozen=True)
class Judgement:
    """What trades came to by cell, and how many cells were tried.

    Attributes
    ----------
    of_risk
        Whether returns are shares of the risk; else they are USD.
    """

    cells: tuple[Cell, ...]
    tried: int
    of_risk: bool

    @property
    def survivors(self) -> tuple[Cell, ...]:
        """The cells that survive."""
        return tuple(cell for cell in self.cells if cell.survives)

    def words(self) -> list[str]:
        """Return the verdict, its first line alone sufficient."""
        judged = [cell for cell in self.cells if cell.judged]
        tried = f"{self.tried} tried"
        if few := len(self.cells) - len(judged):
            tried += f", {few} with too few trades, wins or losses"
        if unseen := self.tried - len(self.cells):
            tried += f", {unseen} of which no trades are here"
        if not judged:
            return [f"nothing can be judged: {tried}"]
        lines = [f"{_count(len(self.survivors))}: {tried}"]
        best = self.survivors or (judged[0],)
        lines += [f"{cell.name}: {self.figures(cell)}" for cell in best]
        for cell in judged:
            if cell.above_nothing and cell.against is not None:
                lines.append(f"{cell.name} lies above 0, but {self._against(cell, cell.against)}")
        return lines

    def figures(self, cell: Cell) -> str:
        """Return the mean of a cell with its intervals, in words."""
        unit = " of the risk" if self.of_risk else ""
        shown = f"{self.amount(cell.mean)}{unit} a trade over {cell.n} trades"
        if cell.low is None or cell.low_of_all is None:
            return f"{shown}, too few trades, wins or losses to judge"
        alone = f"[{self.amount(cell.low)}, {self.amount(cell.high)}]"
        together = f"[{self.amount(cell.low_of_all)}, {self.amount(cell.high_of_all)}]"
        return f"{shown}, 95 % {alone} by itself, {together} for all that was tried"

    def _against(self, cell: Cell, what: Against) -> str:
        if what == "band":
            return f"a point of volatility takes that away{self._left(cell)}"
        if what == "luck":
            return (
                "its Sharpe ratio is no more than luck shows (deflated: "
                f"{cell.deflated:.3f}, needed above {LEVEL:g})"
            )
        more = f"{self.amount(cell.over)} [{self.amount(cell.low_over)}, "
        return f"no more than {cell.group} in all: {more}{self.amount(cell.high_over)}]"

    def _left(self, cell: Cell) -> str:
        """Return where the lower end for all that was tried lies with the level a point off."""
        if cell.low_of_all is None:
            return ""
        return f": from {self.amount(cell.low_of_all - (cell.mean - cell.worst_level))} on"

    def amount(self, value: float | None) -> str:
        """Return a return in words: percents, which are of the risk, or USD."""
        if value is None:
            return "-"
        return f"{100.0 * value:+.1f} %" if self.of_risk else f"{value:+,.0f} USD"


def judge(trades: Trades, tried: int = 0) -> Judgement:
    """Return what trades came to.

    Parameters
    ----------
    tried
        How many cells or variants were tried in all, shown or not; at least those there are count.
    """
    cells = tuple(judge_cells(trades, tried))
    return Judgement(cells, max(tried, len(cells)), trades.of_risk)


def _count(survivors: int) -> str:
    return {0: "none survives", 1: "1 survives"}.get(survivors, f"{survivors} survive")
