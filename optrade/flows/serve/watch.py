"""The watch over the online store of a running service: lost or emptied, it is there again soon.

The service itself is numbers alone and reads no parquet, so a process beside it does this: a child
of the service's process, which it ends with. `python -m optrade.flows.serve.watch PARENT`
"""

import os
import signal
import sys
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Final

# Imported before anything is lost: a service that waits for imports waits for seconds.
import feast.infra.online_stores.redis  # noqa: F401

import ingestion.online.materialize
import ingestion.online.writes  # noqa: F401
from market.errors import InputError
from optrade.clock import utc_now
from optrade.flows.serve.online import ready_store, refill, tell
from optrade.redis.content import refill_asked
from optrade.runtime import runtime

if TYPE_CHECKING:
    from optrade.runtime import Runtime

SECONDS: Final = 0.5
# After a fault that only a person mends, and between two refills.
LATER_SECONDS: Final = 5.0


def watch(run: "Runtime", parent: int) -> None:
    """Keep the store ready until the parent has ended; say each fault once."""
    fault, filled = "", -LATER_SECONDS
    while os.getppid() == parent:
        try:
            now = replace(run, now=utc_now())
            ready_store(now)
            # What filling does not mend is asked for again and again.
            if time.monotonic() - filled >= LATER_SECONDS and refill_asked(now.redis_url()):
                done = refill(now)
                filled = time.monotonic()
                tell(f"rows were lost: filled from parquet, session {done.session}")
            fault = ""
        except (InputError, OSError) as error:
            if str(error) != fault:
                tell(f"the online store cannot be mended: {error}")
            fault = str(error)
        time.sleep(LATER_SECONDS if fault else SECONDS)


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    watch(runtime(), int(sys.argv[1]))
