"""How long a vendor is waited for: bounded tries, with jitter, within one budget of time."""

import time
from collections.abc import Callable
from concurrent.futures import Future, wait
from dataclasses import dataclass
from threading import Thread
from typing import Final, TypeVar

import stamina
import structlog
from stamina.instrumentation import RetryDetails, set_on_retry_hooks

from market.errors import SourceUnavailable

T = TypeVar("T")
logger = structlog.get_logger(__name__)


def _retried(details: RetryDetails) -> None:
    """Log that a question is asked again: no more than that, as the last reason is told."""
    pause = round(details.wait_for, 2)
    logger.info("asked again", tries=details.retry_num, why=str(details.caused_by), pause=pause)


set_on_retry_hooks([_retried])


@dataclass(frozen=True)
class Patience:
    """The tries that one question to a vendor is worth.

    Attributes
    ----------
    attempts
        The most tries.
    attempt_seconds
        The longest that one try may take.
    budget_seconds
        The longest that all tries and the pauses between them may take.
    pause_seconds, longest_pause_seconds
        The first pause, doubled after each further try, and the longest.
    jitter_seconds
        What is added to a pause at random, so that clients do not return together.
    """

    attempts: int = 3
    attempt_seconds: float = 20.0
    budget_seconds: float = 60.0
    pause_seconds: float = 0.5
    longest_pause_seconds: float = 5.0
    jitter_seconds: float = 1.0


PATIENCE: Final = Patience()


class TryAgain(SourceUnavailable):
    """A fault that may pass within seconds; `pause` is the wait the vendor asks for, if any."""

    def __init__(self, reason: str, pause: float | None = None) -> None:
        super().__init__(reason)
        self.pause = pause


def patiently(what: str, call: Callable[[float], T], patience: Patience) -> T:
    """Return what a call returns, trying again after each `TryAgain`.

    Parameters
    ----------
    what
        The vendor and what it was asked for, for messages.
    call
        One try. It is given its seconds, after which it is left alone, and says in a
        `SourceUnavailable` only why it failed.
    patience
        The tries and their time. A vendor that asks for a longer pause than is left is not asked
        again.

    Raises
    ------
    SourceUnavailable
        If no try succeeded: what was asked for, the last reason and the number of tries. Without
        a cause, which may hold a key. Every other error of the call passes at once.
    """
    deadline = time.monotonic() + patience.budget_seconds
    tries = 0

    def worth_a_pause(error: Exception) -> bool | float:
        if not isinstance(error, TryAgain):
            return False
        longest = patience.longest_pause_seconds if error.pause is None else error.pause
        if longest >= deadline - time.monotonic():
            return False
        return True if error.pause is None else error.pause

    try:
        for attempt in stamina.retry_context(
            on=worth_a_pause,
            attempts=patience.attempts,
            timeout=None,
            wait_initial=patience.pause_seconds,
            wait_max=patience.longest_pause_seconds,
            wait_jitter=patience.jitter_seconds,
        ):
            with attempt:
                tries = attempt.num
                left = deadline - time.monotonic()
                return in_time(call, min(patience.attempt_seconds, left))
    except SourceUnavailable as error:
        reason = f"{what}: {error}{f', tried {tries} times' if tries > 1 else ''}"
    # Outside the handler, so that the new error carries no other one along.
    raise SourceUnavailable(f"{reason}; try again later")


def in_time(call: Callable[[float], T], seconds: float) -> T:
    """Return what a call returns within a time, or leave it alone.

    The call runs in a thread of its own, which is not waited for at exit: some vendors' libraries
    have no timeout, and a server that answers a byte a minute outlasts those of the others.

    Raises
    ------
    TryAgain
        If it has not ended in time. Every error of the call passes.
    """
    answer: Future[T] = Future()

    def work() -> None:
        try:
            answer.set_result(call(seconds))
        except BaseException as error:  # noqa: BLE001 - raised again in the thread that waits
            answer.set_exception(error)

    Thread(target=work, daemon=True).start()
    done, _ = wait([answer], timeout=seconds)
    if not done:
        raise TryAgain(f"no answer within {seconds:.3g} s")
    return answer.result()
