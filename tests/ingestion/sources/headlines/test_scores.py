"""Scores of headlines: the default, its terms, and scorers of others."""

import sys
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestion.sources.headlines.finance_terms import PHRASES, TOPICS, WORDS, term_valences
from ingestion.sources.headlines.scores import DEFAULT_SCORER, SCORERS, HeadlineScores, open_scorer
from market.errors import ConfigurationError

ROOT = Path(__file__).resolve().parents[4]


@pytest.fixture(scope="module")
def vader() -> HeadlineScores:
    return open_scorer()


GOOD = (
    "Nvidia beats estimates, shares surge",
    "Goldman upgraded at Citi",
    "S&P 500 ends at a record high",
    "Better-than-expected results lift Target",
    "Retailer raises guidance for the year",
    "Chipmakers rally after strong demand",
)
BAD = (
    "Nike cuts guidance, stock plunges",
    "Regional lender files for bankruptcy",
    "Tesla downgraded at UBS",
    "Retailer misses on revenue",
    "Profit warning sinks the shares",
    "Carmaker recalls 400,000 trucks",
    "Company in Chapter 11 talks",
    "Results WORSE THAN EXPECTED at Boeing",
    "Profit falls 20% at the bank",
)
NEITHER = (
    "Crude inventories in the week to Friday",
    "Gross margin and interest expense explained",
    "Credit Suisse names a vice president",
    "Mutual funds, shares and securities",
    "United Energy Trust: what it is",
    "Fed holds rates",
    "Bank of Japan rate hike in March",
    "",
    "12345 !!! ???",
)


@pytest.mark.parametrize("headline", GOOD)
def test_good_news_is_above_zero(headline: str, vader: HeadlineScores) -> None:
    assert vader([headline])[0] > 0.05


@pytest.mark.parametrize("headline", BAD)
def test_bad_news_is_below_zero(headline: str, vader: HeadlineScores) -> None:
    assert vader([headline])[0] < -0.05


@pytest.mark.parametrize("headline", NEITHER)
def test_words_for_things_have_no_mood(headline: str, vader: HeadlineScores) -> None:
    assert vader([headline]) == [0.0]


@pytest.mark.parametrize(
    ("plain", "negated"),
    [("Shares fall", "Shares did not fall"), ("Upgraded by Citi", "Not upgraded by Citi")],
)
def test_a_negation_turns_the_sign(plain: str, negated: str, vader: HeadlineScores) -> None:
    before, after = vader([plain, negated])
    assert before * after < 0


def test_every_term_has_its_sign(vader: HeadlineScores) -> None:
    valences = {word: valence for valence, row in WORDS.items() for word in row.split()}
    valences |= {phrase: valence for valence, row in PHRASES.items() for phrase in row}
    valences |= dict.fromkeys(TOPICS.split(), 0.0)
    for term, valence in valences.items():
        for written in (term, term.upper(), term.replace(" ", "-")):
            (score,) = vader([f"Firm: {written}"])
            assert (score > 0, score < 0) == (valence > 0, valence < 0), written


def test_no_term_stands_in_two_places() -> None:
    words = [word for row in (*WORDS.values(), TOPICS) for word in row.split()]
    phrases = [phrase for row in PHRASES.values() for phrase in row]
    assert not [term for term, count in Counter(words + phrases).items() if count > 1]
    assert all(-4.0 <= valence <= 4.0 for valence in term_valences().values())
    assert all(" " in phrase and phrase == phrase.lower() for phrase in phrases)


def test_phrase_beats_its_words(vader: HeadlineScores) -> None:
    assert vader(["Guidance cut"])[0] < vader(["Budget cut"])[0] < 0


SCORE = open_scorer()
TEXTS = st.lists(st.text(max_size=80) | st.sampled_from(GOOD + BAD + NEITHER), max_size=5)


@given(TEXTS)
def test_any_text_has_one_score_whatever_stands_beside_it(texts: list[str]) -> None:
    scores = SCORE(texts)
    assert len(scores) == len(texts)
    assert all(-1.0 <= value <= 1.0 for value in scores)
    assert scores == [SCORE([text])[0] for text in texts]


