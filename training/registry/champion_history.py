"""Which version of a model was champion in which session.

The history is kept on the registered model, as tags that are only ever added: `champion.000001`
and so on, each a version and the clock of the home when it became champion. The alias is what
serving follows; a history that a kill or a hand at MLflow left behind it is completed from it.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import TYPE_CHECKING, Final

import pandas as pd

from market.calendar import decision_time, last_complete_session, session_shift
from training.judge.decide import CHAMPION
from training.registry.mlflow_runs import aliased, require_registered

if TYPE_CHECKING:
    from mlflow import MlflowClient

ENTRY: Final = "champion."  # of the tags of a registered model
FROM: Final = "champion_from"  # the tag of a version, set before its alias


@dataclass(frozen=True)
class Reign:
    """A time with one champion, or with none.

    Attributes
    ----------
    version
        None where the alias had been taken away.
    since, until
        Clock of the home, UTC. A `since` of None is not known: the alias was set by hand. An
        `until` of None is open, or not known where the next reign's `since` is not.
    """

    version: int | None
    since: pd.Timestamp | None
    until: pd.Timestamp | None = None

    def document(self) -> dict[str, int | str | None]:
        """Return the reign as plain values, with its first and last session."""
        first, end = _first_session(self.since), _first_session(self.until)
        last = None if end is None else session_shift(pd.DatetimeIndex([end]), -1)[0]
        reigned = first is not None and (last is None or first <= last)
        return {
            "version": self.version,
            "from": None if self.since is None else self.since.isoformat(),
            "until": None if self.until is None else self.until.isoformat(),
            "first_session": str(first.date()) if first is not None and reigned else None,
            "last_session": str(last.date()) if last is not None and reigned else None,
        }


def crown(client: "MlflowClient", name: str, version: int, at: pd.Timestamp) -> None:
    """Make a version the champion from a time on, and add that to the history.

    The time is on the version before the alias is, so that a kill after the alias loses nothing.

    Parameters
    ----------
    at
        Clock of the home.
    """
    reigns = settle(client, name)
    client.set_model_version_tag(name, str(version), FROM, at.isoformat())
    client.set_registered_model_alias(name, CHAMPION, str(version))
    if not reigns or reigns[-1].version != version:
        _add(client, name, len(reigns), Reign(version, at))


def settle(client: "MlflowClient", name: str) -> tuple[Reign, ...]:
    """Add to the history what the alias says and the history lacks; return the history."""
    kept = _kept(client, name)
    reigns = history(client, name)
    for number, reign in enumerate(reigns[len(kept) :], len(kept)):
        _add(client, name, number, reign)
    return reigns


def history(client: "MlflowClient", name: str) -> tuple[Reign, ...]:
    """Return the reigns of a registered model, in order; writes nothing.

    Raises
    ------
    InputError
        If there is no such model.
    """
    kept = _kept(client, name)
    version = aliased(client, name, CHAMPION)
    if version != (kept[-1].version if kept else None):
        kept = [*kept, Reign(version, _since(client, name, version, kept))]
    ends = [after.since for after in kept[1:]]
    return tuple(Reign(reign.version, reign.since, end) for reign, end in zip_longest(kept, ends))


def champion_at(reigns: Sequence[Reign], session: pd.Timestamp) -> int | None:
    """Return the version that was champion when a session's signal could first be given.

    None where there was none, or where the history cannot say.
    """
    moment = decision_time(pd.DatetimeIndex([session]))[0]
    for reign in reversed(reigns):
        if reign.since is None or reign.since <= moment:
            return None if reign.since is None else reign.version
    return None


def _since(
    client: "MlflowClient", name: str, version: int | None, kept: Sequence[Reign]
) -> pd.Timestamp | None:
    """Return since when an alias has stood that the history lacks, None if that is not known."""
    if version is None:
        return None
    found = client.get_model_version(name, str(version)).tags.get(FROM)
    since = None if found is None else pd.Timestamp(found)
    earlier = [reign.since for reign in kept if reign.since is not None]
    # An older mark is of an earlier reign of the version.
    return since if since is not None and all(since >= one for one in earlier) else None


def _kept(client: "MlflowClient", name: str) -> list[Reign]:
    tags = require_registered(client, name).tags
    entries = sorted(item for item in tags.items() if item[0].startswith(ENTRY))
    return [_read(text) for _, text in entries]


def _read(text: str) -> Reign:
    entry = json.loads(text)
    since = entry["from"]
    return Reign(entry["version"], None if since is None else pd.Timestamp(since))


def _add(client: "MlflowClient", name: str, number: int, reign: Reign) -> None:
    since = None if reign.since is None else reign.since.isoformat()
    text = json.dumps({"version": reign.version, "from": since})
    client.set_registered_model_tag(name, f"{ENTRY}{number + 1:06}", text)


def _first_session(since: pd.Timestamp | None) -> pd.Timestamp | None:
    """Return the first session whose decision time is not before a moment."""
    if since is None:
        return None
    last = pd.DatetimeIndex([last_complete_session(since)])
    return last[0] if decision_time(last)[0] == since else session_shift(last, 1)[0]
