"""The catalogue: every feature group, stored and on demand, and every feature by its name."""

from typing import Final

from feature_repo.features.cross import CROSS
from feature_repo.features.declare import Feature, Group
from feature_repo.features.earnings.group import EARNINGS
from feature_repo.features.iv.group import IV, IV_LAGS
from feature_repo.features.iv.path import IV_PATH
from feature_repo.features.macro.group import MACRO
from feature_repo.features.option_chain.group import OPTION_CHAIN
from feature_repo.features.sentiment.group import SENTIMENT
from feature_repo.features.technical.group import TECHNICAL
from feature_repo.features.technical.variance import VARIANCE
from market.errors import InputError, UnknownName

# The stored views.
GROUPS: Final = {
    group.name: group
    for group in (
        *(TECHNICAL, VARIANCE, IV, IV_LAGS, IV_PATH, MACRO),
        *(SENTIMENT, EARNINGS, OPTION_CHAIN),
    )
}
# Views that a home may lack.
OPTIONAL_GROUPS: Final = tuple(name for name, group in GROUPS.items() if group.optional)
# Those of them that a flag adds to the pool of a direction model.
FLAG_GROUPS: Final = tuple(name for name in OPTIONAL_GROUPS if not GROUPS[name].auxiliary)
# Computed from stored features when they are read, never stored.
ON_DEMAND: Final = {"cross": CROSS}

# Decision 1: the price-level columns, which --safe-features leaves out.
UNSAFE: Final = tuple(
    row.name for group in GROUPS.values() for row in group.features if not row.safe
)


def names(group: str) -> tuple[str, ...]:
    """Return the feature names of a group, stored or on demand, in catalogue order.

    Raises
    ------
    InputError
        If there is no such group.
    """
    declared = GROUPS | ON_DEMAND
    if group not in declared:
        raise UnknownName("unknown feature group", group, declared)
    return tuple(row.name for row in declared[group].features)


def find(name: str) -> tuple[Group, Feature]:
    """Return a feature by name, stored or on demand, with its group.

    Raises
    ------
    InputError
        If there is no such feature.
    """
    for group in (GROUPS | ON_DEMAND).values():
        for row in group.features:
            if row.name == name:
                return group, row
    raise InputError(
        f"unknown feature: got {name!r:.40}, allowed are the rows of feature_repo/features"
    )
