"""The as-of store under the name that a Feast project gives: `optrade.offline_store`.

A project made by `feast init` is a package `feature_repo` too, and where Python starts beside it
that one is found first. This package's modules are then looked for behind the project's own.
"""

from pathlib import Path

import feature_repo

_STORE = str(Path(__file__).resolve().parents[1] / feature_repo.__name__)
if _STORE not in feature_repo.__path__:
    feature_repo.__path__.append(_STORE)

from feature_repo.asof_store import AsofOfflineStore, AsofOfflineStoreConfig  # noqa: E402

__all__ = ["AsofOfflineStore", "AsofOfflineStoreConfig"]
