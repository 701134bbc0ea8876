"""Who was champion when: the histories of the registered models."""

from typing import TYPE_CHECKING, Any

from optrade.periods import parse_day
from training.registry.champion_history import champion_at, history
from training.registry.mlflow_runs import open_client

if TYPE_CHECKING:
    from optrade.runtime import Runtime


def champion_documents(
    run: "Runtime", name: str | None, session: str | None
) -> list[dict[str, Any]]:
    """Return the reigns of one registered model, or of all.

    Parameters
    ----------
    session
        If given, the version that was champion then takes the place of the reigns.

    Raises
    ------
    InputError
        If there is no such model, or the day is no session.
    """
    day = None if session is None else parse_day("--session", session)
    client = open_client(run.home.mlruns)
    listed = sorted(model.name for model in client.search_registered_models())
    found = [(one, history(client, one)) for one in (listed if name is None else [name])]
    if day is None:
        return [
            {"name": one, "reigns": [reign.document() for reign in reigns]} for one, reigns in found
        ]
    return [
        {"name": one, "session": session, "champion": champion_at(reigns, day)}
        for one, reigns in found
    ]
