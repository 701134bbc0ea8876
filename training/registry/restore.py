"""The model that serves, taken out of the registry again."""

from pathlib import Path

from home.layout import serving_model
from home.served_model import write_checked
from home.strict_json import signed
from market.errors import InputError
from training.registry.artifact import serving_bytes
from training.registry.before import newest_unrefuted
from training.registry.mlflow_runs import read_served
from training.registry.tracking_database import reading


def restore_served(mlruns_dir: Path, models_dir: Path, name: str) -> int:
    """Write the file that serving reads anew, and return the version in it.

    It is the champion, or the challenger where there is none: what serves.

    Parameters
    ----------
    name
        Registered model, such as `direction_SPY`.

    Raises
    ------
    InputError
        If nothing is registered under the name, or its document is damaged as well.
    """
    with reading(mlruns_dir) as client:
        found = newest_unrefuted(client, name)
        if found is None:
            raise InputError(f"the registry has no version of {name} that serves: train it again")
        chosen, alias = found
        document = signed(read_served(client, chosen) | {"alias": alias})
        write_checked(serving_model(models_dir, name), serving_bytes(document))
        return int(chosen.version)
