"""What every model type is worth on a home's data: the tables of `docs/evidence.md`.

`OPTRADE_HOME=home python -m benchmarks.evidence [--page docs/evidence.md]` walks forward with every
model type of every underlying, over the long window and over five years to 2024-11, and shows what
the locked window said. Nothing is registered. The home has to hold prices, indices and macro series
(`optrade ingest`); figures of a simulated home say nothing about a market.
"""

import argparse
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from home.records.training.evidence import TrainingEvidence
from market.errors import InputError
from market.underlyings import UNDERLYINGS
from optrade.flows.train.jobs import every_job, landed_prices, training_inputs
from optrade.flows.train.locked import locked_openings
from optrade.flows.train.models import train_one
from optrade.flows.train.window import Window
from optrade.periods import training_window
from optrade.runtime import Runtime, runtime
from training.frames.return_rows import HORIZONS
from training.locked.window import words_of
from training.settings import Settings
from training.tasks.rank import RANK
from training.walk import walk_rank

LONG = Window(start="2011-01-01")
WORDS = Path(__file__).with_name("evidence_words.md")
FIVE_YEARS = Window(start="2019-11-01", end="2024-11-30")
#: Mean AUC over folds that the design quotes for its recipe over those five years.
QUOTED = {"SPY": 0.611, "QQQ": 0.615, "IWM": 0.657}
#: The recipe behind these figures: the ticker's own five years, threshold chosen by F1.
RECIPE = {"model_type": "logistic", "optimize_threshold": True}


@dataclass(frozen=True)
class Judged:
    """The evidence of one training, and the seconds that it took."""

    evidence: TrainingEvidence
    seconds: float


