"""The model as data: read, checked and evaluated with numpy; nothing is ever unpickled.

An artifact is one JSON document. It is refused unless its hash, its schema, the lengths of its
lists and the hash of the feature definitions it was trained on are all right.
"""

import hashlib
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal, NoReturn, Self

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from serving import strict_json
from serving.refusal import Refusal

FORMAT: Final = 1
Task = Literal["direction", "regime"]
CLASSES: Final[dict[Task, tuple[str, ...]]] = {
    "direction": ("DOWN", "UP"),
    "regime": ("LOW", "NORMAL", "HIGH"),
}
FloatArray = npt.NDArray[np.float64]
Text = Annotated[str, Field(min_length=1)]


class _Strict(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, allow_inf_nan=False)


class Calibration(_Strict):
    """Platt's curve: P(UP) = sigmoid(slope x decision value + intercept)."""

    slope: float
    intercept: float


class Trained(_Strict):
    """The rows a model was fitted on: first and last session, and their number."""

    start: Text
    end: Text
    rows: Annotated[int, Field(gt=0)]


class Evidence(_Strict):
    """The gate's figure (Decision 11): the improvement over a baseline and its interval.

    `improvement` and `interval` are null where the evaluation could not measure them, and then
    nothing is proven.
    """

    proven: bool
    metric: Text
    baseline: Text
    improvement: float | None
    interval: Annotated[list[float], Field(min_length=2, max_length=2)] | None
    verdict: str

    @model_validator(mode="after")
    def _measured(self) -> Self:
        if self.proven and (self.improvement is None or self.interval is None):
            raise ValueError("proven without a figure and its interval")
        return self


class Artifact(_Strict):
    """A standardised linear model, its classes, calibration, threshold and evidence."""

    format: Literal[1]
    name: Text
    task: Task
    model: Literal["logistic"]
    ticker: Text
    version: Annotated[int, Field(ge=1)]
    run_id: Text
    alias: Literal["champion", "challenger"]
    feature_service: Text
    definition_hash: Text
    features: Annotated[list[Text], Field(min_length=1)]
    mean: list[float]
    scale: list[Annotated[float, Field(gt=0)]]
    coef: list[list[float]]
    intercept: list[float]
    classes: list[str]
    calibration: Calibration | None
    threshold: Annotated[float, Field(gt=0, lt=1)] | None
    trained: Trained
    evidence: Evidence
    sha256: Text

    @model_validator(mode="after")
    def _shapes(self) -> Self:
        width, rows = len(self.features), 1 if self.task == "direction" else len(self.classes)
        if len(set(self.features)) != width:
            raise ValueError("features: a name stands twice")
        if tuple(self.classes) != CLASSES[self.task]:
            raise ValueError(f"classes: got {self.classes}, allowed {CLASSES[self.task]}")
        for name, got, want in (
            ("mean", len(self.mean), width),
            ("scale", len(self.scale), width),
            ("coef", len(self.coef), rows),
            ("intercept", len(self.intercept), rows),
            *(("coef row", len(row), width) for row in self.coef),
        ):
            if got != want:
                raise ValueError(f"{name}: got {got} numbers, allowed are {want}")
        calls = (self.calibration is not None, self.threshold is not None)
        if calls != (self.task == "direction",) * 2:
            raise ValueError("calibration and threshold belong to a direction, to nothing else")
        return self

    def decision(self, features: Mapping[str, float]) -> FloatArray:
        """Return the calibrated decision values: shape (1,) for a direction, (3,) for a regime.

        Raises
        ------
        Refusal
            `not_finite` if the features overflow the model.
        """
        values = np.array([features[name] for name in self.features], dtype=np.float64)
        with np.errstate(over="ignore", invalid="ignore"):
            standard = (values - np.array(self.mean)) / np.array(self.scale)
            decision = np.array(self.coef) @ standard + np.array(self.intercept)
            if self.calibration is not None:
                decision = self.calibration.slope * decision + self.calibration.intercept
        if not np.isfinite(decision).all():
            raise Refusal("not_finite", f"{self.name}: its decision value is {decision.tolist()}")
        return np.asarray(decision)

    def probability_up(self, features: Mapping[str, float]) -> float:
        """Return the calibrated P(UP) (Decision 6).

        Raises
        ------
        ValueError
            If this is no direction model.
        """
        if self.task != "direction":
            raise ValueError(f"{self.name} forecasts no direction")
        odds = float(self.decision(features)[0])
        # Two forms, so that exp never overflows.
        small = math.exp(-abs(odds))
        return 1.0 / (1.0 + small) if odds >= 0 else small / (1.0 + small)

    def probabilities(self, features: Mapping[str, float]) -> dict[str, float]:
        """Return the probability of every class of a regime model; they sum to 1.

        Raises
        ------
        ValueError
            If this is no regime model.
        """
        if self.task != "regime":
            raise ValueError(f"{self.name} forecasts no regime")
        decision = self.decision(features)
        weights = np.exp(decision - decision.max())
        chances = weights / weights.sum()
        return dict(zip(self.classes, chances.tolist(), strict=True))


def canonical_sha256(document: Mapping[str, Any]) -> str:
    """Return the SHA-256 of a document's canonical JSON, its own `sha256` field left out."""
    rest = {name: value for name, value in document.items() if name != "sha256"}
    text = json.dumps(rest, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def artifact_path(models_dir: Path, task: Task, ticker: str) -> Path:
    """Return where the served model of a task and ticker lies."""
    return models_dir / "serving" / f"{task}_{ticker}.json"


def load_artifact(models_dir: Path, task: Task, ticker: str, definition_hash: str) -> Artifact:
    """Return the served model of a task and ticker.

    Parameters
    ----------
    definition_hash
        Of the feature definitions this process computes with; a model of others is refused.

    Raises
    ------
    Refusal
        `model_missing` if there is none, `model_refused` if anything about it is wrong.
    """
    path = artifact_path(models_dir, task, ticker)
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise Refusal(
            "model_missing", f"no {task} model for {ticker} yet: run `optrade train-all`"
        ) from None
    except OSError as error:
        _refuse(path, f"cannot be read: {error.strerror}")
    artifact = _parse(path, content)
    wanted = (task, ticker, path.stem)
    got = (artifact.task, artifact.ticker, artifact.name)
    if got != wanted:
        _refuse(path, f"got task, ticker, name {got}, allowed are {wanted}")
    if artifact.definition_hash != definition_hash:
        _refuse(
            path,
            f"trained on feature definitions {artifact.definition_hash:.12}, "
            f"this service computes {definition_hash:.12}",
        )
    return artifact


def _parse(path: Path, content: bytes) -> Artifact:
    try:
        document = strict_json.loads(content)
        if not isinstance(document, dict):
            _refuse(path, f"got a JSON {type(document).__name__}, allowed is an object")
        # A number too large for a float reads as infinity, which canonical JSON does not know.
        found = canonical_sha256(document)
    except ValueError as error:
        _refuse(path, f"no JSON document: {error}")
    if document.get("sha256") != found:
        _refuse(
            path, f"its content has SHA-256 {found:.12}, it says {document.get('sha256')!r:.14}"
        )
    try:
        return Artifact.model_validate(document)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(step) for step in first["loc"])
        _refuse(path, f"{where}: {first['msg']}" if where else first["msg"])


def _refuse(path: Path, what: str) -> NoReturn:
    raise Refusal("model_refused", f"{path.name}: {what}; train again with `optrade train-all`")
