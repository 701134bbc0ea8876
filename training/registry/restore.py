"""The model that serves, taken out of the registry again."""

from pathlib import Path

from home.strict_json import signed
from market.errors import InputError
from training.judge.decide import CHALLENGER, CHAMPION
from training.registry.artifact import write_serving
from training.registry.mlflow_runs import aliased, read_served
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
        for alias in (CHAMPION, CHALLENGER):
            version = aliased(client, name, alias)
            if version is not None:
                chosen = client.get_model_version(name, str(version))
                document = read_served(client, chosen)
                write_serving(models_dir, name, signed(document | {"alias": alias}))
                return version
    raise InputError(f"the registry has no version of {name} that serves: train it again")
