"""What is in order and what is not, one line a check; nothing is changed."""

from typing import TYPE_CHECKING

from ingestion.sources.live import LIVE
from optrade.flows.doctor.chains import check_chains
from optrade.flows.doctor.data import check_data
from optrade.flows.doctor.environment import check_environment
from optrade.flows.doctor.finding import Finding
from optrade.flows.doctor.models import check_models
from optrade.flows.doctor.signals import check_signals
from optrade.flows.doctor.stores import check_stores
from optrade.flows.doctor.vendors import check_keys

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ingestion.sources.vendor import Vendor
    from optrade.runtime import Runtime


def examine(
    run: "Runtime", *, online: bool = False, vendors: "Sequence[Vendor]" = LIVE
) -> list[Finding]:
    """Return every finding.

    Parameters
    ----------
    run
        Settings, home and clock.
    online
        Whether each vendor whose key is set is asked what it allows. Without it no vendor is
        asked anything; a Redis that `REDIS_URL` names is asked either way.
    vendors
        The rows of those whose keys are checked.
    """
    return [
        *check_environment(run.home.root, run.now),
        *check_keys(run.settings, vendors, online=online),
        *check_data(run),
        *check_chains(run),
        *check_stores(run),
        *check_models(run.home.mlruns, run.home.models),
        *check_signals(run),
    ]
