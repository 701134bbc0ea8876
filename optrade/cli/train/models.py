"""Commands that train: direction, volatility regime, distribution of returns, all of them."""

from typing import TYPE_CHECKING, Annotated

import typer

from optrade.cli import options
from optrade.cli.output import print_json, print_table, progress_bar

if TYPE_CHECKING:
    from optrade.flows.train.jobs import Job
    from training.registry.promote import Promoted
    from training.settings import Settings

DirectionType = Annotated[str, typer.Option("--model-type", help="{direction}.")]
DistributionType = Annotated[str, typer.Option("--model-type", help="{distribution}.")]
RegimeType = Annotated[str, typer.Option("--model-type", help="{regime}.")]
POOLED = "Train on all underlyings, judge on this one."
HISTORY = "Train on the sessions before the window as well."
UNLESS = " By default where the model is paths."
Pooled = Annotated[bool, typer.Option("--pooled", help=POOLED)]
History = Annotated[bool, typer.Option("--history", help=HISTORY)]
PooledUnless = Annotated[bool | None, typer.Option("--pooled/--no-pooled", help=POOLED + UNLESS)]
HistoryUnless = Annotated[
    bool | None, typer.Option("--history/--no-history", help=HISTORY + UNLESS)
]
PooledByDefault = Annotated[bool, typer.Option("--pooled/--no-pooled", help=POOLED)]
HistoryByDefault = Annotated[bool, typer.Option("--history/--no-history", help=HISTORY)]
Trial = Annotated[
    bool, typer.Option("--trial", help="Judge and register; what serves stays as it is.")
]
Safe = Annotated[
    bool, typer.Option("--safe-features", help="Leave out the eight price-level features.")
]
Optimize = Annotated[
    bool, typer.Option("--optimize-threshold", help="Choose the UP threshold out of fold.")
]
Count = Annotated[int, typer.Option("--n-features", min=1, help="Features selected.")]


def train(
    ticker: options.Ticker,
    model_type: DirectionType = "logistic",
    safe_features: Safe = False,
    optimize_threshold: Optimize = False,
    n_features: Count = 40,
    views: options.Views = None,
    pooled: Pooled = False,
    history: History = False,
    trial: Trial = False,
    period: options.Period = "5y",
    start: options.Start = None,
    end: options.End = None,
    as_json: options.AsJson = False,
) -> None:
    """Train and judge a direction model; unless it is refuted, it may serve."""
    from optrade.flows.train.jobs import Job
    from training.settings import Settings
    from training.tasks.direction import DIRECTION, direction_service

    settings = [
        Settings(
            name,
            model_type=model_type,
            safe_features=safe_features,
            optimize_threshold=optimize_threshold,
            n_features=n_features,
            feature_service=direction_service(views or ()),
            pooled=pooled,
            history=history,
        )
        for name in options.parse_tickers(ticker)
    ]
    _train([Job(DIRECTION, one) for one in settings], (period, start, end), as_json, trial=trial)


def train_volatility(
    ticker: options.Ticker,
    mode: Annotated[
        str, typer.Option("--mode", help="classification, or regression: iv_rank with an interval.")
    ] = "classification",
    model_type: RegimeType = "paths",
    pooled: PooledUnless = None,
    history: HistoryUnless = None,
    trial: Trial = False,
    period: options.Period = "5y",
    start: options.Start = None,
    end: options.End = None,
    as_json: options.AsJson = False,
) -> None:
    """Train and judge a volatility regime forecaster, or judge a forecast of iv_rank itself."""
    from market.errors import InputError
    from optrade.flows.train.jobs import Job
    from training.settings import Settings
    from training.tasks.regime import REGIME

    if mode not in ("classification", "regression"):
        raise InputError(f"--mode: got {mode!r:.40}, allowed are classification and regression")
    # Decision 22: paths are at their best so; another type is trained as it is told.
    preset = model_type == "paths"
    settings = [
        Settings(
            name,
            model_type=model_type,
            pooled=preset if pooled is None else pooled,
            history=preset if history is None else history,
        )
        for name in options.parse_tickers(ticker)
    ]
    if mode == "regression":
        if trial:
            raise InputError("--trial: --mode regression registers nothing; leave it out")
        _judge_rank(settings, (period, start, end), as_json)
    else:
        _train([Job(REGIME, one) for one in settings], (period, start, end), as_json, trial=trial)