def main() -> None:
    """Judge every model, and print or write the page."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--page", type=Path, help="write the page here instead of printing it")
    parser.add_argument("--tickers", nargs="+", default=list(UNDERLYINGS))
    arguments = parser.parse_args()
    run = runtime()
    text = "\n".join(page(run, arguments.tickers)) + "\n"
    if arguments.page is None:
        print(text)
    else:
        arguments.page.write_text(text, "utf-8")


def page(run: Runtime, tickers: Sequence[str]) -> Iterator[str]:
    """Yield the lines of the page."""
    yield from _opening(run)
    for title, window in (("2011-01 to the end", LONG), ("2019-11 to 2024-11", FIVE_YEARS)):
        refused: list[str] = []
        found = list(judge(run, tickers, window, refused))
        regimes = [one for one in found if one.evidence.task == "regime"]
        directions = [one for one in found if one.evidence.task == "direction"]
        yield from ("", f"## Volatility regime, {title}", "", *regime_table(regimes))
        yield from ("", *together(regimes))
        yield from ("", f"## Direction, {title}", "", *direction_table(directions))
        returns = [one for one in found if one.evidence.task == "distribution"]
        yield from ("", f"## Distribution of returns, {title}", "", *distribution_table(returns))
        yield from ("", *(f"- Not trained: {words}." for words in refused))
    yield from ("", "## The rank itself, 2011-01 to the end", "", *rank_table(run, tickers))
    yield from ("", "## The locked window", "", *locked_table(run))


def judge(
    run: Runtime, tickers: Sequence[str], window: Window, refused: list[str]
) -> Iterator[Judged]:
    """Yield the evidence of every recipe of every ticker over a window; add why one has none."""
    store = run.feature_store(online=False)
    for ticker in tickers:
        for job in every_job(ticker):
            begin = time.perf_counter()
            try:
                trained = train_one(run, store, job, window)
            except InputError as error:
                refused.append(f"{job.settings.model_type} of {ticker}, {error}")
                continue
            yield Judged(trained.evidence, time.perf_counter() - begin)


def regime_table(found: Iterable[Judged]) -> Iterator[str]:
    """Yield a row a model: log loss against both tables, accuracy and F1 beside persistence."""
    yield from _head(
        "model", "sessions", "log loss", "below the table", "below the pooled table",
        "accuracy", "persistence", "macro F1", "persistence", "verdict", "s",
    )  # fmt: skip
    for one in found:
        evidence, scores = one.evidence, one.evidence.pooled.scores
        same = evidence.baselines["persistence"]
        yield _row(
            _name(evidence), str(evidence.window.tested_decided),
            f"{scores['log_loss']:.4f}", _share(evidence, "transition_table"),
            _share(evidence, "pooled_table"), f"{scores['accuracy']:.3f}",
            f"{same['accuracy']:.3f}", f"{scores['macro_f1']:.3f}", f"{same['macro_f1']:.3f}",
            evidence.verdict.standing, f"{one.seconds:.1f}",
        )  # fmt: skip


def together(found: Iterable[Judged]) -> Iterator[str]:
    """Yield a sentence a model type: accuracy over all underlyings beside persistence."""
    by_model: dict[str, list[TrainingEvidence]] = {}
    for one in found:
        by_model.setdefault(one.evidence.model, []).append(one.evidence)
    for model, parts in by_model.items():
        sessions = [part.window.tested_decided for part in parts]
        pairs = list(zip(parts, sessions, strict=True))
        mine = sum(part.pooled.scores["accuracy"] * n for part, n in pairs) / sum(sessions)
        same = [part.baselines["persistence"]["accuracy"] for part in parts]
        theirs = sum(a * n for a, n in zip(same, sessions, strict=True)) / sum(sessions)
        yield (
            f"- {model}, all underlyings together: accuracy {mine:.4f}, persistence "
            f"{theirs:.4f}, {100 * (mine - theirs):+.2f} points."
        )


def direction_table(found: Iterable[Judged]) -> Iterator[str]:
    """Yield a row a model: AUC pooled and as a mean of folds, log loss against the baseline."""
    yield from _head(
        "model", "decided", "AUC pooled [95 %]", "AUC, mean of folds", "quoted", "log loss",
        "baseline's", "better by [95 %]", "verdict", "s",
    )  # fmt: skip
    for one in found:
        evidence = one.evidence
        gate = evidence.gate
        auc = next(row for row in evidence.comparison if row.score == "auc_uncalibrated")
        low, high = (0.5 + end for end in auc.interval or (float("nan"),) * 2)
        folds = evidence.pooled.fold_mean["auc_uncalibrated"]
        yield _row(
            _name(evidence), str(evidence.window.tested_decided),
            f"{auc.model:.3f} [{low:.3f}, {high:.3f}]",
            "-" if folds is None else f"{folds:.3f}", _quoted(evidence),
            f"{gate.value:.4f}", f"{gate.baseline_value:.4f} {gate.baseline.replace('_', ' ')}",
            f"{gate.improvement:+.4f} {_interval(gate.interval, '+.4f')}",
            evidence.verdict.standing, f"{one.seconds:.1f}",
        )  # fmt: skip


def distribution_table(found: Iterable[Judged]) -> Iterator[str]:
    """Yield a row a horizon: the score below the baselines', log score, coverage of 90 %."""
    yield from _head(
        "model", "ahead", "sessions", "CRPS (%)", "below the gate's", "gate", "log score",
        "better by [95 %]", "90 % interval held", "verdict",
    )  # fmt: skip
    for one in found:
        evidence = one.evidence
        compared = {row.score: row for row in evidence.comparison}
        for horizon in HORIZONS:
            score, log = (compared[f"{name}_{horizon}"] for name in ("crps", "log_score"))
            scale = 100.0 / score.baseline_value
            ends = [end * scale for end in score.interval or (float("nan"),) * 2]
            yield _row(
                _name(evidence), str(horizon), str(evidence.window.tested_decided),
                f"{score.model:.4f}", f"{score.difference * scale:.1f} % {_interval(ends, '.1f')}",
                score.baseline.replace("_", " "), f"{log.model:.3f}",
                f"{log.difference:+.3f} {_interval(log.interval, '+.3f')}",
                f"{evidence.pooled.scores[f'coverage_{horizon}']:.1%}", evidence.verdict.standing,
            )  # fmt: skip


