"""Where a home keeps what the dashboard shows."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class HomeFiles:
    """The files of one home."""

    root: Path

    @property
    def data(self) -> Path:
        """The lake and its manifest."""
        return self.root / "data"

    @property
    def manifest(self) -> Path:
        """What the lake holds."""
        return self.data / "manifest.json"

    @property
    def ledger(self) -> Path:
        """Recorded signals and outcomes, SQLite."""
        return self.data / "ledger.db"

    @property
    def mlflow(self) -> Path:
        """MLflow's database, SQLite."""
        return self.root / "mlruns" / "mlflow.db"

    @property
    def artifacts(self) -> Path:
        """One folder for each MLflow run."""
        return self.root / "mlruns" / "artifacts"

    @property
    def serving(self) -> Path:
        """The models that serve, JSON."""
        return self.root / "models" / "serving"

    @property
    def drift(self) -> Path:
        """Drift reports, a folder each."""
        return self.root / "reports" / "drift"
