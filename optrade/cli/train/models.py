"""Commands that train: direction, volatility regime, all of them."""

from typing import Annotated, Any

import typer

from optrade.cli import options
from optrade.cli.output import print_json, print_table, progress_bar

TICKERS = "SPY,QQQ,IWM"
DirectionType = Annotated[
    str, typer.Option("--model-type", help="logistic, ridge, trees or ensemble.")
]
RegimeType = Annotated[
    str, typer.Option("--model-type", help="paths, logistic, table, trees or blend.")
]
Pooled = Annotated[
    bool, typer.Option("--pooled", help="Train on all underlyings, judge on this one.")
]
History = Annotated[
    bool, typer.Option("--history", help="Train on the sessions before the window as well.")
]
Safe = Annotated[
    bool, typer.Option("--safe-features", help="Leave out the eight price-level features.")
]
Optimize = Annotated[
    bool, typer.Option("--optimize-threshold", help="Choose the UP threshold out of fold.")
]
Count = Annotated[int, typer.Option("--n-features", min=1, help="Features selected.")]
Sentiment = Annotated[
    bool, typer.Option("--sentiment", help="Add the sentiment view, and what it says with IV.")
]
Earnings = Annotated[
    bool, typer.Option("--earnings", help="Add the earnings view, and what it says with IV.")
]


def train(
    ticker: options.Ticker,
    model_type: DirectionType = "logistic",
    safe_features: Safe = False,
    optimize_threshold: Optimize = False,
    n_features: Count = 40,
    sentiment: Sentiment = False,
    earnings: Earnings = False,
    pooled: Pooled = False,
    history: History = False,
    period: options.Period = "5y",
    start: options.Start = None,
    end: options.End = None,
    as_json: options.AsJson = False,
) -> None:
    """Train and judge a direction model; it is registered as champion or challenger."""
    from training.settings import direction_service

    choices = {
        "model_type": model_type,
        "safe_features": safe_features,
        "optimize_threshold": optimize_threshold,
        "n_features": n_features,
        "feature_service": direction_service(sentiment=sentiment, earnings=earnings),
        "pooled": pooled,
        "history": history,
    }
    _train([("direction", choices)], ticker, (period, start, end), as_json)


def train_volatility(
    ticker: options.Ticker,
    mode: Annotated[
        str, typer.Option("--mode", help="classification, or regression: iv_rank with an interval.")
    ] = "classification",
    model_type: RegimeType = "logistic",
    pooled: Pooled = False,
    history: History = False,
    period: options.Period = "5y",
    start: options.Start = None,
    end: options.End = None,
    as_json: options.AsJson = False,
) -> None:
    """Train and judge a volatility regime forecaster, or judge a forecast of iv_rank itself."""
    from market.errors import InputError

    choices = {"model_type": model_type, "pooled": pooled, "history": history}
    if mode == "regression":
        _judge_rank(ticker, choices, (period, start, end), as_json)
        return
    if mode != "classification":
        raise InputError(f"--mode: got {mode!r:.40}, allowed are classification and regression")
    _train([("regime", choices)], ticker, (period, start, end), as_json)


def train_all(
    tickers: options.Tickers = TICKERS,
    models: Annotated[
        str | None, typer.Option("--models", help="Model types, by comma; all if not named.")
    ] = None,
    period: options.Period = "5y",
    start: options.Start = None,
    end: options.End = None,
    as_json: options.AsJson = False,
) -> None:
    """Train and judge every model type of every ticker, the preferred one last."""
    from optrade.flows.train.recipes import every_recipe

    _train(every_recipe(models), tickers, (period, start, end), as_json)


def _train(
    recipes: list[tuple[str, dict[str, Any]]],
    tickers: str,
    window: tuple[str, str | None, str | None],
    as_json: bool,
) -> None:
    from optrade.cli.evidence import COLUMNS, evidence_document, evidence_rows
    from optrade.flows.train.models import Job, Window, train_models
    from optrade.runtime import runtime

    names = options.parse_tickers(tickers)
    jobs = [Job(task, name, choices) for name in names for task, choices in recipes]
    with progress_bar() as progress:
        trained = train_models(runtime(), jobs, Window(*window), progress)
    if as_json:
        documents = [evidence_document(model) for model in trained]
        print_json(documents[0] if len(documents) == 1 else documents)
        return
    print_table("evidence, out of fold", COLUMNS, evidence_rows(trained))
    for model in trained:
        words = model.evidence["verdict"]["words"]
        typer.echo(f"{model.name} version {model.version} ({model.alias}): {words}")


def _judge_rank(
    tickers: str,
    choices: dict[str, Any],
    window: tuple[str, str | None, str | None],
    as_json: bool,
) -> None:
    from optrade.flows.train.models import Window
    from optrade.flows.train.rank import judge_rank
    from optrade.runtime import runtime
    from training.settings import RegimeSettings

    run = runtime()
    names = options.parse_tickers(tickers)
    judged = [judge_rank(run, RegimeSettings(name, **choices), Window(*window)) for name in names]
    if as_json:
        print_json(judged[0] if len(judged) == 1 else judged)
        return
    for found in judged:
        typer.echo(f"iv_rank of {found['ticker']}: {found['verdict']['words']}")
        if (newest := found["forecast"]) is not None:
            typer.echo(
                f"  {newest['sessions_ahead']} sessions after {newest['session']}: "
                f"{newest['median']:.0f}, {newest['level']:.0%} interval "
                f"{newest['low']:.0f} to {newest['high']:.0f}"
            )


def promote(
    name: Annotated[str, typer.Option("--name", help="Registered model, such as direction_SPY.")],
    version: Annotated[
        int | None, typer.Option("--version", min=1, help="By default the challenger's.")
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Against the gate's verdict; this is recorded.")
    ] = False,
    as_json: options.AsJson = False,
) -> None:
    """Make a version the champion, if the gate allows it, and let it serve."""
    from optrade.runtime import runtime
    from training.registry.register import promote as promoted

    run = runtime()
    done = promoted(
        name,
        mlruns_dir=run.home.mlruns,
        models_dir=run.home.models,
        at=run.as_of(),
        version=version,
        force=force,
    )
    if as_json:
        verdict = done.evidence["verdict"]
        print_json({"name": done.name, "version": done.version, "forced": done.forced,
                    "verdict": verdict})  # fmt: skip
        return
    how = "forced: " if done.forced else ""
    typer.echo(
        f"{done.name} version {done.version} is champion; {how}{done.evidence['verdict']['words']}"
    )


COMMANDS = {
    "train": train,
    "train-volatility": train_volatility,
    "train-all": train_all,
    "promote": promote,
}
