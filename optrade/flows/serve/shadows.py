"""Shadows: what the rivals of the models that gave signals say, recorded beside these."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from feature_repo.features.definition_hash import definition_hash
from home.disk import words_of
from home.records.signal import Signal
from market.errors import InputError
from optrade.clock import utc_now
from optrade.flows.serve.configuration import served_configuration
from optrade.flows.serve.online import ready_store
from serving.answer.open_home import OpenHome, open_home
from serving.answer.shadow import rival_of
from serving.reading.artifact import ArtifactFiles
from serving.reading.refusal import Refusal

if TYPE_CHECKING:
    from optrade.runtime import Runtime
    from trading.ledger.signals import Recorded


@dataclass(frozen=True)
class Shadow:
    """What became of the shadow of a signal.

    Attributes
    ----------
    signal, kept
        What the rivals said, and its row in the ledger; None where there is none.
    why_none
        Why a rival that stands by has no row; None where it has.
    """

    ticker: str
    signal: Signal | None = None
    kept: "Recorded | None" = None
    why_none: str | None = None


def record_shadows(run: "Runtime", signals: list[Signal]) -> list[Shadow]:
    """Record, beside signals that are recorded, what the rivals of their models say.

    A rival that does not answer, or a ledger that does not take its row, is told and changes
    nothing else. A signal beside whose models no version stands by is left out.
    """
    files = ArtifactFiles(run.home.models, definition_hash())
    shadows, home = [], None
    for signal in signals:
        try:
            if _has_rival(files, signal):
                home = home or _opened(run)
                shadows.append(_recorded(run, home, signal))
        except (Refusal, InputError) as error:
            shadows.append(Shadow(signal.ticker, why_none=str(error)))
        except OSError as error:
            if (words := words_of(error)) is None:
                raise
            shadows.append(Shadow(signal.ticker, why_none=words))
    return shadows


def _has_rival(files: ArtifactFiles, signal: Signal) -> bool:
    served = signal.provenance.models
    rivals = (
        rival_of(served.direction, files.each_standby("direction", signal.ticker)),
        rival_of(served.regime, files.each_standby("regime", signal.ticker)),
    )
    return any(rival is not None for rival in rivals)


def _opened(run: "Runtime") -> OpenHome:
    ready_store(run)
    return open_home(run.home.root, served_configuration(run))


def _recorded(run: "Runtime", home: OpenHome, signal: Signal) -> Shadow:
    from trading.ledger.signals import Ledger  # SQLAlchemy, which an answer does without

    shadow = home.shadow_for(signal, pd.Timestamp(signal.provenance.as_of))
    if shadow is None:
        return Shadow(signal.ticker, why_none="the version that stood by is gone")
    with Ledger(run.home.ledger) as ledger:
        return Shadow(signal.ticker, shadow, ledger.record(shadow, utc_now(), shadow=True))
