"""What a live vendor is: one row that opens it, and says how its key is checked."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal, NamedTuple, Self

import httpx2
from pydantic import SecretStr

from ingestion.sources.base import Source
from ingestion.sources.headlines.scores import HeadlineScores
from ingestion.sources.wire.recording import Clock


@dataclass(frozen=True)
class LiveOptions:
    """What the vendors are opened with.

    Attributes
    ----------
    now
        The clock, with a zone: headlines and mentions count as recorded when they are there.
    keys
        The vendors' keys, by the words of their rows; a vendor without one goes without.
    cache_dir
        The folder for what vendors' libraries and call budgets keep between runs, in a folder a
        vendor; None keeps nothing, and leaves yfinance its own place.
    scorer
        What scores headlines; None is the default of `headlines.scores`.
    chains
        The word of the vendor whose option chains land with the rest; None lands nobody's, as each
        vendor's terms are to be read first (docs/chains.md).
    """

    now: Clock
    keys: Mapping[str, SecretStr] = field(default_factory=dict)
    cache_dir: Path | None = None
    scorer: HeadlineScores | None = None
    chains: str | None = None

    def key(self, word: str) -> str | None:
        """Return the key of a vendor, None without one."""
        return self.keys[word].get_secret_value() if word in self.keys else None

    def folder(self, name: str) -> Path | None:
        """Return a folder of the cache, which need not exist yet."""
        return None if self.cache_dir is None else self.cache_dir / name


class KeyVerdict(NamedTuple):
    """What a vendor's answer says about a key: how bad it is, in which words."""

    level: Literal["ok", "error"]
    words: str


@dataclass(frozen=True)
class VendorKey:
    """The key of a vendor, and the one cheap question that shows what it opens.

    Attributes
    ----------
    setting
        The field of the settings that holds it; the environment variable is the same in capitals.
    form
        What a key looks like; one of another form is never sent.
    unset
        What goes without it, in words; of chains alone `OPTRADE_CHAINS` says it.
    url
        The address of the question.
    request
        (address, key) -> the question.
    verdict
        (status, the vendor's words) -> what the answer says; None where it says nothing about the
        key.
    """

    setting: str
    form: re.Pattern[str]
    unset: str
    url: str
    request: Callable[[str, str], httpx2.Request]
    verdict: Callable[[int, str], KeyVerdict | None]

    @property
    def variable(self) -> str:
        """The environment variable of the key."""
        return self.setting.upper()


@dataclass(frozen=True)
class Vendor:
    """A live vendor.

    Attributes
    ----------
    word
        Its word, which is its source's name.
    title
        Its name, for messages.
    open
        Returns its source, at the vendor's own addresses; the network is not touched.
    tables
        The tables that are asked of it first.
    fallback_for
        The tables that are asked of it where the first vendor fails, or ends too early.
    key
        Its key; None where it needs none.
    terms
        What it allows with its option chains, and where it says so.
    """

    word: str
    title: str
    open: Callable[[LiveOptions], Source]
    tables: tuple[str, ...] = ()
    fallback_for: tuple[str, ...] = ()
    key: VendorKey | None = None
    terms: str = ""

    def gives(self, table: str) -> bool:
        """Whether a table is asked of it."""
        return table in (*self.tables, *self.fallback_for)

    def without(self, table: str) -> Self:
        """Return the vendor, never asked for a table."""
        kept = [
            tuple(name for name in names if name != table)
            for names in (self.tables, self.fallback_for)
        ]
        return replace(self, tables=kept[0], fallback_for=kept[1])
