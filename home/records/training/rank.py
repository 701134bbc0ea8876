"""The evidence of forecasts of the IV rank itself, in index points."""

from home.records.evidence import Standing
from home.records.record import Record
from home.records.training.measured import Difference
from home.records.training.words import Setting


class RankWindow(Record):
    """The sessions of a training, as ISO dates and counts."""

    start: str
    end: str
    sessions: int
    trained_from: str
    tested: int
    tested_decided: int


class RankFold(Record):
    """A test part: scores in index points."""

    test_start: str
    test_end: str
    scores: dict[str, float]
    baselines: dict[str, dict[str, float]]


class NewestRank(Record):
    """The newest forecast: the median of the rank, and the ends of an interval of `level`."""

    session: str
    sessions_ahead: int
    median: float
    low: float
    high: float
    level: float


class RankVerdict(Record):
    """Whether the forecast is proven to be better than persistence, and the word for it."""

    proven: bool
    standing: Standing
    words: str


class RankEvidence(Record):
    """How well the rank is forecast out of fold, and the newest forecast; None without one."""

    ticker: str
    model: str
    task: str
    unit: str
    feature_service: str
    settings: dict[str, Setting]
    window: RankWindow
    folds: list[RankFold]
    pooled: dict[str, float]
    baselines: dict[str, dict[str, float]]
    difference: dict[str, Difference]
    level: float
    forecast: NewestRank | None
    verdict: RankVerdict
