"""BentoML's usage reports, switched off for whoever starts the service and however.

`bentoml serve` asks once whether it may report, before it has loaded the service, and remembers
the answer; it reports when the server starts, and again when it ends. The service is loaded in
between, so that the variable alone would come too late: the remembered answer has to go too.
"""

import os
from typing import Final

from bentoml._internal.utils.analytics import usage_stats

VARIABLE: Final = "BENTOML_DO_NOT_TRACK"


def switch_off() -> None:
    """Switch BentoML's usage reports off, in this process and those it starts.

    A `BENTOML_DO_NOT_TRACK` that is set already is left as it is: it is the user's word.
    """
    os.environ.setdefault(VARIABLE, "True")
    usage_stats.do_not_track.cache_clear()
