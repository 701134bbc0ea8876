"""A fault planted on purpose: one feature computed with tomorrow's close, for audits to find."""

from collections.abc import Mapping
from dataclasses import replace
from hashlib import sha256
from typing import Final

import numpy as np

from feature_repo.features.catalogue import GROUPS
from feature_repo.features.declare import Group
from feature_repo.features.definition_hash import definition_hash
from market.arrays import BySession

LEAKED: Final = "returns_1d"


def next_return(close: BySession) -> BySession:
    """Return of the coming session, a ratio: what nobody can know; shape (n_sessions,)."""
    return np.append(close[1:] / close[:-1] - 1.0, np.nan)


def with_leak(groups: Mapping[str, Group] = GROUPS) -> dict[str, Group]:
    """Return the groups with the leak in the place of the feature `LEAKED`."""
    group = groups["technical"]
    features = tuple(
        replace(row, compute=next_return) if row.name == LEAKED else row for row in group.features
    )
    return {**groups, group.name: replace(group, features=features)}


def leaked_hash() -> str:
    """Return the hash that stands for these definitions, so that no model takes them for others."""
    return sha256(f"{definition_hash()} {LEAKED}".encode()).hexdigest()


def groups_of(hash_built: str) -> dict[str, Group] | None:
    """Return the groups that a view was built by, None if by those of another version."""
    if hash_built == leaked_hash():
        return with_leak()
    return dict(GROUPS) if hash_built == definition_hash() else None
