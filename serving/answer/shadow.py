"""Which versions answer beside those that serve, for the ledger alone: a shadow deployment. Pure.

Every version that is not refuted stands by. The newest of them that did not answer is the *rival*
of the one that did: the challenger beside a champion, the champion of before beside a new one.
"""

from collections.abc import Iterable
from typing import Final, Protocol

from forecasters.document import Artifact
from market.errors import DamagedFile
from serving.answer.signals import Models


class Version(Protocol):
    """A version of a registered model, and the run of its training."""

    @property
    def version(self) -> int: ...  # noqa: D102 - of the protocol
    @property
    def run_id(self) -> str: ...  # noqa: D102 - of the protocol


SHADOW: Final = "shadow of version"


def rival_of(answered: Version, standby: Iterable[Artifact | DamagedFile]) -> Artifact | None:
    """Return the newest unrefuted version that stands by, but for the one that answered.

    Parameters
    ----------
    standby
        Of the same task and ticker.

    Raises
    ------
    DamagedFile
        If one of them is damaged: it may be the newest.
    """
    others = []
    for one in standby:
        if isinstance(one, DamagedFile):
            raise one
        same = (one.version, one.run_id) == (answered.version, answered.run_id)
        if not same and one.evidence.standing != "refuted":
            others.append(one)
    return max(others, key=lambda one: one.version, default=None)


def shadow_models(models: Models, direction: Artifact | None, regime: Artifact | None) -> Models:
    """Return the models of a shadow: the rival of each task, else what answered.

    Parameters
    ----------
    models
        Those that answered.
    direction, regime
        Their rivals; None where there is none.
    """
    notes = dict(models.notes)
    for answered, rival in ((models.direction, direction), (models.regime, regime)):
        if rival is not None:
            notes[answered.task] = f"{SHADOW} {answered.version} ({answered.model}), which answered"
    return Models(
        direction or models.direction, regime or models.regime, notes, models.distribution
    )
