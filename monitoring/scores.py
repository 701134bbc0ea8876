"""How recorded signals fared: counts, hits and calibration, each beside its n. Pure."""

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import pandas as pd

from market.arrays import FloatArray
from market.targets import DIRECTIONS, DOWN, FLAT, UP
from monitoring.drift.null import Blocks

Period = Literal["session", "month"]

MEAN_BLOCK: Final = 20  # sessions, Decision 10
RESAMPLES: Final = 1_000
TAIL: Final = 0.025
# Fewer settled sessions than two mean blocks have no interval worth drawing.
MIN_SESSIONS: Final = 2 * MEAN_BLOCK
MIN_DECIDED: Final = 50  # below, a reliability curve says nothing
MIN_BIN: Final = 10  # decided signals of one bin
FIRST_MONTH: Final = pd.Timedelta(days=31)
BIN_EDGES: Final = np.linspace(0.0, 1.0, 11)


@dataclass(frozen=True)
class Advantage:
    """A hit rate beside a constant forecast's on the same decided signals.

    Attributes
    ----------
    n, sessions
        Decided signals, and the sessions that they stand on.
    interval
        95 % stationary-block-bootstrap interval of the difference; None below `MIN_SESSIONS`.
    """

    baseline: str
    n: int
    sessions: int
    hit_rate: float
    baseline_rate: float
    interval: tuple[float, float] | None

    @property
    def difference(self) -> float:
        """Hit rate above the baseline's, a fraction."""
        return self.hit_rate - self.baseline_rate


def given_in_time(history: pd.DataFrame, *, backfilled: bool = False) -> pd.DataFrame:
    """Return the signals that could be followed; or the others, which no live score counts."""
    return history[history["backfilled"].eq(backfilled)]


def decided(history: pd.DataFrame) -> pd.DataFrame:
    """Return the settled signals whose label is UP or DOWN (Decision 7: FLAT decides nothing)."""
    return history[history["label"].isin(DIRECTIONS)]


def hit_table(history: pd.DataFrame, by: str) -> pd.DataFrame:
    """Return counts and hit rates by one column, the largest group first.

    Returns
    -------
    DataFrame
        `by`, `signals`, `settled`, `flat`, `decided`, `direction_hits`, `direction_rate`,
        `up_share` (of the decided: the rate of always UP), `iv_known`, `iv_hits`, `iv_rate`;
        a rate is null where its n is 0.
    """
    marked = history.assign(
        settled=history["label"].notna(),
        flat=history["label"].eq(FLAT),
        decided=history["direction_hit"].notna(),
        direction_hits=history["direction_hit"].fillna(False).astype(int),
        ups=history["label"].eq(UP),
        iv_known=history["regime_hit"].notna(),
        iv_hits=history["regime_hit"].fillna(False).astype(int),
    )
    sums = ["settled", "flat", "decided", "direction_hits", "ups", "iv_known", "iv_hits"]
    groups = marked.groupby(by, sort=True)
    table = groups[sums].sum().assign(signals=groups.size()).reset_index()
    table["direction_rate"] = table["direction_hits"] / table["decided"].where(table["decided"] > 0)
    table["up_share"] = table["ups"] / table["decided"].where(table["decided"] > 0)
    table["iv_rate"] = table["iv_hits"] / table["iv_known"].where(table["iv_known"] > 0)
    columns = [
        by, "signals", "settled", "flat", "decided", "direction_hits", "direction_rate",
        "up_share", "iv_known", "iv_hits", "iv_rate",
    ]  # fmt: skip
    return table[columns].sort_values("signals", ascending=False, ignore_index=True)


def advantages(history: pd.DataFrame, seed: int = 0) -> list[Advantage]:
    """Return the direction's hit rate beside always UP and always DOWN; none if none is decided.

    Sessions are resampled in blocks, all tickers of a session together: five-session outcomes
    overlap, and tickers move together.
    """
    rows = decided(history)
    if rows.empty:
        return []
    hit = rows["direction_hit"].to_numpy(dtype=np.float64)
    return [
        _advantage(f"always {word}", rows, hit, rows["label"].eq(word).to_numpy(np.float64), seed)
        for word in (UP, DOWN)
    ]


def _advantage(
    baseline: str, rows: pd.DataFrame, hit: FloatArray, rival: FloatArray, seed: int
) -> Advantage:
    each = pd.DataFrame({"session": rows["session"], "gain": hit - rival, "n": 1.0})
    sums = each.groupby("session")[["gain", "n"]].sum()
    interval = None
    if len(sums) >= MIN_SESSIONS:
        interval = _interval(sums["gain"].to_numpy(), sums["n"].to_numpy(), seed)
    rates = float(hit.mean()), float(rival.mean())
    return Advantage(baseline, len(rows), len(sums), *rates, interval)


def _interval(gain: FloatArray, n: FloatArray, seed: int) -> tuple[float, float]:
    length = len(gain)
    blocks = Blocks(RESAMPLES, length, MEAN_BLOCK, np.random.SeedSequence(seed))
    drawn = blocks.rows(length, length)
    means = gain[drawn].sum(axis=1) / n[drawn].sum(axis=1)
    low, high = np.quantile(means, [TAIL, 1.0 - TAIL])
    return float(low), float(high)


def reliability(history: pd.DataFrame) -> pd.DataFrame:
    """Return what P(UP) promised and what came, in ten bins of equal width, of decided signals.

    Returns
    -------
    DataFrame
        `low`, `high` (bin, half-open, the last one closed), `n`, `forecast` (mean P(UP)), `came`
        (share of UP), `enough` (n at least `MIN_BIN`); bins without a signal are left out.
    """
    rows = decided(history)
    places = np.clip(np.digitize(rows["probability"], BIN_EDGES) - 1, 0, len(BIN_EDGES) - 2)
    grouped = rows.assign(bin=places, up=rows["label"].eq(UP)).groupby("bin")
    table = grouped.agg(n=("up", "size"), forecast=("probability", "mean"), came=("up", "mean"))
    at = table.index.to_numpy(dtype=np.int64)
    return table.reset_index(drop=True).assign(
        low=BIN_EDGES[at], high=BIN_EDGES[at + 1], enough=table["n"].to_numpy() >= MIN_BIN
    )[["low", "high", "n", "forecast", "came", "enough"]]


def period_of(history: pd.DataFrame) -> Period:
    """Return what a history is counted by: sessions in its first month, then calendar months."""
    span = history["session"].max() - history["session"].min()
    return "session" if span < FIRST_MONTH else "month"


def by_period(history: pd.DataFrame, period: Period) -> pd.DataFrame:
    """Return the hit table by session or calendar month (`period`: its first day), oldest first."""
    table = hit_table(_with_period(history, period), "period")
    return table.sort_values("period", ignore_index=True)


def strategies_by_period(history: pd.DataFrame, period: Period) -> pd.DataFrame:
    """Return the number of signals by period and strategy: `period`, `strategy`, `signals`."""
    counts = _with_period(history, period).groupby(["period", "strategy"]).size()
    return counts.rename("signals").reset_index()


def _with_period(history: pd.DataFrame, period: Period) -> pd.DataFrame:
    days = history["session"]
    first = days if period == "session" else days.dt.to_period("M").dt.to_timestamp()
    return history.assign(period=first)
