"""How much of a feature is there: of its rows, and of the views that a home may lack."""

from typing import Final

import numpy as np
from jaxtyping import Float64

from feature_repo.features.catalogue import GROUPS, OPTIONAL_GROUPS
from feature_repo.features.services import SERVICES
from home.manifest import Manifest
from market.baskets import basket_symbols
from market.errors import InputError
from market.underlyings import UNDERLYINGS

MIN_COVERAGE: Final = 0.60  # Decision 15


def coverage(values: Float64[np.ndarray, "n_rows n_columns"]) -> Float64[np.ndarray, " n_columns"]:
    """Return the share of non-null rows of each column; shape (n_columns,)."""
    if not len(values):
        return np.zeros(values.shape[1])
    return np.asarray(np.isfinite(values).mean(axis=0), dtype=np.float64)


def optional_views(service: str) -> tuple[str, ...]:
    """Return the views of a feature service that a home may lack; none for an unknown service."""
    read = {reference.split(":")[0] for reference in SERVICES.get(service, ())}
    return tuple(view for view in OPTIONAL_GROUPS if view in read)


def require_optional_views(service: str, ticker: str, manifest: Manifest) -> None:
    """Refuse a service of which the home can never fill a view for a ticker.

    Whether a view that is there covers the training window is decided on its rows, see
    `training.frames.rows.require_views`.

    Raises
    ------
    InputError
        If no basket is configured for the ticker (Decision 14), or a view has no row of it.
    """
    for view in optional_views(service):
        if view == "earnings" and not basket_symbols(ticker):
            funds = (row.ticker for row in UNDERLYINGS.values() if row.baskets)
            raise InputError(
                f"--earnings: no basket of companies stands for {ticker}, so its earnings view is "
                f"null; configured are {', '.join(funds)} "
                "(market/underlyings.py): train without --earnings"
            )
        if (view, ticker) not in manifest.entries:
            raise InputError(
                f"--{view}: this home has no row of {ticker} in the {view} view; run "
                f"`optrade ingest` with a source that gives {GROUPS[view].requires}, or "
                f"train without --{view}"
            )
