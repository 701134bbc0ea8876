"""Where everything of a home lies: one origin's data, models, runs and reports."""

from dataclasses import dataclass
from pathlib import Path

from home.manifest import read_manifest
from market.errors import InputError


@dataclass(frozen=True)
class Home:
    """The folders of a home."""

    root: Path

    @property
    def data(self) -> Path:
        """Raw tables, features, the registry and the ledger."""
        return self.root / "data"

    @property
    def models(self) -> Path:
        """Model files: joblib for people, JSON for serving."""
        return self.root / "models"

    @property
    def mlruns(self) -> Path:
        """MLflow's database and artifacts."""
        return self.root / "mlruns"

    @property
    def reports(self) -> Path:
        """Reports made for people."""
        return self.root / "reports"

    @property
    def ledger(self) -> Path:
        """The SQLite ledger."""
        return self.data / "ledger.db"

    def origin(self) -> str:
        """Return where the data of this home comes from.

        Raises
        ------
        InputError
            If nothing has landed yet.
        """
        origin = read_manifest(self.data).origin
        if origin is None:
            raise InputError(
                f"no data in this home ({self.root}): run "
                "`optrade ingest --source live|recorded|simulated` first"
            )
        return origin