def train_distribution(
    ticker: options.Ticker,
    model_type: DistributionType = "log_har",
    pooled: PooledByDefault = True,
    history: HistoryByDefault = True,
    trial: Trial = False,
    period: options.Period = "5y",
    start: options.Start = None,
    end: options.End = None,
    as_json: options.AsJson = False,
) -> None:
    """Train and judge the distribution of returns 5, 10 and 21 sessions ahead."""
    from optrade.flows.train.jobs import Job
    from training.settings import Settings
    from training.tasks.distribution import DISTRIBUTION

    settings = [
        Settings(name, model_type=model_type, pooled=pooled, history=history)
        for name in options.parse_tickers(ticker)
    ]
    _train([Job(DISTRIBUTION, one) for one in settings], (period, start, end), as_json, trial=trial)


def train_all(
    tickers: options.Tickers = None,
    models: Annotated[
        str | None, typer.Option("--models", help="Model types, by comma; all if not named.")
    ] = None,
    trial: Trial = False,
    period: options.Period = "5y",
    start: options.Start = None,
    end: options.End = None,
    as_json: options.AsJson = False,
) -> None:
    """Train and judge every model type of every ticker, what serves by default last."""
    from optrade.flows.train.jobs import every_job
    from optrade.runtime import runtime

    names = options.chosen_tickers(runtime(), tickers)
    jobs = [job for name in names for job in every_job(name, models)]
    _train(jobs, (period, start, end), as_json, trial=trial)


def _train(
    jobs: "list[Job]", window: tuple[str, str | None, str | None], as_json: bool, *, trial: bool
) -> None:
    from optrade.cli.evidence import COLUMNS, evidence_document, evidence_rows
    from optrade.flows.train.models import train_models
    from optrade.flows.train.window import Window
    from optrade.runtime import runtime

    with progress_bar() as progress:
        trained = train_models(runtime(), jobs, Window(*window), progress, trial=trial)
    if as_json:
        documents = [evidence_document(model) for model in trained]
        print_json(documents[0] if len(documents) == 1 else documents)
        return
    print_table("evidence, out of fold", COLUMNS, evidence_rows(trained))
    for model in trained:
        words = model.evidence.verdict.words
        called = f"{model.evidence.model}, {model.alias or 'no alias'}"
        typer.echo(f"{model.name} version {model.version} ({called}): {words}; "
                   f"serves: {model.serves}")  # fmt: skip


def _judge_rank(
    settings: "list[Settings]", window: tuple[str, str | None, str | None], as_json: bool
) -> None:
    from optrade.flows.train.rank import judge_rank
    from optrade.flows.train.window import Window
    from optrade.runtime import runtime

    run = runtime()
    judged = [judge_rank(run, one, Window(*window)) for one in settings]
    if as_json:
        documents = [one.document() for one in judged]
        print_json(documents[0] if len(documents) == 1 else documents)
        return
    for found in judged:
        typer.echo(f"iv_rank of {found.ticker}: {found.verdict.words}")
        if (newest := found.forecast) is not None:
            typer.echo(
                f"  {newest.sessions_ahead} sessions after {newest.session}: "
                f"{newest.median:.0f}, {newest.level:.0%} interval "
                f"{newest.low:.0f} to {newest.high:.0f}"
            )


def promote(
    name: Annotated[str, typer.Option("--name", help="Registered model, such as direction_SPY.")],
    version: Annotated[
        int | None, typer.Option("--version", min=1, help="By default the challenger's.")
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Though unproven; this is recorded.")
    ] = False,
    as_json: options.AsJson = False,
) -> None:
    """Make a version the champion, if the gate allows it, and let it serve.

    How it fared live beside what serves is shown first.
    """
    from optrade.cli.train.live import live_words
    from optrade.flows.train.live import candidate_of, live_scores
    from optrade.runtime import runtime
    from training.registry.promote import promote as promoted

    run = runtime()
    at = run.as_of()
    live = live_scores(run, name, candidate_of(run, name, version))
    if live is not None and not as_json:
        typer.echo(live_words(live))
    done = promoted(
        name,
        mlruns_dir=run.home.mlruns,
        models_dir=run.home.models,
        at=at,
        version=version,
        force=force,
    )
    if as_json:
        verdict = done.evidence.verdict.document()
        print_json({"name": done.name, "version": done.version, "forced": done.forced,
                    "verdict": verdict, "live": live and live.document()})  # fmt: skip
        return
    typer.echo(promotion_words(done))


def promotion_words(done: "Promoted") -> str:
    """Return what a promotion did, and what the gate had said of it."""
    words = done.evidence.verdict.words
    if done.forced:
        said = words.removesuffix("; not promoted")
        how = f"by --force, which is recorded; the gate had refused it: {said}"
    else:
        how = f"as the gate allows: {words}"
    return f"{done.name} version {done.version} is champion {how}"


COMMANDS = {
    "train": train,
    "train-volatility": train_volatility,
    "train-distribution": train_distribution,
    "train-all": train_all,
    "promote": promote,
}
