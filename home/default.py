"""The home that is taken where none is named."""

from pathlib import Path
from typing import Final

from platformdirs import user_data_path

AROUND: Final = Path(__file__).resolve().parents[1]


def is_checkout() -> bool:
    """Return whether this code stands in a checkout, and not where a wheel was installed."""
    return (AROUND / "pyproject.toml").is_file()


def default_root() -> Path:
    """Return the folder of the default home: the checkout, or the user's own where installed.

    An installed project keeps nothing at the place of its installation: another version replaces
    that folder, and it may belong to somebody else.
    """
    return AROUND if is_checkout() else user_data_path("optrade", appauthor=False)
