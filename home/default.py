"""The home that is taken where none is named."""

from pathlib import Path

from platformdirs import user_data_path


def default_root() -> Path:
    """Return the folder of the default home: the checkout, or the user's own where installed.

    An installed project keeps nothing at the place of its installation: another version replaces
    that folder, and it may belong to somebody else.
    """
    around = Path(__file__).resolve().parents[1]
    is_checkout = (around / "pyproject.toml").is_file()
    return around if is_checkout else user_data_path("optrade", appauthor=False)
