"""What was last landed and built, so that a run leaves alone what has not changed.

Facts beside the manifest, in two files that may be lost at any time: what they do not tell of is
checked or built again, which changes nothing where nothing changed.
"""

import json
from collections.abc import Iterable, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Final

import pandas as pd
import structlog

from feature_repo.features.definition_hash import code_fingerprint
from home.files import write_durably
from home.manifest import Manifest
from home.verified import read_regular

# The code from fetched rows to features.
CODE: Final = ("ingestion", "feature_repo", "home", "market")
# By what the same rows and the same code can give something else.
LIBRARIES: Final = (
    "bottleneck", "exchange_calendars", "great_expectations", "numpy", "pandas", "polars", "TA-Lib",
)  # fmt: skip

logger = structlog.get_logger(__name__)


def read_record(path: Path) -> dict[str, str]:
    """Return the fingerprints of the last run, by what they are of; none if it cannot be read."""
    try:
        document = json.loads(read_regular(path))
    except FileNotFoundError:
        return {}
    except ValueError as error:
        logger.warning("record damaged, all is done again", file=path.name, error=f"{error!s:.80}")
        return {}
    known = isinstance(document, dict) and all(isinstance(v, str) for v in document.values())
    return document if known else {}


def write_record(path: Path, record: Mapping[str, str]) -> None:
    """Replace a record; its data folder is held for writing."""
    content = json.dumps(record, indent=0, sort_keys=True)
    write_durably(path, f"{content}\n".encode())


def fingerprint(
    manifest: Manifest, inputs: Iterable[tuple[str, str]], outputs: Iterable[tuple[str, str]]
) -> str:
    """Return a hash of all that the features of a key depend on, and of the features themselves.

    Parameters
    ----------
    manifest
        What the data folder holds.
    inputs, outputs
        The (table, key) of the raw rows, and the (view, key) of the features; what has not
        landed counts as absent.
    """
    held = [
        [name, key, *([entry.generation, entry.sha256] if entry else []), str(answer or "")]
        for name, key in (*inputs, *outputs)
        for entry, answer in [
            (manifest.entries.get((name, key)), manifest.answers.get((name, key)))
        ]
    ]
    parts = [code_fingerprint(CODE, LIBRARIES), manifest.first_live_landing, held]
    return sha256(json.dumps(parts).encode()).hexdigest()


def landing_fingerprint(
    manifest: Manifest, table: str, keys: Iterable[str], frame: pd.DataFrame, end: pd.Timestamp
) -> str:
    """Return a hash of all that a landing depends on, and of what has landed.

    Parameters
    ----------
    manifest
        What the data folder holds.
    table, keys
        What was fetched.
    frame
        The rows as they were fetched.
    end
        The last complete session: later ones are held back.
    """
    rows = pd.util.hash_pandas_object(frame, index=False).to_numpy().tobytes()
    shape = [list(map(str, part)) for part in (frame.columns, frame.dtypes)]
    quarantine = f"quarantine/{table}"
    landed = [(table, key) for key in keys]
    refused = [(quarantine, key) for key in manifest.keys(quarantine)]
    parts = [shape, sha256(rows).hexdigest(), str(end), fingerprint(manifest, landed, refused)]
    return sha256(json.dumps(parts).encode()).hexdigest()
