"""Scores of headlines, -1 to 1: what gives them is chosen by a word, or by a place in the code."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from importlib import import_module
from importlib.metadata import version
from types import MappingProxyType
from typing import Any, Final, Protocol

import numpy as np

from ingestion.sources.headlines.finance_terms import PHRASES, TOPICS, term_valences
from market.errors import ConfigurationError

DEFAULT_SCORER: Final = "vader"
# "module:attribute" of a scorer, or of a class of them that is made without arguments.
SCORERS: Final[Mapping[str, str]] = MappingProxyType(
    {DEFAULT_SCORER: "ingestion.sources.headlines.scores:FinanceVader"}
)
PLACE: Final = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*")


class Scorer(Protocol):
    """Gives each text its mood, -1 to 1; any callable of this shape.

    Attributes
    ----------
    name
        What gives the scores, with its version; a callable without one goes by its place.
    """

    name: str

    def __call__(self, headlines: Sequence[str]) -> Sequence[float]:
        """Return the mood of each text, -1 (bad) to 1 (good); shape (n_headlines,)."""
        ...


@dataclass(frozen=True)
class HeadlineScores:
    """A scorer whose answers are checked.

    Attributes
    ----------
    name
        What stands in the column `scorer`.
    score
        The scorer.
    """

    name: str
    score: Any

    def __call__(self, headlines: Sequence[str]) -> list[float]:
        """Return the mood of each text, -1 to 1; shape (n_headlines,).

        Raises
        ------
        ConfigurationError
            If the scorer fails, or gives anything but one number of [-1, 1] a text.
        """
        try:
            scores = np.asarray(self.score(headlines), dtype=float)
        except (Exception, SystemExit) as error:  # a user's own code raises whatever there is
            raise self._refused(_in_a_line(error)) from error
        if scores.shape != (len(headlines),):
            raise self._refused(f"scores of shape {scores.shape} for {len(headlines)} headlines")
        wrong = scores[~(np.abs(scores) <= 1.0)]
        if len(wrong):
            raise self._refused(f"{wrong[0]}")
        return scores.tolist()

    def _refused(self, got: str) -> ConfigurationError:
        return ConfigurationError(
            f"headline scorer {self.name}: got {got}, allowed is one number of -1 to 1 a headline; "
            "choose another with OPTRADE_HEADLINE_SCORER"
        )


def open_scorer(word: str = DEFAULT_SCORER) -> HeadlineScores:
    """Return the scorer of a word of `SCORERS`, or of a place written `module:attribute`.

    Raises
    ------
    ConfigurationError
        If there is none, it cannot be made, or it cannot be called.
    """
    place = SCORERS.get(word, word)
    if not PLACE.fullmatch(place):
        raise _unknown(word, "no such word")
    module, _, attribute = place.partition(":")
    try:
        scorer = getattr(import_module(module), attribute)
        scorer = scorer() if isinstance(scorer, type) else scorer
    except (Exception, SystemExit) as error:  # a user's own code raises whatever there is
        raise _unknown(word, _in_a_line(error)) from error
    if not callable(scorer):
        raise _unknown(word, "it cannot be called")
    return HeadlineScores(str(getattr(scorer, "name", place)), scorer)


def _in_a_line(error: BaseException) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split()):.100}"


def _unknown(word: str, why: str) -> ConfigurationError:
    return ConfigurationError(
        f"OPTRADE_HEADLINE_SCORER: got {word!r:.60} ({why}), allowed are {', '.join(SCORERS)}, or "
        "module:attribute of a callable that gives each headline a score of -1 to 1"
    )


class FinanceVader:
    """VADER (Hutto and Gilbert 2014) with the terms of `finance_terms` on top.

    The compound score of a rule-based lexicon: the same text has the same score for ever, under
    the same name. It reads single words with their negations and boosters, no irony and no
    context, and 0 means no word that it knows.

    The package vaderSentiment is its author's own and carries its lexicon: nltk's copy of VADER
    has to download it, and TextBlob's rates adjectives of reviews, which headlines lack.
    """

    def __init__(self) -> None:
        from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

        self._analyzer = SentimentIntensityAnalyzer()
        lexicon, topics, terms = self._analyzer.lexicon, TOPICS.split(), term_valences()
        self._analyzer.lexicon = {w: v for w, v in lexicon.items() if w not in topics} | terms
        self._phrases = _any_of(phrase for row in PHRASES.values() for phrase in row)
        digest = sha256(repr((topics, sorted(terms.items()), PHRASES)).encode()).hexdigest()
        self.name = f"vader {version('vaderSentiment')}, finance terms {digest[:8]}"

    def __call__(self, headlines: Sequence[str]) -> list[float]:
        """Return the compound score of each text, -1 to 1; shape (n_headlines,)."""
        return [
            self._analyzer.polarity_scores(self._joined(text))["compound"] for text in headlines
        ]

    def _joined(self, text: str) -> str:
        return self._phrases.sub(lambda found: re.sub(r"[\s-]+", "_", found[0]), text)


def _any_of(phrases: Iterable[str]) -> re.Pattern[str]:
    """Return what finds any of the phrases, the longest first."""
    longest_first = sorted(phrases, key=len, reverse=True)
    words = [r"[\s-]+".join(map(re.escape, phrase.split())) for phrase in longest_first]
    return re.compile(rf"\b(?:{'|'.join(words)})\b", re.IGNORECASE)
