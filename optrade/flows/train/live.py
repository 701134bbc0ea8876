"""What serves and its rival, scored by what the ledger holds of both."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, get_args

from feature_repo.features.definition_hash import definition_hash
from forecasters.document import Artifact
from home.records.live_scores import LiveScores, NoLiveScores, Side
from market.errors import InputError
from monitoring.paired_scores import MIN_SESSIONS, Scored, forecasts, paired
from serving.answer.shadow import rival_of
from serving.reading.artifact import ArtifactFiles
from serving.reading.refusal import Refusal
from trading.ledger.checked import DamagedRow
from trading.ledger.connection import is_new
from trading.ledger.read import each_outcome, each_signal
from training.registry.mlflow_runs import model_type
from training.registry.promote import find_version
from training.registry.tracking_database import require_database, require_kept
from training.registry.what_serves import finished_registry

if TYPE_CHECKING:
    from optrade.runtime import Runtime

NO_RIVAL: Final = (
    "no other version stands by: train one of another type or with other settings, and the newest "
    "that is not refuted answers beside what serves"
)
RECORD: Final = (
    "`optrade signal-all --record` or `optrade run-daily` records what the newest version that "
    "stands by says beside what serves, session by session, `optrade settle` what both came to"
)


@dataclass(frozen=True)
class Candidate:
    """A version that may be compared with what serves, and the run of its training."""

    version: int
    model: str | None
    run_id: str


def live_scores(
    run: "Runtime", name: str, candidate: Candidate | None = None
) -> LiveScores | NoLiveScores | None:
    """Return how what serves and another version fared live; None of a model that is not scored.

    Parameters
    ----------
    name
        Registered model, such as `direction_SPY`.
    candidate
        The other; by default, and where it is what serves, the rival that is recorded beside it.
    """
    word, _, ticker = name.partition("_")
    task = next((task for task in get_args(Scored) if task == word), None)
    if task is None:
        return None
    files = ArtifactFiles(run.home.models, definition_hash())
    try:
        serves = _as_candidate(files.load(task, ticker))
        rival = serves if candidate is None else candidate
        if rival.run_id == serves.run_id:
            found = rival_of(serves, files.each_standby(task, ticker))
            if found is None:
                return NoLiveScores(name=name, why_none=NO_RIVAL)
            rival = _as_candidate(found)
        return _scored(run, task, ticker, serves, rival)
    except Refusal as refusal:
        return NoLiveScores(name=name, why_none=refusal.detail)
    except InputError as error:
        # A ledger or a version that is damaged says so, and stops no promotion.
        return NoLiveScores(name=name, why_none=str(error))


def candidate_of(run: "Runtime", name: str, version: int | None) -> Candidate:
    """Return the version that `promote` would take.

    Raises
    ------
    InputError
        As `training.registry.promote.promote`, where there is none.
    """
    require_kept(run.home.mlruns, run.home.models)
    require_database(run.home.mlruns)
    with finished_registry(run.home.mlruns, run.home.models) as client:
        chosen = find_version(client, name, version)
        number = int(chosen.version)
        return Candidate(number, model_type(client, name, number), str(chosen.run_id))


def _as_candidate(model: Artifact) -> Candidate:
    return Candidate(model.version, model.model, model.run_id)


def _scored(
    run: "Runtime", task: Scored, ticker: str, serves: Candidate, rival: Candidate
) -> LiveScores | NoLiveScores:
    name = f"{task}_{ticker}"
    if is_new(run.home.ledger):
        return NoLiveScores(name=name, why_none=f"nothing is recorded yet: {RECORD}")
    rows = each_signal(run.home.ledger, shadows=True)
    settled, unread = each_outcome(run.home.ledger)
    damaged = unread.get(ticker, 0) + sum(
        isinstance(row, DamagedRow) and row.ticker == ticker for row in rows
    )
    whole = [row for row in rows if not isinstance(row, DamagedRow)]
    outcomes = {one.key: one for one in settled if one.ticker == ticker}
    found = paired(
        *(forecasts(whole, outcomes, task, ticker, one.run_id) for one in (serves, rival))
    )
    if not found.sessions + found.waiting:
        both = f"version {rival.version} ({rival.model}) and version {serves.version}"
        words = f"no session that {both} ({serves.model}), which serves, both answered: {RECORD}"
        return NoLiveScores(name=name, why_none=words)
    return LiveScores(
        name=name,
        task=task,
        ticker=ticker,
        serves=Side(version=serves.version, model=serves.model),
        rival=Side(version=rival.version, model=rival.model),
        sessions=found.sessions,
        waiting=found.waiting,
        n=found.n,
        share_right=found.share_right,
        log_loss=found.log_loss,
        interval_from=MIN_SESSIONS,
        damaged=damaged,
    )
