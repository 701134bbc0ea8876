"""Up to which session a source has answered for the keys of a table, and for which it did."""

from dataclasses import replace

import pandas as pd

from home.manifest import Answer, Manifest
from ingestion.lake.lake import Lake
from ingestion.landing.batch import Batch
from ingestion.landing.fetching import Fetched
from ingestion.views.catalogue import is_carried


def commit_answers(lake: Lake, batch: Batch, fetched: Fetched) -> None:
    """Record how the source answered for a batch of which nothing lands."""
    with lake.all_or_nothing():
        lake.answered(answers(lake.manifest, batch, fetched))
        lake.commit()


def answers(manifest: Manifest, batch: Batch, fetched: Fetched) -> dict[tuple[str, str], Answer]:
    """Return how the source has answered for the keys of a table that is carried forward.

    Parameters
    ----------
    manifest
        How it had answered before.
    batch
        What it was asked for; of a table that no view carries there are no answers.
    fetched
        What it gave.
    """
    keys = batch.keys if is_carried(batch.table) else ()
    return {
        (batch.table.name, key): _answer(answer_for(manifest, batch, key), key, fetched, batch.end)
        for key in keys
    }


def answer_for(manifest: Manifest, batch: Batch, key: str) -> Answer:
    """Return how the source had answered for a key; never, where nothing is recorded of it."""
    return manifest.answers.get((batch.table.name, key), Answer(None))


def completely_answered(manifest: Manifest, batch: Batch, fetched: Fetched) -> list[str]:
    """Return the keys for which all there is was given.

    A question about an earlier session than the last one is not answered with all there is.
    """
    return [
        key
        for key in batch.keys
        if key not in {*fetched.failed, *fetched.refused}
        and (answer_for(manifest, batch, key).through or "") <= str(batch.end.date())
    ]


def _answer(before: Answer, key: str, fetched: Fetched, end: pd.Timestamp) -> Answer:
    if key in fetched.refused:
        return replace(before, refused=True)
    if key in fetched.failed:
        return before
    return Answer(max(str(end.date()), before.through or ""))
