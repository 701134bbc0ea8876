"""What words of headlines mean on a market, where a general lexicon is silent or wrong.

Valences on VADER's scale of -4 to 4, set by hand for this project and fitted to nothing: about 1
for a mild word, 2 for a plain one, 3 for a grave one. Phrases are read as one word.

Limits: English only. What goes up is taken as good, though a price may be a cost ("oil jumps") and
a yield the other side of a bond. No word knows which company it is about, and numbers say nothing.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

# Words for things, not for moods, taken out of the general lexicon, which rates "shares" 1.2 and
# "crude" -2.7. Out of it, not 0 in it: VADER pushes a 0 in capital letters below zero.
TOPICS: Final = (
    "alert asset assets block capital care challenge challenges credit crude debt demand energy "
    "equities equity exposed free gross growth hand interest join joins like liability "
    "liabilities mutual natural number outstanding party pay play plays please profit profits "
    "securities security share shares straight top treasury trust trusts united value vice well "
    "worth"
)

# Valence -> words.
WORDS: Final[Mapping[float, str]] = MappingProxyType(
    {
        3.0: "skyrocket skyrockets skyrocketed",
        2.5: "soar soars soared soaring surge surges surged surging blowout",
        2.0: (
            "beat beats outperform outperforms outperformed upgrade upgrades upgraded rally "
            "rallies rallied rallying jump jumps jumped bullish tops topped breakthrough"
        ),
        1.5: (
            "rise rises rose rising climb climbs climbed gain gains gained rebound rebounds "
            "rebounded recover recovers recovered exceed exceeds exceeded approves approved"
        ),
        1.0: "higher raises raised upbeat buyback accelerates accelerated expands",
        -1.0: "lower cautious delay delays delayed slows slowed slowing uncertainty tariff tariffs",
        -1.5: (
            "fall falls fell falling drop drops dropped slip slips slipped slide slides slid "
            "decline declines declined dip dips dipped miss misses missed warns warned probe "
            "probes recall recalls halts halted layoff layoffs fined lawsuit lawsuits subpoena"
        ),
        -2.0: (
            "downgrade downgrades downgraded underperform underperforms underperformed bearish "
            "sink sinks sank slump slumps slumped tumble tumbles tumbled selloff impairment "
            "writedown shortfall"
        ),
        -2.5: (
            "plunge plunges plunged plunging plummet plummets plummeted crater craters cratered "
            "recession"
        ),
        -3.0: "crash crashes crashed collapse collapses collapsed fraud default defaults",
        -3.5: "bankruptcy bankrupt insolvency insolvent delisted",
    }
)

# Valence -> phrases, whose words may be joined by blanks or hyphens.
PHRASES: Final[Mapping[float, tuple[str, ...]]] = MappingProxyType(
    {
        2.5: ("record high", "record highs", "all time high", "all time highs"),
        2.0: (
            "better than expected", "raises guidance", "raised guidance", "guidance raised",
            "raises forecast", "raises outlook", "lifts guidance", "lifts forecast",
            "boosts guidance", "boosts forecast", "raises dividend", "dividend hike",
            "price target raised", "record profit", "record revenue", "above estimates",
        ),
        0.0: (
            "rate cut", "rate cuts", "rate hike", "rate hikes", "cuts rates", "raises rates",
            "best buy", "stock split", "vice president", "short term", "long term",
        ),
        -1.5: ("job cuts", "cuts jobs", "price target cut", "short seller", "class action"),
        -2.0: (
            "worse than expected", "below estimates", "falls short", "fell short", "sell off",
            "going concern", "write down",
        ),
        -2.5: (
            "guidance cut", "cuts guidance", "cut guidance", "lowers guidance", "lowered guidance",
            "withdraws guidance", "cuts forecast", "lowers forecast", "cuts outlook",
            "lowers outlook", "profit warning", "cuts dividend", "dividend cut",
            "suspends dividend", "record low", "record lows", "record loss",
        ),
        -3.5: ("chapter 11", "chapter 7", "margin call"),
    }
)  # fmt: skip


def term_valences() -> dict[str, float]:
    """Return the valence of every word, and of every phrase with `_` between its words.

    Words and phrases that have none are not in it.
    """
    words = {word: valence for valence, row in WORDS.items() for word in row.split()}
    phrases = {p.replace(" ", "_"): valence for valence, row in PHRASES.items() for p in row}
    return {term: valence for term, valence in (words | phrases).items() if valence}
