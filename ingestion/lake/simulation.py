"""Which simulated market a home holds: one seed and strength, as one origin (Decision 25)."""

from pathlib import Path

from home.files import write_durably
from home.layout import DataFiles
from home.records.record import Record
from home.strict_json import canonical
from home.verified import read_regular
from market.errors import InputError


class Simulation(Record):
    """A simulated market: its seed, and the predictability planted in it."""

    seed: int
    signal_strength: float


def hold(data_dir: Path, asked: Simulation) -> None:
    """Refuse a market other than the home's; the first one is the home's for good.

    Parameters
    ----------
    data_dir
        The data folder, held for writing.

    Raises
    ------
    InputError
        If the home holds another.
    """
    path = DataFiles(data_dir).simulation
    try:
        held = Simulation.from_json(read_regular(path), str(path))
    except FileNotFoundError:
        write_durably(path, canonical(asked.document()) + b"\n")
        return
    if held != asked:
        raise InputError(
            f"this home holds the simulated market of {_words(held)}, got {_words(asked)}; ask for "
            "the same again, or use another home (OPTRADE_HOME) for another market"
        )


def _words(market: Simulation) -> str:
    return f"--seed {market.seed} --signal-strength {market.signal_strength:g}"
