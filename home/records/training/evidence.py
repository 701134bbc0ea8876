"""The evidence of a training: all that was measured of a recipe, and the verdict on it."""

from collections.abc import Mapping

from pydantic import SerializerFunctionWrapHandler, model_serializer, model_validator

from home.records.evidence import standing_of
from home.records.record import Record
from home.records.training.explained import Curves, Importance
from home.records.training.judged import Compared, Gate, Trials, Verdict
from home.records.training.measured import AllDays, AtHalf, Difference, ScoreBeside
from home.records.training.words import Absent, Figures, Setting
from market.errors import InputError


class Window(Record):
    """The sessions of a training, as ISO dates and counts.

    Attributes
    ----------
    decided, tested_decided
        Those that have a class.
    tested_dropped
        Tested ones that could not be scored.
    locked_sessions
        Tested ones that lie in the home's locked window.
    """

    start: str
    end: str
    sessions: int
    decided: int
    trained_from: Absent[str] = None
    trained_on: Absent[int] = None
    tested: int
    tested_decided: int
    tested_dropped: int
    locked_sessions: Absent[int] = None


class ThresholdChoice(Record):
    """What a threshold was chosen by; `at_edge`: the best one may lie beyond the grid."""

    criterion: str | None
    score: float | None
    at_edge: bool


class CalibrationCurve(Record):
    """Platt's curve, and the number of rows it was fitted on."""

    slope: float
    intercept: float
    rows: int


class FoldRows(Record):
    """Counts of rows."""

    train: int
    train_dropped: int
    test: int
    test_dropped: int


class FoldEvidence(Record):
    """A fold of the walk-forward: its parts, and the figures of the decided tested sessions."""

    fold: int
    train_start: str
    train_end: str
    test_start: str
    test_end: str
    rows: FoldRows
    scores: Figures
    baselines: dict[str, Figures]
    difference: dict[str, Difference]
    comparison: list[ScoreBeside]
    features: list[str]
    threshold: float | None
    threshold_choice: ThresholdChoice | None = None
    calibration: CalibrationCurve | None = None
    call_weights: list[float] | None = None


class Pooled(Record):
    """The scores of all decided tested sessions, and the means of the folds'.

    In a document the scores stand beside the other fields.
    """

    scores: Figures
    fold_mean: Figures
    all_days: Absent[AllDays] = None
    at_half: Absent[AtHalf] = None

    @model_validator(mode="before")
    @classmethod
    def _gather(cls, given: object) -> object:
        if not isinstance(given, dict) or "scores" in given:
            return given
        own = {name: given[name] for name in cls.model_fields if name in given}
        return own | {"scores": {name: given[name] for name in given if name not in own}}

    @model_serializer(mode="wrap")
    def _spread(self, serialize: SerializerFunctionWrapHandler) -> Mapping[str, object]:
        found = serialize(self)
        scores: Figures = found.pop("scores")
        return {**scores, **found}


class Member(Record):
    """A part of a mixture, or the one model, with its weight."""

    model: str
    weight: float
    features: list[str]


class TrainingEvidence(Record):
    """The evidence of a training.

    Fields that some runs of earlier versions lack are None where they do.

    Attributes
    ----------
    baselines, difference
        By baseline.
    comparison
        Every score against the gate's baseline.
    features, mutual_information
        What the final fit reads, and its information in nats; None where nobody measured it.
    left_out
        Features too rarely known, with the share of rows that know them.
    twins
        Features left out by the name of the one that says the same.
    champion, trials
        None where there was none, or nobody counted them.
    """

    ticker: str
    model: str
    task: str
    feature_service: str | None
    settings: dict[str, Setting]
    window: Window
    folds: list[FoldEvidence]
    pooled: Pooled
    baselines: dict[str, Figures]
    difference: dict[str, Difference]
    comparison: list[ScoreBeside]
    gate: Gate
    curves: Absent[Curves] = None
    importance: Absent[Importance] = None
    features: list[str]
    mutual_information: Figures
    left_out: dict[str, float]
    constant: list[str]
    twins: dict[str, str]
    trained_rows: int
    dropped_rows: int
    members: Absent[list[Member]] = None
    threshold: float | None
    threshold_choice: ThresholdChoice | None = None
    calibration: CalibrationCurve | None = None
    call_weights: list[float] | None = None
    warnings: list[str]
    champion: Compared | None
    verdict: Verdict
    trials: Absent[Trials] = None

    @model_validator(mode="before")
    @classmethod
    def _named(cls, given: object) -> object:
        """Give a verdict from before there was a `standing` that of its figures."""
        if not isinstance(given, dict):
            return given
        verdict, gate = given.get("verdict"), given.get("gate")
        if not (isinstance(verdict, dict) and isinstance(gate, dict)) or "standing" in verdict:
            return given
        found = Gate.model_validate(gate)
        word = standing_of(verdict.get("proven") is True, found.interval)
        return {**given, "verdict": {**verdict, "standing": word}}

    def count(self, setting: str) -> int:
        """Return a setting that is a whole number.

        Raises
        ------
        InputError
            If the training did not record it.
        """
        value = self.settings.get(setting)
        if not isinstance(value, int):
            raise InputError(
                f"settings of the evidence of {self.task} {self.ticker}: {setting} is {value!r}, "
                "allowed is a whole number; train it again with this version"
            )
        return value
