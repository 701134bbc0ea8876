"""Which simulated market a home holds: one seed and strength, as one origin (Decision 25)."""

from pathlib import Path
from typing import Final

from home.files import write_durably
from home.layout import DataFiles
from home.manifest import read_manifest
from home.records.record import Record
from home.strict_json import canonical
from home.verified import read_regular
from market.errors import DamagedFile, InputError, StoreUnavailable


class Simulation(Record):
    """A simulated market: its seed, and the predictability planted in it."""

    seed: int
    signal_strength: float


# What a home without a market of its own is given.
FIRST: Final = Simulation(seed=7, signal_strength=0.0)
CURE: Final = (
    "it says which market this home holds: restore it from a copy, or write into it the numbers "
    f"that it held, as {canonical(FIRST.document()).decode()}, or use a new home (OPTRADE_HOME)"
)


def held(data_dir: Path) -> Simulation | None:
    """Return the market that a home holds, None where it holds none.

    Raises
    ------
    DamagedFile
        If the file that says so is damaged, or is gone though a simulated market landed.
    """
    path = DataFiles(data_dir).simulation
    try:
        return Simulation.from_json(read_regular(path), str(path))
    except FileNotFoundError as error:
        if read_manifest(data_dir).origin != "simulated":
            return None
        # Nothing else knows it, and another market would take the place of the one that landed.
        raise DamagedFile(f"{path} is missing; {CURE}") from error
    except StoreUnavailable:
        raise
    except InputError as error:
        raise DamagedFile(f"{error}; {CURE}") from error


def chosen(data_dir: Path, seed: int | None, signal_strength: float | None) -> Simulation:
    """Return the market that is asked for; what is not named is the home's own.

    Raises
    ------
    InputError
        If a number is none, or the home's own is damaged or gone.
    """
    own = held(data_dir) or FIRST
    named = {"seed": seed, "signal_strength": signal_strength}
    given = {name: value for name, value in named.items() if value is not None}
    return Simulation.parse(own.document() | given, "the simulated market")


def hold(data_dir: Path, asked: Simulation, *, landed: bool) -> None:
    """Refuse a market other than the home's; the first one that lands is the home's for good.

    Parameters
    ----------
    data_dir
        The data folder, held for writing.
    asked
        The market that is about to land.
    landed
        Whether anything has landed: a market of which nothing did binds nobody.

    Raises
    ------
    DamagedFile
        As `held`.
    InputError
        If the home holds another.
    """
    own = held(data_dir) if landed else None
    if own is None:
        write_durably(DataFiles(data_dir).simulation, canonical(asked.document()) + b"\n")
    elif own != asked:
        raise InputError(
            f"this home holds the simulated market of {_words(own)}, got {_words(asked)}; ask for "
            "the same, or name neither; or use another home (OPTRADE_HOME) for another market"
        )


def _words(market: Simulation) -> str:
    return f"--seed {market.seed} --signal-strength {market.signal_strength:g}"
