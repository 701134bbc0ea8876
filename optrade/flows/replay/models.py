"""The very models that a recorded signal names, wherever the home still has them."""

from collections.abc import Iterator, Mapping

import pandas as pd

from forecasters.document import Artifact
from home.layout import Home, serving_models
from home.records.evidence import WALK_FORWARD
from home.records.signal import ServedModel, Signal
from home.records.structure import ChancesBy
from home.strict_json import Json, loads, signature, signed
from home.verified import read_regular
from market.errors import InputError
from optrade.flows.train.walked import KEPT, kept_walks


class Gone(InputError):
    """A model that the home does not have any more."""


def named_model(home: Home, model: ServedModel) -> Artifact:
    """Return the model of a signal: its document's hash is the one that was recorded.

    Raises
    ------
    Gone
        If no document of the home has that hash.
    """
    if model.alias == WALK_FORWARD:
        for walked in kept_walks(home, model.run_id):
            for one in walked.models:
                if one.sha256 == model.artifact_sha256:
                    return one
        raise Gone(
            f"model gone: {model.name} of the walk-forward {model.run_id:.12}; of each model the "
            f"last {KEPT} walks are kept"
        )
    for document in _documents(home, model.run_id):
        # An alias is part of a document; a version that was promoted since has another.
        found = signed({**document, "alias": model.alias})
        if found["sha256"] == model.artifact_sha256:
            return Artifact.model_validate(found)
    raise Gone(
        f"model gone: {model.name} version {model.version}, document "
        f"{model.artifact_sha256:.12} of run {model.run_id:.12}"
    )


def distribution_by(home: Home, signal: Signal, by: ChancesBy) -> Artifact:
    """Return the model of the distribution that a signal's structure names; see `named_model`."""
    name = f"distribution_{signal.ticker}"
    if by.alias == WALK_FORWARD:
        for walked in kept_walks(home, signal.provenance.models.direction.run_id):
            one = walked.model_at(pd.Timestamp(signal.session))
            if one is not None and (one.name, one.model) == (name, by.model):
                return one
    for document in _documents(home, "*"):
        if (document.get("name"), document.get("version")) == (name, by.version) and (
            document.get("model") == by.model
        ):
            return Artifact.model_validate(signed({**document, "alias": by.alias}))
    raise Gone(f"model gone: {name} version {by.version} ({by.model})")


def _documents(home: Home, run_id: str) -> Iterator[Mapping[str, Json]]:
    """Yield the whole documents of models: of what serves, stands by, and of a run."""
    folder = serving_models(home.models)
    kept = home.mlruns / "artifacts"
    for where, pattern in (
        (folder, "*.json*"),
        (folder, "standby/*/*.json"),
        (kept, f"{run_id}/artifacts/serving.json"),
        (kept, f"{run_id}/artifacts/baseline.json"),
    ):
        for path in sorted(where.glob(pattern)):
            try:
                document = loads(read_regular(path))
            except (InputError, ValueError, OSError):
                continue  # damaged: not the document that was recorded
            if isinstance(document, dict) and document.get("sha256") == signature(document):
                yield document
