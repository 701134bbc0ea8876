"""The warm-up audit: how much history each feature really needs, against what it declares.

The loaded history is started later and later before a session, until the session's value is no
longer that of the whole history.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final

import numpy as np

from audit.lookahead import opened
from audit.subject import spread
from feature_repo.features.catalogue import GROUPS, names
from feature_repo.features.declare import Group
from home.strict_json import Json
from ingestion.views.catalogue import VIEW_OF
from ingestion.views.compute import compute
from ingestion.views.raw import Raw
from market.arrays import FloatArray
from market.underlyings import MARKET

# The share of a value by which one of a shorter history may differ.
TOLERANCE: Final = 1e-6
PROBES: Final = 5


@dataclass(frozen=True)
class Warmup:
    """The history of one feature, in sessions with its own included.

    `declared` is its lookback, `measured` the shortest history that gives the value of the whole
    one at every probed session: None where it has no value at any of them. `enough` says whether
    the declared one gives it.
    """

    view: str
    feature: str
    declared: int
    measured: int | None
    enough: bool

    @property
    def too_short(self) -> bool:
        """Whether a history of the declared length gives another value."""
        return not self.enough or (self.measured is not None and self.measured > self.declared)


@dataclass(frozen=True)
class WarmupReport:
    """The measured history of every feature that the home holds the raw rows of."""

    tickers: tuple[str, ...]
    probes: int
    features: tuple[Warmup, ...]

    @property
    def too_short(self) -> tuple[Warmup, ...]:
        """The features whose declared lookback is too short."""
        return tuple(row for row in self.features if row.too_short)

    def document(self) -> dict[str, Json]:
        """Return the report as plain values."""
        return {"findings": len(self.too_short), **asdict(self)}


def measured(
    data_dir: Path, tickers: Sequence[str], probes: int = PROBES, seed: int = 0
) -> dict[str, int]:
    """Return the sessions of history that each feature needs for 1e-6 of its value, by name.

    The session itself is counted. A feature without a value at any probed session is left out.

    Raises
    ------
    InputError
        As `warmup`.
    """
    rows = warmup(data_dir, tickers, probes, seed).features
    return {row.feature: row.measured for row in rows if row.measured is not None}


def warmup(
    data_dir: Path, tickers: Sequence[str], probes: int = PROBES, seed: int = 0
) -> WarmupReport:
    """Return the warm-up audit of some tickers and of the market.

    Parameters
    ----------
    data_dir
        The data folder of a home.
    tickers
        Tickers whose features were built; of each feature the longest history counts.
    probes
        How many sessions to look at, in the second half of each history.
    seed
        Chooses them.

    Raises
    ------
    InputError
        If nothing was built for a ticker, or by definitions of another version.
    """
    reader, groups = opened(data_dir, tickers)
    raws = [reader.raw("ticker", ticker) for ticker in tickers]
    if reader.manifest.keys("macro"):
        raws.append(reader.raw("market", MARKET))
    found = [row for raw in raws for row in _of_key(raw, groups, probes, seed)]
    return WarmupReport(tuple(tickers), probes, tuple(_longest(found)))


@dataclass
class _History:
    """The arrays of one view over all sessions, and the probed ones among them.

    `compute` gives the features of arrays; a history is asked for once, then remembered.
    """

    group: Group
    arrays: Mapping[str, FloatArray]
    chain: tuple[Group, ...]
    places: Sequence[int]
    _seen: dict[int, np.ndarray] = field(default_factory=dict)

    def values(self, start: int, stop: int) -> np.ndarray:
        """Return the features of the last of some sessions, shape (n_features,)."""
        arrays = {name: values[start:stop] for name, values in self.arrays.items()}
        for group in self.chain:
            arrays |= group.compute(arrays)
        features = self.group.compute(arrays)
        return np.array([features[row.name][-1] for row in self.group.features])

    def whole(self) -> np.ndarray:
        """Return the features of the probed sessions, shape (n_probes, n_features)."""
        return self.probed(max(self.places) + 1)

    def enough(self, length: int) -> np.ndarray:
        """Return which features have their value from so long a history at every probe."""
        wanted, got = self.whole(), self.probed(length)
        same = (got == wanted) | (np.isnan(got) & np.isnan(wanted))
        same |= np.abs(got - wanted) <= TOLERANCE * np.abs(wanted)
        return np.asarray(same.all(axis=0))

    def probed(self, length: int) -> np.ndarray:
        """Return the features of the probed sessions from a history of at most so many sessions."""
        if length not in self._seen:
            rows = [self.values(max(at + 1 - length, 0), at + 1) for at in self.places]
            self._seen[length] = np.array(rows)
        return self._seen[length]

    def shortest(self, feature: int) -> int:
        """Return the shortest history of a feature: by doubling, then by bisection.

        A flag may agree by chance at a short length, so the doubling comes down from the whole.
        """
        longest = 1 << max(self.places).bit_length()
        while longest > 1 and self.enough(longest // 2)[feature]:
            longest //= 2
        short, long = longest // 2, longest
        while long - short > 1:
            middle = (short + long) // 2
            short, long = (short, middle) if self.enough(middle)[feature] else (middle, long)
        return min(long, max(self.places) + 1)


def _of_key(raw: Raw, groups: Mapping[str, Group], probes: int, seed: int) -> Iterator[Warmup]:
    for history in _histories(raw, groups, probes, seed):
        known = ~np.isnan(history.whole()).all(axis=0)
        for place, row in enumerate(history.group.features):
            yield Warmup(
                view=history.group.name,
                feature=row.name,
                declared=row.lookback,
                measured=history.shortest(place) if known[place] else None,
                enough=bool(history.enough(row.lookback)[place]),
            )


def _histories(raw: Raw, groups: Mapping[str, Group], probes: int, seed: int) -> Iterator[_History]:
    """Yield the history of each view, from the arrays of those that it is built on as well."""
    held: dict[str, dict[str, FloatArray]] = {}
    for view, aligned, _ in compute(raw, None, groups):
        below = VIEW_OF[view].built_on
        arrays = {name: a for base in below for name, a in held[base.name].items()}
        arrays |= aligned.arrays
        held[view] = arrays
        chain = _chain(view, groups) if raw.entity == "ticker" else ()
        count = len(aligned.sessions)
        half = count // 2
        places = [half + place for place in spread(count - half, probes, seed)]
        yield _History(groups[view], arrays, chain, places)


def _chain(view: str, groups: Mapping[str, Group]) -> tuple[Group, ...]:
    """Return the groups whose features a view is computed from, each after its own."""
    needed = set(groups[view].sources)
    found: dict[str, Group] = {}
    for group in groups.values():
        if group.name != view and needed & set(names(group.name)):
            found |= {row.name: row for row in (*_chain(group.name, groups), group)}
    return tuple(found.values())


def _longest(rows: Sequence[Warmup]) -> Iterator[Warmup]:
    """Yield one row a feature, in catalogue order, with the longest history of any key."""
    found: dict[str, list[Warmup]] = {}
    for row in rows:
        found.setdefault(row.feature, []).append(row)
    for group in GROUPS:
        for name in names(group):
            if name in found:
                lengths = [row.measured for row in found[name] if row.measured is not None]
                one = found[name][0]
                yield Warmup(
                    group, name, one.declared, max(lengths, default=None),
                    all(row.enough for row in found[name]),
                )  # fmt: skip
