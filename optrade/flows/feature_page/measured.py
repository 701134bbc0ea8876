"""What was measured of the features, as it is committed beside the page: null shares, lookbacks."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from market.errors import InputError


@dataclass(frozen=True)
class ViewMeasured:
    """What was found of one view.

    Attributes
    ----------
    keys
        Tickers, or the market.
    rows
        Current rows of all keys, over sessions `first` to `last` (ISO dates).
    null_share
        Feature to the share of its rows that are null, 0 to 1.
    lookback
        Feature to the sessions of loaded history from which its value was found to be known.
    """

    keys: tuple[str, ...]
    rows: int
    first: str
    last: str
    null_share: Mapping[str, float]
    lookback: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Measured:
    """What was found of every view, and the origin of the data it was found on."""

    origin: str
    views: Mapping[str, ViewMeasured]

    def text(self) -> str:
        """Return the JSON document, with a line feed at the end."""
        return json.dumps(asdict(self), indent=1, allow_nan=False) + "\n"


def read_measured(path: Path) -> Measured:
    """Return what a file holds.

    Raises
    ------
    InputError
        If there is no such file, or it holds something else.
    """
    try:
        document = json.loads(path.read_bytes())
        views = {
            name: ViewMeasured(**{**row, "keys": tuple(row["keys"])})
            for name, row in document["views"].items()
        }
        return Measured(str(document["origin"]), views)
    except FileNotFoundError:
        raise InputError(
            f"--measured: there is no file {path}; allowed is one that "
            "`optrade catalogue --measure` wrote"
        ) from None
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise InputError(
            f"--measured: {path} holds no measurements: {type(error).__name__}: {error!s:.80}; "
            "write it anew by `optrade catalogue --measure`"
        ) from error
