"""Model files, those that serve and those that stand by, taken out of the registry again."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from home.layout import next_model, serving_model
from home.served_model import write_checked
from home.strict_json import Json, signed
from home.verified import require_regular
from market.errors import InputError
from training.registry.artifact import serving_bytes
from training.registry.before import judged, newest_unrefuted
from training.registry.mlflow_runs import BASELINE, HASH, read_served, standing
from training.registry.model_files import STANDS_BY, Fault, files_of
from training.registry.tracking_database import require_database, require_kept
from training.registry.trial_runs import recipe_of
from training.registry.what_serves import keep_standby, open_registry, standby_model

if TYPE_CHECKING:
    from mlflow import MlflowClient


def restore(mlruns_dir: Path, models_dir: Path, fault: Fault) -> int:
    """Write a model file anew, and return the version in it.

    Raises
    ------
    InputError
        If the registry holds no version for it, or its document is damaged as well, or what
        stands in its place is no file.
    """
    for path in files_of(fault.path):
        require_regular(path)
    require_kept(mlruns_dir, models_dir)
    if fault.standby:
        return restore_standby(mlruns_dir, models_dir, fault)
    return restore_served(mlruns_dir, models_dir, fault.name)


def restore_served(mlruns_dir: Path, models_dir: Path, name: str) -> int:
    """Write the file that serving reads anew, and return the version in it.

    It is the champion, or the challenger where there is none, or the baseline where every version
    is refuted: what serves.

    Parameters
    ----------
    name
        Registered model, such as `direction_SPY`.

    Raises
    ------
    InputError
        If nothing is registered under the name, or its document is damaged as well.
    """
    require_database(mlruns_dir)
    path = serving_model(models_dir, name)
    # What is damaged never takes its place: the registry says what serves.
    next_model(path).unlink(missing_ok=True)
    with open_registry(mlruns_dir, models_dir) as client:
        document = _that_serves(client, name)
        write_checked(path, serving_bytes(document))
        return int(str(document["version"]))


def restore_standby(mlruns_dir: Path, models_dir: Path, fault: Fault) -> int:
    """Write a file that stands by anew; see `restore_served`."""
    require_database(mlruns_dir)
    with open_registry(mlruns_dir, models_dir) as client:
        for chosen in judged(client, fault.name):
            settings = client.get_run(str(chosen.run_id)).data.params
            wanted = standby_model(models_dir, fault.name, recipe_of(settings))
            if wanted == fault.path and standing(client, chosen) in STANDS_BY:
                keep_standby(models_dir, read_served(client, chosen), settings)
                return int(chosen.version)
    raise InputError(
        f"the registry has no version of {fault.name} with these settings: remove {fault.path}"
    )


def _that_serves(client: "MlflowClient", name: str) -> Mapping[str, Json]:
    found = newest_unrefuted(client, name)
    if found is not None:
        chosen, alias = found
        return signed(read_served(client, chosen) | {"alias": alias})
    for chosen in judged(client, name):
        # All are refuted: the baseline of the newest training serves.
        if HASH + BASELINE in client.get_run(str(chosen.run_id)).data.tags:
            return read_served(client, chosen, BASELINE)
    raise InputError(f"the registry has no version of {name} that serves: train it again")