def rank_table(run: Runtime, tickers: Sequence[str]) -> Iterator[str]:
    """Yield a row a ticker: the score of the rank forecast, and what its interval held."""
    yield from _head(
        "ticker", "sessions", "score (points)", "persistence", "better by [95 %]",
        "80 % interval held", "median off by",
    )  # fmt: skip
    store = run.feature_store(online=False)
    for ticker in tickers:
        asked = Settings(ticker, model_type="paths", pooled=True, history=True)
        settings = RANK.resolve(asked)
        entry = landed_prices(run, ticker)
        ends = training_window(LONG.period, LONG.start, LONG.end, entry.first, entry.last)
        frame, _ = training_inputs(run, store, RANK, settings, *ends)
        found = walk_rank(frame, settings, ends[0])
        gain, scores = found.difference["persistence"], found.pooled
        yield _row(
            ticker, str(found.window.tested_decided), f"{gain.model:.2f}",
            f"{gain.baseline_value:.2f}",
            f"{gain.value:+.2f} {_interval(gain.interval, '+.2f')}",
            f"{scores['coverage']:.1%}", f"{scores['mae']:.1f}",
        )  # fmt: skip


def locked_table(run: Runtime) -> Iterator[str]:
    """Yield a row a family of what its one opening said."""
    opened = locked_openings(run)
    if not opened:
        yield "Not opened in this home."
        return
    yield from _head("family", "window", "sessions", "log loss", "baseline", "better by [95 %]")
    for one in opened:
        if (result := one.result) is None:
            continue
        gate, window = result.gate, result.window
        yield _row(
            words_of(one.family),
            f"{window.start} to {window.end}", str(window.decided),
            f"{gate.value:.4f}", f"{gate.baseline.replace('_', ' ')} "
            f"{gate.baseline_value:.4f}",
            f"{gate.improvement:+.4f} {_interval(gate.interval, '+.4f')}",
        )  # fmt: skip


def _opening(run: Runtime) -> Iterator[str]:
    entry = landed_prices(run, "SPY")
    yield from (
        "# Evidence",
        "",
        f"What every model type is worth on {run.home.origin()} data to {entry.last}:",
        "walk-forward, five folds. Written by",
        "",
        "    OPTRADE_HOME=home optrade ingest --source recorded --recorded-dir folder",
        "    OPTRADE_HOME=home python -m benchmarks.evidence --page docs/evidence.md",
        "",
        "A regime model is trained on all three underlyings and on the sessions before the",
        "window, a direction on its own window. *The table* is the transition table of the",
        "window's training part, *the pooled table* that of everything trained on. Intervals are",
        "95 % of a stationary block bootstrap, in percent of the baseline's loss where a share is",
        "shown. A verdict here is that of one training; `optrade train-all` counts the other",
        "trials as well.",
        "",
        *WORDS.read_text("utf-8").splitlines(),
    )


def _share(evidence: TrainingEvidence, baseline: str) -> str:
    found = evidence.difference.get(baseline)
    if found is None or found.interval is None:
        return "-"
    scale = 100.0 / found.baseline_value
    ends = [end * scale for end in found.interval]
    return f"{found.value * scale:.1f} % {_interval(ends, '.1f')}"


def _interval(ends: Sequence[float] | None, form: str) -> str:
    return "[-]" if ends is None else f"[{ends[0]:{form}}, {ends[1]:{form}}]"


def _quoted(evidence: TrainingEvidence) -> str:
    settings = evidence.settings
    five_years = str(evidence.window.start) >= str(FIVE_YEARS.start)
    asked = all(settings[name] == value for name, value in RECIPE.items())
    return f"{QUOTED[evidence.ticker]:.3f}" if five_years and asked else "-"


def _name(evidence: TrainingEvidence) -> str:
    return f"{evidence.ticker} {evidence.model}"


def _head(*names: str) -> Iterator[str]:
    yield _row(*names)
    yield _row("---", *("--:" for _ in names[1:]))


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
