"""What a newcomer gets wrong, and the line that each mistake gets: what was got, what to do."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

Spoil = Callable[[Path], None]


@dataclass(frozen=True)
class Mistake:
    """One mistake: the words of the command, and what its line on stderr has to say.

    `words` may hold {folder} (an empty one), {file}, {recorded} and {port} (a taken one).
    """

    words: str
    said: str
    code: int = 2
    spoil: Spoil | None = None
    first: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    home: str = "trained"
    lines: int = 1
    # Whether what could be done all the same is shown on stdout.
    shown: bool = False
    # A good command that has to work after it.
    then: str | None = None


def cut(glob: str) -> Spoil:
    """Return what cuts the files of a pattern in half, as a full disk does."""

    def spoil(home: Path) -> None:
        for path in found(home, glob):
            path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])

    return spoil


def emptied(glob: str) -> Spoil:
    """Return what leaves nothing of the files of a pattern but their names."""

    def spoil(home: Path) -> None:
        for path in found(home, glob):
            path.write_bytes(b"")

    return spoil


def lost(glob: str) -> Spoil:
    """Return what removes the files of a pattern."""

    def spoil(home: Path) -> None:
        for path in found(home, glob):
            path.unlink()

    return spoil


def found(home: Path, glob: str) -> list[Path]:
    """Return the files of a pattern, at least one."""
    paths = [path for path in home.glob(glob) if path.is_file()]
    assert paths, glob
    return paths


SIMULATED: Final = "ingest --source simulated --seed 3 --tickers SPY,IWM"
TRAIN: Final = "train --ticker SPY"
SIGNAL: Final = "signal --ticker SPY"
PRICE: Final = "price --ticker SPY --strategy"
SECRET: Final = "hunter2"  # in every key and password, and never shown
# The notice of a copied home, whose online store is its own and empty.
FILLED: Final = "optrade: the online store was empty: filled from parquet in"

DATES: Final = {
    "a month that is not": Mistake(f"{SIMULATED} --as-of 2024-13-40", "--as-of: got '2024-13-40', allowed are"),
    "a day before the calendar": Mistake(f"{SIMULATED} --as-of 1969-07-20", "allowed are days from 1990"),
    "a day after the calendar": Mistake(f"{SIMULATED} --as-of 9999-12-31", "allowed are days from 1990"),
    "a Saturday as the clock": Mistake(f"{SIMULATED} --as-of 2024-11-16", "not an XNYS session"),
    "a holiday as the clock": Mistake(f"{SIGNAL} --as-of 2024-07-04", "not an XNYS session"),
    "a clock without its zone": Mistake(f"{SIGNAL} --as-of 2024-11-15T21:00", "without a zone; add one"),
    "a clock before the data": Mistake(f"{SIGNAL} --as-of 1995-01-03", "ahead: .*1995-01-03", code=3),
    "fetching by a clock before the data": Mistake(f"{SIMULATED} --as-of 1995-01-03", "--as-of: got '1995-01-03', but this home has landed up to 2024-11-15 and goes forward alone"),
    "a day by a clock before the data": Mistake("run-daily --tickers SPY --as-of 2024-11-14", "allowed is that session or a later one"),
    "a clock before the simulated market": Mistake(f"{SIMULATED} --as-of 1995-01-03", "got 2010-01-04, .* to 1995-01-03, the last by --as-of", home="empty"),
    "a window that starts on no day": Mistake(f"{TRAIN} --start 2024-02-30", "--start: got '2024-02-30', which is no day"),
    "a window of words": Mistake(f"{TRAIN} --start last-year", "--start: got 'last-year', allowed is a date"),
    "a window after the data": Mistake(f"{TRAIN} --start 2030-01-01", "holds no session: this home has"),
    "a window before the data": Mistake(f"{TRAIN} --start 1990-01-02 --end 1995-01-03", "holds no session: this home has"),
    "a window backwards": Mistake(f"{TRAIN} --start 2024-06-03 --end 2020-06-01", "holds no session"),
    "a window of one day": Mistake(f"{TRAIN} --start 2024-06-03 --end 2024-06-03", "got 1 labelled sessions, needed at least 360; train on a longer period"),
    "a period of another unit": Mistake(f"{TRAIN} --period 5x", "--period: got '5x', allowed are lengths such as 5y"),
    "a period of nothing": Mistake(f"{TRAIN} --period 0y", "--period: got '0y', allowed are"),
    "a champion of a weekend": Mistake("champions --session 2024-11-16", "2024-11-16"),
    "settling by no clock": Mistake("settle --as-of 2024-13-40", "--as-of: got"),
    "diagnosing backwards": Mistake("diagnose --ticker SPY --start 2024-06-03 --end 2020-06-01", "holds no session"),
}  # fmt: skip

RECORDED: Final = "ingest --source recorded"
YAHOO: Final = "yahoo holds no CSV file, allowed is a folder with yahoo/<TICKER>.csv"
FOLDERS: Final = {
    "recorded without a folder": Mistake(RECORDED, "recorded data needs --recorded-dir, the folder", home="empty"),
    "a folder that is not there": Mistake(f"{RECORDED} --recorded-dir {{folder}}/none", YAHOO, home="empty"),
    "a folder with nothing in it": Mistake(f"{RECORDED} --recorded-dir {{folder}}", YAHOO, home="empty"),
    "a file as a folder": Mistake(f"{RECORDED} --recorded-dir {{file}}", YAHOO, home="empty"),
    "a folder of other vendors": Mistake(f"{RECORDED} --recorded-dir {{folder}}", YAHOO, home="empty", spoil=lambda home: (home.with_name("folder") / "bloomberg").mkdir()),
    "a folder of a vendor with nothing in it": Mistake(f"{RECORDED} --recorded-dir {{folder}}", YAHOO, home="empty", spoil=lambda home: (home.with_name("folder") / "yahoo").mkdir()),
    "a folder for a source that has none": Mistake("ingest --source simulated --recorded-dir {folder}", "--recorded-dir goes with --source recorded", home="empty"),
    "demo on a folder that is not there": Mistake("demo --recorded-dir {folder}/none", YAHOO, home="empty"),
    "a home that is a file": Mistake(SIMULATED, "a file stands where a folder has to be", environment={"OPTRADE_HOME": "{file}"}),
    "a home in a folder that may not be written": Mistake(SIMULATED, "another home", code=3, environment={"OPTRADE_HOME": "/sys/home"}),
    "a home below a file, looked at": Mistake(SIGNAL, "file: a file stands where a folder has to be", environment={"OPTRADE_HOME": "{file}/home"}),
    "a home below a file": Mistake(SIMULATED, "move it away", environment={"OPTRADE_HOME": "{file}/home"}),
    "another folder as the home": Mistake(SIGNAL, "optrade ingest", environment={"OPTRADE_HOME": "{folder}"}),
    "recorded data in a simulated home": Mistake(f"{RECORDED} --recorded-dir {{recorded}}", "holds simulated data, got recorded data; a home has one origin: use another"),
    "live data in a simulated home": Mistake("ingest --source live", "holds simulated data, got live data; a home has one origin: use another"),
    "another seed in a simulated home": Mistake("ingest --source simulated --seed 4 --tickers SPY", "holds the simulated market of --seed 3 .*, got --seed 4 .*another home"),
    "another strength in a simulated home": Mistake(f"{SIMULATED} --signal-strength 0.5", "got --seed 3 --signal-strength 0.5; ask for"),
}  # fmt: skip

PORTS: Final = {
    "a port that is taken": Mistake("serve --port {port}", "cannot listen on .*choose another with --port"),
    "a port that is taken, for Redis": Mistake("redis start --port {port}", "cannot be used .*choose another with --port", home="empty"),
    "port 0": Mistake("serve --port 0", "--port"),
    "port 99999": Mistake("serve --port 99999", "--port"),
    "a port in words": Mistake("serve --port http", "--port"),
    "port 0 for Redis": Mistake("redis start --port 0", "--port"),
    "a host that is none": Mistake("serve --host nowhere.invalid", "cannot listen on nowhere.invalid:3000"),
    "mlflow on port 0": Mistake("mlflow-ui --port 0", "--port"),
    "mlflow on a port that is taken": Mistake("mlflow-ui --port {port}", "cannot listen on .*choose another with --port"),
    "a Redis URL of another scheme": Mistake("materialize", "REDIS_URL: got scheme .http., allowed is", environment={"REDIS_URL": "http://user:hunter2@localhost:6379"}),
    "a Redis URL without a scheme": Mistake("materialize", "REDIS_URL: got", environment={"REDIS_URL": "localhost:6379"}),
    "a Redis URL with a port of words": Mistake("materialize", "REDIS_URL: got a URL that cannot be read, allowed is", environment={"REDIS_URL": "redis://:hunter2@localhost:port"}),
    "a Redis that does not answer": Mistake("materialize", "is no use .*: start it, correct REDIS_URL", code=3, environment={"REDIS_URL": "redis://:hunter2@127.0.0.1:1"}),
    "a Redis on a host that is none": Mistake("materialize", "is no use .*: start it, correct REDIS_URL", code=3, environment={"REDIS_URL": "redis://nowhere.invalid:6379"}),
    "status of a Redis that does not answer": Mistake("redis status", "is no use .*: start it, correct REDIS_URL", code=3, environment={"REDIS_URL": "redis://:hunter2@127.0.0.1:1"}),
    "starting a Redis beside a named one": Mistake("redis start", "unset", environment={"REDIS_URL": "redis://127.0.0.1:1"}),
}  # fmt: skip

KEYS: Final = {
    "a FRED key with a space": Mistake("ingest --source live --tickers SPY", "FRED_API_KEY: got .* characters that are no key of FRED, allowed are 32", home="empty", environment={"FRED_API_KEY": f"{SECRET} key"}),
    "a FRED key too short": Mistake("ingest --source live --tickers SPY", "FRED_API_KEY: got .* characters that are no key of FRED, allowed are 32", home="empty", environment={"FRED_API_KEY": "hunter2"}),
    "a log level that is none": Mistake(TRAIN, "OPTRADE_LOG_LEVEL", environment={"OPTRADE_LOG_LEVEL": "loud"}),
    "a headline scorer that is none": Mistake(SIMULATED, "OPTRADE_HEADLINE_SCORER", environment={"OPTRADE_HEADLINE_SCORER": "gpt"}),
    "an engine that is none": Mistake(SIMULATED, "OPTRADE_ENGINE", environment={"OPTRADE_ENGINE": "spark"}),
    "workers without an engine": Mistake("build-features", "OPTRADE_WORKERS", environment={"OPTRADE_WORKERS": "4"}),
    "settling in minus minutes": Mistake(TRAIN, "OPTRADE_SETTLE_MINUTES", environment={"OPTRADE_SETTLE_MINUTES": "-5"}),
}  # fmt: skip

FLAGS: Final = {
    "a ticker that is none": Mistake("train --ticker TSLA", "'TSLA', allowed are SPY"),
    "a ticker of no home": Mistake("train --ticker QQQ", "no prices of QQQ in this home: run `optrade ingest --tickers QQQ`"),
    "a signal of a ticker of no home": Mistake("signal --ticker QQQ", "no direction model for QQQ yet: run `optrade train-all`", code=3),
    "drift of a ticker of no home": Mistake("drift --ticker QQQ", "no direction model of QQQ serves: run `optrade train --ticker QQQ`"),
    **{
        f"two tickers where one goes, {command}": Mistake(f"{command} --ticker SPY,IWM", "--ticker: got 2 underlyings .SPY, IWM., allowed is one; run")
        for command in ("signal", "drift", "diagnose")
    },
    "a strategy that is none": Mistake(f"{PRICE} straddle", "--strategy: got 'straddle', allowed are Buy Calls, .*Iron Condor"),
    "a strategy without a position": Mistake(f"{PRICE} 'NO TRADE'", "--strategy: got 'NO TRADE', allowed are Buy Calls"),
    "a position of no strategy": Mistake("price --ticker SPY", "--strategy"),
    "an expiry that is not there": Mistake("chain --ticker SPY --expiry 2020-01-03", "expiry of SPY: got '2020-01-03', allowed are "),
    "a chain of a ticker of no home": Mistake("chain --ticker QQQ", "QQQ is not published", code=3),
    "a position of a ticker of no home": Mistake("price --ticker QQQ --strategy 'Iron Condor'", "QQQ is not published", code=3),
    "a position by a clock before the data": Mistake(f"{PRICE} 'Iron Condor' --as-of 1995-01-03", "ahead: .*1995-01-03", code=3),
    "a capital of nothing": Mistake(f"{PRICE} 'Iron Condor' --capital 0", "--capital"),
    "a capital in words": Mistake(f"{SIGNAL} --capital much", "--capital"),
    "a capital below one contract": Mistake(f"{PRICE} 'Iron Condor' --capital 50", "a contract can lose .* one contract needs a capital of [0-9,]+ USD"),
    "no ticker": Mistake("signal --ticker ,", "--ticker: got ',', allowed are SPY"),
    "a list with a gap and nothing else": Mistake("train-all --tickers ,,", "allowed are SPY"),
    "a model type that is none": Mistake(f"{TRAIN} --model-type oracle", "'oracle', allowed"),
    "a model type of the other task": Mistake(f"{TRAIN} --model-type paths", "'paths', allowed"),
    "no features": Mistake(f"{TRAIN} --n-features 0", "--n-features"),
    "features in words": Mistake(f"{TRAIN} --n-features all", "--n-features"),
    "a mode that is none": Mistake("train-volatility --ticker SPY --mode oracle", "--mode: got 'oracle', allowed are"),
    "a source that is none": Mistake("ingest --source bloomberg", "'bloomberg', allowed are"),
    "a task that is none": Mistake("locked open --task luck --model logistic --ticker SPY", "'luck', allowed"),
    "a service that is none": Mistake("audit pit --service gold --tickers SPY", "'gold', allowed"),
    "no cuts": Mistake("audit lookahead --cuts 0", "--cuts"),
    "no sessions": Mistake("drift --ticker SPY --sessions 0", "--sessions"),
    "more sessions than there are": Mistake("drift --ticker SPY --sessions 5000", "ask for .* a shorter current window"),
    "a command that is none": Mistake("trian", "trian"),
    "a flag that is none": Mistake(f"{TRAIN} --colour red", "--colour"),
    "a word too many": Mistake(f"{TRAIN} SPY", "unexpected extra argument.*SPY"),
    "a group's command that is none": Mistake("redis restart", "restart"),
    "a flag without its value": Mistake("train --ticker", "--ticker"),
    "a strength out of range": Mistake(f"{SIMULATED} --signal-strength 2", "signal strength: got 2.0"),
    "a strength that is no number": Mistake(f"{SIMULATED} --signal-strength nan", "(?i)signal.strength"),
    "a seed below nothing": Mistake("ingest --source simulated --seed -1", "--seed"),
    "check and measure": Mistake("catalogue --check --measure", "give one of them"),
    "trial of a regression": Mistake("train-volatility --ticker SPY --mode regression --trial", "leave it out"),
    "promoting a name that is none": Mistake("promote --name direction_TSLA", "--name: got 'direction_TSLA', allowed are direction_IWM, direction_SPY, regime_IWM"),
    "replaying a number that no ledger has": Mistake(f"replay {10**22}", "'number'"),
    "closing a number that no ledger has": Mistake(f"close {10**22}", "'number'"),
    "judging more than anyone tried": Mistake(f"judge trades.csv --tried {10**20}", "--tried"),
    "a range that ends before it starts": Mistake("reconcile --start 2024-12-01 --end 2024-01-01", "allowed is no start after the end"),
    "promoting a version that is none": Mistake("promote --name direction_SPY --version 99", "direction_SPY has no version 99; known are 1"),
    "promoting version 0": Mistake("promote --name direction_SPY --version 0", "--version"),
    "promoting what is unproven": Mistake("promote --name direction_IWM --version 1", "the gate refuses direction_IWM version 1: unproven: .*--force", shown=True),
    "promoting what is refuted": Mistake("promote --name direction_SPY --version 1 --force", "direction_SPY version 1 never serves: refuted: ", shown=True),
    "champions of a name that is none": Mistake("champions --name direction_TSLA", "got 'direction_TSLA', allowed are direction_IWM"),
    "quarantine of a table that is none": Mistake("quarantine list --table cheese", "'cheese', allowed"),
    "releasing a row that is none": Mistake("quarantine release --table indices --key VIX --row ffff", "got key 'VIX', it holds no row"),
    "releasing without a choice": Mistake("quarantine release --table indices --key VIX", "got key 'VIX', it holds no row"),
}  # fmt: skip

RAW: Final = (
    "prices/SPY.* (is damaged: .*|is missing); restore it from a copy, or run `optrade repair`"
)
FEATURE: Final = "technical/g1/SPY.* (is damaged: .*|is missing); run `optrade repair`"
MLFLOW: Final = "mlflow.db cannot be read .*restore it from a copy"

FILES: Final = {
    "a cut raw file": Mistake(TRAIN, RAW, spoil=cut("data/raw/prices/SPY.*.parquet")),
    "a cut raw file, built": Mistake("build-features", RAW, code=3, shown=True, spoil=cut("data/raw/prices/SPY.*.parquet")),
    "a cut feature file": Mistake(TRAIN, FEATURE, then="repair", spoil=cut("data/features/technical/g1/SPY.*.parquet")),
    "an empty raw file": Mistake("build-features", RAW, code=3, shown=True, spoil=emptied("data/raw/prices/SPY.*.parquet")),
    "a lost raw file": Mistake("build-features", RAW, code=3, shown=True, spoil=lost("data/raw/prices/SPY.*.parquet")),
    "a lost feature file": Mistake(TRAIN, FEATURE, then="repair", spoil=lost("data/features/technical/g1/SPY.*.parquet")),
    "a cut manifest": Mistake(TRAIN, "manifest.json is no manifest .*restore it", spoil=cut("data/manifest.json")),
    "an empty manifest": Mistake(SIMULATED, "manifest.json is no manifest .*restore it", spoil=emptied("data/manifest.json")),
    "a cut serving model": Mistake(SIGNAL, "direction_SPY.json is damaged: .*run `optrade repair`", code=3, lines=2, then="repair", spoil=cut("models/serving/direction_SPY.json")),
    "a lost serving model": Mistake(SIGNAL, "no direction model for SPY yet: run `optrade train-all`", code=3, lines=2, spoil=lost("models/serving/direction_SPY.*")),
    "a lost checksum": Mistake(SIGNAL, "direction_SPY.json is damaged: .*run `optrade repair`", code=3, lines=2, then="repair", spoil=lost("models/serving/direction_SPY.sha256")),
    "a cut MLflow database, promoted": Mistake("promote --name regime_SPY", MLFLOW, code=3, spoil=cut("mlruns/mlflow.db")),
    "a cut MLflow database, champions": Mistake("champions", MLFLOW, code=3, spoil=cut("mlruns/mlflow.db")),
    "an MLflow database that is none": Mistake("champions", MLFLOW, code=3, then=SIGNAL, spoil=lambda home: (home / "mlruns/mlflow.db").write_text("not a database")),
    "a lost MLflow database": Mistake("champions", "mlflow.db is missing, though models serve: .*restore it from a copy", code=3, then=SIGNAL, spoil=lost("mlruns/mlflow.db")),
    "a cut record of the simulation": Mistake(SIMULATED, "simulation.json is no JSON: .*restore it from a copy", spoil=cut("data/simulation.json")),
    "a cut ledger": Mistake("settle", "ledger.db is damaged .*restore it from a copy", code=3, then=SIGNAL, first=("signal-all --tickers SPY,IWM --record",), spoil=cut("data/ledger*")),
}  # fmt: skip

ORDER: Final = {
    "training before ingest": Mistake(TRAIN, "optrade ingest", home="empty"),
    "a signal before ingest": Mistake(SIGNAL, "optrade ingest", home="empty"),
    "materializing before ingest": Mistake("materialize", "optrade ingest", home="empty"),
    "building before ingest": Mistake("build-features", "optrade ingest", home="empty"),
    "serving before ingest": Mistake("serve --port 3917", "optrade ingest", home="empty"),
    "promoting before training": Mistake("promote --name direction_SPY", "optrade ingest", home="empty"),
    "drift before ingest": Mistake("drift --ticker SPY", "optrade ingest", home="empty"),
    "opening before ingest": Mistake("locked open --task direction --model logistic --ticker SPY", "optrade ingest", home="empty"),
    "a signal before training": Mistake(SIGNAL, "no model is trained in this home yet: run `optrade train-all`", home="untrained"),
    "all signals before training": Mistake("signal-all", "no model is trained in this home yet: run `optrade train-all`", home="untrained"),
    "champions before ingest": Mistake("champions", "optrade ingest", home="empty"),
    "champions before training": Mistake("champions", "optrade train-all", home="untrained"),
    "drift before training, with data": Mistake("drift --ticker SPY", "optrade train", home="untrained"),
    "promoting before training, with data": Mistake("promote --name direction_SPY", "optrade train", home="untrained"),
    "materializing before building": Mistake("materialize", "no features in this home: run .*`optrade build-features`", home="fetched"),
    "training before building": Mistake(TRAIN, "run `optrade build-features`", home="fetched"),
    "opening twice": Mistake("locked open --task regime --model logistic --ticker SPY", "was opened for regime logistic SPY on .*, and is opened once: .*`optrade locked list`", then="locked list", first=("locked open --task regime --model logistic --ticker SPY",)),
}  # fmt: skip

AREAS: Final = {
    "dates": DATES,
    "folders": FOLDERS,
    "ports": PORTS,
    "keys": KEYS,
    "flags": FLAGS,
    "files": FILES,
    "order": ORDER,
}
MISTAKES: Final = {
    f"{area}: {name}": one for area, rows in AREAS.items() for name, one in rows.items()
}
