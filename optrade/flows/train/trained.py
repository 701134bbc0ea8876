"""Whether a home has been trained in; one that has not is told the first step that it lacks."""

from typing import TYPE_CHECKING, Final

from home.layout import served_files, serving_models
from market.errors import InputError
from training.registry.tracking_database import require_database, require_kept

if TYPE_CHECKING:
    from home.layout import Home

UNTRAINED: Final = "no model is trained in this home yet: run `optrade train-all`"


def is_served(home: "Home") -> bool:
    """Return whether a model of any ticker serves."""
    return bool(served_files(serving_models(home.models)))


def require_served(home: "Home") -> None:
    """Refuse a home in which no model of any ticker serves.

    Raises
    ------
    InputError
        Naming the first step that it lacks: data, or training.
    """
    home.origin()
    if not is_served(home):
        raise InputError(UNTRAINED)


def require_registry(home: "Home") -> None:
    """Refuse a home without MLflow's database: to look makes none.

    Raises
    ------
    InputError
        Naming the first step that it lacks: data, or training.
    StoreUnavailable
        If the database cannot be used, or is gone though models serve.
    """
    require_kept(home.mlruns, home.models)
    if not home.mlflow.exists():
        home.origin()
    require_database(home.mlruns)
