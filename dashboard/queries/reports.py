"""Pages of judged trades in a home's reports: what each says first, and how large it is."""

from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from typing import Final

from dashboard.queries.documents import NothingYet
from market.errors import InputError

NO_BACKTEST: Final = (
    "No backtest was run: run `optrade backtest`, and its page lands here. So does that of "
    "`optrade judge FILE --output {folder}/NAME.html`."
)
SUFFIX: Final = ".html"
#: Characters in which a page has said its verdict.
HEAD: Final = 200_000
#: What the element of each part is, and its class.
PARTS: Final = {("h1", None): "verdict", ("p", "what"): "about"}


@dataclass(frozen=True)
class ReportPage:
    """A page of judged trades.

    Attributes
    ----------
    verdict
        Its first line.
    about
        Which trades, in words.
    written
        Seconds since 1970.
    size
        In bytes.
    """

    path: Path
    verdict: str
    about: str
    written: float
    size: int


def report_pages(folder: Path) -> tuple[list[ReportPage], list[str]]:
    """Return the pages of a folder, the newest first, and what is wrong with those left out.

    Raises
    ------
    NothingYet
        If there is no page.
    """
    paths = sorted(folder.glob(f"*{SUFFIX}"))
    if not paths:
        raise NothingYet(NO_BACKTEST.format(folder=folder))
    found, faults = [], []
    for path in paths:
        try:
            page = _page(path)
        except (OSError, UnicodeDecodeError) as error:
            page = None
            reason = str(getattr(error, "strerror", None) or "it is no UTF-8")
        else:
            reason = "it says no verdict"
        if page is None:
            faults.append(
                f"{path}: no page of a backtest or a judgement ({reason}): write it again with "
                "the command that made it, or move it away"
            )
        else:
            found.append(page)
    return sorted(found, key=lambda one: (one.written, one.path.name), reverse=True), faults


def content_of(page: ReportPage) -> str:
    """Return a page whole.

    Raises
    ------
    InputError
        If it cannot be read any more.
    """
    try:
        return page.path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"{page.path} cannot be read: write it again with the command that made it"
        ) from error


def _page(path: Path) -> ReportPage | None:
    with path.open(encoding="utf-8", newline="") as file:
        head = _Head()
        head.feed(file.read(HEAD))
    if "verdict" not in head.said:
        return None
    state = path.stat()
    said = {name: " ".join(text.split()) for name, text in head.said.items()}
    return ReportPage(
        path, said["verdict"], said.get("about", path.stem), state.st_mtime, state.st_size
    )


class _Head(HTMLParser):
    """Reads what the header of a page says."""

    def __init__(self) -> None:
        super().__init__()
        self.said: dict[str, str] = {}
        self._part: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        part = PARTS.get((tag, dict(attrs).get("class")))
        if part is not None and part not in self.said:
            self.said[part], self._part = "", part

    def handle_endtag(self, tag: str) -> None:  # noqa: ARG002 - the parser's own
        self._part = None

    def handle_data(self, data: str) -> None:
        if self._part is not None:
            self.said[self._part] += data