def test_name_says_what_and_which_version(
    vader: HeadlineScores, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert vader.name.startswith("vader 3.")
    assert open_scorer().name == vader.name
    terms = {**term_valences(), "moonshot": 1.0}
    monkeypatch.setattr("ingestion.sources.headlines.scores.term_valences", lambda: terms)
    assert open_scorer().name != vader.name


def test_the_same_texts_have_these_scores(vader: HeadlineScores) -> None:
    if not vader.name.startswith("vader 3.3.2"):
        pytest.skip("the figures are those of vaderSentiment 3.3.2")
    assert vader(["Bank files for bankruptcy", "Chipmaker soars"]) == [-0.6705, 0.5423]


# --- the scorers of others ----------------------------------------------------------------------


@pytest.fixture
def place(monkeypatch: pytest.MonkeyPatch) -> Callable[[object], str]:
    """Return where an object stands, as `module:attribute`."""

    def put(scorer: object) -> str:
        monkeypatch.setitem(sys.modules, "my_scores", SimpleNamespace(scorer=scorer))
        return "my_scores:scorer"

    return put


class Lengths:
    """One hundredth a letter."""

    name = "lengths 2"

    def __call__(self, headlines: Sequence[str]) -> list[float]:
        return [len(text) / 100 for text in headlines]


def test_a_class_an_object_or_a_function_by_its_place(place: Callable[[object], str]) -> None:
    assert open_scorer(place(Lengths)).name == "lengths 2"
    assert open_scorer(place(Lengths()))(["abc"]) == [0.03]
    plain = open_scorer(place(lambda texts: (0.5 for _ in texts) and [0.5] * len(texts)))
    assert (plain.name, plain(["a", "b"])) == ("my_scores:scorer", [0.5, 0.5])


@pytest.mark.parametrize("word", SCORERS)
def test_every_word_opens(word: str) -> None:
    scorer = open_scorer(word)
    assert scorer.name
    assert scorer([]) == []


def test_the_setting_has_the_same_default() -> None:
    from optrade.settings import Settings

    assert Settings.model_fields["headline_scorer"].default == DEFAULT_SCORER


@pytest.mark.parametrize(
    ("word", "why"),
    [
        ("oracle", "no such word"),
        ("", "no such word"),
        ("nowhere_at_all:scorer", "No module named 'nowhere_at_all'"),
        ("math:nothing", "no attribute 'nothing'"),
        ("math:pi", "it cannot be called"),
        ("pathlib:PurePath.home", "no such word"),
        ("../evil:scorer", "no such word"),
        ("ingestion.sources.headlines.scores:HeadlineScores", "TypeError"),
    ],
)
def test_a_scorer_that_there_is_not_is_refused(word: str, why: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        open_scorer(word)
    assert str(caught.value).startswith(f"OPTRADE_HEADLINE_SCORER: got {word!r} (")
    assert why in str(caught.value)
    assert "allowed are vader, or module:attribute" in str(caught.value)


@pytest.mark.parametrize(
    ("answer", "got"),
    [
        ([0.1], "scores of shape (1,) for 2 headlines"),
        ([[0.1], [0.2]], "scores of shape (2, 1) for 2 headlines"),
        ([0.1, float("nan")], "got nan"),
        ([0.1, 1.5], "got 1.5"),
        ([0.1, float("-inf")], "got -inf"),
        (["good", "bad"], "ValueError"),
        (None, "scores of shape () for 2 headlines"),
    ],
)
def test_a_scorer_that_gives_anything_else_is_refused(answer: object, got: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        HeadlineScores("odd 1", lambda _: answer)(["a", "b"])
    assert str(caught.value).startswith("headline scorer odd 1: got ")
    assert got in str(caught.value)


FAULTS = [
    KeyError("a"),
    RuntimeError("no\nmodel"),
    ZeroDivisionError(),
    OSError(2, "x"),
    SystemExit(1),
]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: type(fault).__name__)
def test_a_scorer_that_fails_is_named_in_one_line(
    fault: BaseException, place: Callable[[object], str]
) -> None:
    class Broken:
        def __init__(self) -> None:
            raise fault

    def broken(_: Sequence[str]) -> list[float]:
        raise fault

    for ask in (lambda: open_scorer(place(Broken)), lambda: open_scorer(place(broken))(["a"])):
        with pytest.raises(ConfigurationError, match=type(fault).__name__) as caught:
            ask()
        assert "my_scores:scorer" in str(caught.value)
        assert "\n" not in str(caught.value)
