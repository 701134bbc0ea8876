"""Files of the lake that a test writes itself, named in the manifest as if they had landed so."""

from dataclasses import replace
from hashlib import sha256
from pathlib import Path

from home.manifest import MANIFEST, read_manifest
from ingestion.tables.frames import manifest_bytes


def land_as_it_is(data: Path, path: Path) -> None:
    """Name a file's bytes in the manifest of a data folder."""
    held = read_manifest(data)
    name, entry = next(item for item in held.entries.items() if data / item[1].path == path)
    entry = replace(entry, sha256=sha256(path.read_bytes()).hexdigest())
    written = manifest_bytes(replace(held, entries={**held.entries, name: entry}))
    (data / MANIFEST).write_bytes(written)
