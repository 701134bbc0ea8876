"""The catalogue: every feature group, what the services ask for, and a hash of the definitions."""

import ast
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Final

from feature_repo.features.cross import CROSS
from feature_repo.features.declare import Feature, Group
from feature_repo.features.earnings.group import EARNINGS
from feature_repo.features.iv.group import IV, IV_LAGS
from feature_repo.features.iv.path import IV_PATH
from feature_repo.features.macro.group import MACRO
from feature_repo.features.sentiment.group import SENTIMENT
from feature_repo.features.technical.group import TECHNICAL
from market.errors import ConfigurationError, InputError

# The stored views.
GROUPS: Final = {
    group.name: group for group in (TECHNICAL, IV, IV_LAGS, IV_PATH, MACRO, SENTIMENT, EARNINGS)
}
# Views that a home may lack: their raw tables need a key, or start when first recorded.
OPTIONAL_GROUPS: Final = ("sentiment", "earnings")
# Computed from stored features when they are read, never stored.
ON_DEMAND: Final = {"cross": CROSS}

# Decision 1: the price-level columns, which --safe-features leaves out.
UNSAFE: Final = tuple(
    row.name for group in GROUPS.values() for row in group.features if not row.safe
)

# Decision 2: the inputs of the volatility forecaster.
VOLATILITY_INPUTS: Final = (
    "iv_rank",
    "iv_percentile",
    "iv_hv_spread",
    "vix_close",
    "vix_zscore",
    "vix_trend",
    "vix_change_1d",
    "vix_change_5d",
    "iv_rank_lag_5",
    "iv_rank_lag_10",
    "iv_rank_lag_20",
    "iv_rank_change_5d",
    "iv_rank_change_10d",
    "vix_term_slope",
    "vix_contango",
    "hv_5",
    "hv_10",
    "hv_20",
    "hv_60",
    "hv_ratio_5_20",
    "hv_ratio_20_60",
    "hv_trend",
    "vix_sma_10",
    "vix_sma_20",
    "iv_premium",
    "iv_regime_low",
    "iv_regime_high",
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
        raise InputError(
            f"unknown feature group: got {group!r:.40}, allowed are {', '.join(declared)}"
        )
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


def references(features: tuple[str, ...]) -> tuple[str, ...]:
    """Return `view:feature` references, in the order given."""
    return tuple(f"{find(name)[0].name}:{name}" for name in features)


_BASE: Final = (*names("technical"), *names("iv"), *names("macro"))


def _with_cross(*views: str) -> tuple[str, ...]:
    """Return references of the base pool, of views, and of what on demand these make possible."""
    stored = (*_BASE, *(name for view in views for name in names(view)))
    crossed = (row.name for row in CROSS.features if set(row.inputs) <= set(stored))
    return references((*stored, *crossed))


# Decision 1: the base pool of 135, +12 sentiment, +11 earnings, +3 and +2 on demand; Decision 2:
# the 27; for models that simulate the index, what they start from as well.
SERVICES: Final = {
    "direction": references(_BASE),
    "direction_sentiment": _with_cross("sentiment"),
    "direction_earnings": _with_cross("earnings"),
    "direction_sentiment_earnings": _with_cross("sentiment", "earnings"),
    "volatility": references(VOLATILITY_INPUTS),
    "volatility_paths": references((*VOLATILITY_INPUTS, *names("iv_path"))),
}


# What turns raw rows into feature rows, below the project's folder. Read as text: the modules of
# ingestion are not imported from here.
DEFINED_BY: Final = (
    "feature_repo/features/**/*.py",
    "market/availability.py",
    "market/baskets.py",
    "market/calendar.py",
    "market/underlyings.py",
    "market/adjust.py",
    "market/targets.py",
    "ingestion/views/*.py",
)


@cache
def definition_hash() -> str:
    """Return the SHA-256 of the code that defines the features, 64 hexadecimal digits.

    A changed formula changes it, and so does what is as good as one: when an input is available,
    who is in a basket, how raw rows are aligned. A changed comment, docstring or layout does not.
    A new row of a table in `markets` or `baskets` changes it too, though no value of the tickers
    before: the hash is of all tickers, as a model may be trained on several.
    """
    return hash_of(sources_below(Path(__file__).parents[2]))


def sources_below(root: Path) -> dict[str, str]:
    """Return the modules of `DEFINED_BY`, by their place below a folder, and their source.

    Raises
    ------
    ConfigurationError
        If one of them is not there: a hash of the rest would stand for other definitions.
    """
    found = {pattern: sorted(root.glob(pattern)) for pattern in DEFINED_BY}
    missing = [pattern for pattern, paths in found.items() if not paths]
    if missing:
        raise ConfigurationError(
            f"feature definitions: got no {', '.join(missing)} below {root}, needed are all of "
            f"{', '.join(DEFINED_BY)}; install the project whole"
        )
    return {
        str(path.relative_to(root)): path.read_text("utf-8")
        for paths in found.values()
        for path in paths
    }


def hash_of(sources: dict[str, str]) -> str:
    """Return the SHA-256 of modules, by name and source, without comments and docstrings."""
    modules = [(name, _canonical(ast.parse(source))) for name, source in sorted(sources.items())]
    return sha256(repr(modules).encode()).hexdigest()


def _canonical(node: object) -> object:
    """Syntax tree as nested tuples, the same in every Python version that can parse the module.

    Empty fields are left out, as versions differ in which ones they have; `ast.unparse` would
    not do, as versions quote differently.
    """
    if isinstance(node, list):
        return tuple(_canonical(item) for item in node)
    if not isinstance(node, ast.AST):
        return node
    _strip_docstring(node)
    fields = [(name, _canonical(value)) for name, value in ast.iter_fields(node)]
    return type(node).__name__, tuple(field for field in fields if field[1] not in (None, ()))


def _strip_docstring(node: ast.AST) -> None:
    documented = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
    if isinstance(node, documented) and ast.get_docstring(node, clean=False) is not None:
        node.body = node.body[1:]
