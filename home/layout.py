"""Where everything of a home lies: one origin's data, models, runs and reports."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from home.manifest import MANIFEST, Manifest, read_manifest
from market.errors import InputError

NEXT: Final = ".next"


def serving_models(models_dir: Path) -> Path:
    """Return the folder of the models that serve."""
    return models_dir / "serving"


def serving_model(models_dir: Path, name: str) -> Path:
    """Return the file that serving reads for a model of a name, `<task>_<ticker>`."""
    return serving_models(models_dir) / f"{name}.json"


def next_model(serving: Path) -> Path:
    """Return the file that takes the place of a serving file: where it is, it is what serves."""
    return serving.with_name(f"{serving.name}{NEXT}")


def served_files(folder: Path) -> list[Path]:
    """Return the files of a folder that serve, by the name of their model."""
    found = {path.name: path for path in folder.glob("*.json")}
    found |= {path.name.removesuffix(NEXT): path for path in folder.glob(f"*.json{NEXT}")}
    return [found[name] for name in sorted(found)]


def standby_models(models_dir: Path, name: str) -> Path:
    """Return the folder of a model's unrefuted versions, the newest of each recipe."""
    return serving_models(models_dir) / "standby" / name


@dataclass(frozen=True)
class DataFiles:
    """What lies in a data folder beside the tables that its manifest names."""

    root: Path

    @property
    def manifest(self) -> Path:
        """What the lake holds."""
        return self.root / MANIFEST

    @property
    def built(self) -> Path:
        """Of what each key was last built."""
        return self.root / "built.json"

    @property
    def landed(self) -> Path:
        """Of what each table last landed."""
        return self.root / "landed.json"

    @property
    def findings(self) -> Path:
        """What is worth a look in the raw tables."""
        return self.root / "findings.json"

    @property
    def simulation(self) -> Path:
        """Which simulated market the home holds."""
        return self.root / "simulation.json"

    @property
    def ledger(self) -> Path:
        """Recorded signals and outcomes, SQLite."""
        return self.root / "ledger.db"

    @property
    def bentoml(self) -> Path:
        """What BentoML keeps: the metrics of this home's service."""
        return self.root / "bentoml"

    @property
    def locked_log(self) -> Path:
        """Who looked at the locked window, JSON lines."""
        return self.root / "locked.jsonl"

    @property
    def cache(self) -> Path:
        """What vendors' clients keep."""
        return self.root / "cache"

    @property
    def processed(self) -> Path:
        """Training frames, kept by what they were read from."""
        return self.root / "processed"

    @property
    def redis(self) -> Path:
        """The home's own Redis server: configuration, address, log."""
        return self.root / "redis"

    @property
    def serving(self) -> Path:
        """How the home is served."""
        return self.root / "serving.json"

    @property
    def feast(self) -> Path:
        """Feast's registry and its configuration."""
        return self.root / "feast"

    @property
    def feature_store(self) -> Path:
        """Feast's configuration, YAML."""
        return self.feast / "feature_store.yaml"

    @property
    def registry(self) -> Path:
        """The registry that `apply` and `materialize` write."""
        return self.feast / "registry.db"

    @property
    def serving_registry(self) -> Path:
        """The snapshot that serving reads: no on-demand views, no view is busy."""
        return self.feast / "serving_registry.db"


@dataclass(frozen=True)
class Home:
    """The folders of a home."""

    root: Path

    @property
    def data(self) -> Path:
        """Raw tables, features, the registry and the ledger."""
        return self.root / "data"

    @property
    def files(self) -> DataFiles:
        """The files of the data folder."""
        return DataFiles(self.data)

    @property
    def manifest(self) -> Path:
        """What the lake holds."""
        return self.files.manifest

    @property
    def ledger(self) -> Path:
        """Recorded signals and outcomes, SQLite."""
        return self.files.ledger

    @property
    def models(self) -> Path:
        """Model files: joblib for people, JSON for serving."""
        return self.root / "models"

    @property
    def serving_models(self) -> Path:
        """The models that serve, a JSON file each."""
        return serving_models(self.models)

    @property
    def mlruns(self) -> Path:
        """MLflow's database and artifacts."""
        return self.root / "mlruns"

    @property
    def mlflow(self) -> Path:
        """MLflow's database, SQLite."""
        return self.mlruns / "mlflow.db"

    @property
    def artifacts(self) -> Path:
        """One folder for each MLflow run."""
        return self.mlruns / "artifacts"

    @property
    def reports(self) -> Path:
        """Reports made for people."""
        return self.root / "reports"

    @property
    def model_reports(self) -> Path:
        """The page of each trained model."""
        return self.reports / "models"

    @property
    def backtests(self) -> Path:
        """The page of each backtest."""
        return self.reports / "backtests"

    @property
    def drift(self) -> Path:
        """Drift reports, a folder each."""
        return self.reports / "drift"

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
                "`optrade ingest --source simulated` first (or live, or recorded)"
            )
        return origin


def source_options(manifest: Manifest) -> str:
    """Return what `optrade ingest` is given to fetch for a home as it stands, as it is typed.

    A recorded folder may reach beyond the home, which never goes back: its clock is typed with it.
    """
    if manifest.origin != "recorded":
        return f"--source {manifest.origin}"
    last = [entry.last for entry in manifest.entries.values() if entry.table == "prices"]
    clock = f" --as-of {max(last)}" if last else ""
    return f"--source recorded --recorded-dir FOLDER{clock}"
